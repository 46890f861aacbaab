"""The lineage log in the store: what became of each topic id, oldest first, for ever. Written with the model it tells of."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from models.lineage import Change, Event
from service.store import keys
from service.store.redis import Store, store_errors


def pack_event(event: Event) -> bytes:
    """One line of the log."""
    return orjson.dumps(event)


class LineageLog:
    """Read the log; `ModelStore` writes it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def after(self, seen: int = 0) -> Sequence[Event]:
        """The events but for the first ``seen``."""
        with store_errors():
            found = await self._store.client.lrange(keys.LINEAGE, seen, -1)
        return [_event(body) for body in found]


def _event(body: bytes) -> Event:
    fields = orjson.loads(body)
    return Event(**fields | {"at": datetime.fromisoformat(fields["at"]), "change": Change(fields["change"])})
