"""The total and each channel: cells of their own, that may swell.

To the topics' detector, and to crowds, an outage that everybody writes about looks like a promotion, since all topics
rise alike. So the volume of everything is judged by itself, as it is, by hour and weekday; only the campaign calendar
excuses it. What has fallen silent is told by `models.crowds.Space.silences`, which looks further back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from models.detector import Detector, DetectorSettings
from models.surge import ratio

_WEEK = 7 * 24  # hours, before which the ups and downs of a week are not known, and nothing is told
_MOST, _STEEPER = 0.7, 1.5
"""One channel is what swells where it holds so much of the total's excess, and grew so many times as much as the total."""
TOTAL = ""
"""The name of the total among the channels; a real channel has a name."""


@dataclass(frozen=True, slots=True)
class Swell:
    """A channel, or the total, beyond its upper bound. Times in hours since the epoch, half-open; counts of customers."""

    channel: str
    first: int
    end: int
    observed: int
    expected: float
    upper_bound: int
    score: float

    @property
    def excess(self) -> float:
        return self.observed - self.expected

    @property
    def ratio(self) -> float:
        return ratio(self.observed, self.expected)


class Channels:
    """Judges the total and every channel of a tenant, one closed hour after the other.

    >>> channels = Channels(2.0, start=96)
    >>> for hour in range(96, 96 + 24 * 21):
    ...     found = channels.take(hour, 52 + hour % 3, {"form": 20, "chat": 30 + hour % 3})
    >>> found
    ()
    >>> [(one.channel, one.observed) for one in channels.take(600, 100, {"form": 70, "chat": 30})]
    [('form', 70)]
    """

    def __init__(self, false_alarms_per_week: float, start: int) -> None:
        settings = DetectorSettings(
            bucket=timedelta(hours=1), false_alarms_per_week=false_alarms_per_week, offset=False
        )
        self._detector = Detector(settings, start)
        self._detector.add(TOTAL)

    def budget(self, false_alarms_per_week: float) -> None:
        """Keep to another budget from the next calibration on."""
        self._detector.settings = replace(self._detector.settings, false_alarms_per_week=false_alarms_per_week)

    def calibrate(self) -> None:
        """Fit the threshold on what the channels went through so far."""
        self._detector.calibrate()

    def take(self, hour: int, total: int, counts: Mapping[str, int], *, excused: bool = False) -> tuple[Swell, ...]:
        """Customers of a closed hour, in all and by channel.

        ``excused`` while an announced campaign runs: such hours are left out of every window, and nothing is learnt of
        them. A channel is watched from its first customer on, and a new normal is no swell any more.
        """
        detector = self._detector
        if excused:
            detector.blind(hour, hour + 1)
            return ()
        for channel in sorted(counts.keys() - set(detector.topics)):
            detector.add(channel)
        tick = detector.step(hour, {**counts, TOTAL: total})
        if hour - detector.start < _WEEK:
            return ()
        loud = [self._swell(tick.topics[row]) for row, alarm in enumerate(tick.alarm) if alarm]
        return _telling([one for one in loud if one.observed > one.upper_bound])

    def _swell(self, channel: str) -> Swell:
        telling = self._detector.explain(channel).telling
        return Swell(
            channel,
            telling.first,
            telling.end,
            telling.observed,
            telling.expected,
            telling.upper_bound,
            telling.score,
        )

    def pack(self) -> dict[str, bytes]:
        """All that is known, as `unpack` takes it."""
        return self._detector.pack()

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Channels:
        """What was packed. Raises `DetectorError` on a format that this version does not know."""
        channels = cls.__new__(cls)
        channels._detector = Detector.unpack(packed)
        return channels


def _telling(swells: Sequence[Swell]) -> tuple[Swell, ...]:
    """The total, or the one channel that makes up most of its excess; without the total, every channel."""
    total = next((one for one in swells if one.channel == TOTAL), None)
    if total is None:
        return tuple(swells)
    within = [one for one in swells if one.excess >= _MOST * total.excess and one.ratio >= _STEEPER * total.ratio]
    return (max(within, key=lambda one: one.excess, default=total),)
