"""An indicator: a service metric under a dynamic threshold, and how its observations add up.

Observations are added up by bucket into a `Tally`, which is all that is kept of them: nobody's single waiting time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, floor, log

import numpy as np

from models.embed import Language

STEP = 0.05
"""Bins grow by 5 %: a quantile is read to within 2.5 %, and a day of waiting times is a few dozen bins."""
ZERO = -10_000
"""The bin of nothing at all: a wait of 0 has no logarithm."""


class Kind(StrEnum):
    """What is made of the observations.

    share: how many of them are over ``limit``; ratio: their values over their denominators; mean and quantile: of
    the values; count: the sum of the values.
    """

    share = "share"
    ratio = "ratio"
    mean = "mean"
    quantile = "quantile"
    number = "count"

    @property
    def binned(self) -> bool:
        """Whether the values' spread is needed, and not their sum alone."""
        return self in (Kind.mean, Kind.quantile)

    @property
    def counted(self) -> bool:
        """Whether it is hits among many, each of which may be one."""
        return self in (Kind.share, Kind.ratio)


class Direction(StrEnum):
    """Which way is bad."""

    up = "up"
    down = "down"
    both = "both"


class CostKind(StrEnum):
    """What one more than usual costs a company.

    ticket: somebody's work on it; again: the same of those who ask again; order: one that comes back; time: itself, being
    working time (a mean, in s, min or h).
    """

    ticket = "ticket"
    again = "again"
    order = "order"
    time = "time"


HOURS: Mapping[str, float] = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0}
"""Units of time."""


class BadIndicator(ValueError):
    """An indicator that cannot be; says what to mend."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """A service metric and what a company knows of it.

    ``start``: the threshold until there is history. ``ceiling`` and ``floor``: between them the threshold stays,
    whatever is learnt (a contract's). ``least``: observations below which nothing is said. ``cost``: what one more costs,
    None where nothing can be said.
    """

    name: str
    labels: Mapping[Language, str]
    kind: Kind
    direction: Direction = Direction.up
    unit: str = ""
    limit: float | None = None
    quantile: float | None = None
    start: float | None = None
    ceiling: float | None = None
    floor: float | None = None
    least: float = 20.0
    cost: CostKind | None = None

    def __post_init__(self) -> None:
        if (self.kind is Kind.share) != (self.limit is not None):
            raise BadIndicator(f"{self.name}: a share needs a limit, and nothing else has one")
        if (self.kind is Kind.quantile) != (self.quantile is not None):
            raise BadIndicator(f"{self.name}: a quantile needs to say which, and nothing else does")
        if self.quantile is not None and not 0.0 < self.quantile < 1.0:
            raise BadIndicator(f"{self.name}: a quantile lies between 0 and 1")
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise BadIndicator(f"{self.name}: the floor lies above the ceiling")
        timed = self.kind is Kind.mean and self.unit in HOURS
        if self.cost is not None and (not timed if self.cost is CostKind.time else self.kind.binned):
            raise BadIndicator(
                f"{self.name}: cost = 'time' is of a mean in s, min or h; others are of what can be counted"
            )

    @property
    def topic(self) -> str:
        """What its alerts are filed under, beside those of topics."""
        return f"{PREFIX}{self.name}"


PREFIX = "indicator-"


@dataclass(frozen=True, slots=True)
class Tally:
    """Observations added up. ``n``: how many, or the denominators; ``total``: hits, or values; ``bins``: how many of
    about which value."""

    n: float = 0.0
    total: float = 0.0
    bins: Mapping[int, float] = field(default_factory=dict)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.n + other.n, self.total + other.total, Counter(self.bins) + Counter(other.bins))

    def value(self, indicator: Indicator) -> float | None:
        """The figure that people read; None where there is nothing to make it of.

        >>> wait = Indicator("w", {"en": "wait"}, Kind.quantile, quantile=0.5)
        >>> Tally(3.0, 60.0, {bin_of(10.0): 2.0, bin_of(40.0): 1.0}).value(wait)
        10.0
        """
        if indicator.kind is Kind.number:
            return self.total
        if self.n <= 0:
            return None
        if indicator.kind is Kind.quantile:
            assert indicator.quantile is not None
            return round(quantile_of(self.bins, indicator.quantile), 1)
        return self.total / self.n


def observation(indicator: Indicator, value: float, denominator: float | None = None) -> Tally:
    """One observation. With a ``denominator``, ``value`` speaks for so many: hits among them (share, ratio) or their
    mean (mean, quantile).

    >>> observation(READY["waiting_time"], 17.5).total, observation(READY["waiting_time"], 12, 80).total
    (1.0, 12)
    """
    if value < 0 or (denominator is not None and denominator < 0):
        raise BadIndicator("value and denominator must not be negative")
    match indicator.kind:
        case Kind.number:
            if denominator is not None:
                raise BadIndicator(f"{indicator.name} is a count and has no denominator")
            return Tally(1.0, value)
        case Kind.ratio:
            return Tally(denominator or 0.0, value)
        case Kind.share:
            assert indicator.limit is not None
            if denominator is None:
                return Tally(1.0, float(value > indicator.limit))
            if value > denominator:
                raise BadIndicator("value: more over the limit than there are")
            return Tally(denominator, value)
        case _:
            n = 1.0 if denominator is None else denominator
            return Tally(n, n * value, {bin_of(value): n})


def bin_of(value: float) -> int:
    """The bin of a value that is not negative."""
    return ZERO if value <= 0 else floor(log(value) / STEP + 0.5)


def middle(number: int) -> float:
    """The value in the middle of a bin.

    >>> round(middle(bin_of(312.0)))
    314
    """
    return 0.0 if number == ZERO else exp(number * STEP)


def quantile_of(bins: Mapping[int, float], part: float) -> float:
    """The value below which ``part`` of the observations lie."""
    numbers = sorted(bins)
    reached = np.cumsum([bins[one] for one in numbers])
    return middle(numbers[int(np.searchsorted(reached, part * reached[-1]))])


def known(indicators: Iterable[Indicator]) -> dict[str, Indicator]:
    """Ready-made indicators and a company's own, by name; its own replace ready-made ones of the same name."""
    return {**READY, **{one.name: one for one in indicators}}


READY: Mapping[str, Indicator] = {
    one.name: one
    for one in (
        Indicator(
            "waiting_time", {"en": "Waiting over 15 minutes", "zh": "等待超过 15 分钟"}, Kind.share,
            unit="min", limit=15.0, start=0.20, cost=CostKind.again,
        ),
        Indicator(
            "handling_time", {"en": "Ticket handling time", "zh": "工单处理时长"}, Kind.mean, unit="min", cost=CostKind.time
        ),
        Indicator(
            "satisfaction", {"en": "Satisfaction", "zh": "满意度"}, Kind.mean, direction=Direction.down, unit="points"
        ),
        Indicator(
            "complaint_rate", {"en": "Complaint rate", "zh": "投诉率"}, Kind.ratio, least=50.0, cost=CostKind.ticket
        ),
        Indicator("return_rate", {"en": "Return rate", "zh": "退货率"}, Kind.ratio, least=50.0, cost=CostKind.order),
    )
}  # fmt: skip
"""What most companies watch. "20 % or more wait over 15 minutes" is the starting rule of the user's own source."""
