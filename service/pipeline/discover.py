"""Discovery: from messages of no topic to new topics, and the messages on to them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from models.buckets import bucket_of
from models.counted import NOISE
from models.discovery import (
    Candidate,
    DiscoverySettings,
    discover,
    held_out_assign,
    partition,
    same_topic,
    still_said,
)
from models.embed import Centring, Vectors, language_of
from models.emerging import Emerging, scan
from models.fingerprint import normalise
from models.fissure import SPLIT_FROM, fissure
from models.focus import focus
from models.follow import follow, moved
from models.gist import gist
from models.leaning import Leanings, leanings, mean_of, opposed
from models.neighbours import nearest_within
from models.portrait import exemplars_of
from models.terms import describe
from models.topic import Topic, TopicId, TopicKind
from models.topics import TopicModel, radius_of
from service.logs import log
from service.pipeline.worker import assign, centred
from service.store.codec import Entry
from service.store.counts import Counts, Tally
from service.store.fissures import Fissures
from service.store.model import ModelStore, OutOfStep
from service.store.pools import Held, Pools, of_space, vectors_of

_WHOLE_HISTORY = 2_000
"""Messages from which a first history is divided whole. Of fewer, dense places only: 500 airline messages divided
made 12 topics that took in everything after them, and the cancelled flights drowned in one."""
_LEAST_FRESH = 100  # new messages of no topic before they are grouped again
_LONGEST = timedelta(hours=48)  # the longest window of the emerging scan
_RESERVOIR = 8_000  # past messages that the scan compares with
_LOOK_BACK = timedelta(days=14)
_AGE = timedelta(days=28)
"""After which a candidate is out of date: a topic that is born then has no past that the detector would look at."""
_BAR_HOLDS = timedelta(days=1)
_LOOK_EVERY = timedelta(days=1)
_KEPT, _LARGEST = 256, 500  # messages of a topic, and topics, that are looked at for a split
_FIRST_BAR = 5.0  # -log10 of the chance, before there is a past to set the bar

Find = Callable[[Sequence[Held], Vectors, Leanings, datetime], list[Candidate]]


@dataclass(frozen=True, slots=True)
class DiscoverRules:
    """``first``: messages before the first topics are made."""

    first: int
    births_per_week: float = 1.0
    """How many places that only seem to crowd may become topics in a week (`models.emerging`)."""
    settings: DiscoverySettings = field(default_factory=DiscoverySettings)


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a discovery did: new topics, and how many messages were given a topic."""

    topics: tuple[str, ...]
    moved: int


class Discovery:
    """Runs under the judge's lease. Killed anywhere, the next run goes on: ids are given once, moves happen once."""

    def __init__(
        self,
        pools: Pools,
        counts: Counts,
        models: ModelStore,
        rules: DiscoverRules,
        fissures: Fissures,
        embedder: Callable[[], Awaitable[tuple[str, int] | None]],
    ) -> None:
        """``embedder`` tells name and dimension of what made the kept vectors."""
        self._embedder = embedder
        self._fissures = fissures
        self._clustered_upto: datetime | None = None
        self._looked: datetime | None = None  # when topics were last looked at
        self._apart: dict[TopicId, tuple[str, float]] = {}  # the newest message seen then, and how far apart they were
        self._bar: tuple[datetime, float] | None = None
        self._pools = pools
        self._counts = counts
        self._models = models
        self._rules = rules

    async def ready(self) -> bool:
        """Whether enough is there for the first topics, or topics exist already."""
        if (await self._models.current()).model is not None:
            return True
        return await self._pools.waiting_count() >= self._rules.first

    async def run(self, now: datetime) -> Discovered | None:
        """Group what waits; None where too little is new since the last time. Once a day topics follow their newest
        messages, and those that seem to be two are noted."""
        await self._look_at_topics(now)
        held = await self._pools.waiting()
        fresh = [one for one in held if self._clustered_upto is None or one.message.occurred_at >= self._clustered_upto]
        if len(fresh) < _LEAST_FRESH and self._clustered_upto is not None:
            return None
        self._clustered_upto = now
        first = (await self._models.current()).model is None
        return await self._birth(held, now, self._divide if first and len(held) >= _WHOLE_HISTORY else self._group)

    async def _look_at_topics(self, now: datetime) -> None:
        """Look at the newest messages of the largest topics once a day: for two heaps, and where each topic went."""
        model = (await self._models.current()).model
        if self._looked is None:
            self._looked = await self._fissures.looked()
        if model is None or (self._looked is not None and now - self._looked < _LOOK_EVERY):
            return
        since, self._looked = self._looked or now - _LOOK_EVERY, now
        centroids: dict[TopicId, NDArray[np.float32]] = {}
        issues = [topic for topic in model.assignable if topic.kind is TopicKind.ISSUE]
        seen: dict[TopicId, tuple[str, float]] = {}
        for topic in sorted(issues, key=lambda one: -one.size)[:_LARGEST]:
            held = of_space(await self._pools.samples(topic.id, _KEPT), model.embedder)
            if not held:
                continue
            fresh = [one for one in held if one.message.occurred_at >= since]
            centroids |= follow(model, topic.id, centred(model, fresh)) if fresh else {}
            newest, before = held[0].message.id, self._apart.get(topic.id)
            if before is not None and before[0] == newest:
                seen[topic.id] = before
                continue
            different = list({normalise(one.message.text): one for one in held}.values())
            seen[topic.id] = newest, await asyncio.to_thread(fissure, centred(model, different))
        self._apart = seen
        with suppress(OutOfStep):  # then tomorrow
            await self._models.redraw(lambda present: moved(present, centroids, model))
        await self._fissures.put({topic: round(far, 1) for topic, (_, far) in seen.items() if far >= SPLIT_FROM}, now)

    async def scan(self, now: datetime) -> Discovered | None:
        """Look for places where messages without a topic crowd as never before; each becomes a topic."""
        if (await self._models.current()).model is None:
            return None
        held = [one for one in await self._pools.waiting() if one.message.occurred_at < now]
        return await self._birth(held, now, self._crowding)

    async def _birth(self, held: Sequence[Held], now: datetime, find: Find) -> Discovered | None:
        """Topics for what ``find`` finds, and every waiting message on to the topic it belongs to."""
        embedder = await self._embedder()
        if embedder is None:
            return None
        name, dimension = embedder
        known = await self._models.current()
        current = known.model
        held = of_space(held, current.embedder if current else name)
        if not held:
            return None
        texts = [one.message.text for one in held]
        languages = [language_of(text) for text in texts]
        raw = vectors_of(held, dimension)
        centring = current.centring if current else Centring.fit(raw, languages)
        vectors = centring.apply(raw, languages)
        if current is None and find == self._divide:
            centring = await asyncio.to_thread(_focused, centring, vectors, texts, self._rules.settings)
            vectors = centring.apply(raw, languages)
        model = current or TopicModel(name, centring)
        placed: list[str | None] = [one.topic for one in assign(current, texts, raw)]
        leaning = leanings(model.embedder, texts, raw)
        new = await self._find(model, held, vectors, leaning, placed, now, find)
        first_bucket = min(bucket_of(one.message.occurred_at) for one in held)
        if new:
            try:
                await self._models.save(model.add(new), first_bucket, after=known.version, at=now)
            except OutOfStep:
                log.info("the topics were changed by another; these are looked for again", topics=len(new))
                return None
        elif current is None:
            return None
        moved = await self._move(held, placed)
        log.info("discovery", waiting=len(held), moved=moved, topics=len(new))
        return Discovered(tuple(topic.id for topic in new), moved)

    async def _find(
        self,
        model: TopicModel,
        held: Sequence[Held],
        vectors: Vectors,
        leaning: Leanings,
        placed: list[str | None],
        now: datetime,
        find: Find,
    ) -> list[Topic]:
        """New topics among the rows that no topic takes; writes their ids into ``placed``."""
        free = np.array([row for row, topic in enumerate(placed) if topic is None], dtype=np.intp)
        if not len(free):
            return []
        texts = [held[row].message.text for row in free]
        candidates = await asyncio.to_thread(find, [held[row] for row in free], vectors[free], leaning[free], now)
        candidates = [one for one in candidates if same_topic(one, model, self._rules.settings) is None]
        if not candidates:
            return []
        ids = await self._models.fresh_ids(len(candidates))
        groups = _placed(candidates, vectors[free], texts, find != self._crowding)
        against = opposed(leaning[free], np.array([one.leaning for one in candidates]))
        groups[against[np.arange(len(free)), groups] & (groups >= 0)] = -1
        for row, group in zip(free, groups, strict=True):
            if group >= 0:
                placed[row] = ids[group]
        members = [[gist(texts[row]) for row in candidate.rows] for candidate in candidates]
        grouped = np.concatenate([candidate.rows for candidate in candidates])
        background = [gist(texts[row]) for row in np.setdiff1d(np.arange(len(free)), grouped)]
        described = describe(members, background)
        return [
            Topic(
                id=TopicId(name),
                centroid=candidate.centroid,
                radius=candidate.radius,
                size=len(candidate.rows),
                born=now,
                terms=words.terms,
                labels=words.labels,
                exemplars=exemplars_of(
                    [held[row].message for row in free[candidate.rows]],
                    vectors[free][candidate.rows],
                    candidate.centroid,
                ),
                leaning=candidate.leaning,
            )
            for name, candidate, words in zip(ids, candidates, described, strict=True)
        ]

    def _group(self, held: Sequence[Held], vectors: Vectors, leaning: Leanings, _: datetime) -> list[Candidate]:
        """Candidates by density among what waits, of which something came lately, by the time of the messages."""
        texts, customers = [one.message.text for one in held], [str(one.message.customer) for one in held]
        found = discover(vectors, customers, texts, self._rules.settings, leanings=leaning)
        times = [one.message.occurred_at for one in held]
        return still_said(found, times, max(times) - _AGE)

    def _divide(self, held: Sequence[Held], vectors: Vectors, leaning: Leanings, _: datetime) -> list[Candidate]:
        """The first topics: the whole history divided into groups."""
        texts, customers = [one.message.text for one in held], [str(one.message.customer) for one in held]
        return partition(vectors, customers, texts, self._rules.settings, leanings=leaning)

    def _crowding(self, held: Sequence[Held], vectors: Vectors, leaning: Leanings, now: datetime) -> list[Candidate]:
        """Candidates by the emerging scan, over the bar that this stream's own past sets."""
        if self._bar is None or now - self._bar[0] >= _BAR_HOLDS:
            self._bar = now, self._bar_of(held, vectors, now)
        found = crowding(held, vectors, now)
        return [_candidate(one, vectors, leaning, self._rules.settings) for one in found if one.score >= self._bar[1]]

    def _bar_of(self, held: Sequence[Held], vectors: Vectors, now: datetime) -> float:
        """The score that births no more than the rate allowed, had the scan looked at the past days."""
        oldest = min((one.message.occurred_at for one in held), default=now)
        span = min(now - oldest - _LONGEST, _LOOK_BACK)
        looks = int(span / _LONGEST)
        if looks < 2:
            return _FIRST_BAR
        tops = sorted(
            (max((one.score for one in crowding(held, vectors, now - _LONGEST * back)), default=0.0)
             for back in range(1, looks + 1)),
            reverse=True,
        )  # fmt: skip
        allowed = self._rules.births_per_week * (span / timedelta(days=7))
        return max(_FIRST_BAR, tops[min(int(allowed), len(tops) - 1)])

    async def _move(self, held: Sequence[Held], placed: Sequence[str | None]) -> int:
        """Count waiting messages under their topic, each exactly once, oldest first."""
        by_partition: dict[int, list[Tally]] = defaultdict(list)
        for one, topic in zip(reversed(held), reversed(placed), strict=True):
            if topic is not None and topic != NOISE:
                by_partition[one.partition].append(
                    Tally(one.entry_id, Entry(one.message), topic, one.vector, one.space)
                )
        moved = 0
        for number, tallies in by_partition.items():
            for start in range(0, len(tallies), 500):
                done = await self._counts.count(number, tallies[start : start + 500], moved_from=NOISE)
                moved += sum(one >= 0 for one in done)
        return moved


def _focused(centring: Centring, vectors: Vectors, texts: Sequence[str], settings: DiscoverySettings) -> Centring:
    """``centring`` with the focus in which the groups of these messages lie apart, if there are any."""
    found = focus(vectors, texts, settings)
    return centring if found is None else centring.focused(found)


def crowding(held: Sequence[Held], vectors: Vectors, now: datetime) -> list[Emerging]:
    """The emerging scan as of ``now`` over kept messages, what came later left out."""
    times = np.array([one.message.occurred_at.timestamp() for one in held])
    recent = np.flatnonzero((times < now.timestamp()) & (times >= (now - _LONGEST).timestamp()))
    past = np.flatnonzero(times < (now - _LONGEST).timestamp())
    if len(past) > _RESERVOIR:
        past = np.random.default_rng(0).choice(past, _RESERVOIR, replace=False)
    messages = [held[row].message for row in recent.tolist()]
    found = scan(
        vectors[recent],
        [bucket_of(message.occurred_at) for message in messages],
        [str(message.customer) for message in messages],
        [message.text for message in messages],
        vectors[past],
        now=bucket_of(now),
    )
    return [replace(one, rows=recent[one.rows], centre=int(recent[one.centre])) for one in found]


def _candidate(found: Emerging, vectors: Vectors, leaning: Leanings, settings: DiscoverySettings) -> Candidate:
    distances = 1 - vectors[found.rows] @ found.centroid
    radius = radius_of(distances, settings.radius_share)
    return Candidate(found.rows, found.centroid, radius, found.customers, mean_of(leaning[found.rows]))


def _placed(candidates: Sequence[Candidate], vectors: Vectors, texts: Sequence[str], grouped: bool) -> NDArray[np.intp]:
    """Which candidate each message is counted under, -1 for none.

    Groups as if each message had come after them, so that the rates learnt from it are those that later messages will
    show; a place that crowds by its radius, so that its past is counted as its present is.
    """
    if grouped:
        return held_out_assign(vectors, candidates, texts)
    centroids = np.stack([one.centroid for one in candidates])
    return nearest_within(vectors, centroids, np.array([one.radius for one in candidates], dtype=np.float32))
