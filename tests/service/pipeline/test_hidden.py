"""Of a tenant whose messages are too many for crowds, counts by value tell of a bad batch in a busy topic: once."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from models.alert import Alert
from models.buckets import BUCKETS_PER_HOUR
from service.pipeline.lookout import Lookout
from service.store import keys
from service.store.codec import FIELD_SEPARATOR
from service.store.embedded import EmbeddedStore
from service.store.judgement import JudgeStore
from service.store.redis import Store
from tests.service.pipeline.court import CALM, FIRST, Court

FROM = (FIRST + CALM) // BUCKETS_PER_HOUR  # the first hour that is told of
BATCHES, REGIONS = [f"A{n % 4}-B{n}" for n in range(12)], ["north", "south", "east", "west"]
BAD = 6  # hours in which two batches more than usual write


class Busy(Lookout):
    """So much comes that what is held reaches back hours only."""

    @property
    def busy(self) -> bool:
        return True


def hours(first: int, end: int, bad: dict[str, int], topic: str = "t1") -> Iterator[tuple[str, str, int]]:
    """Store key, field and count of every hour: t1 has 240 customers an hour, t2 four times and none ten times as many,
    of all batches and regions alike. What is ``bad`` of one batch comes from the east."""
    rng = np.random.default_rng(first)
    for hour in range(first, end):
        for name, size in (("t1", 240), ("t2", 960), ("-", 2400)):
            more = bad if name == topic else {}
            grown = sum(more.values())
            sold, where = rng.multinomial(size, [1 / 12] * 12), rng.multinomial(size, [1 / 4] * 4)
            for batch, count in zip(BATCHES, sold, strict=True):
                yield keys.cells(0, hour), FIELD_SEPARATOR.join((name, "batch", batch)), count + more.get(batch, 0)
            for region, count in zip(REGIONS, where, strict=True):
                extra = grown // 4 if len(more) > 2 else grown if region == "east" else 0
                yield keys.cells(0, hour), FIELD_SEPARATOR.join((name, "region", region)), count + extra
            for bucket in range(hour * BUCKETS_PER_HOUR, (hour + 1) * BUCKETS_PER_HOUR):
                yield keys.counts(0, bucket), name, (size + grown) // BUCKETS_PER_HOUR


async def write(store: Store, rows: Iterator[tuple[str, str, int]]) -> None:
    pipe = store.client.pipeline()
    for key, field, count in rows:
        pipe.hset(key, field, int(count))
    await pipe.execute()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    with EmbeddedStore(tmp_path, durable=False) as embedded:
        store = Store.connect(embedded.url)
        await write(store, hours(FROM - CALM // BUCKETS_PER_HOUR, FROM + 60, {}))
        yield store
        await store.close()


async def alerts(court: Court, hour: int) -> list[Alert]:
    await court.until(hour * BUCKETS_PER_HOUR - 1)
    return [one.alert for one in reversed(await court.book.newest(50))]


async def opened(store: Store) -> Court:
    court = Court(store, Busy)
    await court.open(counted=True)
    assert await alerts(court, FROM + 1) == []
    return court


async def test_a_bad_batch_in_a_busy_topic_is_one_alert_on_the_batch_with_its_figures(store: Store) -> None:
    court = await opened(store)
    await write(
        store, hours(FROM + 2, FROM + 2 + BAD, {"A1-B5": 48})
    )  # a fifth more of the topic, three times as many of the batch
    (alert,) = await alerts(court, FROM + 2 + BAD)
    assert alert.id.split("-", 1)[1].startswith("hidden-t1-")
    assert alert.evidence.topic.id == "t1"
    first = alert.evidence.culprits[0]
    assert (first.attribute, first.value) == ("batch", "A1-B5")
    window = alert.evidence.window
    assert window.observed > window.upper_bound > window.expected
    assert alert.evidence.curve[-1].observed >= 48 > alert.evidence.curve[-1].expected + 0.5
    assert np.prod(list(alert.evidence.contributions.values())) == pytest.approx(window.expected, rel=0.02)
    court.judge.forget()
    (again,) = await alerts(court, FROM + 3 + BAD)
    assert again.id == alert.id
    (over,) = await alerts(court, FROM + 40)
    assert not over.open


async def test_another_batch_in_the_same_topic_gets_an_alert_of_its_own(store: Store) -> None:
    court = await opened(store)
    await write(store, hours(FROM + 2, FROM + 4, {"A1-B5": 48}))
    await write(store, hours(FROM + 4, FROM + 8, {"A1-B5": 48, "A2-B10": 48}))
    named = [one.evidence.culprits[0].value for one in await alerts(court, FROM + 8)]
    assert sorted(named) == ["A1-B5", "A2-B10"]


async def test_a_rare_batch_that_is_bad_in_two_topics_is_one_alert(store: Store) -> None:
    court = await opened(store)
    await write(store, hours(FROM + 2, FROM + 8, {"A1-B5": 48}))
    more = [
        (key, field, count)
        for key, field, count in hours(FROM + 2, FROM + 8, {"A1-B5": 150}, "t2")
        if field.startswith("t2")
    ]
    await write(store, iter(more))
    assert len(await alerts(court, FROM + 8)) == 1


async def test_a_topic_that_grows_in_every_batch_alike_is_told_as_a_topic_and_not_by_its_cells(store: Store) -> None:
    court = await opened(store)
    await write(store, hours(FROM + 2, FROM + 8, dict.fromkeys(BATCHES, 100)))
    found = await alerts(court, FROM + 8)
    assert [one.id.split("-", 1)[1] for one in found] == ["t1"]


async def test_what_is_known_of_cells_is_kept_once_an_hour_and_of_busy_tenants_alone(store: Store) -> None:
    await opened(store)
    state = (await JudgeStore(store).state())[1]
    assert state["hidden.cells"]
    await store.client.delete(keys.lease("judge"))
    quiet = Court(store)
    await quiet.lease.hold()
    await quiet.until((FROM + 2) * BUCKETS_PER_HOUR - 1)
    state = (await JudgeStore(store).state())[1]
    assert not state["hidden.cells"]
