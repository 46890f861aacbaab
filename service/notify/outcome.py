"""What became of one try to deliver: done, to be tried later, or given up, with a reason."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has it."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may work later; ``retry_after`` where the other side named a time."""

    reason: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """It never will."""

    reason: str


Outcome = Delivered | Later | Dead
