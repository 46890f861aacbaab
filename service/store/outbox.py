"""The outbox: notifications that are due, with their tries; done, later, or dead with a reason."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from service.store import keys
from service.store.redis import Store, store_errors

_MOST_DEAD = 1_000


@dataclass(frozen=True, slots=True)
class Due:
    """A notification to send now; ``attempt`` counts from 0."""

    id: str
    receiver: str
    payload: bytes
    attempt: int


def pack_due(receiver: str, payload: bytes, attempt: int = 0) -> bytes:
    return orjson.dumps({"receiver": receiver, "payload": payload.decode(), "attempt": attempt})


class Outbox:
    """Read what is due; settle it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def due(self, now: datetime, count: int = 50) -> list[Due]:
        """What is to be sent now, the longest due first."""
        with store_errors():
            ids = await self._store.client.zrange(
                keys.OUTBOX, "-inf", now.timestamp(), byscore=True, offset=0, num=count
            )
            bodies = await self._store.client.hmget(keys.OUTBOX_BODIES, ids) if ids else []
        found = []
        for name, body in zip(ids, bodies, strict=True):
            if body is not None:
                fields = orjson.loads(body)
                found.append(Due(name.decode(), fields["receiver"], fields["payload"].encode(), fields["attempt"]))
        return found

    async def done(self, due: Due) -> None:
        """Sent: gone from the outbox. The tick that put it there is never written twice, so it is not sent again."""
        await self._settle(due, None)

    async def later(self, due: Due, at: datetime) -> None:
        """To be tried again at ``at``."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=True)
            pipe.hset(keys.OUTBOX_BODIES, due.id, pack_due(due.receiver, due.payload, due.attempt + 1))
            pipe.zadd(keys.OUTBOX, {due.id: at.timestamp()})
            await pipe.execute()

    async def dead(self, due: Due, reason: str) -> None:
        """Given up, kept aside with the reason."""
        await self._settle(due, reason)

    async def count(self) -> tuple[int, int]:
        """Notifications that wait, and dead ones."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            pipe.zcard(keys.OUTBOX)
            pipe.xlen(keys.OUTBOX_DEAD)
            waiting, dead = await pipe.execute()
        return int(waiting), int(dead)

    async def _settle(self, due: Due, reason: str | None) -> None:
        with store_errors():
            pipe = self._store.client.pipeline(transaction=True)
            pipe.zrem(keys.OUTBOX, due.id)
            pipe.hdel(keys.OUTBOX_BODIES, due.id)
            if reason is not None:
                fields = {"id": due.id, "receiver": due.receiver, "reason": reason, "payload": due.payload}
                pipe.xadd(keys.OUTBOX_DEAD, fields, maxlen=_MOST_DEAD, approximate=True)
            await pipe.execute()
