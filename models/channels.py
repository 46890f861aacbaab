"""The total and each channel: cells of their own, that may surge, or fall silent.

To the topics' detector an outage that everybody writes about looks like a promotion, since all topics rise alike.
So the volume of everything is judged by itself, as it is, by hour and weekday; only the campaign calendar excuses
it. A channel that stops is a broken form, not good news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from models.detector import Detector, DetectorSettings

TOTAL = ""
"""The name of the total among the channels; a real channel has a name."""
# Expected customers since the last one at which silence is told: 13 gave no false one in 16 weeks (DETECTION.md,
# "Learnt on text streams", 7); as -log10 of a Poisson zero.
SILENT_SCORE, SILENT_PART = 13 * 0.4343, 0.5


@dataclass(frozen=True, slots=True)
class ChannelVerdict:
    """A channel, or the total, beyond its bounds. Times in buckets, half-open; ``upper_bound`` is that of a surge."""

    channel: str
    side: Literal["surge", "silence"]
    first: int
    end: int
    observed: int
    expected: float
    upper_bound: int
    score: float


class Channels:
    """Judges the total and every channel of a tenant, one closed bucket after the other.

    >>> from datetime import timedelta
    >>> settings = DetectorSettings(bucket=timedelta(hours=1))
    >>> channels = Channels(settings, start=96)
    >>> for hour in range(96, 96 + 24 * 21):
    ...     found = channels.take(hour, {"form": 20, "chat": 30 + hour % 3})
    >>> found
    ()
    >>> for hour in range(600, 604):
    ...     found = channels.take(hour, {"chat": 31})
    >>> [(one.channel, one.side, one.observed) for one in found]
    [('form', 'silence', 0)]
    """

    def __init__(self, settings: DetectorSettings, start: int) -> None:
        self._detector = Detector(replace(settings, offset=False), start)
        self._detector.add(TOTAL)

    @property
    def threshold(self) -> float:
        return self._detector.threshold

    def calibrate(self) -> None:
        """Fit the threshold of surges on what the channels went through so far."""
        self._detector.calibrate()

    def take(self, bucket: int, counts: Mapping[str, int], *, excused: bool = False) -> tuple[ChannelVerdict, ...]:
        """Customers by channel in a closed bucket; ``excused`` while an announced campaign runs.

        A channel is watched from its first customer on. A campaign excuses a surge, not silence.
        """
        detector = self._detector
        for channel in sorted(counts.keys() - set(detector.topics)):
            detector.add(channel)
        tick = detector.step(bucket, {**counts, TOTAL: sum(counts.values())})
        found = []
        if not excused:
            for row in [row for row, alarm in enumerate(tick.alarm) if alarm]:
                telling = detector.explain(tick.topics[row]).telling
                found.append(
                    ChannelVerdict(
                        tick.topics[row],
                        "surge",
                        telling.first,
                        telling.end,
                        telling.observed,
                        telling.expected,
                        telling.upper_bound,
                        telling.score,
                    )
                )
        return (*found, *self._silent(bucket))

    def _silent(self, bucket: int) -> list[ChannelVerdict]:
        detector, silence, found = self._detector, self._detector.silence(), []
        for row, channel in enumerate(silence.topics):
            observed, expected = int(silence.observed[row]), float(silence.expected[row])
            if silence.score[row] < SILENT_SCORE or observed >= SILENT_PART * expected:
                continue
            ring, window = detector.cadence.windows[int(silence.window[row])]
            first, end = detector.cadence.rings[ring].span(bucket, window.buckets // detector.cadence.rings[ring].unit)
            found.append(
                ChannelVerdict(channel, "silence", first, end, observed, expected, observed, float(silence.score[row]))
            )
        return found

    def pack(self) -> dict[str, bytes]:
        return self._detector.pack()

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Channels:
        channels = cls.__new__(cls)
        channels._detector = Detector.unpack(packed)
        return channels
