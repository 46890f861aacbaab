"""How fast a receiver may be sent to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, init=False)
class Pace:
    """Limits of so many sends in any span of time; all of them hold. ``Pace()`` has none."""

    limits: tuple[tuple[int, timedelta], ...]

    def __init__(self, *limits: tuple[int, timedelta]) -> None:
        object.__setattr__(self, "limits", limits)

    @property
    def most(self) -> int:
        """How many past sends have to be remembered."""
        return max((count for count, _ in self.limits), default=0)

    def free_at(self, sent: Sequence[float], now: datetime) -> datetime:
        """When the next may be sent: ``now``, or later. ``sent`` are times of past sends, oldest first.

        >>> pace = Pace((2, timedelta(minutes=1)))
        >>> at = datetime(2026, 3, 1, tzinfo=UTC)
        >>> (pace.free_at([at.timestamp() - 50, at.timestamp() - 10], at) - at).total_seconds()
        10.0
        """
        free = now.timestamp()
        for count, span in self.limits:
            if len(sent) >= count:
                free = max(free, sent[-count] + span.total_seconds())
        return now if free <= now.timestamp() else datetime.fromtimestamp(free, UTC)
