"""A figure beside what it is held against, measured in the same run; what every part of `make bench` returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table of `make bench`."""

    name: str
    value: float
    unit: str
    of: float | None = None
    """The ratio to ``peer``, both measured in this run."""
    peer: str = ""
    """What ``of`` is a ratio to, with its own figure where that tells more."""
    goal: float | None = None
    """What ``of`` (``value``, where there is no peer) is to reach; None where nothing is asked."""
    sense: Literal["least", "most"] = "least"
    """Whether the goal is the least or the most that is well."""
    note: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the goal is reached; None without one.

        >>> Figure("a", 9_000, "a second", of=0.7, peer="b", goal=0.6).held
        True
        """
        if self.goal is None:
            return None
        figure = self.value if self.of is None else self.of
        return figure >= self.goal if self.sense == "least" else figure <= self.goal


def alternated(sides: Sequence[Callable[[], T]], rounds: int) -> list[list[T]]:
    """What each side measures in each round, the sides taking turns, so that other work on the machine hits all of
    them; every second round in the reverse order."""
    found: list[list[T]] = [[] for _ in sides]
    for number in range(rounds):
        order = range(len(sides)) if number % 2 == 0 else range(len(sides) - 1, -1, -1)
        for side in order:
            found[side].append(sides[side]())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over the rounds of ours over theirs.

    >>> ratio([2, 9, 4], [2, 3, 2])
    2.0
    """
    return float(median(a / b for a, b in zip(ours, theirs, strict=True)))
