"""Blind spots: times in which nobody listened. What was said then is unknown, which is not the same as nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models.buckets import BUCKET, bucket_of, end_of, start_of

_MOST = 0.5
"""Of a bucket, from which its count says nothing. A shorter gap lowers every topic alike, as a quiet minute does."""


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """A span in which nothing could be taken in."""

    start: datetime
    end: datetime


def unknown(spots: Iterable[BlindSpot], buckets: range) -> frozenset[int]:
    """Which of ``buckets`` (ascending by one) lie in blind spots for half of their time or more, each spot by itself.

    >>> night = BlindSpot(start_of(10), start_of(12) + 0.4 * BUCKET)
    >>> sorted(unknown([night], range(0, 100)))
    [10, 11]
    """
    found: set[int] = set()
    for spot in spots:
        first, last = max(bucket_of(spot.start), buckets.start), min(bucket_of(spot.end), buckets.stop - 1)
        found |= {
            bucket
            for bucket in range(first, last + 1)
            if min(spot.end, end_of(bucket)) - max(spot.start, start_of(bucket)) >= _MOST * BUCKET
        }
    return frozenset(found)
