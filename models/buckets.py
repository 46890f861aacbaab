"""Time as the product counts it: half-open UTC buckets of five minutes, and windows made of them.

A bucket is an integer, the number of whole five-minute intervals since 1970-01-01T00:00Z, so that buckets
can be subtracted, compared and stored without a calendar.
"""

from datetime import UTC, datetime, timedelta
from typing import NewType

Bucket = NewType("Bucket", int)

BUCKET = timedelta(minutes=5)
BUCKETS_PER_HOUR = timedelta(hours=1) // BUCKET
BUCKETS_PER_DAY = timedelta(days=1) // BUCKET

_SECONDS = int(BUCKET.total_seconds())


def bucket_of(at: datetime) -> Bucket:
    """The bucket that holds the instant ``at`` (aware; any zone).

    >>> bucket_of(datetime(1970, 1, 1, 0, 9, 59, tzinfo=UTC))
    1
    """
    if at.tzinfo is None:
        raise ValueError("time without a zone: give an aware datetime")
    return Bucket(int(at.timestamp() // _SECONDS))


def start_of(bucket: int) -> datetime:
    """The first instant of a bucket, in UTC.

    >>> start_of(1).isoformat()
    '1970-01-01T00:05:00+00:00'
    """
    return datetime.fromtimestamp(bucket * _SECONDS, tz=UTC)


def end_of(bucket: int) -> datetime:
    """The first instant after a bucket, in UTC."""
    return start_of(bucket + 1)


def hour_of_week(bucket: int) -> int:
    """Hours since Monday 00:00 UTC, 0 to 167.

    >>> hour_of_week(bucket_of(datetime(2025, 3, 3, 1, 0, tzinfo=UTC)))
    1
    """
    return (bucket // BUCKETS_PER_HOUR + 72) % 168  # 1970-01-01 was a Thursday
