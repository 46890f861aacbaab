"""The bundle: what training hands to the service. A folder of declared files, whole or refused.

Written beside its place, synced, and renamed: whatever stops the writer, a reader sees a whole folder or none.
Only safetensors, npz without pickle, and JSON are read; nothing in a bundle is run.
"""

import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from models.topics import TopicModel

FORMAT: Literal[1] = 1
MANIFEST = "manifest.json"
TOPICS = "topics.npz"
ADAPTER = "adapter.safetensors"
SCALES = "scales.json"
MESSAGES = "messages.jsonl"
LAYOUT = frozenset({TOPICS, ADAPTER, SCALES, MESSAGES})
"""Every file that a bundle may hold beside its manifest; `TOPICS` it must."""


class BundleError(Exception):
    """A bundle that cannot be used. ``fix`` says in one sentence what to do.

    BundleError
    ├── UnknownBundle      of a format, or with a file, that this version does not know
    ├── DamagedBundle      a file is missing or is not the one that was written
    ├── MismatchedBundle   whole, but made for another encoder or store
    └── NotWritten         the disk would not take it
    """

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(f"{message}. {fix}")
        self.fix = fix


class UnknownBundle(BundleError):
    """Of a format, or with a file, that this version does not know."""


class DamagedBundle(BundleError):
    """A file is missing or is not the one that was written."""


class MismatchedBundle(BundleError):
    """Whole, but made for another encoder or store."""


class NotWritten(BundleError):
    """The disk would not take it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Part):
    """One file as it was written."""

    size: int
    sha256: str


class Encoder(_Part):
    """What the topics' vectors were made with: an embedder's name, and the one it was tuned from."""

    name: str
    dimension: int
    base: str


class Data(_Part):
    """What was learnt from; ``fingerprint`` is that of the messages, in order."""

    fingerprint: str
    messages: int
    labelled: int
    rejected: int


class Manifest(_Part):
    """``objections``: why it should not be promoted, by the limits it was scored against."""

    format: Literal[1]
    kind: Literal["live", "trained"]
    name: str
    made: datetime
    encoder: Encoder
    data: Data
    recipe: dict[str, Any]
    scores: dict[str, Any]
    objections: tuple[str, ...]
    files: dict[str, File]
    checksum: str = ""

    def sealed(self) -> "Manifest":
        """The same with the checksum over all that it says."""
        return self.model_copy(update={"checksum": self._sum()})

    @property
    def full_name(self) -> str:
        """Name and checksum in short: no two bundles share it."""
        return f"{self.name}@{self.checksum[:8]}"

    @property
    def intact(self) -> bool:
        return self.checksum == self._sum()

    def _sum(self) -> str:
        said = self.model_dump(mode="json", exclude={"checksum"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle. ``adapter`` holds safetensors, None where the encoder is the base itself.

    ``scales``: how many times as many of the same messages a topic counts as it did in the model before.
    """

    manifest: Manifest
    topics: TopicModel
    adapter: bytes | None
    scales: Mapping[str, float]


def load(folder: Path) -> Bundle:
    """Read and check a bundle. Raises `UnknownBundle` or `DamagedBundle`."""
    manifest = read_manifest(folder)
    contents = {name: _checked(folder, name, file) for name, file in manifest.files.items() if name != MESSAGES}
    scales = json.loads(contents.get(SCALES, b"{}"))
    return Bundle(manifest, topics_from(contents[TOPICS]), contents.get(ADAPTER), scales)


def read_messages(folder: Path) -> list[dict[str, Any]]:
    """The kept messages of a live bundle, redacted; none where it holds none. Raises as `load`."""
    file = read_manifest(folder).files.get(MESSAGES)
    return [json.loads(line) for line in _checked(folder, MESSAGES, file).splitlines()] if file else []


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone, and that every file has the size it names. Raises as `load`."""
    again = f"Make it again, or delete {folder.name}"
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DamagedBundle(f"{folder.name} is no bundle: it has no {MANIFEST}", fix=again) from None
    except ValueError:
        raise DamagedBundle(f"{MANIFEST} of {folder.name} is no JSON", fix=again) from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        told = said.get("format") if isinstance(said, dict) else None
        fix = "Use the version of Tocsin that made it, or make it again with this one"
        raise UnknownBundle(f"{folder.name} is of format {told}, this version reads {FORMAT}", fix=fix)
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_url=False, include_input=False)[0]["loc"]))
        raise UnknownBundle(f"{MANIFEST} of {folder.name} says {where} in an unknown way", fix=again) from None
    if not manifest.intact:
        raise DamagedBundle(f"{MANIFEST} of {folder.name} was changed after it was written", fix=again)
    found = {path.name for path in folder.iterdir()} - {MANIFEST}
    if strange := (found | manifest.files.keys()) - LAYOUT:
        raise UnknownBundle(f"{folder.name} holds {min(strange)}, which belongs in no bundle", fix=again)
    if missing := ({TOPICS} | manifest.files.keys()) - (found & manifest.files.keys()):
        raise DamagedBundle(f"{folder.name} lacks {min(missing)}", fix=again)
    if odd := found - manifest.files.keys():
        raise UnknownBundle(f"{folder.name} holds {min(odd)}, which its manifest does not name", fix=again)
    return manifest


def write(folder: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> Manifest:
    """Write a bundle as ``folder``, whole or not at all; answers its manifest with files and checksum filled in.

    Raises `NotWritten` where ``folder`` is there already, or the disk is full.
    """
    if folder.exists():
        raise NotWritten(f"{folder} is there already", fix="Choose another name, or delete it first")
    files = {name: File(size=len(body), sha256=hashlib.sha256(body).hexdigest()) for name, body in contents.items()}
    manifest = manifest.model_copy(update={"name": folder.name, "files": files}).sealed()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
        try:
            for name, body in contents.items():
                write_synced(partial / name, body)
            write_synced(partial / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
            partial.chmod(0o700 if MESSAGES in contents else 0o755)
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _sync_folder(folder.parent)
    except OSError as error:
        raise not_written(folder, error) from error
    return manifest


def write_synced(path: Path, body: bytes) -> None:
    """Write a file that lasts once this returns. Raises OSError."""
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def not_written(path: Path, error: OSError) -> NotWritten:
    """What to tell of a disk that would not take ``path``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NotWritten(f"the disk is full; nothing was left of {path.name}", fix="Free some space and run it again")
    return NotWritten(f"{path} could not be written ({error.strerror})", fix="Mend that and run it again")


def topics_bytes(model: TopicModel) -> bytes:
    """A topic model as `TOPICS` holds it."""
    buffer = io.BytesIO()
    np.savez(buffer, **model.to_arrays())  # type: ignore[arg-type]  # names are arrays, not flags
    return buffer.getvalue()


def topics_from(content: bytes) -> TopicModel:
    """What `topics_bytes` gave. Raises ValueError for a format this version does not know."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return TopicModel.from_arrays(dict(arrays.items()))


def _checked(folder: Path, name: str, file: File) -> bytes:
    body = (folder / name).read_bytes()
    if len(body) != file.size or hashlib.sha256(body).hexdigest() != file.sha256:
        raise DamagedBundle(f"{name} of {folder.name} is not the file that was written", fix="Copy or make it again")
    return body


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
