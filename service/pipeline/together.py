"""Messages that are posted one by one go into the store together where they come at once."""

import asyncio

from service.clock import Clock
from service.store.codec import Entry
from service.store.inbox import Accepted, Inbox, overloaded

_MOST = 500
"""Entries in one call of the store, as in a batch."""


class Together:
    """Hands entries to the inbox. While a call of the store is under way, those that come wait, and go together in the
    next: the cost of a call is then shared by as many as there are. A lone entry waits for nobody."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        self._waiting: list[tuple[Entry, asyncio.Future[Accepted]]] = []
        self._carrier: asyncio.Task[None] | None = None

    async def accept(self, entry: Entry) -> Accepted:
        """What became of it, once the store has it. Raises `StoreAway`, or `Overloaded` where its partition is full."""
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        if self._carrier is None:
            self._carrier = asyncio.create_task(self._carry())
        return await future

    async def _carry(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                try:
                    outcomes = await self._inbox.accept_each([entry for entry, _ in batch], self._clock())
                except Exception as error:  # each that waits hears of it, and the next are tried all the same
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    if future.done():
                        continue
                    if outcome is None:
                        future.set_exception(overloaded())
                    else:
                        future.set_result(outcome)
        finally:
            self._carrier = None
