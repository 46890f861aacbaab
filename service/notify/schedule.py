"""When a notification is tried again: the schedule of Standard Webhooks, with jitter."""

from datetime import timedelta

WAITS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Time before each attempt (standardwebhooks.com, "Deliverability"): ten tries over some three days."""

JITTER = 0.1


def next_attempt(attempt: int, jitter: float) -> timedelta | None:
    """How long to wait before try number ``attempt`` (0 is the first); None where there are no more.

    ``jitter`` in [0, 1) spreads tries over the tenth after the time, so that receivers that come back are not
    flooded at once.

    >>> next_attempt(1, 0.0), next_attempt(2, 0.5), next_attempt(10, 0.0)
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=315), None)
    """
    if attempt >= len(WAITS):
        return None
    return WAITS[attempt] * (1 + JITTER * jitter)
