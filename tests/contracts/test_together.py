"""Messages that are posted at once go into the store together, and each sender hears of its own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from models.message import CustomerKey, Message, RedactedText
from service.errors import Overloaded, StoreAway
from service.pipeline.together import Together
from service.store import keys
from service.store.codec import Entry
from service.store.inbox import Accepted, Inbox
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PARTITIONS = 2


def entry(number: int, customer: str = "anna") -> Entry:
    text = RedactedText(f"the zip broke, case {number}")
    return Entry(Message(f"m{number}", "test", text, NOW, CustomerKey(customer)))


class Watched(Inbox):
    """An inbox that notes how many entries each call of the store brought, and fails when it is told to."""

    def __init__(self, store: Store, max_backlog: int = 10_000) -> None:
        super().__init__(store, partitions=PARTITIONS, keep_seen=timedelta(days=2), max_backlog=max_backlog)
        self.calls: list[int] = []
        self.called = asyncio.Event()
        self.fails = False

    async def accept_each(self, entries: list[Entry], now: datetime) -> list[Accepted | None]:  # type: ignore[override]
        self.calls.append(len(entries))
        self.called.set()
        if self.fails:
            raise StoreAway("gone")
        return await super().accept_each(entries, now)


async def test_those_that_come_while_a_call_is_under_way_go_together_in_the_next(store: Store) -> None:
    await store.client.flushall()
    inbox = Watched(store)
    together = Together(inbox, lambda: NOW)
    first = asyncio.create_task(together.accept(entry(0)))
    await inbox.called.wait()
    rest = await asyncio.gather(*(together.accept(entry(n % 30)) for n in range(40)))
    assert await first is Accepted.accepted
    assert inbox.calls == [1, 40]
    assert [one is Accepted.accepted for one in rest] == [False] + [True] * 29 + [False] * 10
    assert await together.accept(entry(99)) is Accepted.accepted


async def test_a_full_partition_refuses_its_own_and_no_others(store: Store) -> None:
    await store.client.flushall()
    names = {keys.partition_of(name, PARTITIONS): name for name in ("anna", "ben", "cleo", "dan", "eve", "finn")}
    together = Together(Watched(store, max_backlog=PARTITIONS), lambda: NOW)
    await together.accept(entry(0, names[0]))
    refused, taken = await asyncio.gather(
        together.accept(entry(1, names[0])), together.accept(entry(2, names[1])), return_exceptions=True
    )
    assert isinstance(refused, Overloaded)
    assert taken is Accepted.accepted


async def test_all_hear_when_the_store_is_away_and_the_next_are_tried_again(store: Store) -> None:
    await store.client.flushall()
    inbox = Watched(store)
    together = Together(inbox, lambda: NOW)
    inbox.fails = True
    told = await asyncio.gather(*(together.accept(entry(n)) for n in range(3)), return_exceptions=True)
    assert all(isinstance(one, StoreAway) for one in told)
    inbox.fails = False
    assert await together.accept(entry(1)) is Accepted.accepted


async def test_a_sender_that_goes_away_holds_up_nobody(store: Store) -> None:
    await store.client.flushall()
    together = Together(Watched(store), lambda: NOW)
    gone, stays = (asyncio.create_task(together.accept(entry(n))) for n in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays is Accepted.accepted
    with pytest.raises(asyncio.CancelledError):
        await gone
