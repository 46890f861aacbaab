"""Everything that is kept of one customer, wherever it lies: found, handed out, erased.

A customer lives in one partition, so that its streams are the only ones to go through; entries are read only where the
customer's key stands in them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from models.alert import Alert
from models.context import Join, Piece
from models.erasure import without
from models.message import CustomerKey, Message
from service.store import keys
from service.store.alertcodec import pack, unpack_alert
from service.store.codec import FIELD_SEPARATOR, unpack_entry
from service.store.context import PushedContext
from service.store.model import ModelStore
from service.store.redis import Store, store_errors

_PAGE = 1_000
_MOST_EARLIER = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a customer."""

    messages: tuple[Message, ...] = ()
    pieces: tuple[Piece, ...] = ()
    alerts: tuple[str, ...] = ()
    """Ids of alerts that show a message of the customer."""


@dataclass(slots=True)
class Erased:
    """How many entries went, by where they lay."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, place: str, count: int = 1) -> None:
        self.counts[place] = self.counts.get(place, 0) + count


class Customers:
    """Find, hand out and erase what is kept of one customer."""

    def __init__(self, store: Store, pushed: PushedContext, models: ModelStore, *, partitions: int) -> None:
        self._store = store
        self._pushed = pushed
        self._models = models
        self._partitions = partitions

    async def earlier(self, customer: CustomerKey) -> list[Message]:
        """The newest messages of a customer among the recent ones, newest first."""
        partition = keys.partition_of(customer, self._partitions)
        found: dict[tuple[str, str], Message] = {}
        for stream in (keys.recent(partition), keys.waiting(partition)):
            async for _, message in self._in(stream, customer):
                found[message.source, message.id] = message
        return sorted(found.values(), key=lambda one: one.occurred_at, reverse=True)[:_MOST_EARLIER]

    async def kept(self, customer: CustomerKey) -> Kept:
        """All that is kept of a customer, each message once."""
        found: dict[tuple[str, str], Message] = {}
        for stream in await self._streams(customer):
            async for _, message in self._in(stream, customer):
                found[message.source, message.id] = message
        alerts = [alert.id async for alert in self._alerts(customer, set(found))]
        pieces = await self._pushed.by(Join.customer, [customer])
        messages = sorted(found.values(), key=lambda one: one.occurred_at)
        return Kept(tuple(messages), tuple(pieces), tuple(alerts))

    async def erase(self, customer: CustomerKey) -> Erased:
        """Take every trace of a customer out: messages from every stream, samples from alerts and notifications, exemplars
        of topics, pushed pieces and those of the customer's orders, the marks of distinct customers. Counts stay, which
        name nobody. Safe to call again."""
        erased, names, orders = Erased(), set[tuple[str, str]](), set[str]()
        with store_errors():
            for stream in await self._streams(customer):
                async for entry_id, message in self._in(stream, customer):
                    names.add((message.source, message.id))
                    orders |= {message.order_id} if message.order_id else set()
                    if stream == keys.inbox(keys.partition_of(customer, self._partitions)):
                        await self._store.client.xack(stream, keys.GROUP, entry_id)
                    erased.add("messages", int(await self._store.client.xdel(stream, entry_id)))
            async for alert in self._alerts(customer, names):
                names |= {(one.source, one.message_id) for one in alert.evidence.samples if one.customer == customer}
                erased.add("samples", await self._strike(alert, customer, names))
            erased.add("notifications", await self._strike_outbox({name for _, name in names}))
            erased.add("marks", await self._strike_marks(customer))
        ids = {name for _, name in names}
        if await self._models.redraw(lambda model: without(model, customer, ids)):
            erased.add("exemplars")
        erased.add("context", await self._pushed.erase(customer, orders))
        return erased

    async def _streams(self, customer: CustomerKey) -> list[str]:
        number = keys.partition_of(customer, self._partitions)
        streams = [keys.inbox(number), keys.waiting(number), keys.recent(number), keys.dead(number)]
        with store_errors():
            samples = [name async for name in self._store.names(keys.samples(number, "*"))]
        return streams + samples

    async def _in(self, stream: str, customer: CustomerKey) -> AsyncIterator[tuple[bytes, Message]]:
        """Entries of a stream that are this customer's."""
        after, needle = "-", customer.encode()
        with store_errors():
            while entries := await self._store.client.xrange(stream, after, "+", count=_PAGE):
                for entry_id, fields in entries:
                    if needle in fields.get(b"m", b""):
                        message = unpack_entry(fields[b"m"]).message
                        if message.customer == customer:
                            yield entry_id, message
                after = f"({entries[-1][0].decode()}"

    async def _alerts(self, customer: CustomerKey, names: set[tuple[str, str]]) -> AsyncIterator[Alert]:
        """Alerts that show a message of the customer."""
        with store_errors():
            async for _, body in self._store.client.hscan_iter(keys.ALERTS, count=100):
                alert = unpack_alert(body)
                if any(_is_of(one, customer, names) for one in alert.evidence.samples):
                    yield alert

    async def _strike(self, alert: Alert, customer: CustomerKey, names: set[tuple[str, str]]) -> int:
        samples = alert.evidence.samples
        left = tuple(one for one in samples if not _is_of(one, customer, names))
        struck = replace(alert, evidence=replace(alert.evidence, samples=left))
        await self._store.client.hset(keys.ALERTS, alert.id, pack(struck))
        return len(samples) - len(left)

    async def _strike_outbox(self, names: set[str]) -> int:
        """Take samples out of notifications that wait, and drop those that were given up with one in them."""
        struck, needles = 0, [name.encode() for name in names]
        async for name, body in self._store.client.hscan_iter(keys.OUTBOX_BODIES):
            if any(needle in body for needle in needles):
                await self._store.client.hset(keys.OUTBOX_BODIES, name, _without(body, names))
                struck += 1
        for entry_id, fields in await self._store.client.xrange(keys.OUTBOX_DEAD):
            if any(needle in body for body in fields.values() for needle in needles):
                struck += int(await self._store.client.xdel(keys.OUTBOX_DEAD, entry_id))
        return struck

    async def _strike_marks(self, customer: CustomerKey) -> int:
        number, struck = keys.partition_of(customer, self._partitions), 0
        async for key in self._store.names(f"{keys.partition(number)}:customers:*"):
            mine = [
                name
                async for name, _ in self._store.client.hscan_iter(
                    key, match=f"*{FIELD_SEPARATOR}{customer}", count=1_000
                )
            ]
            struck += int(await self._store.client.hdel(key, *mine)) if mine else 0
        return struck


def _is_of(sample: Any, customer: CustomerKey, names: set[tuple[str, str]]) -> bool:
    return sample.customer == customer or (sample.source, sample.message_id) in names


def _without(body: bytes, names: set[str]) -> bytes:
    """A stored notification without the samples of these messages, however deep they lie."""

    def strike(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strike(one) for name, one in value.items()}
        if isinstance(value, list):
            return [strike(one) for one in value if not (isinstance(one, dict) and one.get("message_id") in names)]
        return value

    found = orjson.loads(body)
    if isinstance(found, dict) and isinstance(found.get("payload"), str):
        found["payload"] = orjson.dumps(strike(orjson.loads(found["payload"]))).decode()
    return orjson.dumps(strike(found))
