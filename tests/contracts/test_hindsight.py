"""The month in hindsight from a company's own alerts and counts, on each store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.alert import Facts, Judgement
from models.cost import Rates
from models.evidence import GaugeFigures, WindowFigures
from models.indicator import READY
from models.indicator import Tally as Sum
from models.limits import Cause
from models.message import CustomerKey, Message, RedactedText
from models.surge import SurgeState
from service.pipeline.hindsight import Hindsight
from service.store import keys
from service.store.alertcodec import pack
from service.store.alerts import AlertBook
from service.store.codec import Entry, pack_vector
from service.store.counts import Counts, Retention, Tally
from service.store.gauges import Observation
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore, Tick
from service.store.lease import Lease
from service.store.redis import Store
from tests.contracts.test_alert_book import alert
from tests.contracts.test_gauge import gauges

ONSET = datetime(2026, 3, 11, 10, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
WAIT = READY["waiting_time"]
MONTH = timedelta(days=35)


async def count(store: Store) -> Counts:
    """Four customers every other hour for nine days; from the onset on three in the first hour and thirty in each later one."""
    inbox = Inbox(store, partitions=1, keep_seen=MONTH, max_backlog=10_000)
    counts = Counts(store, partitions=1, retention=Retention(MONTH, MONTH, 10, 10, 10))
    await inbox.prepare()
    times = [ONSET - 2 * n * HOUR - k * HOUR / 5 for n in range(1, 9 * 12) for k in range(4)]
    times += [ONSET + n * HOUR / 3 for n in range(3)] + [ONSET + HOUR + n * HOUR / 30 for n in range(90)]
    said = [
        Message(f"m{n}", "chat", RedactedText("x"), at, CustomerKey(f"c{n}"), attributes={})
        for n, at in enumerate(times)
    ]
    await inbox.accept([Entry(one) for one in said], ONSET)
    while taken := await inbox.take("worker", 500):
        vector = pack_vector(np.array([1.0, 0.0], np.float32))
        await counts.count(0, [Tally(one.id, one.entry, "t1", vector) for one in taken if one.entry])
    return counts


async def test_each_alert_stands_beside_what_plainer_habits_would_have_noticed(store: Store) -> None:
    counts, book, lease = await count(store), AlertBook(store), Lease(store, "judge")
    await lease.hold()
    window = WindowFigures(ONSET, ONSET + HOUR / 2, 12, 1.0, 5.0)
    one = replace(
        alert(),
        fired_at=ONSET + HOUR / 2,
        state=SurgeState.resolved,
        resolved_at=ONSET + 4 * HOUR,
        evidence=replace(alert().evidence, topic=replace(alert().evidence.topic, id="t1"), window=window, onset=ONSET),
    )
    noise = replace(one, id="a2")
    await JudgeStore(store).commit(Tick(None, 1, {}, [one, noise]), lease.token)
    await store.client.hset(keys.FACTS, "a2", pack(Facts(judgement=Judgement.noise)))
    review = Hindsight(book, counts, gauges(store), {}, Rates())
    (found,) = await review.review(ONSET - 30 * 24 * HOUR, ONSET + 9 * 24 * HOUR)
    assert await review.alarms([found], ONSET - 2 * 24 * HOUR, ONSET + 9 * 24 * HOUR) >= 1
    assert await review.alarms([], ONSET, ONSET + HOUR) == 0
    ours, three_sd, weekly = found.episode.noticed
    assert (ours.hours, weekly.hours) == (0.5, (4 * 24 + 23) + 1 / 12)  # Monday at nine, at the end of its first bucket
    assert three_sd.hours is not None and 0.5 < three_sd.hours < 2
    assert 0 <= ours.cost <= three_sd.cost < weekly.cost
    assert weekly.cost < 30 * 95


async def test_an_alert_on_an_indicator_does_so_by_its_figure_and_what_one_more_costs(store: Store) -> None:
    room, book, lease = gauges(store), AlertBook(store), Lease(store, "gauge")
    await lease.hold()
    said = []
    for n in range(1, 9 * 24 * 2):
        at = ONSET + 6 * HOUR - n * HOUR / 2
        late = (5 if at >= ONSET + HOUR else 3) if at >= ONSET else n % 2
        said.append(Observation(WAIT.name, f"w{n}", at, Sum(20.0, float(late))))
    await room.observe(said, ONSET)
    window = WindowFigures(ONSET, ONSET + HOUR, 0.15, 0.025, 0.12)
    figures = GaugeFigures(WAIT.name, WAIT.kind, WAIT.direction, WAIT.unit, 40.0, Cause.learnt, cost=WAIT.cost)
    one = replace(
        alert(),
        fired_at=ONSET + HOUR,
        state=SurgeState.resolved,
        resolved_at=ONSET + 6 * HOUR,
        evidence=replace(alert().evidence, window=window, onset=ONSET, gauge=figures),
    )
    await JudgeStore(store, role="gauge").commit(Tick(None, 1, {}, [one]), lease.token)
    counts = Counts(store, partitions=1, retention=Retention(MONTH, MONTH, 10, 10, 10))
    review = Hindsight(book, counts, room, {WAIT.name: WAIT}, Rates())
    (found,) = await review.review(ONSET - 20 * 24 * HOUR, ONSET + 7 * 24 * HOUR)
    ours, three_sd, weekly = found.episode.noticed
    assert ours.hours == 1.0 and three_sd.hours is not None and 0 < three_sd.hours <= 2
    assert found.episode.excess == pytest.approx(2 * 3 + 10 * 5 - 12 * 20 * 0.025)
    assert weekly.cost > ours.cost > 0
    assert weekly.cost == pytest.approx(found.episode.excess * 30 * (0.1 * 0.5) ** 0.5, abs=0.01)
    assert await review.alarms([found], ONSET - 2 * 24 * HOUR, ONSET + 7 * 24 * HOUR) >= 1
    assert await Hindsight(book, counts, room, {}, Rates()).review(ONSET, ONSET + HOUR) == []
