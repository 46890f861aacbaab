"""The broom: takes out what is older than it may be kept, where the store does not let it run out by itself."""

from datetime import datetime, timedelta

from service.store import keys
from service.store.alerts import AlertBook
from service.store.redis import Store, store_errors


class Sweep:
    """Sweep messages and alerts. Counts, marks, pushed context and the access log run out by themselves."""

    def __init__(
        self, store: Store, book: AlertBook, *, partitions: int, messages: timedelta, alerts: timedelta
    ) -> None:
        self._store = store
        self._book = book
        self._partitions = partitions
        self._messages = messages
        self._alerts = alerts

    async def sweep(self, now: datetime) -> int:
        """Answers how many messages and alerts went. The age of a message is the time since it came in."""
        oldest, gone = int((now - self._messages).timestamp() * 1_000), 0
        with store_errors():
            for number in range(self._partitions):
                streams = [keys.waiting(number), keys.recent(number), keys.dead(number)]
                streams += [name async for name in self._store.names(keys.samples(number, "*"))]
                for stream in streams:
                    gone += int(await self._store.client.xtrim(stream, minid=f"{oldest}-0", approximate=False))
        return gone + await self._book.forget(now - self._alerts)
