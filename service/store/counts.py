"""Counts by topic and bucket, by attribute value and hour; and the script that counts exactly once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

import numpy as np

from models.buckets import BUCKETS_PER_HOUR, bucket_of
from models.counted import BETWEEN, CHATTER, NOISE, Counted
from models.culprit import Cell
from service.store import keys
from service.store.codec import FIELD_SEPARATOR, Entry, cells_of, pack_entry
from service.store.redis import PIPELINE, Store, hashes_by_bucket, store_errors

_MESSAGES = f"{FIELD_SEPARATOR}m"
_CUSTOMERS_KEPT = timedelta(days=3)  # the 24 hours looked back, on both sides of a day, and slack for lateness


@dataclass(frozen=True, slots=True)
class Tally:
    """One message to count: where it lies, what topic it got, its vector as stored."""

    entry_id: str
    entry: Entry
    topic: str
    vector: bytes
    space: str = ""
    """Of the vector (`service.store.codec.space_of`); empty is any."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Distinct customers of each topic and of none together, and of no topic alone."""

    total: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class BucketCounts:
    """Distinct customers and raw messages of one bucket, by topic; noise and chatter apart."""

    customers: Mapping[str, int]
    messages: Mapping[str, int]
    noise: int
    total_messages: int

    @property
    def volume(self) -> Volume:
        return Volume(sum(self.customers.values()) + self.noise, self.noise)


@dataclass(frozen=True, slots=True)
class Retention:
    """What the counting script keeps, and for how long."""

    counts: timedelta
    cells: timedelta
    samples_per_topic: int
    waiting: int
    recent: int


class Counts:
    """Count messages; read counts back."""

    def __init__(self, store: Store, *, partitions: int, retention: Retention) -> None:
        self._store = store
        self._partitions = partitions
        self._retention = retention

    async def count(self, partition: int, tallies: Sequence[Tally], *, moved_from: str | None = None) -> list[int]:
        """Count, sample and acknowledge in one step; per message 1 (first of its customer), 0, or -1 (done before).

        ``moved_from``: the topic that kept messages are moved away from, `NOISE` for those of none; without it
        they come out of the inbox.
        """
        kept = self._retention
        args: list[object] = [
            keys.partition(partition),
            moved_from or "",
            keys.GROUP,
            _seconds(_CUSTOMERS_KEPT),
            _seconds(kept.counts),
            _seconds(kept.cells),
            self.samples_kept,
            max(1, kept.waiting // self._partitions),
            max(1, kept.recent // self._partitions),
        ]
        for tally in tallies:
            message = tally.entry.message
            args += [
                tally.entry_id,
                tally.topic,
                bucket_of(message.occurred_at),
                int(message.occurred_at.timestamp()),
                message.customer,
                cells_of(message.attributes),
                pack_entry(Entry(message)),
                tally.vector,
                tally.space,
            ]
        with store_errors():
            return list(
                await self._store.scripts["count"]([_stream(partition, moved_from), keys.guard(partition)], args)
            )

    async def inherit(self, gone: str, into: str, first: int, last: int) -> int:
        """Count under ``into`` what buckets ``[first, last]`` counted under ``gone``, and what is still to come.

        Answers how many messages went over. Done a day at a time; killed anywhere, doing it again does the rest.
        """
        moved = 0
        for partition in range(self._partitions):
            for hour in range(first // BUCKETS_PER_HOUR, last // BUCKETS_PER_HOUR + 1, 24):
                args = [keys.partition(partition), gone, into, hour, hour + 24, self.samples_kept]
                with store_errors():
                    moved += await self._store.scripts["inherit"]([keys.heirs(partition), keys.guard(partition)], args)
        return moved

    async def disinherit(self, topic: str) -> None:
        """Count a merged topic for itself again, from now on."""
        with store_errors():
            for partition in range(self._partitions):
                await self._store.client.hdel(keys.heirs(partition), topic)

    @property
    def samples_kept(self) -> int:
        """Kept of a topic in a partition."""
        return max(1, self._retention.samples_per_topic // self._partitions)

    async def bucket(self, bucket: int) -> BucketCounts:
        """The counts of one bucket, summed over the partitions."""
        return (await self.buckets([bucket]))[0]

    async def buckets(self, buckets: Sequence[int]) -> list[BucketCounts]:
        """The counts of several buckets, in their order."""
        hashes = await hashes_by_bucket(self._store, keys.counts, buckets, self._partitions)
        return [_bucket_counts(parts) for parts in hashes]

    async def volumes(self, buckets: Sequence[int]) -> list[Volume]:
        """What was counted in each bucket in all."""
        hashes = await hashes_by_bucket(self._store, keys.counts, buckets, self._partitions)
        return [_volume(parts) for parts in hashes]

    async def history(self, topics: Sequence[str], first: int, last: int) -> dict[str, dict[int, int]]:
        """Customers by topic and bucket over ``[first, last]``; zero buckets left out."""
        history: dict[str, dict[int, int]] = {topic: {} for topic in topics}
        if not topics:
            return history
        span = range(first, last + 1)
        for start in range(0, len(span), PIPELINE):
            part = span[start : start + PIPELINE]
            with store_errors():
                pipe = self._store.client.pipeline(transaction=False)
                for bucket in part:
                    for partition in range(self._partitions):
                        pipe.hmget(keys.counts(partition, bucket), list(topics))
                answer = await pipe.execute()
            for i, values in enumerate(answer):
                bucket = part[i // self._partitions]
                for topic, value in zip(topics, values, strict=True):
                    if value:
                        history[topic][bucket] = history[topic].get(bucket, 0) + int(value)
        return history

    async def by_hour(self, topic: str, cell: Cell, first: int, last: int) -> dict[int, int]:
        """Customers of a topic with one attribute value, by hour over ``[first, last)``; empty hours left out."""
        name = FIELD_SEPARATOR.join((topic, *cell))
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for hour in range(first, last):
                for partition in range(self._partitions):
                    pipe.hget(keys.cells(partition, hour), name)
            answer = await pipe.execute()
        found: Counter[int] = Counter()
        for place, value in enumerate(answer):
            if value:
                found[first + place // self._partitions] += int(value)
        return found

    async def cells(self, first: int, last: int) -> dict[str, dict[str, Counter[str]]]:
        """Counts by topic, attribute and value over the hours that hold the buckets ``[first, last]``."""
        hours = range(first // BUCKETS_PER_HOUR, last // BUCKETS_PER_HOUR + 1)
        return await self.cells_of_hours(hours)

    async def cells_of_hours(self, hours: Iterable[int]) -> dict[str, dict[str, Counter[str]]]:
        """Counts by topic, attribute and value over the given hours since the epoch."""
        cells: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        hashes = await hashes_by_bucket(self._store, keys.cells, list(hours), self._partitions)
        for name, count in _summed(list(chain.from_iterable(hashes))):
            topic, attribute, value = name.split(FIELD_SEPARATOR, 2)
            cells[topic][attribute][value] = count
        return cells

    async def hour(self, hour: int) -> Counted:
        """Counts by topic, attribute and value of an hour since the epoch, those of each partition after those of the
        one before: a name may stand there several times."""
        (parts,) = await hashes_by_bucket(self._store, keys.cells, [hour], self._partitions)
        names = list(chain.from_iterable(parts))
        counts = map(int, chain.from_iterable(fields.values() for fields in parts))
        return Counted(names, np.fromiter(counts, float, len(names)))


def _stream(partition: int, moved_from: str | None) -> str:
    """Where a message lies that is counted."""
    if moved_from is None:
        return keys.inbox(partition)
    return keys.waiting(partition) if moved_from == NOISE else keys.samples(partition, moved_from)


def _bucket_counts(parts: Sequence[Mapping[bytes, bytes]]) -> BucketCounts:
    found = _summed(parts)
    customers = Counter({name: count for name, count in found if not name.endswith(_MESSAGES)})
    messages = Counter({name.removesuffix(_MESSAGES): count for name, count in found if name.endswith(_MESSAGES)})
    noise = customers.pop(NOISE, 0)
    customers.pop(CHATTER, None)
    return BucketCounts(customers, messages, noise, sum(messages.values()))


def _volume(parts: Sequence[Mapping[bytes, bytes]]) -> Volume:
    """Customers in all and of no topic, without a look at the single topics."""
    end, chatter, noise = _MESSAGES.encode(), CHATTER.encode(), NOISE.encode()
    total = sum(int(n) for fields in parts for field, n in fields.items() if not field.endswith(end))
    left_out = sum(int(fields.get(chatter, 0)) for fields in parts)
    return Volume(total - left_out, sum(int(fields.get(noise, 0)) for fields in parts))


def _summed(parts: Sequence[Mapping[bytes, bytes]]) -> list[tuple[str, int]]:
    """What stands under each name in all parts together; names are read once, since there are many of them."""
    total: dict[bytes, int] = {}
    for fields in parts:
        if not total:
            total = dict(zip(fields, map(int, fields.values()), strict=True))
            continue
        known = total.get
        for field, value in fields.items():
            total[field] = known(field, 0) + int(value)
    if not total:
        return []
    return list(zip(BETWEEN.join(total).decode().split(BETWEEN.decode()), total.values(), strict=True))


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
