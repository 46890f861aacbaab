"""What the calendar says about a bucket: a row of features, how far topics may differ in each, how fast they drift.

The first feature is always the level. Where the volume offset is used, the last one is L, the log of how far
the volume of everything stands above its usual height at this hour: topics do not all follow a promotion alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SeasonKind = Literal["week", "year"]
FloatArray = NDArray[np.float64]

YEAR = timedelta(days=365.2425)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_MONDAY = timedelta(days=4)  # 1970-01-01 was a Thursday; the first Monday came four days later


@dataclass(frozen=True, slots=True)
class Season:
    """The calendar's part in a topic's share.

    ``prior_sd`` and ``drift_sd`` (per day, as a random walk) have one value a feature, in units of the log share.
    ``slots``: places of the week by which the usual volume is remembered. ``offset``: whether counts are shares of
    the volume of everything. ``slope``: the feature, if any, by which the level moves with every step of learning.
    """

    kind: SeasonKind
    names: tuple[str, ...]
    prior_sd: FloatArray
    drift_sd: FloatArray
    slots: int
    offset: bool
    features: Callable[[timedelta], FloatArray] = field(repr=False)
    slope: int | None = None

    @property
    def size(self) -> int:
        return len(self.names)


def _weekday_contrasts() -> FloatArray:
    """Six orthonormal columns that sum to zero over the seven days (Helmert), so that no day is the yardstick."""
    columns = np.zeros((7, 6))
    for k in range(6):
        columns[: k + 1, k], columns[k + 1, k] = 1.0, -(k + 1.0)
    contrasts: FloatArray = columns / np.sqrt((columns**2).sum(0))
    return contrasts


_WEEKDAYS = _weekday_contrasts()


def waves(part: float, count: int) -> list[float]:
    """Cosine and sine of the first ``count`` harmonics at a ``part`` of the cycle, 0 to 1."""
    angles = 2 * np.pi * part * np.arange(1, count + 1)
    return [float(value) for angle in angles for value in (np.cos(angle), np.sin(angle))]


def week_features(at: timedelta) -> FloatArray:
    """Level, three harmonics of the day, six contrasts of the weekdays and an empty place for L.

    ``at`` counts from the epoch, in the tenant's own time.

    >>> week_features(timedelta(days=4, hours=6))[[0, 1, 2, 13]].round(3).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    monday = (at - _MONDAY) % _WEEK
    return np.array([1.0, *waves((monday % _DAY) / _DAY, 3), *_WEEKDAYS[monday // _DAY], 0.0])


def year_features(at: timedelta, year: timedelta, *, weekdays: bool) -> FloatArray:
    """Level, its slope (0: the slope acts through time), two harmonics of the year, and for days the weekday.

    >>> year_features(timedelta(days=91), timedelta(days=364), weekdays=False).round(3).tolist()
    [1.0, 0.0, 0.0, 1.0, -1.0, 0.0]
    """
    days = _WEEKDAYS[(at - _MONDAY) % _WEEK // _DAY] if weekdays else []
    return np.array([1.0, 0.0, *waves((at % year) / year, 2), *days])


# Prior and drift of the share model: DETECTION.md, formulas 1 and 6, fitted on the development seed. Weekdays are
# all free to differ: on that seed a Monday-to-Friday that is one day long leaves a tenth of a topic unexplained.
WEEK = Season(
    kind="week",
    names=(
        "level",
        *(f"{wave}{k}" for k in (1, 2, 3) for wave in ("cos", "sin")),
        *(f"day{k}" for k in range(6)),
        "volume",
    ),
    prior_sd=np.array([2.0, *[0.4] * 6, *[0.15] * 6, 0.12]),
    drift_sd=np.array([0.012, *[0.003] * 12, 0.001]),
    slots=168,
    offset=True,
    features=week_features,
)


ALL = replace(WEEK, offset=False)
"""The same for counts that are judged as they are: the volume of everything, and that of a channel."""


def year_season(bucket: timedelta, year: timedelta = YEAR) -> Season:
    """The season of daily or weekly buckets. Counts are judged as they are, since such series seldom add up to one."""
    weekdays = bucket < _WEEK
    per_day = bucket / _DAY
    steep = 0.002 * per_day / 7  # a log level that doubles or halves in seven years
    days = [0.3] * 6 if weekdays else []
    return Season(
        kind="year",
        names=("level", "slope", "cos1", "sin1", "cos2", "sin2", *(f"day{k}" for k in range(len(days)))),
        prior_sd=np.array([3.0, steep, 0.5, 0.5, 0.3, 0.3, *days]),
        drift_sd=np.array([0.004, 0.0, *[0.001] * (4 + len(days))]),
        slots=1,
        offset=False,
        features=lambda at: year_features(at, year, weekdays=weekdays),
        slope=1,
    )
