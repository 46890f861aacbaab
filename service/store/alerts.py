"""The alert book: alerts, what people did about them, and the events that live feeds resume from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson

from models.alert import Alert, Facts
from models.bar import Bar
from service.errors import Conflict, NotFound
from service.store import keys
from service.store.alertcodec import pack, unpack_alert, unpack_facts
from service.store.redis import Store, store_errors

MOST_EVENTS = 10_000
_AT_ONCE = 1_000  # alerts dropped in one step: a script's call takes some thousands of words
_KEPT = timedelta(days=400)  # a timeline, as long as its alert by default


@dataclass(frozen=True, slots=True)
class Filed:
    """An alert with the facts beside it."""

    alert: Alert
    facts: Facts


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One change of one alert; ``id`` is what a live feed resumes from."""

    id: str
    kind: str
    alert_id: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did about an alert, for its timeline; ``detail`` holds plain values."""

    at: datetime
    kind: str
    by: str | None = None
    note: str | None = None
    detail: Mapping[str, str | float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """The bar that a judgement puts in the place of the alert's earlier one; None takes it away."""

    bar: Bar | None


class AlertBook:
    """Read alerts; write what people do. The judge writes the alerts themselves (`service.store.judgement`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, alert_id: str) -> Filed:
        """Raises `NotFound`."""
        return (await self._read(alert_id))[0]

    async def _read(self, alert_id: str) -> tuple[Filed, bytes]:
        """An alert, and its facts as they lie there."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            pipe.hget(keys.ALERTS, alert_id)
            pipe.hget(keys.FACTS, alert_id)
            body, facts = await pipe.execute()
        if body is None:
            raise NotFound(f"there is no alert {alert_id!r}; GET /v1/alerts lists them")
        return Filed(unpack_alert(body), unpack_facts(facts)), facts or b""

    async def many(self, alert_ids: Sequence[str]) -> list[Filed]:
        """The alerts of these ids; those that are gone are left out."""
        if not alert_ids:
            return []
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            pipe.hmget(keys.ALERTS, list(alert_ids))
            pipe.hmget(keys.FACTS, list(alert_ids))
            bodies, facts = await pipe.execute()
        return [Filed(unpack_alert(body), unpack_facts(fact)) for body, fact in zip(bodies, facts, strict=True) if body]

    async def newest(self, count: int, before: tuple[float, str] | None = None) -> list[Filed]:
        """Alerts by time fired, newest first; ``before`` is the (time, id) of the last one already seen."""
        with store_errors():
            top = "+inf" if before is None else before[0]
            found = await self._store.client.zrange(
                keys.ALERT_ORDER, top, "-inf", desc=True, byscore=True, offset=0, num=count + 64, withscores=True
            )
        ids = [(float(at), name.decode()) for name, at in found]
        ids.sort(reverse=True)
        if before is not None:
            ids = [one for one in ids if one < before]
        return await self.many([name for _, name in ids[:count]])

    async def act(
        self,
        alert_id: str,
        kind: str,
        change: Callable[[Alert, Facts], Facts],
        *,
        deed: Deed | None = None,
        judged: Judged | None = None,
    ) -> Filed:
        """Change the facts of an alert and tell the feeds, with what stands in its timeline and what it asks of its
        topic from now on, in one step. Raises `NotFound`, or what ``change`` raises."""
        names = [keys.FACTS, keys.timeline(alert_id), keys.BARS, keys.EVENTS]
        line = orjson.dumps(deed, option=orjson.OPT_UTC_Z) if deed is not None else b""
        bar = _bar(judged)
        for _ in range(20):
            filed, before = await self._read(alert_id)
            facts = change(filed.alert, filed.facts)
            args = [alert_id, before, pack(facts), line, int(_KEPT.total_seconds()), bar, kind, MOST_EVENTS]
            with store_errors():
                if await self._store.scripts["act"](names, args):
                    return Filed(filed.alert, facts)
        raise Conflict("others change this alert at the same time; send the request again")

    async def timeline(self, alert_id: str) -> list[Deed]:
        """What people did about an alert, oldest first."""
        with store_errors():
            found = await self._store.client.lrange(keys.timeline(alert_id), 0, -1)
        return [Deed(**fields | {"at": datetime.fromisoformat(fields["at"])}) for fields in map(orjson.loads, found)]

    async def bars(self) -> list[Bar]:
        """What judgements of noise ask of topics beyond the threshold."""
        with store_errors():
            found = await self._store.client.hvals(keys.BARS)
        return [Bar(**fields | {"at": datetime.fromisoformat(fields["at"])}) for fields in map(orjson.loads, found)]

    async def move_bars(self, topic: str, into: str) -> None:
        """Ask of one topic what was asked of another that was merged into it."""
        moved = [replace(bar, topic=into) for bar in await self.bars() if bar.topic == topic]
        if moved:
            with store_errors():
                packed = {bar.alert: orjson.dumps(bar, option=orjson.OPT_UTC_Z) for bar in moved}
                await self._store.client.hset(keys.BARS, mapping=packed)

    async def events_after(self, event_id: str, count: int = 100) -> list[AlertEvent]:
        """Events after ``event_id``, oldest first."""
        with store_errors():
            found = await self._store.client.xrange(keys.EVENTS, min=f"({event_id}", count=count)
        return [
            AlertEvent(entry_id.decode(), fields[b"kind"].decode(), fields[b"alert"].decode())
            for entry_id, fields in found
        ]

    async def last_event(self) -> str:
        """The id of the newest event; '0-0' before the first."""
        with store_errors():
            found = await self._store.client.xrevrange(keys.EVENTS, count=1)
        return found[0][0].decode() if found else "0-0"

    async def missed(self, event_id: str) -> bool:
        """Whether events after ``event_id`` are gone already, so that a feed cannot resume from there."""
        with store_errors():
            if not await self._store.client.exists(keys.EVENTS):
                return False
            about = await self._store.client.xinfo_stream(keys.EVENTS)
        first = about["first-entry"]
        trimmed = int(about["entries-added"]) > int(about["length"])
        return trimmed and first is not None and _order(event_id) < _order(first[0].decode())

    async def forget(self, before: datetime) -> int:
        """Drop alerts that fired before; answers how many."""
        with store_errors():
            old = await self._store.client.zrange(keys.ALERT_ORDER, "-inf", before.timestamp(), byscore=True)
            for start in range(0, len(old), _AT_ONCE):
                part = old[start : start + _AT_ONCE]
                rooms = (keys.ALERTS, keys.FACTS, keys.BARS)
                await self._store.together(
                    ("ZREM", keys.ALERT_ORDER, *part), *(("HDEL", room, *part) for room in rooms)
                )
        return len(old)


def _bar(judged: Judged | None) -> bytes:
    """What the script is told of a bar: nothing to leave it, a dash to take it away."""
    if judged is None:
        return b""
    return orjson.dumps(judged.bar, option=orjson.OPT_UTC_Z) if judged.bar is not None else b"-"


def _order(event_id: str) -> tuple[int, int]:
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)
