"""What people say of an alert changes what rings next, and can be undone."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.alert import Alert, Facts, Former, Judgement, Reason
from models.bar import HALF_LIFE, STEP, raise_bar
from models.buckets import bucket_of, end_of
from models.detector import Detector
from models.embed import Centring
from models.identity import mute
from models.topic import Topic, TopicId
from models.topics import TopicModel
from service.metrics import Metrics
from service.notify.card import Voice, card_of
from service.pipeline.bench import unpack_detector
from service.pipeline.judge import Judge, JudgeRules
from service.pipeline.lookout import Lookout
from service.pipeline.succession import Succession
from service.pipeline.tide import Tide
from service.pipeline.witness import Witness
from service.store import keys
from service.store.alerts import AlertBook, Deed, Judged
from service.store.campaigns import Campaigns
from service.store.counts import Counts, Retention
from service.store.embedded import EmbeddedStore
from service.store.judgement import JudgeStore
from service.store.lease import Lease
from service.store.lineage import LineageLog
from service.store.model import ModelStore
from service.store.outbox import EVERYBODY, Outbox
from service.store.pools import Pools
from service.store.redis import Store

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIRST = bucket_of(NOW)
CALM = 5 * 288  # buckets before the first surge: the detector has settled
SURGES = [FIRST + CALM, FIRST + CALM + 400]  # more than a day apart, else it is one episode
LAST = SURGES[1] + 6
KEEP = timedelta(days=90)


def usual(bucket: int) -> dict[str, int]:
    """Two topics, the one that is looked at and the rest of the shop; the same at every start."""
    draw = np.random.default_rng(bucket)
    return {"t1": int(draw.poisson(4.0)), "t2": int(draw.poisson(30.0))}


class Court:
    """A judge over a store with two topics and their counts."""

    def __init__(self, store: Store) -> None:
        self.store, self.book, self.lease = store, AlertBook(store), Lease(store, "judge", timedelta(hours=1))
        counts = Counts(store, partitions=1, retention=Retention(KEEP, KEEP, 100, 1_000, 1_000))
        self.models, pools = ModelStore(store), Pools(store, partitions=1)
        lookout = Lookout(pools, self.models, 1.0)
        self.judge = Judge(
            JudgeStore(store), counts, self.models, self.book, Campaigns(store), Witness(counts, pools, self.models),
            lookout, Tide(counts, self.models, lookout, 0.2), Succession(LineageLog(store), counts, pools, self.models, KEEP),
            JudgeRules(2.0, receivers=(EVERYBODY,)), Metrics(), self.lease.token,
        )  # fmt: skip

    async def open(self) -> None:
        """Judge the calm days."""
        await self.lease.hold()
        pipe = self.store.client.pipeline()
        for bucket in range(FIRST, LAST + 1):
            pipe.hset(keys.counts(0, bucket), mapping=usual(bucket))
        await pipe.execute()
        mean, centroid = np.zeros(4, np.float32), np.eye(4, dtype=np.float32)
        topics = tuple(Topic(f"t{n}", centroid[n], 0.3, 40, NOW) for n in (1, 2))
        await self.models.save(
            TopicModel("fake", Centring({"zh": mean, "en": mean}), topics), FIRST, after=0, at=topics[0].born
        )
        await self.judge.begin(FIRST, raise_from=FIRST + CALM - 1)
        await self.until(SURGES[0] - 1)

    async def surge(self, bucket: int) -> list[str]:
        """Judge up to and over a surge: as small as it can be and still ring. Answers as `until`."""
        await self.until(bucket - 1)
        detector = unpack_detector((await JudgeStore(self.store).state())[1])
        size = next(size for size in range(3, 99) if _excess(detector, bucket, size) > STEP / 8)
        assert _excess(detector, bucket, size) < STEP
        await self.store.client.hset(keys.counts(0, bucket), "t1", size)
        return await self.until(bucket + 6)

    async def until(self, bucket: int) -> list[str]:
        """Judge up to a bucket; answers the alerts on t1 so far, oldest first."""
        await self.judge.advance(end_of(bucket), end_of(bucket))
        filed = await self.book.newest(50)
        return sorted(one.alert.id for one in filed if one.alert.evidence.topic.id == "t1")

    async def alerts(self) -> list[Alert]:
        """The alerts on t1, oldest first."""
        return [one.alert for one in reversed(await self.book.newest(50)) if one.alert.evidence.topic.id == "t1"]

    async def detector(self) -> Detector:
        """As it was written at the last tick."""
        return unpack_detector((await JudgeStore(self.store).state())[1])

    async def say(self, alert_id: str, judgement: Judgement | None, at: datetime) -> None:
        """As the API does it."""
        bar = None
        if judgement is Judgement.noise:
            bar = raise_bar(await self.book.bars(), alert=alert_id, topic="t1", threshold=3.2, at=at)

        def change(_: Alert, facts: Facts) -> Facts:
            return replace(facts, judgement=judgement)

        await self.book.act(alert_id, "judged", change, deed=Deed(at, "judged"), judged=Judged(bar))


def _excess(detector: Detector, bucket: int, size: int) -> float:
    """By how much a surge of that size on t1 would score over the threshold."""
    trial = Detector.unpack(detector.pack())
    tick = trial.step(bucket, usual(bucket) | {"t1": size})
    return float(tick.score[list(tick.topics).index("t1")] - tick.threshold)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("court")
    with EmbeddedStore(folder, durable=False) as store:
        yield store.url


Dump = dict[bytes, bytes]
_HELD: dict[str, Dump] = {}


@pytest.fixture
async def court(url: str) -> AsyncIterator[Court]:
    """A court after its first alert; the way there is judged once, and then put back for each test."""
    store = Store.connect(url)
    court = Court(store)
    try:
        await store.client.flushall()
        for key, body in _HELD.get(url, {}).items():
            await store.client.restore(key, 0, body)
        if url not in _HELD:
            await court.open()
            await court.surge(SURGES[0])
            _HELD[url] = {key: await store.client.dump(key) for key in await store.client.keys()}
        await store.client.delete(keys.lease("judge"))
        await court.lease.hold()
        yield court
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("said", "second_rings"),
    [
        ([], True),
        ([Judgement.noise], False),
        ([Judgement.noise, Judgement.real], True),
        ([Judgement.noise, None], True),
    ],
    ids=["nothing", "noise", "noise, then real", "noise, then undone"],
)
async def test_noise_keeps_the_same_from_ringing_again_and_nothing_else_does(
    court: Court, said: list[Judgement | None], second_rings: bool
) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    for judgement in said:
        await court.say(first, judgement, end_of(SURGES[0]))
    assert len(await court.surge(SURGES[1])) == 1 + second_rings


async def test_a_bar_that_was_raised_long_ago_holds_nothing_back(court: Court) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    await court.say(first, Judgement.noise, end_of(SURGES[0]) - 12 * HALF_LIFE)
    assert len(await court.surge(SURGES[1])) == 2


async def test_each_change_is_left_once_for_everybody_in_words_that_a_card_can_be_made_of(court: Court) -> None:
    await court.until(SURGES[0] + 200)
    left = await Outbox(court.store).due(end_of(LAST))
    assert {one.receiver for one in left} == {EVERYBODY}
    assert [card_of(one.payload, Voice("en")).title.split("]")[1].split(":")[0] for one in left] == [
        " New alert",
        " Over",
    ]
    assert await court.until(SURGES[0] + 200) and len(await Outbox(court.store).due(end_of(LAST))) == len(left)


async def test_a_topic_that_comes_back_after_a_day_names_the_alert_before_and_how_it_was_judged(court: Court) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    await court.say(first, Judgement.real, end_of(SURGES[0]))
    await court.surge(SURGES[1])
    before, again = await court.alerts()
    assert before.former is None and before.resolved_at is not None
    assert again.former == Former(before.id, before.resolved_at, Judgement.real)


async def test_a_bar_that_was_raised_raises_the_upper_bound_that_is_shown(court: Court) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    await court.say(first, Judgement.noise, end_of(SURGES[0]))
    await court.until(SURGES[1] - 1)
    await court.store.client.hset(keys.counts(0, SURGES[1]), "t1", 60)
    await court.until(SURGES[1])
    shown = (await court.alerts())[-1].evidence.window
    plain = (await court.detector()).explain("t1").telling
    assert (shown.observed, shown.minutes) == (plain.observed, 5 * (plain.end - plain.first))
    assert shown.upper_bound > plain.upper_bound


async def test_the_open_alert_of_a_topic_that_is_muted_resolves_and_rings_no_more(court: Court) -> None:
    (alert,) = await court.alerts()
    assert alert.open
    await court.models.change(lambda model: mute(model, TopicId("t1")), at=NOW)
    await court.until(SURGES[0] + 8)
    (alert,) = await court.alerts()
    assert not alert.open and alert.sent is not None and alert.sent.reason is Reason.resolved
    assert len(await court.surge(SURGES[1])) == 1


async def test_a_budget_that_is_chosen_holds_at_once_and_until_it_is_taken_back(court: Court) -> None:
    before = (await court.detector()).settings.false_alarms_per_week
    for bucket, chosen, times in ((SURGES[0] + 7, 20.0, 10), (SURGES[0] + 8, None, 1)):
        await JudgeStore(court.store).choose_budget(chosen)
        await court.until(bucket)
        after = (await court.detector()).settings.false_alarms_per_week
        assert after == pytest.approx(times * before)
