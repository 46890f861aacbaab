"""What the calendar and the load do to an indicator: its features, how far indicators may differ in each, how they drift.

Hours of the day have an effect each, of which half is shared with the hours about it (a Gaussian process over the day)
and half is its own, since shifts begin on the hour; hours of weekends another one.
"""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
from scipy.linalg import block_diag

from models.buckets import BUCKET
from models.season import FloatArray, week_features

HOURS, WEEKDAYS, WEEKENDS, LOAD, CAMPAIGN = slice(1, 25), slice(25, 31), slice(31, 55), slice(55, 57), slice(57, 58)
"""Where each group of features lies; the first is the level. The load's two are of the last hour and the last four; the last
is the log of how many times as much an announced campaign is said to bring."""
UNSIZED = 2.0
"""Times as much that a campaign brings of which nobody said how much: the middle of what shops announce."""
_DAY = timedelta(days=1)
_SATURDAY = 9 * _DAY  # after the epoch, a Thursday: the second Saturday


def calendar(bucket: int) -> FloatArray:
    """The features of a bucket; the places of the load and of a campaign are left empty.

    >>> x = calendar(2 * 288 + 100)  # a Saturday, twenty past eight
    >>> int(x[HOURS].argmax()), int(x[WEEKENDS].argmax()), x[LOAD].tolist()
    (8, 8, [0.0, 0.0])
    """
    at = bucket * BUCKET
    hour = np.eye(24)[int(at % _DAY / _DAY * 24)]
    weekend = float((at - _SATURDAY) % (7 * _DAY) < 2 * _DAY)
    return np.array([1.0, *hour, *week_features(at)[7:13], *(weekend * hour), 0.0, 0.0, 0.0])


def pull(multipliers: Iterable[float | None]) -> float:
    """What campaigns that run together say of a time: the log of how many times as much the largest brings, 0 where none
    runs; None is one of which nobody said how much.

    >>> pull([]), round(pull([None, 1.5]), 2)
    (0.0, 0.69)
    """
    return float(np.log(max((one or UNSIZED for one in multipliers), default=1.0)))


def _prior() -> tuple[FloatArray, FloatArray]:
    """Covariance at first, and drift a day. In log odds or logs, and wide: waiting swings by the hour and hangs on the
    load, return rates hardly do."""
    apart = np.abs(np.arange(24)[:, None] - np.arange(24))
    near = np.exp(-0.5 * (np.minimum(apart, 24 - apart) / 2.0) ** 2)
    hours = 0.5 * near + 0.5 * np.eye(24)
    groups = np.eye(1), hours, np.eye(6), hours, np.eye(2), np.eye(1)

    def of(*deviations: float) -> FloatArray:
        """Level, hours, weekdays, hours of weekends, load, campaign."""
        found: FloatArray = block_diag(*(one**2 * group for one, group in zip(deviations, groups, strict=True)))
        return found

    return of(1.0, 0.8, 0.25, 0.4, 1.5, 1.0), of(0.03, 0.02, 0.006, 0.01, 0.02, 0.01)


PRIOR, DRIFT = _prior()
DIFFERS = 0.5**2
"""Variance by which one campaign's effect differs from the one before's: half of what the first may do."""
