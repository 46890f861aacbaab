"""Who was erased lately: every process that holds customers' messages in memory follows it, and lets go of theirs."""

from datetime import datetime, timedelta

from models.message import CustomerKey
from service.store import keys
from service.store.redis import Store, store_errors, text_of

BEGINNING = "0-0"
KEPT = timedelta(days=7)
"""How long it is remembered that a customer was erased: longer than any process stays behind."""
_PAGE = 1_000


class Erasures:
    """The log of erasures, by keyed hash."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, customer: CustomerKey, now: datetime) -> None:
        """Tell everybody; older entries than may be kept go."""
        oldest = int((now - KEPT).timestamp() * 1_000)
        with store_errors():
            await self._store.client.xadd(keys.ERASED, {"customer": customer})
            await self._store.client.xtrim(keys.ERASED, minid=f"{oldest}-0", approximate=False)

    async def since(self, place: str) -> tuple[list[CustomerKey], str]:
        """Who was erased after a place, each once, and the place up to which that is known."""
        with store_errors():
            entries = await self._store.client.xrange(keys.ERASED, f"({place}", "+", count=_PAGE)
        if not entries:
            return [], place
        found = dict.fromkeys(CustomerKey(fields[b"customer"].decode()) for _, fields in entries)
        return list(found), text_of(entries[-1][0])
