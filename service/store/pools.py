"""The messages that are kept: the newest of each topic (samples), those of no topic (waiting), and of all (recent)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.message import Message
from service.store import keys
from service.store.codec import pack_vector, space_of, unpack_entry, unpack_vectors
from service.store.redis import Store, store_errors, text_of

_MANY = 1_000_000
_SCANNED = 2_000  # entries read at a time in looking for those to carry


@dataclass(frozen=True, slots=True)
class Held:
    """A kept message: its place, and whether it was the first of its customer on its topic that day."""

    partition: int
    entry_id: str
    message: Message
    first: bool
    vector: bytes
    space: str = ""


class Pools:
    """Read samples and waiting messages; the counting script writes both."""

    def __init__(self, store: Store, *, partitions: int) -> None:
        self._store = store
        self._partitions = partitions

    async def samples(self, topic: str, count: int = 64) -> list[Held]:
        """The newest messages of a topic, newest first over all partitions."""
        return await self._read([keys.samples(p, topic) for p in range(self._partitions)], count)

    async def waiting(self, count: int | None = None) -> list[Held]:
        """Messages of no topic, newest first over all partitions."""
        return await self._read([keys.waiting(p) for p in range(self._partitions)], count)

    async def recent(self, after: Sequence[str], most: int) -> tuple[list[Held], list[str]]:
        """Messages of any topic but chatter, counted after the places ``after`` (one a partition; "0-0" is the start).

        At most ``most`` a partition, and the places to go on from; nothing more where these are the same.
        """
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for partition, place in enumerate(after):
                pipe.xrange(keys.recent(partition), f"({place}", "+", count=most)
            answer = await pipe.execute()
        places = [entries[-1][0].decode() if entries else place for entries, place in zip(answer, after, strict=True)]
        return _held(answer), places

    @property
    def beginning(self) -> list[str]:
        """The places before the first of `recent`."""
        return ["0-0"] * self._partitions

    async def waiting_count(self) -> int:
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for partition in range(self._partitions):
                pipe.xlen(keys.waiting(partition))
            return sum(await pipe.execute())

    def places(self, topics: Sequence[str]) -> Iterator[str]:
        """Where messages are kept: of no topic first, which discovery waits for."""
        for pool in (keys.waiting, keys.recent):
            yield from (pool(partition) for partition in range(self._partitions))
        for topic in topics:
            yield from (keys.samples(partition, topic) for partition in range(self._partitions))

    async def all(self, topics: Iterable[str]) -> list[Held]:
        """Every kept message of every pool; one message may lie in several."""
        return await self._read(list(self.places(list(topics))), None)

    async def strange_count(self, topics: Sequence[str], embedder: str) -> int:
        """How many messages `strange` would tell of in all."""
        return sum([len(await self.strange(place, embedder, _MANY)) for place in self.places(topics)])

    async def strange(self, place: str, embedder: str, most: int) -> list[Held]:
        """The first messages at a place whose vectors are of another embedder's space."""
        space, after, found = space_of(embedder).encode(), "-", []
        with store_errors():
            while entries := await self._store.client.xrange(place, after, "+", count=_SCANNED):
                found += [(entry_id, fields) for entry_id, fields in entries if fields.get(b"s") != space]
                if len(found) >= most:
                    break
                after = f"({text_of(entries[-1][0])}"
        return _held([found[:most]])

    async def carry(self, place: str, held: Sequence[Held], vectors: Vectors, embedder: str) -> int:
        """Give messages at a place new vectors, each at once or not at all; answers how many were still there."""
        args: list[object] = [space_of(embedder)]
        for one, vector in zip(held, vectors, strict=True):
            args += [one.entry_id, pack_vector(vector)]
        with store_errors():
            return int(await self._store.scripts["carry"]([place], args))

    async def _read(self, streams: Sequence[str], count: int | None) -> list[Held]:
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for stream in streams:
                pipe.xrevrange(stream, count=count)
            answer = await pipe.execute()
        held = _held(answer)
        held.sort(key=lambda one: one.message.occurred_at, reverse=True)
        return held[:count]


def _held(answer: Sequence[Any]) -> list[Held]:
    """The entries of one stream a partition."""
    return [
        Held(
            partition,
            entry_id.decode(),
            unpack_entry(fields[b"m"]).message,
            fields[b"f"] == b"1",
            fields[b"v"],
            fields.get(b"s", b"").decode(),
        )
        for partition, entries in enumerate(answer)
        for entry_id, fields in entries
    ]


def of_space(held: Sequence[Held], embedder: str) -> list[Held]:
    """Those whose vectors can be compared with what ``embedder`` makes; others wait to be carried over."""
    space = space_of(embedder)
    return [one for one in held if one.space in ("", space)]


def vectors_of(held: Sequence[Held], dimension: int) -> NDArray[np.float32]:
    """The vectors of kept messages, shape (n, dimension)."""
    return unpack_vectors([one.vector for one in held], dimension)
