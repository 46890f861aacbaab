"""Pieces of customers' context that were pushed: by kind and id, found by customer, order or tracking number."""

from collections.abc import Sequence
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
        names = await self._names(join, values)
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for name in names:
                pipe.get(keys.context(name))
            bodies = await pipe.execute()
        return [_piece(body) for body in bodies if body]

    async def erase(self, customer: CustomerKey) -> int:
        """Drop every piece of a customer; answers how many."""
        names = await self._names(Join.customer, [customer])
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for name in names:
                pipe.delete(keys.context(name))
            pipe.delete(keys.context_of(Join.customer, customer))
            await pipe.execute()
        return len(names)

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
