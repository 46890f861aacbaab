"""The pulse of the alert feed: wakes every open stream when something happens, with one read for all."""

import asyncio
from datetime import timedelta

from service.errors import StoreAway
from service.store import keys
from service.store.redis import Store, store_errors

_BLOCK = timedelta(seconds=2)


class Pulse:
    """`beat` runs for as long as the process does; streams wait for the next beat."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = asyncio.Event()

    async def wait(self, limit: timedelta) -> bool:
        """Until the next event, or for ``limit``; True where there was one."""
        try:
            await asyncio.wait_for(self._next.wait(), limit.total_seconds())
        except TimeoutError:
            return False
        return True

    async def beat(self) -> None:
        """Read new events until cancelled; reconnects by itself."""
        last = "$"
        while True:
            try:
                with store_errors():
                    block = int(_BLOCK.total_seconds() * 1_000)
                    found = await self._store.client.xread({keys.EVENTS: last}, block=block)
                if found:
                    last = await self._newest(last)
                    self._wake()
            except StoreAway:
                await asyncio.sleep(1)

    async def _newest(self, last: str) -> str:
        with store_errors():
            found = await self._store.client.xrevrange(keys.EVENTS, count=1)
        return found[0][0].decode() if found else last

    def _wake(self) -> None:
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()
