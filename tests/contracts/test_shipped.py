"""Orders shipped on each store: each post once, corrected in its place, kept no longer than it may be."""

from datetime import date, timedelta

import pytest

from service.store.redis import Store
from service.store.shipped import Posted, Shipped, Taken, date_of, day_of

DAY = day_of(date(2026, 3, 9))
BATCH = {"batch": "B3", "sku": "PB-20"}


def room(store: Store) -> Shipped:
    return Shipped(store, timedelta(days=90))


async def test_a_post_sent_again_changes_nothing_and_a_corrected_one_replaces(store: Store) -> None:
    shipped, one = room(store), Posted(DAY, 400, BATCH)
    assert await shipped.put([one, Posted(DAY, 100, {"sku": "PB-20", "batch": "B2"})]) == [Taken.new] * 2
    assert await shipped.put([one, Posted(DAY, 90, {"batch": "B2", "sku": "PB-20"})]) == [
        Taken.unchanged,
        Taken.corrected,
    ]
    assert await shipped.days(DAY - 1, DAY + 1) == {DAY: 490.0}
    assert await shipped.days(DAY, DAY, ("batch", "B2")) == {DAY: 90.0}
    assert await shipped.days(DAY, DAY, ("sku", "PB-20")) == {DAY: 490.0}


async def test_the_same_orders_by_product_and_by_batch_count_once(store: Store) -> None:
    shipped = room(store)
    await shipped.put([Posted(DAY, 500, {"sku": "PB-20"}), Posted(DAY, 400, BATCH), Posted(DAY, 520, {})])
    assert await shipped.days(DAY, DAY) == {DAY: 520.0}
    assert await shipped.days(DAY, DAY, ("sku", "PB-20")) == {DAY: 500.0}
    assert await shipped.known() == {"sku", "batch"}


async def test_a_day_without_a_value_has_none_of_it_and_one_that_nobody_posted_is_unknown(store: Store) -> None:
    shipped = room(store)
    assert await shipped.days(DAY, DAY) == {} and await shipped.put([]) == []
    await shipped.put([Posted(DAY, 5, {"sku": "X"}), Posted(DAY + 2, 0, {"sku": "Y"})])
    assert await shipped.days(DAY, DAY + 2, ("sku", "Y")) == {DAY: 0.0, DAY + 2: 0.0}
    assert date_of(DAY) == date(2026, 3, 9)


async def test_nothing_is_kept_longer_than_it_may_be(store: Store) -> None:
    await room(store).put([Posted(DAY, 5, {"sku": "X"})])
    names = [name async for name in store.client.scan_iter("*")]
    assert len(names) == 3
    assert [await store.client.ttl(name) for name in names] == [pytest.approx(90 * 86_400, abs=60)] * 3
