"""How far time has surely come: buckets that end before the watermark are closed."""

from datetime import datetime, timedelta

from service.store.inbox import Backlog


def wall_watermark(backlog: Backlog, now: datetime, grace: timedelta) -> datetime:
    """By the machine's clock, held back by whatever still waits in the inbox, less the grace for late messages.

    A backlog after an outage holds the judge back, so it is judged at the time it speaks of.
    """
    return min(now, backlog.oldest_received or now) - grace


def event_watermark(backlog: Backlog) -> datetime | None:
    """By the messages themselves (imports, replays): the oldest that waits, else the newest seen; None before the first."""
    if backlog.oldest_occurred is not None:
        return backlog.oldest_occurred
    return backlog.newest_occurred
