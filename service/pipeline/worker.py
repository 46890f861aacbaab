"""The worker: take a batch from the inbox, embed, assign, count."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.chatter import is_chatter
from models.counted import CHATTER, NOISE
from models.embed import Vectors, language_of
from models.gist import gist
from models.leaning import leanings
from models.topics import Assignment, TopicModel
from service.logs import log
from service.metrics import Metrics
from service.pipeline.embedders import Embedders
from service.store.answers import Answer
from service.store.codec import pack_vector, space_of
from service.store.counts import Counts, Tally
from service.store.inbox import Delivery, Inbox
from service.store.model import ModelStore
from service.store.pools import Held, vectors_of

_NEAR = 20  # topics that a question is answered with

Near = tuple[tuple[str, float], ...]

_NONE = Assignment(None, 0.0, None, 2.0)
"""Of a message that no topic was looked for: there are none yet, or it is chatter."""


@dataclass(frozen=True, slots=True)
class WorkerRules:
    batch: int
    claim_after: timedelta
    max_deliveries: int


class Worker:
    """One consumer of the group. ``name`` must be unique among the living.

    ``ready`` raises `EncoderAway` while nothing could be embedded: then nothing is taken, and nothing wears out its
    deliveries.
    """

    def __init__(
        self,
        name: str,
        inbox: Inbox,
        counts: Counts,
        models: ModelStore,
        embedders: Embedders,
        rules: WorkerRules,
        metrics: Metrics,
        answer: Callable[[Sequence[Answer]], Awaitable[None]],
        ready: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._inbox = inbox
        self._counts = counts
        self._models = models
        self._embedders = embedders
        self._rules = rules
        self._metrics = metrics
        self._answer = answer
        self._ready = ready

    async def run_once(self, wait: timedelta | None = None) -> int:
        """Take and count one batch of new messages; answers how many were taken."""
        await self._encoder()
        await self._embedders.of((await self._models.current()).model)  # made before anything waits for it
        deliveries = await self._inbox.take(self._name, self._rules.batch, wait)
        await self._work(deliveries)
        return len(deliveries)

    async def take_over(self) -> int:
        """Take over what a dead worker left; what fails again and again is put aside. Answers how many."""
        await self._encoder()
        claimed = await self._inbox.claim(self._name, self._rules.claim_after, self._rules.batch)
        hopeless = [delivery for delivery, tries in claimed if tries > self._rules.max_deliveries]
        for delivery in hopeless:
            await self._bury(delivery, "failed_repeatedly")
        doomed = {(delivery.partition, delivery.id) for delivery in hopeless}
        alive = [delivery for delivery, _ in claimed if (delivery.partition, delivery.id) not in doomed]
        # One by one: a message that breaks the worker must not take its neighbours along again.
        for delivery in alive:
            await self._work([delivery])
        return len(claimed)

    async def _encoder(self) -> None:
        if self._ready is not None:
            await asyncio.to_thread(self._ready)

    async def _work(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.entry is None:
                await self._bury(delivery, "unreadable")
        readable = [delivery for delivery in deliveries if delivery.entry is not None]
        if not readable:
            return
        current = await self._models.current()  # after the taking: what was promoted for these entries is known by now
        older = [delivery for delivery in readable if current.older(delivery.id)]
        newer = [delivery for delivery in readable if not current.older(delivery.id)]
        for part, model in ((older, current.before), (newer, current.model)):
            if part:
                await self._assign(part, model)

    async def _assign(self, readable: Sequence[Delivery], model: TopicModel | None) -> None:
        """Embed, assign, count and answer what one model holds for."""
        embedder = await self._embedders.of(model)
        texts = [delivery.entry.message.text for delivery in readable if delivery.entry]
        said = [row for row, text in enumerate(texts) if not is_chatter(text)]  # chatter costs no vector
        vectors = np.zeros((len(texts), embedder.dimension), dtype=np.float32)
        vectors[said] = await asyncio.to_thread(embedder.embed, [gist(texts[row]) for row in said])
        assignments = [_NONE] * len(texts)
        for row, assignment in zip(said, assign(model, [texts[row] for row in said], vectors[said]), strict=True):
            assignments[row] = assignment
        topics = [CHATTER] * len(texts)
        for row in said:
            topics[row] = assignments[row].topic or NOISE
        counted = [row for row, delivery in enumerate(readable) if not (delivery.entry and delivery.entry.ask)]
        await self._count(
            [readable[row] for row in counted], [topics[row] for row in counted], vectors[counted], embedder.name
        )
        near = [
            nearest(model, text, vector) if delivery.entry and delivery.entry.ask and vector.any() else ()
            for delivery, text, vector in zip(readable, texts, vectors, strict=True)
        ]
        await self._tell(readable, assignments, near)
        asked = [delivery for delivery in readable if delivery.entry and delivery.entry.ask]
        if asked:
            await self._inbox.drop(asked)

    async def _count(
        self, deliveries: Sequence[Delivery], topics: Sequence[str], vectors: Vectors, embedder: str
    ) -> None:
        space = space_of(embedder)
        by_partition: dict[int, list[Tally]] = defaultdict(list)
        for delivery, topic, vector in zip(deliveries, topics, vectors, strict=True):
            assert delivery.entry is not None
            tally = Tally(delivery.id, delivery.entry, topic, pack_vector(vector), space)
            by_partition[delivery.partition].append(tally)
        for partition, tallies in by_partition.items():
            done = await self._counts.count(partition, tallies)
            self._metrics.counted.inc(sum(one >= 0 for one in done))

    async def _tell(
        self, deliveries: Sequence[Delivery], assignments: Sequence[Assignment], near: Sequence[Near]
    ) -> None:
        answers = [
            Answer(delivery.entry.answer, assignment.topic, assignment.strength, topics)
            for delivery, assignment, topics in zip(deliveries, assignments, near, strict=True)
            if delivery.entry and delivery.entry.answer
        ]
        if answers:
            await self._answer(answers)

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        if await self._inbox.bury(delivery, reason):
            self._metrics.dead.labels(reason=reason).inc()
            log.warning("message put aside", partition=delivery.partition, entry=delivery.id, reason=reason)


def centred(model: TopicModel, held: Sequence[Held]) -> Vectors:
    """The vectors of kept messages as the model's centroids are measured."""
    raw = vectors_of(held, model.centring.dimension)
    return model.centring.apply(raw, [language_of(one.message.text) for one in held])


def assign(model: TopicModel | None, texts: Sequence[str], vectors: Vectors) -> list[Assignment]:
    """Assignments of texts by their raw unit vectors; all noise while there is no model."""
    if model is None or len(vectors) == 0:
        return [_NONE] * len(vectors)
    placed = model.centring.apply(vectors, [language_of(text) for text in texts])
    return model.assign(placed, leanings(model.embedder, texts, vectors))


def assign_held(model: TopicModel, held: Sequence[Held]) -> list[Assignment]:
    """Assignments of kept messages, as `assign` makes them."""
    return assign(model, [one.message.text for one in held], vectors_of(held, model.centring.dimension))


def nearest(model: TopicModel | None, text: str, vector: NDArray[np.float32]) -> Near:
    """The topics nearest to a text by its raw unit vector, with their distances."""
    if model is None:
        return ()
    return tuple(model.nearest(model.centring.apply(vector[None], [language_of(text)])[0])[:_NEAR])
