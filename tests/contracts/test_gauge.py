"""Indicators end to end on each store: each observation once, one alert a slow-down, whenever the judge is killed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.buckets import BUCKET, bucket_of
from models.indicator import READY, Tally, observation
from models.limits import Cause
from models.surge import SurgeState
from service.errors import Conflict
from service.metrics import Metrics
from service.pipeline.gauge import GaugeJudge, GaugeRules, unpack_gauge
from service.store.alerts import AlertBook
from service.store.campaigns import Campaign, Campaigns
from service.store.gauges import Gauges, Observation
from service.store.inbox import Accepted
from service.store.judgement import JudgeStore
from service.store.lease import Lease
from service.store.outbox import Outbox
from service.store.redis import Store

WAIT, HANDLING = READY["waiting_time"], READY["handling_time"]
BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = timedelta(days=35)
TOLD = "everybody"


def gauges(store: Store) -> Gauges:
    return Gauges(store, partitions=2, seen=timedelta(days=2), buckets=DAYS, cells=timedelta(days=14))


def wait(number: int, minutes: float, at: datetime, **attributes: str) -> Observation:
    return Observation(WAIT.name, f"call-{number}", at, observation(WAIT, minutes), attributes)


async def judge(store: Store, lease: Lease) -> GaugeJudge:
    await lease.hold()
    rules = GaugeRules((WAIT, HANDLING), 2.0, 0.2, DAYS, receivers=(TOLD,))
    room = JudgeStore(store, role="gauge")
    return GaugeJudge(room, gauges(store), AlertBook(store), Campaigns(store), rules, Metrics(), lease.token)


async def a_slow_morning(store: Store, now: datetime = BEGUN) -> datetime:
    """An ordinary day, then two hours in which returns wait, posted ``now``; answers the end of them."""
    rng, said = np.random.default_rng(0), []
    start = BEGUN + timedelta(days=1, hours=9)
    for number in range(3_000):
        at = BEGUN + timedelta(minutes=float(number) * 2100 / 3_000)
        queue = ("orders", "returns", "invoices")[number % 3]
        slow = at >= start and queue == "returns"
        said.append(wait(number, 30.0 if slow or rng.random() < 0.05 else 3.0, at, queue=queue))
    await gauges(store).observe(said, now)
    return BEGUN + timedelta(minutes=2100)


async def test_an_observation_sent_again_adds_nothing(store: Store) -> None:
    room = gauges(store)
    one, other = wait(1, 20.0, BEGUN, queue="returns"), wait(2, 3.0, BEGUN)
    assert await room.observe([one, other], BEGUN) == [Accepted.accepted] * 2
    assert await room.observe([one, wait(3, 1.0, BEGUN)], BEGUN) == [Accepted.duplicate, Accepted.accepted]
    bucket = int(BEGUN.timestamp() // 300)
    assert await room.buckets([bucket, bucket + 1]) == [{"waiting_time": Tally(3.0, 1.0, {})}, {}]
    assert await room.cells("waiting_time", bucket, bucket) == {("queue", "returns"): Tally(1.0, 1.0, {})}
    assert await room.span() == (BEGUN, BEGUN)


async def test_nothing_is_kept_longer_than_it_may_be(store: Store) -> None:
    await gauges(store).observe([wait(1, 20.0, BEGUN, queue="returns")], BEGUN)
    lives = {name.decode().split(":")[2]: await store.client.ttl(name) async for name in store.client.scan_iter("*")}
    assert lives["gaugecells"] == pytest.approx(14 * 86_400, abs=60)
    assert lives["observed"] == pytest.approx(3 * 86_400, abs=60)
    buckets = [name async for name in store.client.scan_iter("*:gauges:[0-9]*")]
    assert [await store.client.ttl(name) for name in buckets] == [pytest.approx(35 * 86_400, abs=60)]


async def test_a_slow_queue_rings_once_and_names_the_queue(store: Store) -> None:
    end = await a_slow_morning(store)
    lease = Lease(store, "gauge")
    one = await judge(store, lease)
    await one.advance(BEGUN + timedelta(days=1), end)  # the first look: what lies before is history
    await one.advance(end, end)
    (filed,) = await AlertBook(store).newest(10)
    alert = filed.alert
    assert (alert.state, alert.evidence.topic.id) == (SurgeState.firing, "indicator-waiting_time")
    assert alert.evidence.gauge is not None and alert.evidence.gauge.cause is Cause.starting
    assert alert.evidence.window.observed > 0.2 > alert.evidence.window.expected
    assert [(one.attribute, one.value) for one in alert.evidence.culprits] == [("queue", "returns")]
    assert {one.receiver for one in await Outbox(store).due(end + timedelta(days=1), 10)} == {TOLD}


async def test_a_judge_killed_and_begun_again_tells_the_same(store: Store) -> None:
    end = await a_slow_morning(store)
    lease = Lease(store, "gauge")
    await (await judge(store, lease)).advance(BEGUN + timedelta(days=1), end)
    for minutes in range(0, 660, 55):  # a judge of its own for every eleven buckets
        await (await judge(store, lease)).advance(BEGUN + timedelta(days=1, minutes=minutes), end)
    (filed,) = await AlertBook(store).newest(10)
    assert filed.alert.evidence.gauge is not None
    assert len(await Outbox(store).due(end + timedelta(days=1), 10)) >= 1


async def test_a_judge_without_the_lease_writes_nothing(store: Store) -> None:
    end = await a_slow_morning(store)
    one = await judge(store, Lease(store, "gauge"))
    await store.client.flushdb()
    await a_slow_morning(store)
    with pytest.raises(Conflict):
        await one.advance(end, end)
    assert await AlertBook(store).newest(10) == []


async def test_history_that_comes_late_is_learnt_and_raises_nothing(store: Store) -> None:
    lease, room = Lease(store, "gauge"), gauges(store)
    now = BEGUN + timedelta(days=2)
    await room.observe([wait(0, 3.0, now)], now)
    one = await judge(store, lease)
    await one.advance(now + BUCKET, now)
    await a_slow_morning(store, now)
    assert await one.advance(now + 2 * BUCKET, now) == []
    assert await born(store) == bucket_of(now), "more of it may be on its way"
    assert await one.advance(now + 2 * BUCKET, now + timedelta(minutes=2)) == []
    assert await born(store) == bucket_of(BEGUN) and await AlertBook(store).newest(10) == []


async def test_the_history_of_a_second_indicator_is_learnt_though_its_time_was_judged(store: Store) -> None:
    lease, room, now = Lease(store, "gauge"), gauges(store), BEGUN + timedelta(days=2)
    one = await judge(store, lease)
    await a_slow_morning(store, now)
    await one.advance(now, now)
    await one.advance(now, now + timedelta(minutes=2))
    later = BEGUN + timedelta(days=1)
    hours = [Observation(HANDLING.name, f"h{n}", later - timedelta(hours=n), Tally(30.0, 600.0)) for n in range(20)]
    await room.observe(hours, now + timedelta(minutes=3))
    await one.advance(now, now + timedelta(minutes=5))
    assert await born(store, 1) == -1, "not oftener than every ten minutes"
    await one.advance(now + BUCKET, now + timedelta(minutes=13))
    assert await born(store, 1) == bucket_of(later - timedelta(hours=19))


async def test_a_campaign_that_runs_stands_on_the_alert(store: Store) -> None:
    end = await a_slow_morning(store)
    sale = Campaign("c1", "Spring sale", end - timedelta(days=1), end + timedelta(hours=1))
    await Campaigns(store).put([sale, replace(sale, id="c0", start=BEGUN, end=BEGUN + timedelta(hours=5))])
    one = await judge(store, Lease(store, "gauge"))
    await one.advance(BEGUN + timedelta(days=1), end)
    await one.advance(end, end)
    (filed,) = await AlertBook(store).newest(10)
    gauge = filed.alert.evidence.gauge
    assert gauge is not None and gauge.campaigns == ("Spring sale",)
    assert gauge.campaign_hours >= 5 and "campaign" in filed.alert.evidence.contributions


async def born(store: Store, row: int = 0) -> int:
    """The bucket with which an indicator's learning began."""
    _, state = await JudgeStore(store, role="gauge").state()
    gauge = unpack_gauge(state, (WAIT, HANDLING))
    assert gauge is not None
    return int(gauge.born[row])
