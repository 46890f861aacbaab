"""The judge: closed buckets in, alerts out; each tick written whole or not at all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from models.alert import Alert
from models.bar import extras, held
from models.blind import unknown
from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, bucket_of, end_of, start_of
from models.budget import Parts, parts_of
from models.detector import Detector, DetectorSettings
from models.surge import Reading, SurgeRules, SurgeState, advance
from models.topic import Topic, TopicKind, TopicState
from models.topics import TopicModel
from models.verdict import Tick as DetectorTick
from service.logs import log
from service.metrics import Metrics
from service.pipeline.bench import Bench, hidden_of, named, part_of
from service.pipeline.docket import Changes, Docket
from service.pipeline.exposure import Exposure
from service.pipeline.hearing import Hearing
from service.pipeline.hidden import Hidden
from service.pipeline.lookout import Lookout
from service.pipeline.succession import Succession
from service.pipeline.survey import Survey
from service.pipeline.tide import Tide
from service.pipeline.told import Told
from service.pipeline.witness import Witness
from service.store.alerts import AlertBook
from service.store.campaigns import Campaign, Campaigns, running
from service.store.counts import BucketCounts, Counts, Volume
from service.store.customers import Customers
from service.store.erasures import Erasures
from service.store.gauges import Gauges
from service.store.judgement import JudgeStore, Tick
from service.store.model import ModelStore
from service.store.vigil import Vigil

_CHUNK = BUCKETS_PER_DAY  # buckets read and, where nothing happens, written at a time in catching up
_PAST = timedelta(days=28)  # how far back a newly found topic's counts are read


@dataclass(frozen=True, slots=True)
class JudgeRules:
    false_alarms_per_week: float
    surge: SurgeRules = field(default_factory=SurgeRules)
    receivers: tuple[str, ...] = ()
    base_url: str = ""
    part: float = 1.0  # of them, for messages, once indicators are observed; those have the rest


@dataclass(frozen=True, slots=True)
class Erasing:
    """The log of who was erased, and the hands that do it."""

    log: Erasures
    customers: Customers


class Judge:
    """Judge every closed bucket in order; ``token`` is that of the lease held."""

    def __init__(
        self,
        store: JudgeStore,
        counts: Counts,
        models: ModelStore,
        book: AlertBook,
        campaigns: Campaigns,
        witness: Witness,
        lookout: Lookout,
        tide: Tide,
        hidden: Hidden,
        succession: Succession,
        rules: JudgeRules,
        metrics: Metrics,
        token: str,
        gauges: Gauges | None = None,
        vigil: Vigil | None = None,
        exposure: Exposure | None = None,
        erasing: Erasing | None = None,
    ) -> None:
        """``vigil`` tells when nobody listened, where time is the machine's; without it all was heard."""
        self._store = store
        self._gauges = gauges
        self._vigil = vigil
        self._erasing = erasing
        self._counts = counts
        self._models = models
        self._book = book
        self._campaigns = campaigns
        self._witness = witness
        self._hearing = Hearing(models, book, exposure)
        self._lookout = lookout
        self._tide = tide
        self._hidden = hidden
        self._succession = succession
        self._rules = rules
        self._metrics = metrics
        self._docket = Docket(book, metrics, rules.receivers, rules.base_url)
        self._told = Told(self._docket, lookout, hidden, witness)
        self._survey = Survey(
            lookout, tide, hidden, witness, models, self._docket, self._told, self._hearing, rules.surge
        )
        self._token = token
        self._bench: Bench | None = None
        self._peeked: tuple[int, dict[str, int]] | None = None
        self._day: dict[int, Volume] = {}  # by bucket, those of the last day that this judge judged

    def forget(self) -> None:
        """Drop what is held in memory; the next call reads the store anew."""
        self._bench, self._day = None, {}
        self._docket.forget()

    async def begun(self) -> bool:
        """Whether judging has begun on this store."""
        if self._bench is None:
            self._bench = await self._restore()
        return self._bench is not None

    async def begin(self, first: int, raise_from: int) -> None:
        """Start judging at bucket ``first``, raising from ``raise_from``: once, when the first topics are made."""
        budget = self._rules.part * self._rules.false_alarms_per_week
        detector = Detector(DetectorSettings(false_alarms_per_week=parts_of(budget).topics), first)
        bench = Bench(detector, None, raise_from, {})
        await self._write(bench, first - 1, Changes())
        bench.position = first - 1
        self._bench = bench

    async def advance(self, watermark: datetime, now: datetime) -> list[Alert]:
        """Judge all buckets that closed before ``watermark``; answers the alerts that changed.

        Raises `NotInStep` where another judge has the lease; nothing was written then.
        """
        bench = self._bench = self._bench or await self._restore()
        if bench is None or bench.position is None:
            return []
        await self._lookout.begin()
        await self._let_go(bench)
        await self._heed(bench)
        await self._meet_topics(bench, bucket_of(watermark))
        changed: dict[str, Alert] = {}
        last = bucket_of(watermark) - 1
        while bench.position < last:
            chunk = range(bench.position + 1, min(bench.position + _CHUNK, last) + 1)
            changed |= await self._judge(bench, chunk, now)
        return list(changed.values())

    async def peek(self, now: datetime) -> list[Alert]:
        """Look at the bucket that is still filling: what alarms already need not wait for its end.

        A trial on a copy; nothing is learnt and nothing ends. The count so far is held against the expectation
        of the whole bucket, so a peek is slower to alarm than the closed bucket, never quicker.
        """
        bench = self._bench
        if bench is None or bench.position is None or bench.position + 1 < bench.raise_from or self._lookout.slow:
            return []
        bucket = bench.position + 1
        counts = _known(bench, await self._counts.bucket(bucket))
        if not counts or (bucket, counts) == self._peeked or await self._unheard(range(bucket, bucket + 1), now):
            return []
        self._peeked = bucket, counts
        trial = Detector.unpack(bench.detector.pack())
        tick = trial.step(bucket, counts, promotion=_promotion(await self._campaigns.all(), bucket))
        changes = Changes()
        tick = held(tick, extras(await self._book.bars(), end_of(bucket)))
        await self._weigh(bench, trial, tick, now, changes, closed=False)
        if changes:
            await self._write(bench, bench.position, changes)
        return list(changes.alerts.values())

    async def _judge(self, bench: Bench, chunk: range, now: datetime) -> dict[str, Alert]:
        """Judge a run of buckets, writing after each that changed something and at the end."""
        changed: dict[str, Alert] = {}
        campaigns, bars = await self._campaigns.all(), await self._book.bars()
        parts = parts_of(await self._budget(), slow=self._lookout.slow, busy=self._lookout.busy)
        unheard = await self._unheard(range(chunk.start - BUCKETS_PER_HOUR, chunk.stop), now)
        for bucket, counts in zip(chunk, await self._counts.buckets(chunk), strict=True):
            self._day[bucket] = counts.volume
            with self._metrics.tick.time():
                hour = unheard.intersection(range(bucket + 1 - BUCKETS_PER_HOUR, bucket + 1))
                if bucket in unheard:
                    bench.detector.blind(bucket, bucket + 1)
                else:
                    tick = bench.detector.step(bucket, _known(bench, counts), promotion=_promotion(campaigns, bucket))
                if bucket % BUCKETS_PER_DAY == 0:
                    self._calibrate(bench)
                if (bucket + 1) % BUCKETS_PER_HOUR == 0:
                    await self._close_hour(
                        bench, bucket, parts, unheard=bool(hour), excused=_excused(campaigns, bucket)
                    )
                changes = Changes()
                if bucket >= bench.raise_from:
                    if bucket not in unheard:
                        tick = held(tick, extras(bars, end_of(bucket)))
                        if not self._lookout.slow:
                            await self._weigh(bench, bench.detector, tick, now, changes)
                        await self._accept(bench, tick, now, changes)
                    if (bucket + 1) % self._lookout.every == 0 and len(hour) < BUCKETS_PER_HOUR:
                        await self._survey.take(
                            bench, bucket, extras(bars, end_of(bucket)), _buckets(campaigns), now, changes
                        )
            if changes or bucket == chunk[-1]:
                await self._write(bench, bucket, changes)
            changed |= changes.alerts
            self._day.pop(bucket - BUCKETS_PER_DAY, None)
            await asyncio.sleep(0)  # the lease is renewed beside a long catching-up
        day = self._day.values()
        self._metrics.noise.set(sum(one.unplaced for one in day) / max(sum(one.total for one in day), 1))
        return changed

    async def _close_hour(self, bench: Bench, bucket: int, parts: Parts, *, unheard: bool, excused: bool) -> None:
        """Take the hour that ends with a bucket into the tide and, where the tenant is busy, into the hidden cells."""
        hour = bucket // BUCKETS_PER_HOUR
        counted = await self._counts.hour(hour)
        await self._tide.take(hour, await self._volume(hour), counted, excused=excused or unheard)
        if unheard:
            await self._hidden.skip(hour)
            return
        loud = [topic for topic, surge in bench.surges.items() if surge.open and surge.fired is not None]
        await self._hidden.take(hour, counted, bench.detector, parts.cells, loud)

    async def _volume(self, hour: int) -> Volume:
        """An hour's buckets together, as they were judged; those of before this judge began are read."""
        buckets = range(hour * BUCKETS_PER_HOUR, (hour + 1) * BUCKETS_PER_HOUR)
        known = self._day
        missing = [bucket for bucket in buckets if bucket not in known]
        read = dict(zip(missing, await self._counts.volumes(missing), strict=True))
        every = [known.get(bucket) or read[bucket] for bucket in buckets]
        return Volume(sum(one.total for one in every), sum(one.unplaced for one in every))

    async def _unheard(self, buckets: range, now: datetime) -> frozenset[int]:
        """Which of the buckets nobody listened in: their counts are unknown, whatever came of them later."""
        if self._vigil is None:
            return frozenset()
        return unknown(await self._vigil.unheard(start_of(buckets.start), now), buckets)

    async def _accept(self, bench: Bench, tick: DetectorTick, now: datetime, changes: Changes) -> None:
        """Say on the open alerts on a topic that its level is the new normal."""
        for topic in tick.new_normal:
            for surge in [*bench.surges.values(), *bench.crowds.values()]:
                if surge.open and surge.fired is not None:
                    await self._docket.accept(surge, topic, tick.bucket, now, changes)

    async def _weigh(
        self,
        bench: Bench,
        detector: Detector,
        tick: DetectorTick,
        now: datetime,
        changes: Changes,
        *,
        closed: bool = True,
    ) -> None:
        """Advance every surge that is open or begins at this bucket; only what begins, while it is not closed."""
        model = (await self._models.current()).model
        rows = {topic: row for row, topic in enumerate(tick.topics)}
        loud = {topic for topic, row in rows.items() if tick.alarm[row]}
        quiet = (
            bench.surges.keys() if closed else {name for name, surge in bench.surges.items() if not surge.open} & loud
        )
        for name in sorted((loud if closed else loud - bench.surges.keys()) | quiet):
            topic = _topic(model, name)
            if topic is None or topic.state is not TopicState.LIVE:
                ended = await self._docket.end(bench.surges.pop(name, None), tick.bucket, now, changes)
                bench.note(ended)
                continue
            before = bench.surges.get(name)
            reading = _reading(
                detector,
                tick,
                rows.get(name),
                name,
                begun=before is not None and before.open and before.fired is not None,
            )
            if before is None and await self._told.as_crowd(bench, name, reading):
                continue  # told already, of the crowd that makes the topic loud
            surge = advance(name, before, reading, self._rules.surge)
            if surge is None:
                bench.surges.pop(name, None)
                continue
            if surge.state is SurgeState.pending and not closed:
                continue  # the bucket counts as one alarm, when it closes
            bench.surges[name] = surge
            if surge.state is not SurgeState.pending and (surge.open or surge != before):
                case = self._hearing.case(
                    bench,
                    surge,
                    before,
                    name in loud,
                    reading.observed,
                    lambda topic=topic, surge=surge: self._hearing.weighed(  # type: ignore[misc]
                        self._witness.testify(detector, topic, surge, tick.bucket, tick.extra.get(topic.id, 0.0)),
                        partial(self._witness.said, topic.id),
                    ),
                )
                bench.note(await self._docket.record(case, tick.bucket, now, changes))

    async def _let_go(self, bench: Bench) -> None:
        """Let go of customers who were erased since: of what is held in memory, and once more of what lies in the store,
        where a tick that had begun before may have written of them."""
        if self._erasing is None:
            return
        gone, bench.erased = await self._erasing.log.since(bench.erased)
        for customer in gone:
            self._lookout.erase(customer)
            await self._erasing.customers.erase(customer)
        if gone:
            self._docket.forget()
            log.info("let go of erased customers", customers=len(gone))

    async def _budget(self) -> float:
        """The false alarms a week that people chose, else those of the settings, less the part of indicators."""
        budget = await self._store.budget() or self._rules.false_alarms_per_week
        if self._gauges is None or await self._gauges.span() is not None:
            budget *= self._rules.part
        return budget

    async def _heed(self, bench: Bench) -> None:
        """Keep to the budget, as it is shared out at this tenant's pace."""
        detector, watch = bench.detector, self._lookout.watch
        parts = parts_of(await self._budget(), slow=self._lookout.slow, busy=self._lookout.busy)
        if (detector.settings.false_alarms_per_week, watch.per_week) == (parts.topics, parts.crowds):
            return
        detector.settings = replace(detector.settings, false_alarms_per_week=parts.topics)
        watch.per_week = parts.crowds
        self._tide.keep_to(parts.swells)
        self._calibrate(bench)
        if bench.position is not None and parts.crowds:
            watch.calibrate(bench.position + 1)

    def _calibrate(self, bench: Bench) -> None:
        calibration = bench.detector.calibrate()
        self._metrics.threshold.set(bench.detector.threshold)
        log.debug("calibrated", threshold=bench.detector.threshold, calibration=str(calibration))

    async def _meet_topics(self, bench: Bench, watermark: int) -> None:
        """Follow topics that were merged or split, and give every new topic of the model its row in the detector, with
        what was counted for it so far."""
        current = await self._models.current()
        if current.model is None or current.version == bench.model_version:
            return
        followed = await self._succession.follow(bench.detector, bench.lineage, watermark)
        bench.lineage = followed.lines
        if followed.waits:  # some minutes, with the topics that are known
            return
        if current.since != bench.promoted:
            for name in current.scales.keys() & set(bench.detector.topics):
                bench.detector.scale(name, current.scales[name])
            bench.promoted = current.since
        watched = {topic.id for topic in current.model.topics if _watched(topic)}
        for gone in set(bench.detector.topics) - watched:
            bench.detector.remove(gone)
        new = sorted(watched - set(bench.detector.topics))
        if new:
            assert bench.position is not None
            pasts: dict[str, dict[int, int]] = {name: {} for name in new}
            if bench.detector.topics or bench.position >= bench.raise_from:
                pasts = await self._counts.history(new, bench.position - _PAST // timedelta(minutes=5), bench.position)
            bench.detector.add_all({name: pasts[name] or None for name in new})
        bench.model_version = current.version
        self._metrics.topics.set(len(watched))

    async def _restore(self) -> Bench | None:
        """The state of the last committed tick; None before the first."""
        position, state = await self._store.state()
        if position is None:
            return None
        self._lookout.restore(state.get("watch"))
        self._tide.restore(part_of(state, "tide"))
        self._hidden.restore(hidden_of(state))
        return Bench.unpack(position, state)

    async def _write(self, bench: Bench, bucket: int, changes: Changes) -> None:
        state = bench.pack() | named("tide", self._tide.pack()) | named("hidden", self._hidden.pack())
        state["watch"] = self._lookout.watch.pack()
        tick = Tick(
            before=bench.position,
            after=bucket,
            state=state,
            alerts=list(changes.alerts.values()),
            events=changes.events,
            notifications=changes.notifications,
        )
        await self._store.commit(tick, self._token)
        self._hidden.written()
        bench.position = bucket
        self._metrics.judged.set(end_of(bucket).timestamp())


def _watched(topic: Topic) -> bool:
    return topic.state is not TopicState.RETIRED and topic.kind is TopicKind.ISSUE


def _known(bench: Bench, counts: BucketCounts) -> dict[str, int]:
    """The counts of the topics that the detector watches; others joined after this bucket's model."""
    watched = set(bench.detector.topics)
    return {topic: count for topic, count in counts.customers.items() if topic in watched and count > 0}


def _promotion(campaigns: Sequence[Campaign], bucket: int) -> float | None:
    """The announced multiplier at a bucket, where one is announced with a figure."""
    found = [one.multiplier for one in running(campaigns, start_of(bucket)) if one.multiplier]
    return max(found) if found else None


def _excused(campaigns: Sequence[Campaign], bucket: int) -> bool:
    """Whether an announced campaign explains that more of everything comes."""
    return bool(running(campaigns, start_of(bucket)))


def _buckets(campaigns: Sequence[Campaign]) -> list[range]:
    return [range(bucket_of(one.start), bucket_of(one.end)) for one in campaigns]


def _topic(model: TopicModel | None, name: str) -> Topic | None:
    return next((topic for topic in model.topics if topic.id == name), None) if model else None


def _reading(detector: Detector, tick: DetectorTick, row: int | None, name: str, *, begun: bool) -> Reading:
    """A topic at one bucket; the onset of an episode that has begun is known, and not sought again."""
    if row is None:
        return Reading(tick.bucket, False, True, tick.bucket, 0, 0.0)
    alarm = bool(tick.alarm[row])
    onset = detector.onset(name) if alarm and not begun else tick.bucket
    return Reading(tick.bucket, alarm, name in tick.quiet, onset, int(tick.observed[row]), float(tick.expected[row]))
