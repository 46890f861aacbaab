"""Announced promotions: an excuse for the total, a hint for the volume."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from service.store import keys
from service.store.redis import Store, store_errors


@dataclass(frozen=True, slots=True)
class Campaign:
    """A span of time, half-open, in which more of everything is to be expected.

    ``multiplier``: how many times the usual volume, where somebody knows.
    """

    id: str
    name: str
    start: datetime
    end: datetime
    multiplier: float | None = None

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


def running(campaigns: Iterable[Campaign], at: datetime) -> list[Campaign]:
    """Those that cover a time."""
    return [one for one in campaigns if one.covers(at)]


class Campaigns:
    """The calendar of a tenant."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> list[Campaign]:
        """By start."""
        with store_errors():
            found = await self._store.client.hvals(keys.CAMPAIGNS)
        return sorted((_load(body) for body in found), key=lambda one: one.start)

    async def put(self, campaigns: Sequence[Campaign]) -> None:
        if campaigns:
            with store_errors():
                await self._store.client.hset(
                    keys.CAMPAIGNS, mapping={one.id: orjson.dumps(one, option=orjson.OPT_UTC_Z) for one in campaigns}
                )

    async def remove(self, campaign_id: str) -> bool:
        with store_errors():
            return bool(await self._store.client.hdel(keys.CAMPAIGNS, campaign_id))


def _load(body: bytes) -> Campaign:
    fields = orjson.loads(body)
    return Campaign(
        id=fields["id"],
        name=fields["name"],
        start=datetime.fromisoformat(fields["start"]),
        end=datetime.fromisoformat(fields["end"]),
        multiplier=fields.get("multiplier"),
    )
