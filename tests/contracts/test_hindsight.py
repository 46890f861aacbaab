"""The month in hindsight from a company's own alerts and counts, on each store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from models.alert import Facts, Judgement
from models.cost import Rates
from models.evidence import WindowFigures
from models.message import CustomerKey, Message, RedactedText
from models.surge import SurgeState
from service.pipeline.hindsight import Hindsight
from service.store import keys
from service.store.alertcodec import pack
from service.store.alerts import AlertBook
from service.store.codec import Entry, pack_vector
from service.store.counts import Counts, Retention, Tally
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore, Tick
from service.store.lease import Lease
from service.store.redis import Store
from tests.contracts.test_alert_book import alert

ONSET = datetime(2026, 3, 11, 10, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
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
    (found,) = await Hindsight(book, counts, Rates()).review(ONSET - 30 * 24 * HOUR, ONSET + 9 * 24 * HOUR)
    review = Hindsight(book, counts, Rates())
    assert await review.alarms([found], ONSET - 2 * 24 * HOUR, ONSET + 9 * 24 * HOUR) >= 1
    assert await review.alarms([], ONSET, ONSET + HOUR) == 0
    ours, three_sd, weekly = found.episode.noticed
    assert (ours.hours, weekly.hours) == (0.5, (4 * 24 + 23) + 1 / 12)  # Monday at nine, at the end of its first bucket
    assert three_sd.hours is not None and 0.5 < three_sd.hours < 2
    assert 0 <= ours.cost <= three_sd.cost < weekly.cost
    assert weekly.cost < 30 * 95
