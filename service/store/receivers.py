"""What is known of each receiver: how its last notification went, whether it is switched off, and its recent sends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from service.store import keys
from service.store.redis import Store, store_errors


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """``sent`` are the times of recent sends, oldest first. ``off`` is why nothing more is sent to it, or None."""

    name: str
    kind: str
    off: str | None = None
    off_at: datetime | None = None
    last_outcome: str | None = None
    last_reason: str | None = None
    last_at: datetime | None = None
    delivered_at: datetime | None = None
    tested: str | None = None
    """The id of the last test that was tried."""
    sent: tuple[float, ...] = field(default_factory=tuple)


class ReceiverStates:
    """Written by delivery; ``switch_on`` by people."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> list[ReceiverState]:
        """Every receiver by name."""
        with store_errors():
            found = await self._store.client.hvals(keys.RECEIVERS)
        return sorted((_load(body) for body in found), key=lambda state: state.name)

    async def get(self, name: str) -> ReceiverState | None:
        with store_errors():
            body = await self._store.client.hget(keys.RECEIVERS, name)
        return _load(body) if body else None

    async def put(self, state: ReceiverState) -> None:
        with store_errors():
            await self._store.client.hset(keys.RECEIVERS, state.name, orjson.dumps(state, option=orjson.OPT_UTC_Z))

    async def settle_on(self, kinds: Mapping[str, str]) -> None:
        """Know these receivers (kind by name) and no others; what is known of those that stay is kept."""
        known = {state.name: state for state in await self.all()}
        for name, kind in kinds.items():
            state = known.get(name)
            await self.put(state if state and state.kind == kind else ReceiverState(name, kind))
        await self._drop(known.keys() - kinds.keys())

    async def switch_on(self, name: str) -> bool:
        """Send to it again; False where there is no such receiver."""
        state = await self.get(name)
        if state is None:
            return False
        await self.put(replace(state, off=None, off_at=None))
        return True

    async def _drop(self, names: Iterable[str]) -> None:
        gone = list(names)
        if gone:
            with store_errors():
                await self._store.client.hdel(keys.RECEIVERS, *gone)


def _load(body: bytes) -> ReceiverState:
    fields = orjson.loads(body)
    times = ("off_at", "last_at", "delivered_at")
    parsed = {name: datetime.fromisoformat(fields[name]) if fields.get(name) else None for name in times}
    return ReceiverState(**fields | parsed | {"sent": tuple(fields["sent"])})
