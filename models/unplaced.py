"""The share of messages that no topic explains, held against its own past.

Topics are found in what was said before. Where customers begin to speak of something else, or an encoder reads them
otherwise, none of them rises, and the share in none does. It is an indicator like a company's own (`models.gauge`): so
many among so many, by hour and weekday, with more spread than chance has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.buckets import BUCKETS_PER_HOUR
from models.dial import Hour, curve, show
from models.gauge import Gauge
from models.gaugefile import pack, unpack
from models.indicator import Indicator, Kind, Tally

_SHARE = Indicator("unplaced", {"en": "share without a topic", "zh": "无主题占比"}, Kind.ratio)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Messages without a topic beyond what is usual. Times in buckets, half-open; ``total`` and counts of customers."""

    first: int
    end: int
    total: int
    observed: int
    expected: float
    upper_bound: int
    score: float

    @property
    def excess(self) -> float:
        return self.observed - self.expected


class UnplacedShare:
    """Watches the share without a topic of a tenant, one closed hour after the other; says nothing for two weeks.

    >>> share = UnplacedShare(0.1)
    >>> for hour in range(96, 96 + 24 * 21):
    ...     found = share.take(hour, 4 * (hour % 3 + 1), 32)
    >>> found is None
    True
    >>> share.take(600, 28, 32).observed
    28
    """

    def __init__(self, false_alarms_per_week: float) -> None:
        self._gauge = Gauge([_SHARE], false_alarms_per_week)

    def budget(self, false_alarms_per_week: float) -> None:
        """Keep to another budget from the next calibration on."""
        self._gauge.per_week = false_alarms_per_week

    def calibrate(self) -> None:
        """Fit the bar on what the share went through so far."""
        self._gauge.calibrate()

    def take(self, hour: int, unplaced: int, total: int) -> Unplaced | None:
        """Customers of a closed hour without a topic and in all; what is beyond the usual as of its end."""
        last = hour * BUCKETS_PER_HOUR + BUCKETS_PER_HOUR - 1
        tick = self._gauge.step(last, {_SHARE.name: Tally(float(total), float(unplaced))})
        if tick.cause[0] is None:
            return None
        shown = show(self._gauge, _SHARE.name, int(tick.window[0]))
        observed, expected = round(shown.value * shown.n), shown.usual * shown.n
        bound = expected if shown.upper is None else shown.upper * shown.n
        if observed <= expected:
            return None
        return Unplaced(
            first=shown.first,
            end=shown.end,
            total=round(shown.n),
            observed=observed,
            expected=expected,
            upper_bound=int(bound),
            score=float(tick.score[0]),
        )

    def hours(self) -> Sequence[Hour]:
        """The last three days by the hour: shares, with the band of the normal."""
        return curve(self._gauge, _SHARE.name)

    def pack(self) -> bytes:
        """All that is known, as `unpack` takes it."""
        return pack(self._gauge)

    @classmethod
    def unpack(cls, packed: bytes, false_alarms_per_week: float) -> UnplacedShare:
        """What was packed. Raises ValueError on a format that this version does not know."""
        share = cls(false_alarms_per_week)
        share._gauge = unpack(packed, [_SHARE], false_alarms_per_week)
        return share
