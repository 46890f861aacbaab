import pytest

from models.encoder import weights


@pytest.fixture(scope="session")
def packed() -> weights.Packed:
    """The packaged file, read once."""
    return weights.read(weights.locate())
