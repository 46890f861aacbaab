"""The access log: who looked at whose data, when, and what for; kept for as long as the settings say."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.store import keys
from service.store.redis import Store, store_errors


@dataclass(frozen=True, slots=True)
class Access:
    """One look. ``about`` is a customer's keyed hash or an order, never a customer's id."""

    at: datetime
    who: str
    what: str
    about: str


class AccessLog:
    """Write looks down; read them. What is older than it may be goes with every look that is written."""

    def __init__(self, store: Store, keep: timedelta) -> None:
        self._store = store
        self._keep = keep

    async def note(self, access: Access) -> None:
        """Raises `StoreAway`: nobody looks unseen."""
        oldest = int((access.at - self._keep).timestamp() * 1_000)
        fields = {"at": access.at.timestamp(), "who": access.who, "what": access.what, "about": access.about}
        with store_errors():
            await self._store.client.xadd(keys.ACCESS, fields, minid=f"{oldest}-0", approximate=False)

    async def newest(self, count: int) -> list[Access]:
        with store_errors():
            found = await self._store.client.xrevrange(keys.ACCESS, count=count)
        return [
            Access(datetime.fromtimestamp(float(one[b"at"]), tz=UTC), *(one[name].decode() for name in _WORDS))
            for _, one in found
        ]


_WORDS = (b"who", b"what", b"about")
