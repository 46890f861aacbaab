"""The board: each process pins its metrics up, so that one address shows them all."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from service.errors import StoreAway
from service.metrics import Metrics
from service.store import keys
from service.store.redis import Store, store_errors

PIN_EVERY = timedelta(seconds=5)
_LIVES = timedelta(seconds=60)  # a process that ended is gone from the board after this


class Board:
    """Pin up, read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def pin(self, role: str, metrics: Metrics) -> None:
        """Show this process's metrics under ``role``, which must be its own."""
        with store_errors():
            await self._store.client.set(keys.metrics(role), metrics.snapshot(), px=_LIVES)

    async def read(self) -> dict[str, bytes]:
        """Every process's snapshot by role."""
        with store_errors():
            found = [name async for name in self._store.names(keys.metrics("*"))]
            bodies = await self._store.client.mget(found) if found else []
        prefix = len(keys.metrics(""))
        return {name[prefix:]: body for name, body in zip(found, bodies, strict=True) if body}

    async def keep(self, role: str, metrics: Metrics) -> None:
        """Pin up again and again, until cancelled."""
        while True:
            with suppress(StoreAway):
                await self.pin(role, metrics)
            await asyncio.sleep(PIN_EVERY.total_seconds())
