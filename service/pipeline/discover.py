"""Discovery: from messages of no topic to new topics, and the messages on to them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from models.terms import describe

from models.buckets import bucket_of
from models.discovery import Candidate, DiscoverySettings, discover, same_topic, split_half_assign
from models.embed import Centring, Language, Vectors, language_of
from models.topics import Exemplar, Topic, TopicId, TopicModel
from service.logs import log
from service.pipeline.worker import assign
from service.store.codec import Entry
from service.store.counts import NOISE, Counts, Tally
from service.store.model import ModelStore
from service.store.pools import Held, Pools, vectors_of

_EXEMPLARS = 5


@dataclass(frozen=True, slots=True)
class DiscoverRules:
    """``first``: messages before the first topics are made."""

    first: int
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
        embedder: Callable[[], Awaitable[tuple[str, int] | None]],
    ) -> None:
        """``embedder`` tells name and dimension of what made the kept vectors."""
        self._embedder = embedder
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
        """Find topics among what waits; None where nothing waits."""
        held = await self._pools.waiting()
        embedder = await self._embedder()
        if not held or embedder is None:
            return None
        name, dimension = embedder
        current = (await self._models.current()).model
        texts = [one.message.text for one in held]
        languages = [language_of(text) for text in texts]
        raw = vectors_of(held, dimension)
        centring = current.centring if current else Centring.fit(raw, languages)
        vectors = centring.apply(raw, languages)
        model = current or TopicModel(name, centring)
        placed: list[str | None] = [one.topic for one in assign(current, texts, raw)]
        new = await self._find(model, held, vectors, languages, placed, now)
        first_bucket = min(bucket_of(one.message.occurred_at) for one in held)
        if new:
            await self._models.save(model.add(new), first_bucket)
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
        languages: Sequence[Language],
        placed: list[str | None],
        now: datetime,
    ) -> list[Topic]:
        """New topics among the rows that no topic takes; writes their ids into ``placed``."""
        free = np.array([row for row, topic in enumerate(placed) if topic is None], dtype=np.intp)
        if not len(free):
            return []
        texts = [held[row].message.text for row in free]
        customers = [str(held[row].message.customer) for row in free]
        candidates = await asyncio.to_thread(discover, vectors[free], customers, texts, self._rules.settings)
        candidates = [one for one in candidates if same_topic(one, model, self._rules.settings) is None]
        if not candidates:
            return []
        ids = await self._models.fresh_ids(len(candidates))
        groups = np.full(len(free), -1, dtype=np.intp)
        for number, candidate in enumerate(candidates):
            groups[candidate.rows] = number
        # Out of sample, so that the rates learnt from this history are those that later messages will show.
        judged = split_half_assign(vectors[free], groups, texts, radius_share=self._rules.settings.radius_share)
        for row, group in zip(free, judged, strict=True):
            if group >= 0:
                placed[row] = ids[group]
        members = [[texts[row] for row in candidate.rows] for candidate in candidates]
        background = [texts[row] for row in np.flatnonzero(groups < 0)]
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
                exemplars=_exemplars(candidate, vectors[free], [held[row] for row in free]),
            )
            for name, candidate, words in zip(ids, candidates, described, strict=True)
        ]

    async def _move(self, held: Sequence[Held], placed: Sequence[str | None]) -> int:
        """Count waiting messages under their topic, each exactly once, oldest first."""
        by_partition: dict[int, list[Tally]] = defaultdict(list)
        for one, topic in zip(reversed(held), reversed(placed), strict=True):
            if topic is not None and topic != NOISE:
                by_partition[one.partition].append(Tally(one.entry_id, Entry(one.message), topic, one.vector))
        moved = 0
        for partition, tallies in by_partition.items():
            for start in range(0, len(tallies), 500):
                done = await self._counts.count(partition, tallies[start : start + 500], "waiting")
                moved += sum(one >= 0 for one in done)
        return moved


def _exemplars(candidate: Candidate, vectors: Vectors, held: Sequence[Held]) -> tuple[Exemplar, ...]:
    """The members nearest the centre, one of each wording."""
    order = candidate.rows[np.argsort(-(vectors[candidate.rows] @ candidate.centroid), kind="stable")]
    found: dict[str, Exemplar] = {}
    for row in order:
        message = held[row].message
        found.setdefault(message.text, Exemplar(message.id, message.text))
        if len(found) == _EXEMPLARS:
            break
    return tuple(found.values())
