"""The one knob: from a budget of false alarms a week to the threshold on the tenant's own scores.

A threshold carried over from other data drifts by a factor of 1.6 to 1.9 in false alarms (DETECTION.md), so it is
found on the episodes that this tenant's own topics went through, and found again as history grows.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CalibrationReason = Literal["too little history", "first fit", "history has grown"]

FIT_DAYS = 14.0
LEAST_DAYS = 3.0
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 1.0, 12.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration did to the threshold, and why."""

    before: float
    after: float
    reason: CalibrationReason
    days: float
    episodes: int

    @property
    def changed(self) -> bool:
        return self.before != self.after


def threshold_for(peaks: NDArray[np.float64], days: float, *, per_week: float) -> float:
    """The smallest threshold that episodes with these ``peaks``, seen in ``days``, pass ``per_week`` times a week.

    >>> round(threshold_for(np.array([1.5, 2.0, 2.5, 4.0]), 7.0, per_week=2.0), 6)
    2.0
    """
    allowed = int(per_week * days / 7.0)
    ranked = np.sort(peaks)[::-1]
    if allowed >= len(ranked):
        return LOWEST_THRESHOLD
    return float(np.clip(np.nextafter(ranked[allowed], np.inf), LOWEST_THRESHOLD, HIGHEST_THRESHOLD))
