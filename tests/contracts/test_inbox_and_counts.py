"""The way from the inbox to the counts: nothing lost, nothing doubled, on every store."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.buckets import bucket_of
from models.counted import NOISE
from models.message import CustomerKey, Message, RedactedText
from service.errors import Overloaded
from service.store import keys
from service.store.codec import Entry, pack_vector
from service.store.counts import Counts, Retention, Tally
from service.store.inbox import Accepted, Delivery, Inbox
from service.store.pools import Pools, vectors_of
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
VECTOR = pack_vector(np.eye(4, dtype=np.float32)[0])
RETENTION = Retention(timedelta(days=35), timedelta(days=14), 64, 1_000, 1_000)
PARTITIONS = 3


def message(number: int, customer: str = "", at: datetime = NOW, **attributes: str) -> Message:
    return Message(
        id=f"m{number}",
        source="test",
        text=RedactedText(f"the zip broke, case {number}"),
        occurred_at=at,
        customer=CustomerKey(customer or f"c{number}"),
        attributes=attributes,
    )


async def make(store: Store, max_backlog: int = 10_000) -> tuple[Inbox, Counts, Pools]:
    await store.client.flushall()
    inbox = Inbox(store, partitions=PARTITIONS, keep_seen=timedelta(days=2), max_backlog=max_backlog)
    await inbox.prepare()
    return inbox, Counts(store, partitions=PARTITIONS, retention=RETENTION), Pools(store, partitions=PARTITIONS)


async def count(counts: Counts, deliveries: list[Delivery], topic: str = "t1") -> list[int]:
    done = []
    for delivery in deliveries:
        assert delivery.entry is not None
        done += await counts.count(delivery.partition, [Tally(delivery.id, delivery.entry, topic, VECTOR)])
    return done


async def test_a_message_posted_twice_is_accepted_once(store: Store) -> None:
    inbox, _, _ = await make(store)
    first = await inbox.accept([Entry(message(1)), Entry(message(2))], NOW)
    again = await inbox.accept([Entry(message(2)), Entry(message(3))], NOW + timedelta(hours=20))
    assert first == [Accepted.accepted, Accepted.accepted]
    assert again == [Accepted.duplicate, Accepted.accepted]
    assert (await inbox.backlog()).waiting == 3


async def test_the_same_id_twice_in_one_batch_is_accepted_once(store: Store) -> None:
    inbox, _, _ = await make(store)
    assert await inbox.accept([Entry(message(1)), Entry(message(1))], NOW) == [Accepted.accepted, Accepted.duplicate]


async def test_a_batch_larger_than_a_call_of_the_store_takes_is_taken_in_order(store: Store) -> None:
    inbox, _, _ = await make(store)
    posted = [Entry(message(n % 2_500, "anna")) for n in range(3_000)]
    taken = await inbox.accept(posted, NOW)
    assert [one is Accepted.accepted for one in taken] == [True] * 2_500 + [False] * 500
    waiting = await inbox.take("w", 3 * 3_000)
    assert [one.entry.message.id for one in waiting if one.entry] == [f"m{n}" for n in range(2_500)]
    again = await inbox.accept([*posted[:5], Entry(message(9_999, "anna"))], NOW + timedelta(days=1))
    assert again == [Accepted.duplicate] * 5 + [Accepted.accepted]


async def test_a_repeat_with_another_time_moves_no_clock(store: Store) -> None:
    inbox, _, _ = await make(store)
    await inbox.accept([Entry(message(1, "anna"))], NOW)
    later = NOW + timedelta(minutes=5)
    repeat = message(1, "anna", NOW + timedelta(hours=5))
    await inbox.accept([Entry(repeat), Entry(message(2, "anna", later))], NOW)
    assert (await inbox.backlog()).newest_occurred == later


async def test_an_entry_counted_by_two_workers_is_counted_once(store: Store) -> None:
    inbox, counts, _ = await make(store)
    await inbox.accept([Entry(message(1))], NOW)
    taken = await inbox.take("w1", 10)
    claimed = [delivery for delivery, _ in await inbox.claim("w2", timedelta(0), 10)]
    assert [one.id for one in claimed] == [one.id for one in taken]
    assert await count(counts, taken) == [1]
    assert await count(counts, claimed) == [-1]
    counted = await counts.bucket(bucket_of(NOW))
    assert (counted.customers, counted.messages) == (Counter(t1=1), Counter(t1=1))


async def test_what_a_dead_worker_took_is_handed_to_another_with_its_tries(store: Store) -> None:
    inbox, _, _ = await make(store)
    await inbox.accept([Entry(message(1))], NOW)
    assert len(await inbox.take("dead", 10)) == 1
    assert await inbox.take("alive", 10) == []
    first = await inbox.claim("alive", timedelta(0), 10)
    second = await inbox.claim("alive", timedelta(0), 10)
    assert [tries for _, tries in first + second] == [2, 3]


async def test_a_customer_counts_once_a_topic_in_24_hours_and_every_message_is_kept_beside(store: Store) -> None:
    inbox, counts, _ = await make(store)
    hours = (0, 1, 23, 25)
    await inbox.accept([Entry(message(h, "anna", NOW + timedelta(hours=h))) for h in hours], NOW)
    assert await count(counts, sorted(await inbox.take("w", 100), key=lambda d: d.id)) == [1, 0, 0, 1]
    customers, messages = Counter[str](), Counter[str]()
    for h in hours:
        counted = await counts.bucket(bucket_of(NOW + timedelta(hours=h)))
        customers.update(counted.customers)
        messages.update(counted.messages)
    assert (customers["t1"], messages["t1"]) == (2, 4)


async def test_a_late_message_of_a_customer_already_counted_that_day_is_not_counted_again(store: Store) -> None:
    inbox, counts, _ = await make(store)
    await inbox.accept([Entry(message(1, "anna", NOW))], NOW)
    await count(counts, await inbox.take("w", 10))
    await inbox.accept([Entry(message(2, "anna", NOW - timedelta(hours=3)))], NOW)
    assert await count(counts, await inbox.take("w", 10)) == [0]


async def test_cells_hold_the_attributes_of_counted_messages(store: Store) -> None:
    inbox, counts, _ = await make(store)
    await inbox.accept([Entry(message(n, sku="K7", batch="K7-B2")) for n in range(5)], NOW)
    await inbox.accept([Entry(message(9, "c1", sku="K9"))], NOW)
    await count(counts, await inbox.take("w", 100))
    cells = await counts.cells(bucket_of(NOW), bucket_of(NOW))
    assert cells["t1"]["sku"] == Counter(K7=5)
    assert cells["t1"]["batch"] == Counter({"K7-B2": 5})


async def test_values_with_control_characters_are_read_back_as_they_are(store: Store) -> None:
    inbox, counts, _ = await make(store)
    odd = "B\x00 7\n"
    await inbox.accept([Entry(message(n, batch=odd, channel="app")) for n in range(5)], NOW)
    await count(counts, await inbox.take("w", 10))
    hour = int(NOW.timestamp()) // 3600
    assert (await counts.cells_of_hours([hour]))["t1"] == {"batch": {odd: 5}, "channel": {"app": 5}}
    counted = await counts.hour(hour)
    assert (counted.by_value("batch"), counted.by_value("channel")) == (Counter({odd: 5}), Counter(app=5))
    assert counted.by_value("bat") == Counter()


async def test_a_full_inbox_refuses_the_whole_call(store: Store) -> None:
    inbox, _, _ = await make(store, max_backlog=PARTITIONS)
    with pytest.raises(Overloaded):
        for n in range(20):
            await inbox.accept([Entry(message(n, "anna"))], NOW)
    assert (await inbox.backlog()).waiting == 1


async def test_a_lost_group_is_made_again_and_nothing_that_waits_is_lost(store: Store) -> None:
    inbox, _, _ = await make(store)
    await inbox.accept([Entry(message(n)) for n in range(20)], NOW)
    for partition in range(PARTITIONS):
        await store.client.xgroup_destroy(keys.inbox(partition), keys.GROUP)
    assert await inbox.take("w", 100) == []  # finds the groups gone, makes them
    assert len(await inbox.take("w", 100)) == 20


async def test_an_unreadable_entry_is_put_aside_with_a_reason_and_comes_back_when_asked(store: Store) -> None:
    inbox, _, _ = await make(store)
    await store.client.xadd(keys.inbox(0), {"m": b"\xff not json"})
    (delivery,) = await inbox.take("w", 10)
    assert delivery.entry is None
    assert await inbox.bury(delivery, "unreadable")
    assert not await inbox.bury(delivery, "unreadable")
    (dead,) = await inbox.dead()
    assert (dead.reason, dead.message_id) == ("unreadable", None)
    assert await inbox.revive() == 1
    assert [one.body for one in await inbox.take("w", 10)] == [delivery.body]


async def test_the_backlog_tells_the_oldest_and_the_newest_that_it_speaks_of(store: Store) -> None:
    inbox, counts, _ = await make(store)
    times = [NOW + timedelta(minutes=m) for m in (10, 40, 25)]
    await inbox.accept([Entry(message(n, "anna", at)) for n, at in enumerate(times)], NOW)
    backlog = await inbox.backlog()
    assert (backlog.oldest_occurred, backlog.newest_occurred) == (times[0], times[1])
    await count(counts, await inbox.take("w", 100))
    after = await inbox.backlog()
    assert (after.waiting, after.oldest_occurred, after.newest_occurred) == (0, None, times[1])


async def test_moving_a_waiting_message_to_a_topic_conserves_the_counts(store: Store) -> None:
    inbox, counts, pools = await make(store)
    await inbox.accept([Entry(message(n, f"c{n % 4}")) for n in range(8)], NOW)
    await count(counts, await inbox.take("w", 100), NOISE)
    before = await counts.bucket(bucket_of(NOW))
    held = await pools.waiting()
    assert (before.noise, before.total_messages, len(held)) == (4, 8, 8)
    assert np.allclose(vectors_of(held, 4), np.eye(4)[0])
    for one in held[:5]:
        tally = [Tally(one.entry_id, Entry(one.message), "t9", one.vector)]
        assert (await counts.count(one.partition, tally, moved_from=NOISE))[0] >= 0
        assert await counts.count(one.partition, tally, moved_from=NOISE) == [-1]  # killed and run again
    after = await counts.bucket(bucket_of(NOW))
    assert after.total_messages == 8
    assert after.messages["t9"] == 5
    assert len(await pools.waiting()) == 3
    assert len(await pools.samples("t9")) == 5


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["t1", "t2", NOISE]), st.integers(0, 60 * 60)),
        min_size=1,
        max_size=40,
    )
)
async def test_counts_are_those_of_a_plain_count(store: Store, drawn: list[tuple[int, str, int]]) -> None:
    inbox, counts, _ = await make(store)
    drawn.sort(key=lambda one: one[2])
    topics = {}
    for number, (customer, topic, minutes) in enumerate(drawn):
        one = message(number, f"c{customer}", NOW + timedelta(minutes=minutes))
        topics[one.id] = topic
        await inbox.accept([Entry(one)], NOW)
    for delivery in sorted(await inbox.take("w", 1_000), key=lambda d: d.entry.message.occurred_at if d.entry else NOW):
        assert delivery.entry is not None
        await count(counts, [delivery], topics[delivery.entry.message.id])

    expected: dict[int, Counter[str]] = {}
    last: dict[tuple[int, str], int] = {}
    for customer, topic, minutes in drawn:
        if (customer, topic) not in last or minutes - last[customer, topic] >= 24 * 60:
            last[customer, topic] = minutes
            expected.setdefault(bucket_of(NOW + timedelta(minutes=minutes)), Counter())[topic] += 1
    span = range(bucket_of(NOW), bucket_of(NOW + timedelta(days=3)))
    for bucket, counted in zip(span, await counts.buckets(span), strict=True):
        found = Counter(counted.customers) + Counter({NOISE: counted.noise})
        assert found == expected.get(bucket, Counter())
