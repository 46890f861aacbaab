"""The one knob: from a budget of false alarms a week to the threshold on the tenant's own scores.

A threshold carried over from other data drifts by a factor of 1.6 to 1.9 in false alarms (DETECTION.md), so it is
found on the episodes that this tenant's own topics went through, and found again as history grows.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CalibrationReason = Literal["too little history", "first fit", "history has grown"]

# The fit reads a stretch of scores low enough to be null and full enough to count on: from the peak that three times
# as many episodes reach as the budget allows, or a hundred, for 1.2 units upwards. Higher ones may be true surges.
BODY, LEAST_BODY, BODY_PART, STRETCH = 3.0, 100, 0.6, 1.2
# Tail probabilities would fall by ln 10 a unit; the highest of many windows over hours falls more slowly. With
# this figure false alarms are 1.0 of those asked (.007 to .10 a topic and week, the mean of three seeds of
# tests/benchmarks/surge.py). It is worth as many episodes as PRIOR_EPISODES.
FALL, PRIOR_EPISODES = 1.4, 60.0
_FALLS = np.linspace(0.6, 4.0, 171)
LOUD = 3.5  # an episode that reaches this is rather a surge than chance
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 2.0, 12.0  # with the handicaps of the windows, a tail of .1 at the most


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


def quiet_peaks(episodes: NDArray[np.float64], *, before: int, after: int) -> NDArray[np.float64]:
    """The peaks of ``episodes`` (row of the topic, end, peak), less those in the shadow of a surge.

    What a topic does shortly before and after an episode that is hardly chance belongs to that episode.

    >>> quiet_peaks(np.array([[0, 100, 6.0], [0, 150, 2.0], [1, 150, 2.5]]), before=288, after=864).tolist()
    [6.0, 2.5]
    """
    shadow = np.zeros(len(episodes), bool)
    for topic, end, _ in episodes[episodes[:, 2] >= LOUD]:
        near = (episodes[:, 1] >= end - before) & (episodes[:, 1] <= end + after)
        shadow |= near & (episodes[:, 0] == topic) & (episodes[:, 2] < LOUD)
    peaks: NDArray[np.float64] = episodes[~shadow, 2]
    return peaks


def threshold_for(peaks: NDArray[np.float64], weeks: float, *, per_week: float) -> float:
    """The threshold that false episodes with these ``peaks``, seen in ``weeks``, would pass ``per_week`` times a week.

    Scores are logarithms of tail probabilities, so the peaks of false episodes fall off exponentially. Rate and
    fall are read from a stretch of low peaks and carried on upwards: so a small budget is not settled by the one
    or two highest peaks seen, and true surges in the history, which lie above the stretch, hardly count.

    >>> peaks = np.random.default_rng(0).exponential(1 / 1.4, 800)
    >>> round(threshold_for(peaks, 2.0, per_week=20.0), 1), round(float(np.sort(peaks)[-40]), 1)
    (2.3, 2.1)
    """
    allowed = max(per_week * weeks, 1e-9)
    ranked = np.sort(peaks)[::-1]
    if allowed >= len(ranked):
        return LOWEST_THRESHOLD
    floor = ranked[min(int(BODY_PART * len(ranked)), max(int(BODY * allowed), LEAST_BODY))]
    inside = ranked[(ranked > floor) & (ranked <= floor + STRETCH)] - floor
    fall = _fall(inside)
    false = len(inside) / (1.0 - np.exp(-fall * STRETCH))
    threshold = floor + np.log(max(false / allowed, 1e-9)) / fall
    return float(np.clip(threshold, LOWEST_THRESHOLD, HIGHEST_THRESHOLD))


def _fall(inside: NDArray[np.float64]) -> float:
    """Rate of an exponential cut off at `STRETCH`, shrunk to what is usual: the maximum of the posterior on a grid."""
    usual = 1.0 / FALL - STRETCH / np.expm1(FALL * STRETCH)
    count, total = len(inside) + PRIOR_EPISODES, inside.sum() + PRIOR_EPISODES * usual
    likelihood = count * np.log(_FALLS / -np.expm1(-_FALLS * STRETCH)) - _FALLS * total
    return float(_FALLS[likelihood.argmax()])
