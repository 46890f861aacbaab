"""What the calendar says about a bucket: a row of features, how far topics may differ in each, how fast they drift.

The first feature is always the level. Where the volume offset is used, the last one is L, the log of how far
the volume of everything stands above its usual height at this hour: topics do not all follow a promotion alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SeasonKind = Literal["day_week", "year"]
FloatArray = NDArray[np.float64]

HOURS_OF_WEEK = 168
_MONDAY = timedelta(days=4)  # 1970-01-01 was a Thursday; the first Monday came four days later
_YEAR_WEEKS = 52.0  # plain week numbers carry no calendar: the design of Noufaily et al. (2013) has 52 weeks a year


@dataclass(frozen=True, slots=True)
class Season:
    """One cadence: the length of a bucket, the features of a bucket and their priors.

    ``prior_sd`` and ``drift_sd`` (per day, as a random walk) have one value a feature, in units of the log share.
    """

    kind: SeasonKind
    names: tuple[str, ...]
    prior_sd: FloatArray
    drift_sd: FloatArray
    learn_every: int
    slots: int
    offset: bool
    features: Callable[[float], FloatArray] = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.names)


def day_week_features(hour: float) -> FloatArray:
    """Level, three harmonics of the day, Saturday, Sunday and an empty place for L, at an hour of the week.

    >>> day_week_features(6 + 24 * 5)[[0, 1, 2, 7, 8]].round(3).tolist()
    [1.0, 0.0, 1.0, 1.0, 0.0]
    """
    angle = 2 * np.pi * (hour % 24) / 24
    day = int(hour // 24) % 7
    waves = [wave(k * angle) for k in (1, 2, 3) for wave in (np.cos, np.sin)]
    return np.array([1.0, *waves, float(day == 5), float(day == 6), 0.0])


DAY_WEEK = Season(
    kind="day_week",
    names=("level", "cos1", "sin1", "cos2", "sin2", "cos3", "sin3", "saturday", "sunday", "volume"),
    # Prior and drift of the share model: DETECTION.md, formulas 1 and 6, fitted on the development seed.
    prior_sd=np.array([2.0, *[0.4] * 6, 0.3, 0.3, 0.12]),
    drift_sd=np.array([0.02, *[0.003] * 8, 0.001]),
    learn_every=12,
    slots=HOURS_OF_WEEK,
    offset=True,
    features=day_week_features,
)
