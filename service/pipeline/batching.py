"""Requests that arrive one by one, embedded together: what gathers while one batch runs makes the next."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from models.embed import Embedder, Vectors
from service.errors import Overloaded

BATCH_TEXTS = 256
"""Most texts of one batch: some runs for every thread; a request behind them waits no longer than they take."""


@dataclass(frozen=True, slots=True)
class _Request:
    texts: Sequence[str]
    answer: asyncio.Future[Vectors]


class Batching:
    """A bounded queue before an embedder. `run` works it off until cancelled; nobody waits for a batch to fill."""

    def __init__(self, embedder: Embedder, *, queue: int) -> None:
        self._embedder = embedder
        self._most = queue
        self._waiting: deque[_Request] = deque()
        self._texts = 0
        self._came = asyncio.Event()
        self._pace = 0.0
        """Seconds a text, of the last batch."""

    @property
    def waiting(self) -> int:
        """Texts that wait or are being embedded."""
        return self._texts

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of ``texts``. Raises `Overloaded`, with when to come again, where the queue has no room for them."""
        if self._texts + len(texts) > self._most and self._texts:
            wait = timedelta(seconds=max(1.0, self._pace * self._texts))
            raise Overloaded(f"{self._texts} texts wait and {self._most} may; nothing was embedded", wait)
        request = _Request(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._texts += len(texts)
        self._came.set()
        return await request.answer

    async def run(self) -> None:
        while True:
            await self._came.wait()
            batch = self._taken()
            if not self._waiting:
                self._came.clear()
            await self._answer([one for one in batch if not one.answer.done()])
            self._texts -= sum(len(one.texts) for one in batch)

    def _taken(self) -> list[_Request]:
        """The oldest requests, up to `BATCH_TEXTS` texts; a larger one goes alone."""
        batch: list[_Request] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].texts) <= BATCH_TEXTS):
            batch.append(self._waiting.popleft())
            size += len(batch[-1].texts)
        return batch

    async def _answer(self, batch: Sequence[_Request]) -> None:
        texts = [text for one in batch for text in one.texts]
        if not texts:
            for one in batch:
                one.answer.set_result(np.empty((0, self._embedder.dimension), dtype=np.float32))
            return
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            vectors = await asyncio.to_thread(self._embedder.embed, texts)
        except Exception as error:  # whoever asked is told, and the next batch is another
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        self._pace = (clock() - begun) / len(texts)
        start = 0
        for one in batch:
            if not one.answer.done():
                one.answer.set_result(vectors[start : start + len(one.texts)])
            start += len(one.texts)
