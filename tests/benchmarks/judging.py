"""A part of `make bench`: 10,000 topics with 100,000 live cells judged on a store: seconds a tick, and a restart.

Every topic has three customers in each bucket of five minutes and ten values of an attribute, all of which come in
every hour: 104 million messages in 12 days. The detector has seen some days of it already; the store holds the last
hours. What the judge reads and writes goes through the embedded store, as it does live. ``DAYS`` are two lengths of
history that are held against each other. Seconds are of the judge's processor time: others use this machine too.
"""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import numpy as np

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, end_of, start_of
from models.detector import Detector, DetectorSettings
from models.embed import Centring, unit
from models.message import CustomerKey, Message, RedactedText
from models.topic import Topic, TopicId
from models.topics import TopicModel
from service.metrics import Metrics
from service.pipeline.bench import Bench
from service.pipeline.judge import Judge
from service.settings import Settings, load_settings
from service.store import keys
from service.store.codec import Entry, pack_entry, pack_vector
from service.store.embedded import EmbeddedStore
from service.store.judgement import Tick
from service.store.lease import Lease
from service.wiring import Rooms, build_judge, open_rooms
from tests.benchmarks.figure import Figure

TOPICS, VALUES, CUSTOMERS = 10_000, 10, 3.0
DIMENSION, RECENT = 384, 20_000
DAYS = (1, 3)
NOW = 5_947_200  # a bucket that a day begins with
HOURS = 2  # judged and timed, after one that warms up
TICK_GOAL, RESTART_GOAL = 1.0, 2.0


def figures() -> list[Figure]:
    return asyncio.run(_figures())


async def _figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder), durable=False) as embedded:
        settings = load_settings(store_url=embedded.url, hash_key="a key of the benchmark alone", time="event")
        rooms = open_rooms(settings, embedded.url)
        await _furnish(rooms, settings)
        short, _, _ = await _judged(rooms, settings, DAYS[0])
        ticks, hours, restart = await _judged(rooms, settings, DAYS[1])
        size = len(b"".join((await rooms.judge.state())[1].values()))
        await rooms.store.close()
    return [
        Figure("judging: a tick", median(ticks), "s", goal=TICK_GOAL, sense="most", note=f"{TOPICS:,} topics"),
        Figure("judging: the slowest tick", max(ticks), "s", goal=TICK_GOAL, sense="most", note="with its hour's cells"),
        Figure("judging: a tick that ends an hour", median(hours), "s", note=f"{TOPICS * VALUES:,} cells"),
        Figure(
            "judging: flat in history", median(ticks), "s", median(ticks) / median(short), f"after {DAYS[0]} day",
            goal=1.25, sense="most", note=f"after {DAYS[1]} days",
        ),
        Figure("judging: restart from the store", restart, "s", goal=RESTART_GOAL, sense="most"),
        Figure("judging: state", size / 1e6, "MB"),
    ]  # fmt: skip


async def _furnish(rooms: Rooms, settings: Settings) -> None:
    """A model, recent messages of less than four days, and counts of the hours that are judged."""
    rng = np.random.default_rng(1)
    centroids = unit(rng.normal(size=(TOPICS, DIMENSION)).astype(np.float32))
    born = start_of(NOW - 30 * BUCKETS_PER_DAY)
    topics = tuple(Topic(TopicId(f"t{n}"), centroids[n], 0.3, 40, born) for n in range(TOPICS))
    await rooms.models.save(TopicModel("drawn", Centring.none(DIMENSION), topics), NOW, after=0, at=born)
    pipe = rooms.store.client.pipeline(transaction=False)
    for n in range(RECENT):
        at = start_of(NOW) - timedelta(seconds=5) * (RECENT - n)
        said = Message(
            id=f"m{n}", source="bench", text=RedactedText(f"the zip of my bag broke on day {n}"), occurred_at=at,
            customer=CustomerKey(f"c{n}"), attributes={"batch": f"B{n % VALUES}"},
        )  # fmt: skip
        fields = {"m": pack_entry(Entry(said)), "v": pack_vector(centroids[n % TOPICS]), "f": "1", "s": ""}
        pipe.xadd(keys.recent(n % settings.partitions), fields)
    await pipe.execute()
    for partition in range(settings.partitions):
        for bucket in range(NOW, NOW + (HOURS + 1) * BUCKETS_PER_HOUR):
            counts = rng.poisson(CUSTOMERS / settings.partitions, TOPICS)
            held = {f"t{n}": int(count) for n, count in enumerate(counts) if count}
            mapping = held | {f"{name}\x1fm": count for name, count in held.items()}
            await rooms.store.client.hset(keys.counts(partition, bucket), mapping=mapping)
        for hour in range(NOW // BUCKETS_PER_HOUR, NOW // BUCKETS_PER_HOUR + HOURS + 1):
            mean = CUSTOMERS * BUCKETS_PER_HOUR / VALUES / settings.partitions
            cells = rng.poisson(mean, (TOPICS, VALUES))
            mapping = {f"t{n}\x1fbatch\x1fB{v}": int(cells[n, v]) for n, v in np.argwhere(cells)}
            await rooms.store.client.hset(keys.cells(partition, hour), mapping=mapping)


async def _judged(rooms: Rooms, settings: Settings, days: int) -> tuple[list[float], list[float], float]:
    """Seconds of each tick over some hours, of those that end one, and of a judge that begins anew from the store."""
    rng = np.random.default_rng(days)
    detector = Detector(DetectorSettings(false_alarms_per_week=1.0), NOW - days * BUCKETS_PER_DAY)
    detector.add_all(dict.fromkeys(f"t{n}" for n in range(TOPICS)))
    for bucket in range(NOW - days * BUCKETS_PER_DAY, NOW):
        detector.take(bucket, rng.poisson(CUSTOMERS, TOPICS))
    detector.calibrate()
    await rooms.store.client.delete(keys.JUDGE)
    lease = Lease(rooms.store, "judge", timedelta(days=1))
    await rooms.store.client.delete(keys.lease("judge"))
    await lease.hold()
    await rooms.judge.commit(Tick(None, NOW - 1, Bench(detector, NOW - 1, NOW, {}).pack()), lease.token)
    judge = build_judge(settings, rooms, lease, Metrics())
    ticks = []
    for bucket in range(NOW, NOW + (HOURS + 1) * BUCKETS_PER_HOUR):
        begun = time.process_time()
        await _tick(judge, bucket)
        ticks.append(time.process_time() - begun)
    begun = time.process_time()
    again = build_judge(settings, open_rooms(settings, settings.store_url or ""), lease, Metrics())
    assert await again.begun()
    await again.advance(end_of(bucket), end_of(bucket))
    restart = time.process_time() - begun
    counted = ticks[BUCKETS_PER_HOUR:]
    return counted, counted[BUCKETS_PER_HOUR - 1 :: BUCKETS_PER_HOUR], restart


async def _tick(judge: Judge, bucket: int) -> None:
    """A bucket closes; the next one is looked at while it fills."""
    await judge.advance(end_of(bucket), end_of(bucket))
    await judge.peek(end_of(bucket))


if __name__ == "__main__":
    for figure in figures():
        print(figure)
