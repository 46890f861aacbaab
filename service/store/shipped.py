"""Orders shipped, by day and attribute values: put down, corrected, and added up by value. They name nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum

import orjson

from models.culprit import Cell
from models.exposure import total
from service.store import keys
from service.store.codec import FIELD_SEPARATOR
from service.store.redis import Store, store_errors

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Posted:
    """So many orders with these attribute values were shipped on a day since the epoch."""

    day: int
    orders: int
    attributes: Mapping[str, str] = field(default_factory=dict)


class Taken(Enum):
    """What became of a post."""

    new = 1
    corrected = 2
    unchanged = 0


class Shipped:
    """Keep what was shipped for a while."""

    def __init__(self, store: Store, keep: timedelta) -> None:
        self._store = store
        self._keep = keep

    async def put(self, posts: Sequence[Posted]) -> list[Taken]:
        """Put down posts, each in the place of an earlier one of the same day and attributes."""
        args: list[object] = [int(self._keep.total_seconds())]
        names: list[str] = [keys.SHIPPED]
        for one in posts:
            kind = FIELD_SEPARATOR.join(sorted(one.attributes))
            values = FIELD_SEPARATOR.join(one.attributes[name] for name in sorted(one.attributes))
            sums = [_sum(kind, None), *(_sum(kind, cell) for cell in one.attributes.items())]
            names += [keys.shipped(one.day), keys.shipped_by(one.day)]
            args += [kind, f"{kind}{FIELD_SEPARATOR * 2}{values}", one.orders, orjson.dumps(sums)]
        with store_errors():
            return [Taken(int(one)) for one in await self._store.scripts["ship"](names, args)] if posts else []

    async def days(self, first: int, last: int, cell: Cell | None = None) -> dict[int, float]:
        """Orders of each of the days ``[first, last]``, in all or with one attribute value; days of which nothing was
        posted are missing. The same orders broken down twice count once."""
        span = range(first, last + 1)
        with store_errors():
            kinds = sorted(one.decode() for one in await self._store.client.smembers(keys.SHIPPED))
            if not kinds:
                return {}
            pipe = self._store.client.pipeline(transaction=False)
            for day in span:
                pipe.hmget(keys.shipped_by(day), [_sum(kind, None) for kind in kinds])
                pipe.hmget(keys.shipped_by(day), [_sum(kind, cell) for kind in kinds])
            answer = await pipe.execute()
        found = {}
        for place, day in enumerate(span):
            told, orders = answer[2 * place], answer[2 * place + 1]
            if any(one is not None for one in told):
                found[day] = total(
                    {(kind,): float(one) for kind, one in zip(kinds, orders, strict=True) if one is not None}
                )
        return found

    async def known(self) -> frozenset[str]:
        """The attributes that orders are broken down by."""
        with store_errors():
            kinds = await self._store.client.smembers(keys.SHIPPED)
        return frozenset(name for kind in kinds for name in kind.decode().split(FIELD_SEPARATOR) if name)


def _sum(kind: str, cell: Cell | None) -> str:
    return FIELD_SEPARATOR.join((kind, "", *(cell or ("", ""))))


def day_of(at: date) -> int:
    """Days since the epoch."""
    return (at - _EPOCH).days


def date_of(day: int) -> date:
    """The date of a day since the epoch."""
    return _EPOCH + timedelta(days=day)
