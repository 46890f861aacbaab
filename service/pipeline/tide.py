"""The tide: channels, and everything, that swell or fall silent, and what no topic explains: no topic, no crowd shows it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, end_of, start_of
from models.channels import TOTAL, Channels, Swell
from models.counted import Counted
from models.culprit import Cell
from models.evidence import CulpritFigures, CurvePoint, Evidence, TopicName, WindowFigures
from models.samples import choose_samples
from models.space import Silence
from models.surge import Reading
from models.unplaced import Unplaced, UnplacedShare
from service.pipeline.lookout import CHANNEL, Lookout
from service.pipeline.witness import sample_of
from service.pipeline.worker import assign_held, centred
from service.store.counts import Counts, Volume
from service.store.model import ModelStore

SWELL, SILENT, HOMELESS = "swell-", "silent-", "unplaced-"  # what the names of episodes begin with
_SHARE = "unplaced"  # the part of the state that is of the share without a topic
_OF_SHARE = 3 / 8  # of the budget, for what has no topic
_CURVE = timedelta(hours=72) // timedelta(hours=1)
_CANDIDATES = 400  # newest messages that samples are chosen from
_EVERYTHING = {"en": "all messages", "zh": "全部消息"}
_NO_TOPIC = {"en": "many messages that no topic explains", "zh": "大量消息不属于任何主题"}


Testify = Callable[[Evidence | None], Awaitable[Evidence]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One that swells, is silent, hidden or has no topic: what is read of it now, and who testifies. ``excess`` customers of
    what is too many; ``part``: topic and attribute value of what is hidden."""

    reading: Reading
    testify: Testify
    excess: float | None
    part: tuple[str, Cell] | None = None


class Tide:
    """Takes every closed hour once, in order; begins anew where nothing was kept."""

    def __init__(self, counts: Counts, models: ModelStore, lookout: Lookout, false_alarms_per_week: float) -> None:
        self._counts = counts
        self._models = models
        self._lookout = lookout
        self._per_week = false_alarms_per_week
        self._channels: Channels | None = None
        self._share = UnplacedShare(_OF_SHARE * false_alarms_per_week)
        self._swells: tuple[Swell, ...] = ()
        self._unplaced: Unplaced | None = None

    def restore(self, packed: dict[str, bytes]) -> None:
        """Go on from what was packed; from the next hour on where nothing was."""
        channels = {name: part for name, part in packed.items() if name != _SHARE}
        self._channels, self._swells = Channels.unpack(channels) if channels else None, ()
        share, per_week = packed.get(_SHARE), _OF_SHARE * self._per_week
        self._share, self._unplaced = UnplacedShare.unpack(share, per_week) if share else UnplacedShare(per_week), None

    def pack(self) -> dict[str, bytes]:
        return (self._channels.pack() if self._channels else {}) | {_SHARE: self._share.pack()}

    def keep_to(self, false_alarms_per_week: float) -> None:
        """Judge on this budget from the next day on."""
        self._per_week = false_alarms_per_week
        self._share.budget(_OF_SHARE * false_alarms_per_week)
        if self._channels is not None:
            self._channels.budget((1 - _OF_SHARE) * false_alarms_per_week)

    async def take(self, hour: int, volume: Volume, counted: Counted, *, excused: bool) -> None:
        """Take in a closed hour, its buckets' ``volume`` together and what it ``counted`` by value; ``excused`` while a
        campaign runs, or where nobody listened. The threshold is set anew once a day."""
        if self._channels is None:
            self._channels = Channels((1 - _OF_SHARE) * self._per_week, hour)
        self._swells = self._channels.take(hour, volume.total, counted.by_value(CHANNEL), excused=excused)
        self._unplaced = self._share.take(hour, volume.unplaced, volume.total)
        if (hour + 1) % 24 == 0:
            self._channels.calibrate()
            self._share.calibrate()

    async def said(self, cell: Cell | None, first: int, last: int) -> dict[int, float]:
        """Customers of everything, or of a channel, by hour over ``[first, last)``."""
        return dict(zip(range(first, last), await self._said(cell, range(first, last)), strict=True))

    def turns(self, now: int) -> dict[str, Turn]:
        """What swells, is silent or has no topic as of bucket ``now``, by the name of its episode."""
        turns = {f"{SWELL}{one.channel}": self._swelling(one, now) for one in self._swells}
        if self._unplaced is not None:
            turns[HOMELESS] = self._unexplained(self._unplaced, now)
        hush = self._channels.hush if self._channels else None
        silences = self._lookout.silences(now)
        if hush is not None:
            last = (hush.last + 1) * BUCKETS_PER_HOUR - 1
            silences = [*silences, Silence(CHANNEL, TOTAL, last, hush.expected)]
        return turns | {f"{SILENT}{one.value}": _silent(one, now) for one in silences}

    def _swelling(self, swell: Swell, now: int) -> Turn:
        onset = swell.first * BUCKETS_PER_HOUR
        reading = Reading(now - 1, True, False, onset, swell.observed, swell.expected)
        return Turn(reading, lambda before: self._testify(swell, before), swell.excess)

    async def _testify(self, swell: Swell, before: Evidence | None, most: int = 8) -> Evidence:
        """All that an alert shows of a swell, as of its end."""
        first, last = swell.first * BUCKETS_PER_HOUR, swell.end * BUCKETS_PER_HOUR - 1
        figures = WindowFigures(start_of(first), end_of(last), swell.observed, swell.expected, swell.upper_bound)
        wanted = {} if swell.channel == TOTAL else {CHANNEL: swell.channel}
        held = [
            one
            for one in self._lookout.held(first, last)
            if all(one.message.attributes.get(name) == value for name, value in wanted.items())
        ]
        recent, model = held[-_CANDIDATES:], (await self._models.current()).model
        past = self._lookout.held(first - BUCKETS_PER_DAY, first - 1)[-_CANDIDATES:]
        vectors, usual = (centred(model, some) if model and some else None for some in (recent, past))
        chosen = choose_samples([one.message for one in recent], vectors, usual, most=most)
        culprit = CulpritFigures(
            CHANNEL,
            swell.channel,
            swell.observed,
            swell.expected,
            swell.ratio,
            10**-swell.score,
        )
        return Evidence(
            topic=_name(swell),
            window=figures,
            onset=before.onset if before else figures.start,
            customers=len({one.message.customer for one in held}),
            messages=len(held),
            windows=(figures,),
            culprits=(culprit,) if wanted else (),
            samples=tuple(sample_of(recent[row]) for row in chosen),
            curve=await self._curve(swell),
        )

    def _unexplained(self, found: Unplaced, now: int) -> Turn:
        reading = Reading(now - 1, True, False, found.first, found.observed, found.expected)
        return Turn(reading, lambda before: self._testify_unplaced(found, before), found.excess)

    async def _testify_unplaced(self, found: Unplaced, before: Evidence | None, most: int = 8) -> Evidence:
        """All that an alert shows of messages without a topic. Shares are shown as customers of so many as now."""
        figures = WindowFigures(
            start_of(found.first), start_of(found.end), found.observed, found.expected, found.upper_bound
        )
        held, model = self._lookout.held(found.first, found.end - 1), (await self._models.current()).model
        if model and held:
            vectors = centred(model, held)
            alone = [row for row, to in enumerate(assign_held(model, held)) if to.topic is None][-_CANDIDATES:]
            held, vectors = [held[row] for row in alone], vectors[alone]
            chosen = choose_samples([one.message for one in held], vectors, most=most)
        else:
            held, chosen = [], []
        return Evidence(
            topic=TopicName(HOMELESS.rstrip("-"), _NO_TOPIC["en"], _NO_TOPIC, ()),
            window=figures,
            onset=before.onset if before else figures.start,
            customers=found.observed,
            messages=len(held),
            windows=(figures,),
            samples=tuple(sample_of(held[row]) for row in chosen),
            curve=tuple(
                CurvePoint(start_of(one.first), round(one.value * one.n), one.usual * one.n, one.upper * one.n)
                for one in self._share.hours()
            ),
        )

    async def _said(self, cell: Cell | None, hours: range) -> list[float]:
        """Distinct customers of each hour, of everything or of a channel."""
        if cell is not None:
            return [float((await self._counts.hour(hour)).by_value(CHANNEL)[cell[1]]) for hour in hours]
        buckets = await self._counts.volumes(range(hours.start * BUCKETS_PER_HOUR, hours.stop * BUCKETS_PER_HOUR))
        totals = [float(one.total) for one in buckets]
        return [sum(totals[n : n + BUCKETS_PER_HOUR]) for n in range(0, len(totals), BUCKETS_PER_HOUR)]

    async def _curve(self, swell: Swell) -> tuple[CurvePoint, ...]:
        """Customers by the hour, beside the mean of what the window lets expect."""
        hours = range(swell.end - _CURVE, swell.end)
        said = await self._said(None if swell.channel == TOTAL else (CHANNEL, swell.channel), hours)
        usual = swell.expected / (swell.end - swell.first)
        upper = usual + 2 * np.sqrt(usual + 0.1 * usual**2)
        return tuple(
            CurvePoint(start_of(hour * BUCKETS_PER_HOUR), int(seen), usual, float(upper))
            for hour, seen in zip(hours, said, strict=True)
        )


def _silent(silence: Silence, now: int) -> Turn:
    async def testify(_: Evidence | None) -> Evidence:
        return _silent_evidence(silence, now)

    return Turn(Reading(now - 1, True, False, silence.last + 1, 0, silence.expected), testify, None)


def _name(swell: Swell) -> TopicName:
    labels = _EVERYTHING
    if swell.channel != TOTAL:
        labels = {"en": f"everything by {swell.channel}", "zh": f"全部消息：{swell.channel}"}
    return TopicName(f"{SWELL}{swell.channel}", labels["en"], labels, ())


def _silent_evidence(silence: Silence, now: int) -> Evidence:
    """All that an alert shows of a channel from which nothing comes any more."""
    figures = WindowFigures(start_of(silence.last), start_of(now), 0, silence.expected, 0)
    everything = silence.value == TOTAL
    labels = {"en": f"silent: {silence.value}", "zh": f"无消息：{silence.value}"}
    if everything:
        labels = {"en": "silent: nothing comes by any channel", "zh": "无消息：所有渠道均无消息"}
    chance = float(np.exp(-silence.expected))
    channel = CulpritFigures(silence.attribute, silence.value, 0, silence.expected, 0.0, chance)
    return Evidence(
        topic=TopicName(f"silent-{silence.value}", labels["en"], labels, ()),
        window=figures,
        onset=end_of(silence.last),
        customers=0,
        messages=0,
        windows=(figures,),
        culprits=() if everything else (channel,),
    )
