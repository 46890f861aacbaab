"""A lease: one leader among those that stand by, for as long as it is renewed."""

import asyncio
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from enum import IntEnum

from service.errors import StoreAway
from service.store import keys
from service.store.redis import Store, store_errors

TERM = timedelta(seconds=30)
LEADER_TERM = timedelta(seconds=1.5)
"""Of those whose writes are fenced by the token, so that losing it early does no harm: less than a look of theirs."""


class Held(IntEnum):
    """Whose a lease is; true where it is ours."""

    not_ours = 0
    still = 1
    anew = 2
    """Others may have held it meanwhile: what is known of the store from before is out of date."""


class Lease:
    """Leadership of a role; ``token`` fences what the leader writes.

    Whoever writes with it has held it ever since `hold` last said ``anew``: `renew` never takes a lease that ran out,
    however long the process was paused in between.
    """

    def __init__(self, store: Store, role: str, term: timedelta = TERM, *, token: str | None = None) -> None:
        self._store = store
        self._role = role
        self._key = keys.lease(role)
        self.term = term
        self.token = token or secrets.token_hex(16)

    async def hold(self) -> Held:
        """Take or renew it."""
        return await self._ask(renew=False)

    async def renew(self) -> bool:
        """Lengthen it where it is ours; never takes it from nobody."""
        return bool(await self._ask(renew=True))

    async def release(self) -> None:
        """Give it back, where it is ours, so that the next need not wait."""
        with store_errors():
            if await self._store.client.get(self._key) == self.token.encode():
                await self._store.client.delete(self._key)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew it in the background, where it is ours, from a thread and a connection of its own: a step that keeps
        the process busy must not cost the lease, only its death or a pause of it."""
        stop = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._keep(stop)), name=f"lease {self._role}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(self.term.total_seconds())  # a store that hangs must not keep the process

    async def _keep(self, stop: threading.Event) -> None:
        store = self._store.again()
        lease = Lease(store, self._role, self.term, token=self.token)
        try:
            while not await asyncio.to_thread(stop.wait, self.term.total_seconds() / 3):
                with suppress(StoreAway):
                    await lease.renew()
        finally:
            await store.close()

    async def _ask(self, *, renew: bool) -> Held:
        milliseconds = int(self.term.total_seconds() * 1_000)
        with store_errors():
            return Held(await self._store.scripts["lease"]([self._key], [self.token, milliseconds, int(renew)]))
