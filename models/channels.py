"""The total and each channel: cells of their own, that may swell; and the total, that may fall silent.

To the topics' detector, and to crowds, an outage that everybody writes about looks like a promotion, since all topics
rise alike. So the volume of everything is judged by itself, as it is, by hour and weekday; only the campaign calendar
excuses it. A channel that has fallen silent is told by `models.space.Space.silences`, by what the others say meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from models.detector import Detector, DetectorSettings
from models.scan import nb_lower_log10
from models.surge import ratio

_WEEK = 7 * 24  # hours, before which the ups and downs of a week are not known, and nothing is told
_MOST, _STEEPER = 0.7, 1.5
"""One channel is what swells where it holds so much of the total's excess, and grew so many times as much as the total."""
TOTAL = ""
"""The name of the total among the channels; a real channel has a name."""
_SILENT = 5.65
"""-log10 of the chance that nobody writes, from which the total has fallen silent: e to the -13th, as of a channel
(`models.crowds`), with the total's own spread allowed for."""
_LONGER = 1.5  # times the longest silence so far, in customers expected: a shop that is shut on Sundays is no news
_FORGOTTEN = 0.5 ** (1 / (28 * 24))  # what is left of that after an hour


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


@dataclass(frozen=True, slots=True)
class Hush:
    """Nobody wrote by any channel since the end of hour ``last``, though ``expected`` customers would have."""

    last: int
    expected: float


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
        self._hush = _Hush(start)

    def budget(self, false_alarms_per_week: float) -> None:
        """Keep to another budget from the next calibration on."""
        self._detector.settings = replace(self._detector.settings, false_alarms_per_week=false_alarms_per_week)

    def calibrate(self) -> None:
        """Fit the threshold on what the channels went through so far."""
        self._detector.calibrate()

    def take(self, hour: int, total: int, counts: Mapping[str, int], *, excused: bool = False) -> tuple[Swell, ...]:
        """Customers of a closed hour, in all and by channel.

        ``excused`` while an announced campaign runs, or where nobody listened: such hours are left out of every window,
        and nothing is learnt of them. A channel is watched from its first customer on, and a new normal is no swell any
        more.
        """
        detector = self._detector
        if excused or (not total and self.hush is not None):
            detector.blind(hour, hour + 1)  # nor is a silence learnt of, or what comes after it would swell
            return ()
        for channel in sorted(counts.keys() - set(detector.topics)):
            detector.add(channel)
        tick = detector.step(hour, {**counts, TOTAL: total})
        self._listen(hour, total)
        if hour - detector.start < _WEEK:
            return ()
        loud = [self._swell(tick.topics[row]) for row, alarm in enumerate(tick.alarm) if alarm]
        return _telling([one for one in loud if one.observed > one.upper_bound])

    @property
    def hush(self) -> Hush | None:
        """The silence of everything as of the last hour, where there is one that chance does not explain."""
        kept = self._hush
        told = kept.last - self._detector.start >= _WEEK and kept.due > _LONGER * kept.longest
        silent = told and float(nb_lower_log10(0, kept.due, kept.variance)) >= _SILENT
        return Hush(kept.last, kept.due) if silent else None

    def _listen(self, hour: int, total: int) -> None:
        """Add up what would have been heard since somebody wrote."""
        kept = self._hush
        longest = kept.longest * _FORGOTTEN
        if total:
            self._hush = _Hush(hour, longest=max(longest, kept.due))
            return
        outlook = self._detector.outlook()
        row = outlook.topics.index(TOTAL)
        due = kept.due + float(outlook.expected[0, row])
        variance = float(outlook.phi[row]) * due + float(outlook.relative[row]) * due**2
        self._hush = _Hush(kept.last, due, variance, longest)

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
        return self._detector.pack() | {"hush": json.dumps(asdict(self._hush)).encode()}

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Channels:
        """What was packed. Raises `DetectorError` on a format that this version does not know."""
        channels = cls.__new__(cls)
        channels._detector = Detector.unpack(packed)
        kept = packed.get("hush")
        channels._hush = _Hush(**json.loads(kept)) if kept else _Hush(channels._detector.start)
        return channels


@dataclass(frozen=True, slots=True)
class _Hush:
    """What was expected since hour ``last``, when somebody wrote, and the most that was before somebody wrote again."""

    last: int
    due: float = 0.0
    variance: float = 0.0
    longest: float = 0.0


def _telling(swells: Sequence[Swell]) -> tuple[Swell, ...]:
    """The total, or the one channel that makes up most of its excess; without the total, every channel."""
    total = next((one for one in swells if one.channel == TOTAL), None)
    if total is None:
        return tuple(swells)
    within = [one for one in swells if one.excess >= _MOST * total.excess and one.ratio >= _STEEPER * total.ratio]
    return (max(within, key=lambda one: one.excess, default=total),)
