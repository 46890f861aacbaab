"""What tests of several packages share."""

import os
from pathlib import Path

import pytest

from models.encoder.prepare import prepare


@pytest.fixture(scope="session")
def encoder_folder() -> Path:
    """The default encoder, from the user's own cache so that it is made once a machine, not once a run."""
    return prepare(Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser())
