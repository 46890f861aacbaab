"""A part of `make bench`: the door beside bare FastAPI endpoints that run on the same server, in alternating rounds.

Rates are messages a second of the serving process's processor time, which is what one core takes where the store and
the sender have others; beside them stand the rates by the clock. Messages carry an id, a customer, a time, a channel and
three attributes; one in ten holds a telephone number of the test range and a name.
"""

import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from service.settings import environment_of, load_settings
from service.store.embedded import EmbeddedStore
from service.store.redis import Store
from tests.benchmarks.figure import Figure, ratio

ROUNDS = 7
SINGLES, BATCHES, BATCH = 2_000, 24, 500
CONNECTIONS = {"singles": 32, "batches": 4}
_UNIT = "messages/s of a core"
BY_CORE = "batches of 500 over HTTP, on one core"
_BARE = """
import sys, uvicorn
from fastapi import FastAPI, Request
from service.api.messages import MessageIn
app = FastAPI()
@app.post("/raw", status_code=202)
async def raw(request: Request) -> dict[str, int]:
    await request.json()
    return {"accepted": 1}
@app.post("/model", status_code=202)
async def model(message: MessageIn) -> dict[str, int]:
    return {"accepted": 1}
@app.post("/models", status_code=202)
async def models(messages: list[MessageIn]) -> dict[str, int]:
    return {"accepted": len(messages)}
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one round of requests took."""

    by_clock: float
    """Messages a second."""
    by_core: float
    """Messages a second of the serving process's processor time."""


class Server:
    """A serving process, and requests to it over kept connections."""

    def __init__(self, command: Sequence[str], port: int, environment: dict[str, str] | None = None) -> None:
        self.port = port
        self._process = subprocess.Popen(command, env=environment)

    def up(self) -> "Server":
        for _ in range(300):
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{self.port}/livez")
                return self
            time.sleep(0.1)
        raise TimeoutError("a server did not come up")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def rate(self, path: str, bodies: Sequence[bytes], messages: int, connections: int, status: int = 202) -> Rate:
        """Post every body over so many connections; raises where an answer has another status."""
        before, begun = processor(self._process.pid), time.perf_counter()
        asyncio.run(posted(self.port, path, bodies, connections, status))
        wall = time.perf_counter() - begun
        return Rate(messages / wall, messages / max(processor(self._process.pid) - before, 1e-9))


def processor(pid: int) -> float:
    """Seconds of the processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def posted(port: int, path: str, bodies: Sequence[bytes], connections: int, status: int) -> None:
    waiting = iter(bodies)

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in waiting:
            head = f"POST {path} HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            told = await reader.readexactly(length)
            if int(answer[9:12]) != status:
                raise RuntimeError(f"{path} answered {answer[9:12].decode()} {told[:200].decode()}")
        writer.close()

    await asyncio.gather(*(sender() for _ in range(connections)))


def messages() -> Iterator[dict[str, Any]]:
    """Messages without end, each with an id of its own."""
    from training.corpus import load_issues

    pick = random.Random(0)
    wordings = [text for issue in load_issues() for texts in issue.wordings.values() for text in texts]
    number = 0
    while True:
        number += 1
        text = pick.choice(wordings)
        if number % 10 == 0:
            text += "，我叫张三，电话13800138000" if number % 20 else ". My name is John Smith, call 13800138000"
        yield {
            "id": f"m-{number}",
            "source": "chatbot",
            "text": text,
            "customer_id": f"c{pick.randrange(10**6):06}",
            "occurred_at": "2025-03-03T08:28:32+08:00",
            "channel": "app",
            "attributes": {"sku": f"PB-{pick.randrange(50)}", "batch": f"B{pick.randrange(200)}", "region": "华东"},
        }


@contextmanager
def servers() -> Iterator[tuple[Server, Server, str]]:
    """The bare server, ours, and the address of its store; both with the defaults of their server."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder, EmbeddedStore(Path(folder)) as store:
        ports = [free_port(), free_port()]
        settings = load_settings(
            store_url=store.url, port=ports[1], hash_key="k" * 32, log_level="warning", max_backlog=10**7
        )
        environment = os.environ | environment_of(settings)
        both = [
            Server([sys.executable, "-c", _BARE, str(ports[0])], ports[0]),
            Server([sys.executable, "-m", "service", "api"], ports[1], environment),
        ]
        try:
            yield both[0].up(), both[1].up(), store.url
        finally:
            for one in both:
                one.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def emptied(url: str) -> None:
    """Empty the store, so that every round meets the same."""

    async def empty() -> None:
        store = Store.connect(url)
        await store.client.flushdb()
        await store.close()

    asyncio.run(empty())


def figures() -> list[Figure]:
    endless = messages()
    found: dict[str, list[Rate]] = {}

    def singles(broken: bool = False) -> list[bytes]:
        fault = {"text": ""} if broken else {}
        return [orjson.dumps(one | fault) for one in islice(endless, SINGLES)]

    def batches(fault: dict[str, str] | None = None) -> list[bytes]:
        rows = [list(islice(endless, BATCH)) for _ in range(BATCHES)]
        if fault:
            rows = [[one | fault if n else one for n, one in enumerate(batch)] for batch in rows]
        return [orjson.dumps(batch) for batch in rows]

    with servers() as (bare, ours, url):
        at = CONNECTIONS
        sides = {
            "raw": lambda: bare.rate("/raw", singles(), SINGLES, at["singles"]),
            "model": lambda: bare.rate("/model", singles(), SINGLES, at["singles"]),
            "single": lambda: ours.rate("/v1/messages", singles(), SINGLES, at["singles"]),
            "single refused": lambda: ours.rate("/v1/messages", singles(broken=True), SINGLES, at["singles"], 422),
            "raw batch": lambda: bare.rate("/raw", batches(), BATCHES * BATCH, at["batches"]),
            "model batch": lambda: bare.rate("/models", batches(), BATCHES * BATCH, at["batches"]),
            "batch": lambda: ours.rate("/v1/messages:batch", batches(), BATCHES * BATCH, at["batches"]),
            "batch refused": lambda: ours.rate(
                "/v1/messages:batch", batches({"sku": "wrong"}), BATCHES * BATCH, at["batches"]
            ),
        }
        for number in range(ROUNDS + 1):  # the first warms everything up
            for name in sides if number % 2 else reversed(sides):
                emptied(url)
                rate = sides[name]()
                if number:
                    found.setdefault(name, []).append(rate)
    return rows(found)


def rows(found: dict[str, list[Rate]]) -> list[Figure]:
    def row(name: str, ours: str, theirs: str, peer: str, goal: float | None = None) -> Figure:
        mine, others = ([rate.by_core for rate in found[side]] for side in (ours, theirs))
        clocks = [[rate.by_clock for rate in found[side]] for side in (ours, theirs)]
        note = f"by the clock {median(clocks[0]):,.0f}, ratio {ratio(*clocks):.2f}"
        peer = f"{peer} ({median(others):,.0f})"
        return Figure(name, median(mine), _UNIT, ratio(mine, others), peer, goal, note=note)

    by_core = median(rate.by_core for rate in found["batch"])
    bare = "a bare FastAPI endpoint"
    return [
        row("single messages over HTTP", "single", "model", f"{bare} with the Pydantic model", 0.6),
        row("single messages over HTTP", "single", "raw", f"{bare} that parses JSON"),
        row("single messages refused", "single refused", "single", "those taken", 1.0),
        row("batches of 500 over HTTP", "batch", "model batch", f"{bare} with the Pydantic model"),
        row("batches of 500 over HTTP", "batch", "raw batch", f"{bare} that parses JSON"),
        Figure(BY_CORE, by_core, _UNIT, goal=30_000),
        row("batches of 500, 499 refused", "batch refused", "batch", "those taken", 1.0),
    ]
