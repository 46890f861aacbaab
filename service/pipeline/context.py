"""The customer's whole picture, looked up when somebody looks: every source asked at once, none waited for too long."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from models.context import Join, Missing, Picture, Piece, joined, leads
from service.errors import StoreAway
from service.logs import log
from service.store.context import PUSHED, PushedContext

_MOST_LEADS = 20  # orders that further sources are asked about: what an agent can take in
_MOST_CACHED = 10_000
_PUSHED_LIMIT = timedelta(milliseconds=200)


class SourceAway(Exception):
    """A source gave no answer; ``reason`` says why in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(Protocol):
    """A system that knows something of customers."""

    async def find(self, value: str) -> Sequence[Piece]:
        """What it knows of a customer, an order or a tracking number. Raises `SourceAway`."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A source, what it is asked by, how long it may take, and how long its answer may be used again."""

    name: str
    by: Join
    source: Source
    limit: timedelta
    fresh: timedelta


class Context:
    """Look customers and orders up. Answers are held in memory for a short while, and never written down."""

    def __init__(
        self, pushed: PushedContext, sources: Sequence[Asked], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pushed = pushed
        self._sources = tuple(sources)
        self._clock = clock
        self._cache: dict[tuple[str, str], tuple[float, tuple[Piece, ...]]] = {}

    async def picture(self, known: Mapping[Join, Sequence[str]], *, hashed: str | None = None) -> Picture:
        """Everything about what is ``known``: a customer id, orders, tracking numbers. ``hashed``: the customer as the
        store knows it. Sources by customer first; then those by order and by tracking number that the first led to.
        Never raises for a source's sake."""
        first = await self._round(known, hashed)
        found = leads(first.pieces)
        more = {
            join: [value for value in values if value not in known.get(join, ())][:_MOST_LEADS]
            for join, values in found.items()
        }
        second = await self._round(more, None) if any(more.values()) else Picture(())
        return joined([*first.pieces, *second.pieces], [*first.missing, *second.missing])

    def forget(self) -> None:
        """Drop what is held in memory: somebody was erased."""
        self._cache.clear()

    async def close(self) -> None:
        for one in self._sources:
            await one.source.close()

    async def _round(self, known: Mapping[Join, Sequence[str]], hashed: str | None) -> Picture:
        asks: list[Awaitable[tuple[Piece, ...] | Missing]] = [
            self._ask(one, value) for one in self._sources for value in known.get(one.by, ())
        ]
        ways: dict[Join, list[str]] = {
            join: list(values) for join, values in known.items() if join is not Join.customer
        }
        if hashed is not None:
            ways[Join.customer] = [hashed]
        asks += [self._ask_pushed(join, values) for join, values in ways.items() if values]
        answers = await asyncio.gather(*asks)
        pieces = [piece for one in answers if not isinstance(one, Missing) for piece in one]
        return joined(pieces, [one for one in answers if isinstance(one, Missing)])

    async def _ask(self, one: Asked, value: str) -> tuple[Piece, ...] | Missing:
        held = self._cache.get((one.name, value))
        if held is not None and self._clock() < held[0]:
            return held[1]
        try:
            async with asyncio.timeout(one.limit.total_seconds()):
                found = tuple(await one.source.find(value))
        except TimeoutError:
            return self._missing(one.name, "timeout")
        except SourceAway as error:
            return self._missing(one.name, error.reason)
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[one.name, value] = self._clock() + one.fresh.total_seconds(), found
        return found

    async def _ask_pushed(self, join: Join, values: Sequence[str]) -> tuple[Piece, ...] | Missing:
        try:
            async with asyncio.timeout(_PUSHED_LIMIT.total_seconds()):
                return tuple(await self._pushed.by(join, values))
        except TimeoutError:
            return self._missing(PUSHED, "timeout")
        except StoreAway:
            return self._missing(PUSHED, "away")

    @staticmethod
    def _missing(name: str, reason: str) -> Missing:
        log.warning("context missing", source=name, reason=reason)
        return Missing(name, reason)
