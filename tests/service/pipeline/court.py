"""A court: the judge over a store with two topics whose counts are written as they are, past inbox and worker."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from models.alert import Alert, Facts, Judgement
from models.bar import STEP, raise_bar
from models.buckets import bucket_of, end_of
from models.detector import Detector
from models.embed import Centring
from models.topic import Topic
from models.topics import TopicModel
from service.metrics import Metrics
from service.pipeline.bench import unpack_detector
from service.pipeline.hidden import Hidden
from service.pipeline.judge import Judge, JudgeRules
from service.pipeline.lookout import Lookout
from service.pipeline.succession import Succession
from service.pipeline.tide import Tide
from service.pipeline.witness import Witness
from service.store import keys
from service.store.alerts import AlertBook, Deed, Judged
from service.store.campaigns import Campaigns
from service.store.counts import Counts, Retention
from service.store.judgement import JudgeStore
from service.store.lease import Lease
from service.store.lineage import LineageLog
from service.store.model import ModelStore
from service.store.outbox import EVERYBODY
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

    def __init__(self, store: Store, lookout_of: Callable[[Pools, ModelStore, float], Lookout] = Lookout) -> None:
        self.store, self.book, self.lease = store, AlertBook(store), Lease(store, "judge", timedelta(hours=1))
        counts = Counts(store, partitions=1, retention=Retention(KEEP, KEEP, 100, 1_000, 1_000))
        self.models, pools = ModelStore(store), Pools(store, partitions=1)
        lookout, witness = lookout_of(pools, self.models, 1.0), Witness(counts, pools, self.models)
        self.judge = Judge(
            JudgeStore(store), counts, self.models, self.book, Campaigns(store), witness, lookout,
            Tide(counts, self.models, lookout, 0.2), Hidden(counts, witness, past=timedelta(days=14)),
            Succession(LineageLog(store), counts, pools, self.models, KEEP),
            JudgeRules(2.0, receivers=(EVERYBODY,)), Metrics(), self.lease.token,
        )  # fmt: skip

    async def open(self, *, counted: bool = False) -> None:
        """Judge the calm days; their counts lie in the store already where they are ``counted``."""
        await self.lease.hold()
        pipe = self.store.client.pipeline()
        for bucket in range(FIRST, LAST + 1) if not counted else ():
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
