"""Succession: what was counted follows the topics that people merge, split and take apart.

Runs under the judge's lease, once for each line of the lineage log. Killed anywhere, doing it again does the rest.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from models.buckets import BUCKET, BUCKETS_PER_DAY, bucket_of
from models.detector import Detector
from models.lineage import Change, Event, fates, heir_in
from models.topic import TopicId
from models.topics import TopicModel
from service.logs import log
from service.pipeline.worker import assign_held
from service.store.codec import Entry
from service.store.counts import Counts, Tally
from service.store.lineage import LineageLog
from service.store.model import ModelStore
from service.store.pools import Held, Pools, of_space

_ALL = 100_000  # samples of a topic: more than any setting keeps
_AHEAD = BUCKETS_PER_DAY  # messages may be counted ahead of what is judged
_PATIENCE = BUCKETS_PER_DAY  # with messages of another space: `tocsin bundles promote` carries them in minutes


@dataclass(frozen=True, slots=True)
class Followed:
    """How far the log was followed, in lines. ``waits``: there is more, and the next is a split of messages that are to be
    carried over first into the space of the topics (`service.pipeline.carry`)."""

    lines: int
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of a part of a topic: its share of the messages kept, and its counts since ``known_from``."""

    share: float
    counted: dict[int, int]
    known_from: int


class Succession:
    """Carry out what the lineage log says of counts, and hand on what the detector knows."""

    def __init__(self, log: LineageLog, counts: Counts, pools: Pools, models: ModelStore, past: timedelta) -> None:
        """``past``: how far back counts are kept."""
        self._log = log
        self._counts = counts
        self._pools = pools
        self._models = models
        self._past = past

    async def follow(self, detector: Detector, seen: int, watermark: int) -> Followed:
        """Do what the log says after its first ``seen`` lines, up to a split that has to wait.

        ``watermark`` is the first bucket that is not closed yet.
        """
        events = await self._log.after()
        for number, event in enumerate(events[seen:], seen):
            if await self._waits(event, watermark):
                return Followed(number, waits=True)
            if event.change is Change.MERGED:
                await self._merge(detector, event, watermark)
            elif event.change in (Change.SPLIT, Change.PARTED) and event.other is not None:
                whole = heir_in(event.other, fates(events[:number]))
                await self._divide(detector, event, whole, watermark)
        return Followed(len(events))

    async def _waits(self, event: Event, watermark: int) -> bool:
        """Whether a topic is to be split whose messages cannot be compared with the topics yet."""
        if event.change is not Change.SPLIT or event.other is None or watermark > bucket_of(event.at) + _PATIENCE:
            return False
        model = (await self._models.current()).model
        held = await self._pools.samples(event.other, _ALL)
        return model is not None and len(of_space(held, model.embedder)) < len(held)

    async def _merge(self, detector: Detector, event: Event, watermark: int) -> None:
        assert event.other is not None
        span = watermark - self._past // BUCKET, watermark + _AHEAD
        moved = await self._counts.inherit(event.topic, event.other, *span)
        log.info("merged", topic=event.topic, into=event.other, moved=moved)
        if {event.topic, event.other} <= set(detector.topics):
            detector.merge(event.topic, into=event.other)

    async def _divide(self, detector: Detector, event: Event, whole: TopicId, watermark: int) -> None:
        """``whole``: what the part was counted under until now."""
        model = (await self._models.current()).model
        if model is None:
            return
        if event.change is Change.PARTED:
            await self._counts.disinherit(event.topic)
        await self._move(model, event.topic, whole)
        part = await self._part(event.topic, whole, watermark)
        log.info("split", topic=event.topic, of=whole, share=part.share)
        if whole in detector.topics and event.topic not in detector.topics:
            detector.split(whole, event.topic, part.share, part.counted, known_from=part.known_from)

    async def _move(self, model: TopicModel, part: str, whole: str) -> None:
        """Count kept messages of the whole that belong to the part under it, oldest first."""
        held = of_space(await self._pools.samples(whole, _ALL), model.embedder)
        found = zip(held, assign_held(model, held), strict=True)
        by_partition: dict[int, list[Tally]] = defaultdict(list)
        for one in sorted((one for one, to in found if to.topic == part), key=lambda one: one.message.occurred_at):
            tally = Tally(one.entry_id, Entry(one.message), part, one.vector, one.space)
            by_partition[one.partition].append(tally)
        for partition, tallies in by_partition.items():
            await self._counts.count(partition, tallies, moved_from=whole)

    async def _part(self, part: str, whole: str, watermark: int) -> Part:
        ours, others = await self._pools.samples(part, _ALL), await self._pools.samples(whole, _ALL)
        known_from = self._known_from(ours + others, watermark)
        history = await self._counts.history([part], known_from, watermark - 1)
        return Part(len(ours) / max(len(ours) + len(others), 1), history[part], known_from)

    def _known_from(self, held: list[Held], watermark: int) -> int:
        """The bucket from which every message of the whole was kept."""
        by_partition: dict[int, list[int]] = defaultdict(list)
        for one in held:
            by_partition[one.partition].append(bucket_of(one.message.occurred_at))
        full = [min(buckets) for buckets in by_partition.values() if len(buckets) >= self._counts.samples_kept]
        oldest = min((min(buckets) for buckets in by_partition.values()), default=watermark)
        return max(full, default=oldest)
