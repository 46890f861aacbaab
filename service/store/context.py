"""Pieces of customers' context that were pushed: by kind and id, found by customer, order or tracking number."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import orjson

from models.context import Join, Piece, PieceKind
from models.message import CustomerKey
from service.store import keys
from service.store.redis import Store, store_errors

PUSHED = "pushed"
"""The source of what was pushed."""


class PushedContext:
    """Keep pieces for a while, and the ways that lead to them. Each key stands alone, so no script is needed: a way
    that leads to a piece no more is passed over."""

    def __init__(self, store: Store, keep: timedelta) -> None:
        self._store = store
        self._keep = int(keep.total_seconds())

    async def put(self, piece: Piece, customer: CustomerKey | None) -> None:
        """Keep a piece in the place of the one before of its kind and id."""
        name = f"{piece.kind}/{piece.id}"
        ways = {Join.customer: customer, Join.order: piece.order, Join.tracking: piece.tracking}
        if piece.kind is PieceKind.order:
            ways[Join.order] = piece.id
        body = orjson.dumps({"piece": piece, "customer": customer}, option=orjson.OPT_UTC_Z)
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            pipe.set(keys.context(name), body, ex=self._keep)
            for join, value in ways.items():
                if value:
                    pipe.sadd(keys.context_of(join, value), name)
                    pipe.expire(keys.context_of(join, value), self._keep)
            await pipe.execute()

    async def by(self, join: Join, values: Sequence[str]) -> list[Piece]:
        """Every piece that one of the values leads to."""
        return [piece for piece, _ in await self._bodies(await self._names(join, values))]

    async def erase(self, customer: CustomerKey, orders: Collection[str] = ()) -> int:
        """Drop every piece of a customer, and of those that nobody is named in the ones of the customer's orders, which
        pieces or ``orders`` tell; answers how many."""
        names = set(await self._names(Join.customer, [customer]))
        pieces = [piece for piece, _ in await self._bodies(sorted(names))]
        mine = {*orders, *(one.id for one in pieces if one.kind is PieceKind.order)}
        tracking = {one.tracking for one in pieces if one.tracking}
        led = [*await self._names(Join.order, sorted(mine)), *await self._names(Join.tracking, sorted(tracking))]
        names |= {f"{one.kind}/{one.id}" for one, of in await self._bodies(led) if of in (None, customer)}
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for name in names:
                pipe.delete(keys.context(name))
            pipe.delete(keys.context_of(Join.customer, customer))
            await pipe.execute()
        return len(names)

    async def _bodies(self, names: Sequence[str]) -> list[tuple[Piece, str | None]]:
        """Pieces with whose they are."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for name in names:
                pipe.get(keys.context(name))
            bodies = await pipe.execute()
        return [(_piece(body), orjson.loads(body)["customer"]) for body in bodies if body]

    async def _names(self, join: Join, values: Sequence[str]) -> list[str]:
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for value in values:
                pipe.smembers(keys.context_of(join, value))
            found = await pipe.execute()
        return sorted({name.decode() for names in found for name in names})


def _piece(body: bytes) -> Piece:
    fields = orjson.loads(body)["piece"]
    at = datetime.fromisoformat(fields["at"]) if fields["at"] else None
    return Piece(**fields | {"kind": PieceKind(fields["kind"]), "at": at})
