"""What the calendar and the load do to an indicator: its features, how far indicators may differ in each, how they drift.

Hours of the day have an effect each, of which half is shared with the hours about it (a Gaussian process over the day)
and half is its own, since shifts begin on the hour; hours of weekends another one.
"""

from datetime import timedelta

import numpy as np
from scipy.linalg import block_diag

from models.buckets import BUCKET
from models.season import FloatArray, week_features

HOURS, WEEKDAYS, WEEKENDS, LOAD = slice(1, 25), slice(25, 31), slice(31, 55), slice(55, 57)
"""Where each group of features lies; the first is the level. The load's two are of the last hour and the last four."""
_DAY = timedelta(days=1)
_SATURDAY = 9 * _DAY  # after the epoch, a Thursday: the second Saturday


def calendar(bucket: int) -> FloatArray:
    """The features of a bucket; the places of the load are left empty.

    >>> x = calendar(2 * 288 + 100)  # a Saturday, twenty past eight
    >>> int(x[HOURS].argmax()), int(x[WEEKENDS].argmax()), x[LOAD].tolist()
    (8, 8, [0.0, 0.0])
    """
    at = bucket * BUCKET
    hour = np.eye(24)[int(at % _DAY / _DAY * 24)]
    weekend = float((at - _SATURDAY) % (7 * _DAY) < 2 * _DAY)
    return np.array([1.0, *hour, *week_features(at)[7:13], *(weekend * hour), 0.0, 0.0])


def _prior() -> tuple[FloatArray, FloatArray]:
    """Covariance at first, and drift a day. In log odds or logs, and wide: waiting swings by the hour and hangs on the
    load, return rates hardly do."""
    apart = np.abs(np.arange(24)[:, None] - np.arange(24))
    near = np.exp(-0.5 * (np.minimum(apart, 24 - apart) / 2.0) ** 2)
    hours = 0.5 * near + 0.5 * np.eye(24)
    blocks = [1.0**2 * np.eye(1), 0.8**2 * hours, 0.25**2 * np.eye(6), 0.4**2 * hours, 1.5**2 * np.eye(2)]
    drifts = [0.03**2 * np.eye(1), 0.02**2 * hours, 0.006**2 * np.eye(6), 0.01**2 * hours, 0.02**2 * np.eye(2)]
    return block_diag(*blocks), block_diag(*drifts)


PRIOR, DRIFT = _prior()
