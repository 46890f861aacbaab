"""The inbox: messages accepted and not yet counted, a stream in each partition."""

import asyncio
import hashlib
import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from redis.exceptions import ResponseError

from models.message import Message
from service.errors import Overloaded
from service.store import keys
from service.store.cluster import Command
from service.store.codec import Entry, pack_entry, unpack_entry
from service.store.redis import Store, store_errors
from service.store.script import Call

_MOST_DEAD = 10_000
_POLL, _POLL_MOST = 0.002, 0.05  # seconds between two looks at the inboxes of a cluster, while nothing comes

Taken = list[tuple[bytes, list[tuple[bytes, object]]]]
"""Entries by the name of their stream."""


class Accepted(Enum):
    """What became of a message at the door."""

    accepted = "accepted"
    duplicate = "duplicate"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry handed to a worker; ``entry`` is None where the bytes cannot be read."""

    partition: int
    id: str
    body: bytes
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Dead:
    """An entry put aside, with the reason; the text stays in the store."""

    partition: int
    id: str
    message_id: str | None
    source: str | None
    occurred_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far behind the workers are."""

    waiting: int
    oldest_received: datetime | None
    oldest_occurred: datetime | None
    newest_occurred: datetime | None
    dead: int


class Inbox:
    """Accept, take, put aside. Counting acknowledges (`service.store.counts.Counts.count`)."""

    def __init__(self, store: Store, *, partitions: int, keep_seen: timedelta, max_backlog: int) -> None:
        self._store = store
        self._partitions = partitions
        self._days = max(1, keep_seen // timedelta(days=1))
        self._most = max(1, max_backlog // partitions)
        self._inboxes = {keys.inbox(p): p for p in range(partitions)}

    async def prepare(self) -> None:
        """Make the consumer groups where they are missing; entries that wait are kept."""
        with store_errors():
            for inbox in self._inboxes:
                await self._make_group(inbox)

    async def accept(self, entries: Sequence[Entry], now: datetime) -> list[Accepted]:
        """Append entries to their partitions; answers for each whether it was new.

        Raises `StoreAway` (nothing or a part was taken; the same call again takes the rest and doubles
        nothing) or `Overloaded` where a partition is full.
        """
        answer = [one for one in await self.accept_each(entries, now) if one is not None]
        if len(answer) < len(entries):
            raise overloaded()
        return answer

    async def accept_each(self, entries: Sequence[Entry], now: datetime) -> list[Accepted | None]:
        """The same, with None for each whose partition is full. Raises `StoreAway`."""
        by_partition: dict[int, list[int]] = defaultdict(list)
        for i, entry in enumerate(entries):
            by_partition[keys.partition_of(entry.message.customer, self._partitions)].append(i)
        answer: list[Accepted | None] = [Accepted.accepted] * len(entries)
        with store_errors():
            calls = [
                self._accept(partition, [entries[i] for i in rows], now) for partition, rows in by_partition.items()
            ]
            taken = await self._store.scripts["accept"].each(calls)
        for rows, marks in zip(by_partition.values(), taken, strict=True):
            full = marks == [-1]
            for i, new in zip(rows, [0] * len(rows) if full else marks, strict=True):
                if not new:
                    answer[i] = None if full else Accepted.duplicate
        return answer

    def _accept(self, partition: int, entries: Sequence[Entry], now: datetime) -> Call:
        today = int(now.timestamp() // 86_400)
        seen = [f"{keys.partition(partition)}:seen:{today - back}" for back in range(self._days + 1)]
        n, bodies = len(entries), [pack_entry(entry) for entry in entries]
        args: list[object] = [
            self._most,
            (self._days + 1) * 86_400,
            struct.pack(f"<{n}d", *(entry.message.occurred_at.timestamp() for entry in entries)),
            b"".join([_digest(entry.message) for entry in entries]),
            struct.pack(f"<{n}I", *map(len, bodies)),
            b"".join(bodies),
        ]
        return [keys.inbox(partition), keys.newest(partition), *seen], args

    async def ask(self, entry: Entry) -> None:
        """Append a question beside the messages; it counts as none and moves no clock.

        Its time is that of the newest message of its partition, so that whoever reads the time of a backlog reads
        the same with it as without. Raises `StoreAway` or `Overloaded`.
        """
        partition = keys.partition_of(entry.message.id, self._partitions)
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            pipe.xlen(keys.inbox(partition))
            pipe.get(keys.newest(partition))
            waiting, newest = await pipe.execute()
            if waiting >= self._most:
                raise Overloaded("the workers are behind; wait and ask again", timedelta(seconds=5))
            at = datetime.fromtimestamp(float(newest or 0), tz=UTC)
            body = pack_entry(replace(entry, message=replace(entry.message, occurred_at=at), ask=True))
            await self._store.client.xadd(keys.inbox(partition), {"m": body})

    async def drop(self, deliveries: Sequence[Delivery]) -> None:
        """Take questions that were answered out of the inbox."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for delivery in deliveries:
                pipe.xack(keys.inbox(delivery.partition), keys.GROUP, delivery.id)
                pipe.xdel(keys.inbox(delivery.partition), delivery.id)
            await pipe.execute()

    async def take(self, worker: str, count: int, wait: timedelta | None = None) -> list[Delivery]:
        """Up to about ``count`` new entries over all partitions, waiting at most ``wait`` for the first."""
        each = max(1, -(-count // self._partitions))
        with store_errors():
            try:
                taken = await (self._poll if self._store.clustered else self._read)(worker, each, wait)
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self.prepare()
                return []
        return [
            _delivery(self._inboxes[_text(name)], entry_id, fields)
            for name, entries in taken
            for entry_id, fields in entries
        ]

    async def _read(self, worker: str, each: int, wait: timedelta | None) -> Taken:
        """From all inboxes of one server by one command, which waits there."""
        block = None if wait is None else max(1, int(wait.total_seconds() * 1_000))
        streams = dict.fromkeys(self._inboxes, ">")
        return _streams(
            await self._store.client.xreadgroup(keys.GROUP, worker, streams, count=each, block=block)
        )  # fmt: skip

    async def _poll(self, worker: str, each: int, wait: timedelta | None) -> Taken:
        """From inboxes that lie on several servers, where no command can wait for all: asked again and again."""
        read = ("XREADGROUP", "GROUP", keys.GROUP, worker, "COUNT", each, "STREAMS")
        left, pause = wait.total_seconds() if wait else 0.0, _POLL
        while True:
            answers = await self._store.send([Command(inbox, (*read, inbox, ">")) for inbox in self._inboxes])
            for one in answers:
                if isinstance(one, Exception):
                    raise one
            taken = [stream for one in answers for stream in _streams(one)]
            if taken or left <= 0:
                return taken
            await asyncio.sleep(min(pause, left))
            left, pause = left - pause, min(2 * pause, _POLL_MOST)

    async def claim(self, worker: str, idle: timedelta, count: int) -> list[tuple[Delivery, int]]:
        """Entries that another worker took longer than ``idle`` ago and never counted, with their tries."""
        claimed: list[tuple[Delivery, int]] = []
        with store_errors():
            for inbox, partition in self._inboxes.items():
                try:
                    answer = await self._store.client.xautoclaim(
                        inbox, keys.GROUP, worker, int(idle.total_seconds() * 1_000), "0-0", count=count
                    )
                except ResponseError as error:
                    if not str(error).startswith("NOGROUP"):
                        raise
                    await self._make_group(inbox)
                    continue
                deliveries = [_delivery(partition, i, f) for i, f in answer[1] if f]
                tries = await self._tries(inbox, deliveries)
                claimed += [(delivery, tries.get(delivery.id, 1)) for delivery in deliveries]
        return claimed

    async def bury(self, delivery: Delivery, reason: str) -> bool:
        """Put an entry aside for good reason; True where this call did it."""
        with store_errors():
            done = await self._store.scripts["bury"](
                [keys.inbox(delivery.partition), keys.dead(delivery.partition)],
                [keys.GROUP, delivery.id, delivery.body, reason, _MOST_DEAD],
            )
        return bool(done)

    async def dead(self, count: int = 100) -> list[Dead]:
        """The newest dead entries, without their texts."""
        found: list[Dead] = []
        with store_errors():
            for partition in range(self._partitions):
                for entry_id, fields in await self._store.client.xrevrange(keys.dead(partition), count=count):
                    found.append(_dead(partition, entry_id, fields))
        return found[:count]

    async def revive(self) -> int:
        """Bring every dead entry back into the inbox; answers how many."""
        back = 0
        with store_errors():
            for partition in range(self._partitions):
                held = await self._store.client.xrange(keys.dead(partition), count=_MOST_DEAD)
                if held:
                    back += await self._store.scripts["revive"](
                        [keys.dead(partition), keys.inbox(partition)], [entry_id for entry_id, _ in held]
                    )
        return back

    async def backlog(self) -> Backlog:
        """Waiting entries and the ages that the judge's watermark is made of."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for inbox, partition in self._inboxes.items():
                pipe.xlen(inbox)
                pipe.xrange(inbox, count=1)
                pipe.get(keys.newest(partition))
                pipe.xlen(keys.dead(partition))
            answer = await pipe.execute()
        heads = [head[0] for head in answer[1::4] if head]
        occurred = [entry.message.occurred_at for _, f in heads if (entry := _delivery(0, b"0", f).entry)]
        newest = [float(value) for value in answer[2::4] if value is not None]
        return Backlog(
            waiting=sum(answer[0::4]),
            oldest_received=min((_received(entry_id) for entry_id, _ in heads), default=None),
            oldest_occurred=min(occurred, default=None),
            newest_occurred=datetime.fromtimestamp(max(newest), tz=UTC) if newest else None,
            dead=sum(answer[3::4]),
        )

    async def oldest(self) -> str | None:
        """The id of the entry that has waited longest, in hand or not; None where none waits."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for inbox in self._inboxes:
                pipe.xrange(inbox, count=1)
            heads = [_text(entries[0][0]) for entries in await pipe.execute() if entries]
        return min(heads, key=lambda entry_id: int(entry_id.split("-", 1)[0]), default=None)

    async def _tries(self, inbox: str, deliveries: Sequence[Delivery]) -> dict[str, int]:
        if not deliveries:
            return {}
        pending = await self._store.client.xpending_range(
            inbox, keys.GROUP, min=deliveries[0].id, max=deliveries[-1].id, count=len(deliveries)
        )
        return {_text(one["message_id"]): int(one["times_delivered"]) for one in pending}

    async def _make_group(self, inbox: str) -> None:
        try:
            await self._store.client.xgroup_create(inbox, keys.GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def overloaded() -> Overloaded:
    return Overloaded("the workers are behind; wait and send again", timedelta(seconds=5))


def _digest(message: Message) -> bytes:
    """96 bits of source and id: at a billion ids a day a clash is a one in 10^11 event."""
    return hashlib.blake2b(f"{message.source}\x1f{message.id}".encode(), digest_size=12).digest()


def _delivery(partition: int, entry_id: bytes, fields: object) -> Delivery:
    body = _field(fields, b"m")
    try:
        entry = unpack_entry(body)
    except ValueError:
        entry = None
    return Delivery(partition, _text(entry_id), body, entry)


def _dead(partition: int, entry_id: bytes, fields: object) -> Dead:
    entry = _delivery(partition, entry_id, fields).entry
    message = entry.message if entry else None
    return Dead(
        partition,
        _text(entry_id),
        message.id if message else None,
        message.source if message else None,
        message.occurred_at if message else None,
        _field(fields, b"reason").decode(),
    )


def _field(fields: object, name: bytes) -> bytes:
    value = fields.get(name, b"") if isinstance(fields, dict) else b""
    return value if isinstance(value, bytes) else str(value).encode()


def _streams(answer: object) -> Taken:
    """The streams of an XREADGROUP answer, as RESP2 (pairs) and RESP3 (a map) give it."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [
            (name, [e for part in parts for e in (part if isinstance(part, list) else [part])])
            for name, parts in answer.items()
        ]
    return [(name, entries) for name, entries in answer]  # type: ignore[attr-defined]


def _received(entry_id: bytes) -> datetime:
    return datetime.fromtimestamp(int(_text(entry_id).split("-", 1)[0]) / 1_000, tz=UTC)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
