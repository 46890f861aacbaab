"""The outbox: notifications that are due, with their tries; done, later, or dead with a reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import orjson

from service.store import keys
from service.store.redis import Store, store_errors

EVERYBODY = "*"
"""The receiver of what the judge writes: delivery turns it into one notification for each receiver that wants it."""
_MOST_DEAD = 1_000
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_TOLD = timedelta(days=60)  # how long it is remembered who was told of an alert: longer than any episode lasts


@dataclass(frozen=True, slots=True)
class Due:
    """A notification to send now; ``attempt`` counts from 0. One that is ``once`` is never tried again."""

    id: str
    receiver: str
    payload: bytes
    attempt: int = 0
    once: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A notification for one receiver, made of one to everybody."""

    receiver: str
    due: datetime


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A notification that was given up, with the reason; ``entry`` is its place among them."""

    entry: str
    id: str
    receiver: str
    reason: str
    attempts: int
    at: datetime
    payload: bytes


def pack_due(receiver: str, payload: bytes, attempt: int = 0, *, once: bool = False) -> bytes:
    fields: dict[str, object] = {"receiver": receiver, "payload": payload.decode(), "attempt": attempt}
    return orjson.dumps(fields | ({"once": True} if once else {}))


class Outbox:
    """Read what is due; settle it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, due: Due, at: datetime) -> None:
        """Add one notification by hand (the judge adds its own in its tick)."""
        with store_errors():
            body = pack_due(due.receiver, due.payload, due.attempt, once=due.once)
            await self._store.together(*_puts(due.id, body, at))

    async def due(self, now: datetime, count: int = 50) -> list[Due]:
        """What is to be sent now, the longest due first."""
        with store_errors():
            ids = await self._store.client.zrange(
                keys.OUTBOX, "-inf", now.timestamp(), byscore=True, offset=0, num=count
            )
            bodies = await self._store.client.hmget(keys.OUTBOX_BODIES, ids) if ids else []
        return [_due(name, body) for name, body in zip(ids, bodies, strict=True) if body is not None]

    async def told(self, alert_id: str) -> set[str]:
        """The receivers that were told of an alert."""
        with store_errors():
            found = await self._store.client.smembers(keys.told(alert_id))
        return {name.decode() for name in found}

    async def fan_out(self, due: Due, alert_id: str, copies: Sequence[Copy]) -> bool:
        """Replace a notification to everybody by its copies, in one step; False where that was done already."""
        args: list[object] = [due.id, int(_TOLD.total_seconds())]
        for copy in copies:
            body = pack_due(copy.receiver, due.payload)
            args += [_id_of_copy(due.id, alert_id, copy.receiver), copy.due.timestamp(), body, copy.receiver]
        with store_errors():
            done = await self._store.scripts["fanout"](
                [keys.OUTBOX, keys.OUTBOX_BODIES, keys.told(alert_id)], args
            )  # fmt: skip
        return bool(done)

    async def older(self, due: Due) -> list[Due]:
        """What still waits for the same receiver on the same alert from before: told now, it would be out of date."""
        with store_errors():
            names = await self._store.client.hkeys(keys.OUTBOX_BODIES)
            wanted = [name for name in names if _came_before(name.decode(), due.id)]
            bodies = await self._store.client.hmget(keys.OUTBOX_BODIES, wanted) if wanted else []
        return [_due(name, body) for name, body in zip(wanted, bodies, strict=True) if body is not None]

    async def done(self, *dues: Due) -> None:
        """Sent: gone from the outbox. The tick that put it there is never written twice, so it is not sent again."""
        await self._settle(dues)

    async def later(self, *dues: Due, at: datetime, tried: bool = True) -> None:
        """To be sent at ``at``; counted as a try unless it was only put off."""
        with store_errors():
            commands = [
                command
                for due in dues
                for command in _puts(
                    due.id, pack_due(due.receiver, due.payload, due.attempt + tried, once=due.once), at
                )
            ]
            await self._store.together(*commands)

    async def dead(self, *dues: Due, reason: str, at: datetime) -> None:
        """Given up, kept aside with the reason."""
        await self._settle(dues, reason, at)

    async def count(self) -> tuple[int, int]:
        """Notifications that wait, and dead ones."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            pipe.zcard(keys.OUTBOX)
            pipe.xlen(keys.OUTBOX_DEAD)
            waiting, dead = await pipe.execute()
        return int(waiting), int(dead)

    async def given_up(self, count: int = 100) -> list[GivenUp]:
        """The newest that were given up, newest first."""
        with store_errors():
            found = await self._store.client.xrevrange(keys.OUTBOX_DEAD, count=count)
        return [_given_up(entry, fields) for entry, fields in found]

    async def requeue(self, now: datetime, *, receiver: str | None = None, entries: Sequence[str] | None = None) -> int:
        """Make what was given up due again, all or those of a receiver or entries; answers how many."""
        held = await self.given_up(_MOST_DEAD)
        chosen = [
            one.entry
            for one in reversed(held)
            if (receiver is None or one.receiver == receiver) and (entries is None or one.entry in entries)
        ]
        if not chosen:
            return 0
        with store_errors():
            names = [keys.OUTBOX_DEAD, keys.OUTBOX, keys.OUTBOX_BODIES]
            return int(await self._store.scripts["requeue"](names, [now.timestamp(), *chosen]))

    async def _settle(self, dues: Sequence[Due], reason: str | None = None, at: datetime | None = None) -> None:
        with store_errors():
            commands: list[tuple[object, ...]] = []
            for due in dues:
                commands += [("ZREM", keys.OUTBOX, due.id), ("HDEL", keys.OUTBOX_BODIES, due.id)]
                if reason is not None and at is not None:
                    told = ("id", due.id, "reason", reason, "attempts", due.attempt + 1, "at", at.timestamp())
                    body = pack_due(due.receiver, due.payload)
                    commands.append(("XADD", keys.OUTBOX_DEAD, "MAXLEN", "~", _MOST_DEAD, "*", *told, "body", body))
            await self._store.together(*commands)


def _puts(name: str, body: bytes, at: datetime) -> list[tuple[object, ...]]:
    return [("HSET", keys.OUTBOX_BODIES, name, body), ("ZADD", keys.OUTBOX, at.timestamp(), name)]


def _short(receiver: str) -> str:
    """A receiver's name as it may stand in an id: names hold any letters, headers don't."""
    return sha256(receiver.encode()).hexdigest()[:8]


def _id_of_copy(name: str, alert_id: str, receiver: str) -> str:
    """The id that a receiver sees: letters, digits, - and : alone, since it stands in headers and is signed."""
    if not _PLAIN.fullmatch(alert_id):
        name = name.replace(alert_id, _short(alert_id), 1)
    return f"{name}:{_short(receiver)}"


def _came_before(name: str, other: str) -> bool:
    """By their ids: "alert:reason:time:…:receiver", as the judge and `Outbox.fan_out` make them."""
    one, two = name.split(":"), other.split(":")
    same = len(one) >= 4 and len(two) >= 4 and (one[0], one[-1]) == (two[0], two[-1])
    return same and name != other and one[2] < two[2]


def _due(name: bytes, body: bytes) -> Due:
    fields = orjson.loads(body)
    return Due(
        name.decode(), fields["receiver"], fields["payload"].encode(), fields["attempt"], fields.get("once", False)
    )


def _given_up(entry: bytes, fields: Mapping[bytes, bytes]) -> GivenUp:
    due = _due(fields[b"id"], fields[b"body"])
    return GivenUp(
        entry=entry.decode(),
        id=due.id,
        receiver=due.receiver,
        reason=fields[b"reason"].decode(),
        attempts=int(fields[b"attempts"]),
        at=datetime.fromtimestamp(float(fields[b"at"]), UTC),
        payload=due.payload,
    )
