"""What was told days ago, or is open since, neither hides a surge nor goes on for ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from models.surge import Surge, SurgeState
from service.pipeline.bench import Bench
from service.pipeline.lookout import Lookout
from service.store import keys
from service.store.embedded import EmbeddedStore
from service.store.judgement import JudgeStore
from service.store.redis import Store
from tests.service.pipeline.court import CALM, FIRST, Court

FROM = FIRST + CALM


class FullOfIt(Lookout):
    """At every place lies the whole topic."""

    def customers(self, number: int, topic: str, first: int, last: int) -> int:
        return 10_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    with EmbeddedStore(tmp_path, durable=False) as embedded:
        store = Store.connect(embedded.url)
        yield store
        await store.close()


async def count(store: Store, buckets: range, mean: float) -> None:
    rng, pipe = np.random.default_rng(1), store.client.pipeline()
    for bucket in buckets:
        pipe.hset(keys.counts(0, bucket), mapping={"t1": int(rng.poisson(mean)), "t2": int(rng.poisson(30.0))})
    await pipe.execute()


async def test_a_level_that_stays_is_said_to_be_the_new_normal_and_its_alert_ends(store: Store) -> None:
    court = Court(store)
    await court.open()
    await count(store, range(FROM, FROM + 44 * BUCKETS_PER_HOUR), 40.0)  # of usually 4
    await court.until(FROM + 12 * BUCKETS_PER_HOUR)
    (alert,) = await court.alerts()
    assert alert.open and not alert.new_normal
    await court.until(FROM + 44 * BUCKETS_PER_HOUR - 1)
    (alert,) = await court.alerts()
    assert alert.new_normal and not alert.open
    assert (await court.detector()).outlook().expected[0, 0] / 12 == pytest.approx(40.0, rel=0.2)


@pytest.mark.parametrize(("told_before", "rings"), [(3 * BUCKETS_PER_DAY, True), (BUCKETS_PER_HOUR, False)])
async def test_a_crowd_told_of_days_ago_does_not_hide_a_surge_of_its_topic_and_one_told_just_now_does(
    store: Store, told_before: int, rings: bool
) -> None:
    court = Court(store, FullOfIt)
    await court.open()
    position, state = await JudgeStore(store).state()
    assert position is not None
    bench, fired = Bench.unpack(position, state), position - told_before
    bench.crowds["c7"] = Surge("c7", SurgeState.firing, fired, fired, 1, 0, 5.0, fired=fired)
    await store.client.hset(keys.JUDGE, mapping=bench.pack())
    court.judge.forget()
    await count(store, range(FROM, FROM + 6), 20.0)
    assert len(await court.until(FROM + 5)) == rings
