"""Answers on the way back: a worker tells the sender that waits which topic its message got."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson

from service.errors import StoreAway
from service.store import keys
from service.store.cluster import Command
from service.store.redis import Store, store_errors


@dataclass(frozen=True, slots=True)
class Answer:
    """What a waiting sender is told: the topic of its message, or None. ``near``: where it only asked, the nearest
    topics with their cosine distances."""

    word: str
    topic: str | None
    strength: float
    near: tuple[tuple[str, float], ...] = ()


async def publish_answers(store: Store, answers: Sequence[Answer]) -> None:
    """Tell whoever waits; nobody waiting is no error."""
    with store_errors():
        bodies = [orjson.dumps([one.word, one.topic, one.strength, one.near]) for one in answers]
        await store.send([Command(keys.ANSWERS, ("PUBLISH", keys.ANSWERS, body)) for body in bodies])


class Answers:
    """The waiting senders of one API process; `listen` runs for as long as the process does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    def expect(self) -> str:
        """A word to send along; `wait` then gives the answer to it."""
        word = secrets.token_hex(8)
        self._waiting[word] = asyncio.get_running_loop().create_future()
        return word

    async def wait(self, word: str, limit: timedelta) -> Answer | None:
        """The answer, or None where it did not come in time."""
        try:
            return await asyncio.wait_for(self._waiting[word], limit.total_seconds())
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(word, None)

    def forget(self, word: str) -> None:
        self._waiting.pop(word, None)

    async def listen(self) -> None:
        """Hear answers until cancelled; reconnects by itself."""
        while True:
            try:
                with store_errors():
                    async with self._store.client.pubsub() as channel:
                        await channel.subscribe(keys.ANSWERS)
                        async for heard in channel.listen():
                            if heard["type"] == "message":
                                self._hear(heard["data"])
            except StoreAway:
                await asyncio.sleep(1)

    def _hear(self, body: bytes) -> None:
        word, topic, strength, near = orjson.loads(body)
        future = self._waiting.get(word)
        if future is not None and not future.done():
            future.set_result(Answer(word, topic, strength, tuple((name, apart) for name, apart in near)))
