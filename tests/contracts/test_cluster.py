"""What holds on a cluster while its masters die, its replicas lag and its slots move."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.buckets import bucket_of
from models.message import CustomerKey, Message, RedactedText
from service.errors import StoreAway
from service.store import keys
from service.store.cluster import ClusterAddressError, open_cluster
from service.store.codec import Entry, pack_vector
from service.store.counts import Counts, Retention, Tally
from service.store.inbox import Accepted, Inbox
from service.store.redis import Store
from tests.loopback import Loopback, Node, loopback

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PARTITIONS = 8
VECTOR = pack_vector(np.eye(4, dtype=np.float32)[0])
PATIENCE = 300  # tries a tenth of a second apart


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    with loopback(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def stores(cluster: Loopback) -> AsyncIterator[tuple[Store, Store]]:
    """One that asks for a replica, and one that doesn't."""
    sure, quick = Store.connect(cluster.url, replicas=1), Store.connect(cluster.url)
    yield sure, quick
    await sure.close()
    await quick.close()


def message(number: int) -> Message:
    return Message(
        id=f"m{number}", source="test", text=RedactedText(f"the zip broke, case {number}"), occurred_at=NOW,
        customer=CustomerKey(f"c{number}"), attributes={},
    )  # fmt: skip


def entries(first: int, end: int) -> list[Entry]:
    return [Entry(message(number)) for number in range(first, end)]


def inbox_of(store: Store) -> Inbox:
    return Inbox(store, partitions=PARTITIONS, keep_seen=timedelta(days=2), max_backlog=100_000)


def counts_of(store: Store) -> Counts:
    retention = Retention(timedelta(days=35), timedelta(days=14), 64, 1_000, 1_000)
    return Counts(store, partitions=PARTITIONS, retention=retention)


async def insist(inbox: Inbox, first: int, end: int) -> list[Accepted]:
    """Send again, as told, until the store is there."""
    for _ in range(PATIENCE):
        try:
            return await inbox.accept(entries(first, end), NOW)
        except StoreAway:
            await asyncio.sleep(0.1)
    raise AssertionError("the store stayed away")


async def count_all(store: Store) -> int:
    """Count what waits; answers how many there are in the end."""
    inbox, counts = inbox_of(store), counts_of(store)
    for _ in range(PATIENCE):
        try:
            while taken := [
                *(one for one, _ in await inbox.claim("w", timedelta(0), 200)),
                *await inbox.take("w", 200),
            ]:
                for one in taken:
                    assert one.entry is not None
                    await counts.count(one.partition, [Tally(one.id, one.entry, "t1", VECTOR)])
            return (await counts.bucket(bucket_of(NOW))).customers.get("t1", 0)
        except StoreAway:
            await asyncio.sleep(0.1)
    raise AssertionError("the store stayed away")


async def test_partitions_are_spread_over_the_masters(cluster: Loopback, stores: tuple[Store, Store]) -> None:
    inbox = inbox_of(stores[0])
    await inbox.prepare()
    await inbox.accept(entries(0, 100), NOW)
    assert all(cluster.count("tocsin:*:inbox").values())
    assert await count_all(stores[0]) == 100


async def test_what_a_replica_has_not_got_is_not_accepted_and_what_is_accepted_outlives_its_master(
    cluster: Loopback, stores: tuple[Store, Store]
) -> None:
    sure, quick = stores
    await inbox_of(sure).prepare()
    assert await inbox_of(sure).accept(entries(0, 50), NOW) == [Accepted.accepted] * 50
    lagging = list(cluster.replica_of.values())
    for node in lagging:
        node.signal(signal.SIGSTOP)
    with pytest.raises(StoreAway, match="send it again"):
        await inbox_of(sure).accept(entries(50, 60), NOW)
    # Without replicas asked for, the same is accepted at once: the last moments of a master that dies now are lost.
    assert await inbox_of(quick).accept(entries(60, 70), NOW) == [Accepted.accepted] * 10
    for node in lagging:
        node.signal(signal.SIGCONT)
    assert set(await insist(inbox_of(sure), 50, 60)) == {Accepted.duplicate}  # taken before, and answered for only now
    cluster.holder(keys.inbox(0)).kill()
    assert await count_all(sure) == 70


async def test_counts_are_exact_though_a_slot_moves_to_another_master_meanwhile(
    cluster: Loopback, stores: tuple[Store, Store]
) -> None:
    _, store = stores
    inbox = inbox_of(store)
    await inbox.prepare()
    await inbox.accept(entries(0, 100), NOW)
    assert await count_all(store) == 100
    await inbox.accept(entries(100, 150), NOW)
    source = cluster.holder(keys.inbox(0))
    target = next(node for node in cluster.masters if node is not source)
    slot = source.ask("CLUSTER", "KEYSLOT", keys.inbox(0))
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
    move(source, target, slot, lambda name: name != keys.inbox(0))
    # Half of a partition is here and half there: all of it is refused for now, and nothing is half done.
    mine = [one for one in await inbox.take("w", 200) if one.partition == 0 and one.entry]
    assert mine
    with pytest.raises(StoreAway):
        await counts_of(store).count(0, [Tally(one.id, one.entry, "t1", VECTOR) for one in mine if one.entry])
    with pytest.raises(StoreAway):
        await inbox.accept(entries(150, 200), NOW)
    move(source, target, slot, lambda name: True)
    for node in (target, source):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.ask("CLUSTER", "MYID"))
    await insist(inbox, 150, 200)
    assert cluster.holder(keys.inbox(0)) is target
    assert await count_all(store) == 200


def move(source: Node, target: Node, slot: object, which: Callable[[str], bool]) -> None:
    held = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1_000)
    assert isinstance(held, list)
    names = [name.decode() for name in held if which(name.decode())]
    assert names
    source.ask("MIGRATE", target.host, target.port, "", 0, 5_000, "KEYS", *names)


def test_an_address_that_names_no_host_or_a_numbered_database_is_refused() -> None:
    with pytest.raises(ClusterAddressError, match="host:port"):
        open_cluster("redis+cluster://")
    with pytest.raises(ClusterAddressError, match="host:port"):
        open_cluster("redis+cluster://a:port")
    with pytest.raises(ClusterAddressError, match="numbered"):
        open_cluster("redis+cluster://a:1,b:2/3")
