"""The only place that asks what time it is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present instant, aware, in UTC."""


def wall_clock() -> datetime:
    """The machine's clock in UTC."""
    return datetime.now(UTC)


def sleep_until(ready: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Wait until ``ready()`` or for at most ``seconds``; answers whether it came."""
    end = time.monotonic() + seconds
    while True:
        if ready():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(every)
