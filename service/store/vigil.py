"""The vigil: when nobody listened, because no API process lived or the store was away. People are told, since what
customers said then came late or never; and the judge takes such times for unknown, not for quiet."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import orjson

from models.blind import BlindSpot
from service.clock import Clock
from service.errors import StoreAway
from service.store import keys
from service.store.redis import Store, store_errors

BEAT = timedelta(seconds=10)
_GAP = timedelta(minutes=1)  # between two beats, from which nobody listened: a restart takes less
_MOST = 100


class Vigil:
    """Beat, and read the spans without a beat."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def beat(self, now: datetime) -> None:
        """Somebody listens; a gap since the last time, whoever beat then, is written down once."""
        with store_errors():
            last = await self._store.client.set(keys.HEARD, now.timestamp(), get=True)
            if last is not None and now.timestamp() - float(last) > _GAP.total_seconds():
                spot = orjson.dumps([float(last), now.timestamp()])
                await self._store.together(("RPUSH", keys.BLIND, spot), ("LTRIM", keys.BLIND, -_MOST, -1))

    async def blind(self, since: datetime) -> list[BlindSpot]:
        """The blind spots that ended later, oldest first."""
        with store_errors():
            found = await self._store.client.lrange(keys.BLIND, 0, -1)
        spots = [BlindSpot(*(datetime.fromtimestamp(at, UTC) for at in orjson.loads(body))) for body in found]
        return [spot for spot in spots if spot.end > since]

    async def unheard(self, since: datetime, now: datetime) -> list[BlindSpot]:
        """`blind`, and the span that goes on still where nobody has listened for longer than a restart takes."""
        with store_errors():
            heard = await self._store.client.get(keys.HEARD)
        last = now if heard is None else datetime.fromtimestamp(float(heard), UTC)
        return [*await self.blind(since), *([BlindSpot(last, now)] if now - last > _GAP else [])]

    async def keep(self, clock: Clock) -> None:
        """Beat again and again, until cancelled."""
        while True:
            with suppress(StoreAway):
                await self.beat(clock())
            await asyncio.sleep(BEAT.total_seconds())
