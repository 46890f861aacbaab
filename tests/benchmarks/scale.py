"""A part of `make bench`: unit costs in the store, one worker and one API against two; alone, machines by messages a day.

``make bench ARGS="ingest scale --json FILE"`` measures what a message costs on your machine, and
``python -m tests.benchmarks.scale FILE`` prints the table of docs/scale.md, for 10 to 1,000 million, by what it says.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
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
from tests.benchmarks.ingest import BY_CORE, free_port, messages, posted, processor
from tests.benchmarks.live import texts

MESSAGES, BATCH = 20_000, 500
TOPICS = 200
EMBEDDED = 400  # messages that workers embed in the comparison of one and two
POSTED, SENDERS = 6_000, 32  # messages that APIs take one by one in that comparison, and connections that post them
PATIENCE = 300.0  # seconds
MILLIONS = (10, 100, 1_000)


STORE, KEPT, WIRE = "store: processor time a message", "store: kept a message and day", "store: on the wire"
WORKER = "worker: embed and count, each text new"


def figures() -> list[Figure]:
    store, kept, wire = asyncio.run(_store_costs())
    (one, by_core), (two, _) = _workers(1), _workers(2)
    door, doors = _apis(1), _apis(2)
    return [
        Figure(STORE, store * 1e6, "µs", note="accept and count"),
        Figure(KEPT, kept, "bytes", note="its id, and its customer on its topic"),
        Figure(WIRE, wire, "bytes", note="a message, in and out"),
        Figure(WORKER, by_core, "messages/s of a core"),
        Figure("two workers", two, "a second", two / one, f"one worker ({one:.0f})", note="one thread each"),
        Figure("two APIs on a port", doors, "a second", doors / door, f"one API ({door:.0f})", note="and one sender"),
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


def _workers(count: int) -> tuple[float, float]:
    """Messages a second that so many worker processes embed and count, from the first to the last: by the clock, and of
    their processor time."""
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
            begun, before = time.perf_counter(), sum(processor(one.pid) for one in workers)
            assert sleep_until(lambda: not any(map(store.xlen, inboxes)), seconds=PATIENCE, every=0.02)
            spent = sum(processor(one.pid) for one in workers) - before
            return EMBEDDED / (time.perf_counter() - begun), EMBEDDED / spent
        finally:
            for one in workers:
                one.terminate()
            for one in workers:
                one.wait()


def _apis(count: int) -> float:
    """Messages a second, by the clock, that so many API processes on one port take one by one."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedStore(Path(folder), durable=False) as embedded,
        Redis.from_url(embedded.url) as store,
    ):
        port = free_port()
        environment = os.environ | {
            "TOCSIN_STORE_URL": embedded.url, "TOCSIN_HASH_KEY": "k" * 32, "TOCSIN_PORT": str(port),
            "TOCSIN_APIS": str(count), "TOCSIN_DATA_DIR": folder, "TOCSIN_LOG_LEVEL": "error",
        }  # fmt: skip
        command = [sys.executable, "-m", "service", "api"]
        apis = [subprocess.Popen(command, env=environment) for _ in range(count)]
        try:
            assert sleep_until(lambda: len(store.keys(keys.metrics("api-*"))) == count, seconds=PATIENCE)
            assert sleep_until(lambda: _heard(port), seconds=PATIENCE)
            bodies = [orjson.dumps(one) for one in islice(messages(), POSTED)]
            begun = time.perf_counter()
            asyncio.run(posted(port, "/v1/messages", bodies, SENDERS, 202))
            return POSTED / (time.perf_counter() - begun)
        finally:
            for one in apis:
                one.terminate()
            for one in apis:
                one.wait()


def _heard(port: int) -> bool:
    """Whether anybody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _fill(url: str) -> None:
    rooms, said = open_rooms(load_settings(store_url=url), url), texts()
    start = datetime.now(UTC) - timedelta(hours=2)
    await rooms.inbox.accept([Entry(_message(n, said[n], start)) for n in range(EMBEDDED)], datetime.now(UTC))
    await rooms.store.close()


def units_of(told: Mapping[str, Any]) -> Units:
    """What a message costs, by the JSON of `make bench`. Raises ``KeyError`` where a part was not run.

    >>> rows = {STORE: 80.0, KEPT: 114.0, WIRE: 1556.0, WORKER: 100.0}
    >>> scale = [{"name": name, "value": value, "unit": ""} for name, value in rows.items()]
    >>> told = {"ingest": [{"name": BY_CORE, "value": 16_000.0, "unit": "", "goal": 30_000}], "scale": scale}
    >>> units = units_of(told)
    >>> units.api, units.worker, round(units.store, 6)
    (6.25e-05, 0.01, 8e-05)
    """
    value = {row["name"]: row["value"] for row in [*told["ingest"], *told["scale"]]}
    return Units(1 / value[BY_CORE], 1 / value[WORKER], value[STORE] / 1e6, value[KEPT], value[WIRE])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("file", type=Path, help="JSON of `make bench` with the parts ingest and scale")
    told, terms = json.loads(arguments.parse_args().file.read_text()), Terms()
    units = units_of(told)
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
    console.print(f"measured on {told['cores']} cores with a load of {told['load']:.0f}")
    console.print(units)
    console.print(terms)
    console.print(table)


if __name__ == "__main__":
    main()
