"""What is kept, in plain words: one line a kind of data, for the page, the API and the tests to hold the store to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from models.embed import Language


@dataclass(frozen=True, slots=True)
class Keeping:
    """One kind of data. ``span``: how long, None where it is until something happens; ``most``: how many at most."""

    what: Mapping[Language, str]
    how: Mapping[Language, str]
    span: timedelta | None
    most: int | None = None
