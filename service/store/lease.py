"""A lease: one leader among those that stand by, for as long as it is renewed."""

import secrets
from datetime import timedelta

from service.store import keys
from service.store.redis import Store, store_errors

TERM = timedelta(seconds=30)


class Lease:
    """Leadership of a role; ``token`` fences what the leader writes."""

    def __init__(self, store: Store, role: str, term: timedelta = TERM) -> None:
        self._store = store
        self._key = keys.lease(role)
        self._term = int(term.total_seconds() * 1_000)
        self.token = secrets.token_hex(16)

    async def hold(self) -> bool:
        """Take or renew it; False where another holds it."""
        with store_errors():
            return bool(await self._store.scripts["lease"]([self._key], [self.token, self._term]))

    async def renew(self) -> bool:
        """Lengthen it where it is ours already; never takes it from nobody."""
        with store_errors():
            if await self._store.client.get(self._key) != self.token.encode():
                return False
        return await self.hold()

    async def release(self) -> None:
        """Give it back, where it is ours, so that the next need not wait."""
        with store_errors():
            if await self._store.client.get(self._key) == self.token.encode():
                await self._store.client.delete(self._key)
