"""A part of `make bench`: the script that counts, beside the bare commands that it needs; and what a message keeps.

Both sides run on the embedded store in alternating rounds: the script as a worker calls it, 64 messages a call; and for as
many messages the commands that no counting can do without (take off the queue, remember the customer, add one to topic,
messages and each cell, keep a sample), pipelined. Compared is the processor time of the store, which is what runs short.
"""

import asyncio
import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from models.buckets import bucket_of
from models.counted import NOISE
from service.clock import wall_clock
from service.pipeline.ingest import Ingest
from service.settings import TimeMode, load_settings
from service.store import keys
from service.store.codec import Entry, pack_entry, pack_vector
from service.store.counts import Tally
from service.store.embedded import EmbeddedStore
from service.store.inbox import Delivery
from service.wiring import Rooms, build_ingest, lay_out, open_rooms
from tests.benchmarks.figure import Figure, ratio
from tests.benchmarks.ingest import messages

ROUNDS, MESSAGES, CALL = 7, 6_400, 64
TOPICS = 40
NOISY = 0.3
"""Part of the messages that belong to no topic."""
DIMENSION = 384
DAY = 40_000
"""Messages of the day whose memory is measured."""
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


async def spent(rooms: Rooms) -> float:
    """Seconds of the processor that the store has taken."""
    info = await rooms.store.client.info("cpu")
    return float(info["used_cpu_sys"]) + float(info["used_cpu_user"])


async def ready(rooms: Rooms, ingest: Ingest, raws: Sequence[Any]) -> list[Delivery]:
    """The messages, accepted and handed to a worker."""
    for begin in range(0, len(raws), 500):
        await ingest.take(raws[begin : begin + 500])
    taken: list[Delivery] = []
    while more := await rooms.inbox.take("bench", 1_000):
        taken += more
    return taken


def tallies(taken: Sequence[Delivery], pick: random.Random) -> dict[int, list[Tally]]:
    vector = pack_vector(np.eye(DIMENSION, dtype=np.float32)[0])
    found: dict[int, list[Tally]] = {}
    for one in taken:
        assert one.entry is not None
        topic = NOISE if pick.random() < NOISY else f"t{int(TOPICS * pick.random() ** 2)}"
        found.setdefault(one.partition, []).append(Tally(one.id, one.entry, topic, vector, "space"))
    return found


async def scripted(rooms: Rooms, partition: int, part: Sequence[Tally]) -> None:
    await rooms.counts.count(partition, part)


async def bare(rooms: Rooms, partition: int, part: Sequence[Tally]) -> None:
    """The same messages with nothing but the commands."""
    inbox, tag = keys.inbox(partition), keys.partition(partition)
    pipe = rooms.store.client.pipeline(transaction=False)
    for tally in part:
        message, topic = tally.entry.message, tally.topic
        at = int(message.occurred_at.timestamp())
        counts, cells = f"{tag}:bare:counts:{bucket_of(message.occurred_at)}", f"{tag}:bare:cells:{at // 3_600}"
        pipe.xack(inbox, keys.GROUP, tally.entry_id)
        pipe.xdel(inbox, tally.entry_id)
        pipe.hset(f"{tag}:bare:customers:{at // 86_400}", f"{topic}\x1f{message.customer}", at)
        pipe.hincrby(counts, topic, 1)
        pipe.hincrby(counts, f"{topic}\x1fm", 1)
        for name, value in message.attributes.items():
            pipe.hincrby(cells, f"{topic}\x1f{name}\x1f{value}", 1)
        fields = {"m": pack_entry(Entry(message)), "v": tally.vector, "f": 1, "s": tally.space}
        kept = f"{tag}:bare:samples:{topic}"
        pipe.xadd(kept, fields, maxlen=64, approximate=True)
        pipe.xadd(f"{tag}:bare:recent", fields, maxlen=5_000, approximate=True)
    await pipe.execute()


async def measured(rooms: Rooms, ingest: Ingest) -> tuple[list[float], list[float]]:
    """Messages a second of the store's processor time: of the script, of the bare commands; a round each."""
    endless, pick = raws(ingest), random.Random(0)
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * (ROUNDS + 1)):
        side = (number + number // 2) % 2  # who begins alternates
        parts = tallies(await ready(rooms, ingest, list(islice(endless, MESSAGES))), pick)
        before = await spent(rooms)
        for partition, own in parts.items():
            for begin in range(0, len(own), CALL):
                await (scripted, bare)[side](rooms, partition, own[begin : begin + CALL])
        rate = MESSAGES / (await spent(rooms) - before)
        if number >= 2:
            found[side].append(rate)
    return found


def raws(ingest: Ingest, pace: timedelta = timedelta(seconds=2)) -> Any:
    """Messages without end, each so much later than the one before."""
    from service.api.messages import read

    for number, item in enumerate(messages()):
        yield read(item | {"occurred_at": (BEGIN + number * pace).isoformat()}, BEGIN)


async def held(rooms: Rooms, ingest: Ingest) -> dict[str, float]:
    """Bytes that each kind of data takes for each message of one day, by the store's own measure."""
    await rooms.store.client.flushdb()
    await rooms.inbox.prepare()
    pick, endless = random.Random(1), raws(ingest, timedelta(days=1) / DAY)
    for _ in range(0, DAY, 4_000):
        for partition, own in tallies(await ready(rooms, ingest, list(islice(endless, 4_000))), pick).items():
            for begin in range(0, len(own), CALL):
                await rooms.counts.count(partition, own[begin : begin + CALL])
    kinds: dict[str, int] = {}
    async for name in rooms.store.client.scan_iter("tocsin:{p*", count=1_000):
        kind = name.decode().split(":")[2]
        kinds[kind] = kinds.get(kind, 0) + await rooms.store.client.memory_usage(name, samples=0)
    return {kind: size / DAY for kind, size in kinds.items()}


async def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder, EmbeddedStore(Path(folder)) as store:
        settings = load_settings(data_dir=Path(folder), time=TimeMode.event, max_backlog=10**7)
        rooms = open_rooms(settings, store.url)
        await lay_out(rooms, settings)
        ingest = build_ingest(settings, rooms, wall_clock, b"k" * 32)
        ours, theirs = await measured(rooms, ingest)
        kinds = await held(rooms, ingest)
        await rooms.store.close()
    peer = f"the bare commands, pipelined ({median(theirs):,.0f})"
    slower = ratio(theirs, ours)
    return [
        Figure("count, sample, acknowledge", median(ours), "messages/s of the store's core", ratio(ours, theirs), peer),
        Figure("cost of counting", slower, "times the bare commands", goal=2.0, sense="most"),
        *(
            Figure(f"kept of {kind}", size, "bytes a message of the day", note=LIVES.get(kind, ""))
            for kind, size in sorted(kinds.items(), key=lambda one: -one[1])
        ),
    ]


LIVES = {
    "seen": "2 to 3 days",
    "customers": "3 days after its day",
    "counts": "35 days; of topics and buckets, not of messages",
    "cells": "14 days; of values and hours, not of messages",
    "samples": "newest 256 a topic",
    "recent": "newest 20,000",
    "waiting": "newest 20,000",
    "inbox": "until counted",
}


def figures() -> list[Figure]:
    return asyncio.run(run())
