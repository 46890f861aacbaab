"""What can go wrong with the encoder, and what to do about it.

EncoderError
├── SourceMissing   the packaged weights are not installed
├── SourceDamaged   the packaged weights are not the expected file
└── FolderDamaged   a folder that should hold an encoder does not
"""


class EncoderError(Exception):
    """Base of all. ``fix`` says in one sentence what the operator can do."""

    fix: str

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(f"{message}. {fix}")
        self.fix = fix


class SourceMissing(EncoderError):
    """The packaged weights are not installed."""


class SourceDamaged(EncoderError):
    """The packaged weights are not the expected file."""


class FolderDamaged(EncoderError):
    """A folder that should hold an encoder lacks a file or holds another one."""
