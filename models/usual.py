"""What is usual at this hour and on this weekday, read off the messages held: what a crowd's expectation is made of."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.buckets import BUCKETS_PER_HOUR

_WORTH = 20.0  # messages that a guess of no season is worth, for each hour of the day and each weekday


def expectation_parts(buckets: NDArray[np.int64], first: int, end: int, expected: float) -> Mapping[str, float]:
    """The ``expected`` count of a place in buckets ``first`` up to, not with, ``end`` as its usual level times what hour,
    weekday and the volume of everything (promotions among it) make of it; empty where there is no day before ``first``.

    ``buckets`` are those of all messages held, ascending. A place is expected to keep its part of the volume, so that
    hour and weekday are those of the volume, and the product is ``expected``.

    >>> days = np.repeat(np.arange(0, 14 * 288, 6), 2)
    >>> rush = np.sort(np.concatenate([days, np.repeat(np.arange(14 * 288, 14 * 288 + 36, 6), 8)]))
    >>> {name: round(times, 1) for name, times in expectation_parts(rush, 14 * 288, 14 * 288 + 36, 6.0).items()}
    {'level': 1.5, 'hour': 1.0, 'weekday': 1.0, 'volume': 4.0}
    """
    begin, until = np.searchsorted(buckets, [first, end])
    past = buckets[:begin]
    if not begin or first - int(past[0]) < 24 * BUCKETS_PER_HOUR:
        return {}
    hours = (first - int(past[0])) / BUCKETS_PER_HOUR
    rate = begin / hours
    # hours of the week from Monday on: 1970-01-01 was a Thursday
    spoken = np.bincount((past // BUCKETS_PER_HOUR + 72) % 168, minlength=168).astype(float)
    seen = np.bincount(
        (np.arange(int(past[0]) // BUCKETS_PER_HOUR, first // BUCKETS_PER_HOUR) + 72) % 168, minlength=168
    ).astype(float)
    by_hour = (spoken.reshape(7, 24).sum(0) + _WORTH) / (rate * seen.reshape(7, 24).sum(0) + _WORTH)
    by_day = (spoken.reshape(7, 24).sum(1) + _WORTH) / (rate * seen.reshape(7, 24).sum(1) + _WORTH)
    slots = (np.arange(first // BUCKETS_PER_HOUR, -(-end // BUCKETS_PER_HOUR)) + 72) % 168
    hour = float(by_hour[slots % 24].mean())
    both = float((by_hour[slots % 24] * by_day[slots // 24]).mean())
    volume = max(float(until - begin), 1.0) / (rate * (end - first) / BUCKETS_PER_HOUR * both)
    return {"level": float(expected / (both * volume)), "hour": hour, "weekday": both / hour, "volume": float(volume)}
