"""A part of `make bench`: unit costs in the store, and one worker against two; alone, machines for 10 to 1,000 million a day.

``python -m tests.benchmarks.scale --worker 100 --ingest 9000`` prints the table of docs/scale.md: messages that a core of
a worker and of the api takes a second, as `make bench` says on your machine; what a message costs in the store is measured here.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from redis import Redis
from rich.console import Console
from rich.table import Table

from models.embed import unit
from models.message import CustomerKey, Message, RedactedText
from service.clock import sleep_until
from service.settings import Settings, load_settings
from service.store import keys
from service.store.codec import Entry, pack_vector
from service.store.counts import Tally
from service.store.embedded import EmbeddedStore
from service.wiring import Rooms, lay_out, open_rooms
from tests.benchmarks.capacity import Terms, Units, plan
from tests.benchmarks.figure import Figure
from tests.benchmarks.live import texts

MESSAGES, BATCH = 20_000, 500
TOPICS = 200
EMBEDDED = 400  # messages that workers embed in the comparison of one and two
PATIENCE = 300.0  # seconds
MILLIONS = (10, 100, 1_000)


def figures() -> list[Figure]:
    store, kept, wire = asyncio.run(_store_costs())
    one, two = _workers(1), _workers(2)
    return [
        Figure("store: processor time a message", store * 1e6, "µs", note="accept and count"),
        Figure("store: kept a message and day", kept, "bytes", note="its id, and its customer on its topic"),
        Figure("store: on the wire", wire, "bytes", note="a message, in and out"),
        Figure("two workers", two, "a second", two / one, f"one worker ({one:.0f})", note="one thread each"),
    ]


async def _store_costs() -> tuple[float, float, float]:
    """Processor seconds of the store, bytes kept and bytes moved, each by message, from the inbox to the counts."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder), durable=False) as embedded:
        settings = load_settings(store_url=embedded.url)
        rooms = open_rooms(settings, embedded.url)
        await lay_out(rooms, settings)
        client = rooms.store.client
        before = await client.info()
        await _through(rooms, settings)
        after = await client.info()
        used = sum(after[name] - before[name] for name in ("used_cpu_user", "used_cpu_sys"))
        moved = sum(after[name] - before[name] for name in ("total_net_input_bytes", "total_net_output_bytes"))
        kept = 0
        for part in ("seen", "customers"):
            async for name in rooms.store.names(f"tocsin:*:{part}:*"):
                kept += await client.memory_usage(name, samples=0)
        await rooms.store.close()
    return used / MESSAGES, kept / MESSAGES, moved / MESSAGES


async def _through(rooms: Rooms, settings: Settings) -> None:
    """Messages of a day through the inbox and the counting script, with vectors as the encoder makes them."""
    vectors = [pack_vector(one) for one in unit(np.random.default_rng(1).normal(size=(TOPICS, 384)))]
    start, said = datetime.now(UTC) - timedelta(hours=20), texts()
    messages = [_message(n, said[n % len(said)], start) for n in range(MESSAGES)]
    for begin in range(0, MESSAGES, BATCH):
        await rooms.inbox.accept([Entry(one) for one in messages[begin : begin + BATCH]], datetime.now(UTC))
    while taken := await rooms.inbox.take("bench", settings.worker_batch):
        for partition in {one.partition for one in taken}:
            tallies = [
                Tally(one.id, one.entry, f"t{int(one.entry.message.id) % TOPICS}", vectors[hash(one.id) % TOPICS])
                for one in taken
                if one.partition == partition and one.entry
            ]
            await rooms.counts.count(partition, tallies)


def _message(number: int, text: str, start: datetime) -> Message:
    return Message(
        id=str(number), source="bench", text=RedactedText(text), occurred_at=start + timedelta(seconds=3 * number),
        customer=CustomerKey(f"{number:032x}"), attributes={"batch": f"B{number % 30}", "channel": "app"},
    )  # fmt: skip


def _workers(count: int) -> float:
    """Messages a second that so many worker processes embed and count, from the first to the last."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedStore(Path(folder), durable=False) as embedded,
        Redis.from_url(embedded.url) as store,
    ):
        environment = os.environ | {
            "TOCSIN_STORE_URL": embedded.url, "TOCSIN_ENCODER_THREADS": "1", "TOCSIN_ENCODER_CACHE": "0",
            "TOCSIN_DATA_DIR": folder, "TOCSIN_LOG_LEVEL": "error",
        }  # fmt: skip
        command = [sys.executable, "-m", "service", "worker"]
        workers = [subprocess.Popen(command, env=environment) for _ in range(count)]
        try:
            assert sleep_until(lambda: len(store.keys(keys.metrics("worker-*"))) == count, seconds=PATIENCE)
            asyncio.run(_fill(embedded.url))
            inboxes = store.keys("tocsin:*:inbox")
            begun = time.perf_counter()
            assert sleep_until(lambda: not any(map(store.xlen, inboxes)), seconds=PATIENCE, every=0.02)
            return EMBEDDED / (time.perf_counter() - begun)
        finally:
            for one in workers:
                one.terminate()
            for one in workers:
                one.wait()


async def _fill(url: str) -> None:
    rooms, said = open_rooms(load_settings(store_url=url), url), texts()
    start = datetime.now(UTC) - timedelta(hours=2)
    await rooms.inbox.accept([Entry(_message(n, said[n], start)) for n in range(EMBEDDED)], datetime.now(UTC))
    await rooms.store.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--worker", type=float, required=True, help="messages a second that a core of a worker takes"
    )
    arguments.add_argument("--ingest", type=float, required=True, help="messages a second that a core of the api takes")
    given, terms = arguments.parse_args(), Terms()
    store, kept, wire = asyncio.run(_store_costs())
    units = Units(1 / given.ingest, 1 / given.worker, store, kept, wire)
    console, table = (
        Console(),
        Table("million a day", "api", "worker", "masters", "GB", "Mbit/s", "machines", "a million"),
    )
    for millions in MILLIONS:
        one = plan(millions, units, terms)
        table.add_row(
            f"{millions:,}", f"{one.api_cores:,}", f"{one.worker_cores:,}", f"{one.masters:,}", f"{one.memory_gb:,.0f}",
            f"{one.megabits:,.0f}", f"{one.machines:,}", f"{one.cost_a_million:.2f}",
        )  # fmt: skip
    console.print(f"store: {store * 1e6:.0f} µs, {kept:.0f} bytes kept a day, {wire:,.0f} bytes on the wire a message")
    console.print(terms)
    console.print(table)


if __name__ == "__main__":
    main()
