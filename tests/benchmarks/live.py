"""A part of `make bench`: the whole service on this machine: messages a second, burst to alert, memory, what is kept."""

import asyncio
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from rich.console import Console

from service.commands.serve import Group
from service.settings import TimeMode, load_settings
from service.store.embedded import running_url
from service.store.redis import Store
from tests.benchmarks.figure import Figure

MESSAGES = 3_000
BATCH = 500
PACE = timedelta(minutes=2)  # between messages, so that they are four days of history
BURST = 20
BURSTS = 8
CALM = 15  # messages as before between two bursts
PATIENCE = 180.0  # seconds that an alert is waited for
_BARE = """
import sys, uvicorn
from fastapi import FastAPI, Request
app = FastAPI()
@app.post("/", status_code=202)
async def take(request: Request) -> dict[str, int]:
    return {"accepted": len(await request.json())}
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


def texts() -> list[str]:
    from training.corpus import load_issues

    wordings = [text for issue in load_issues() for texts in issue.wordings.values() for text in texts]
    random.Random(0).shuffle(wordings)  # no issue surges of itself
    return [f"{wordings[n % len(wordings)]} {n}" for n in range(MESSAGES)]


def batch_of(
    texts: Sequence[str], start: datetime, pace: timedelta, name: str, attributes: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Messages of a customer each, one behind another; their ids begin with ``name``."""
    return [
        {
            "id": f"{name}-{n}",
            "text": text,
            "customer_id": f"{name}-{n}",
            "occurred_at": (start + n * pace).isoformat(),
            "attributes": dict(attributes or {}),
        }
        for n, text in enumerate(texts)
    ]


def batches() -> list[list[dict[str, Any]]]:
    start = datetime.now(UTC) - PACE * (MESSAGES + (BURSTS + 2) * CALM)
    messages = batch_of(texts(), start, PACE, "m")
    return [messages[begin : begin + BATCH] for begin in range(0, len(messages), BATCH)]


def posted(client: httpx.Client, path: str) -> float:
    """Messages a second through a door, in batches, by one sender."""
    begun = time.perf_counter()
    for batch in batches():
        client.post(path, json=batch).raise_for_status()
    return MESSAGES / (time.perf_counter() - begun)


def bare_endpoint() -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-c", _BARE, str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            for _ in range(300):
                try:
                    client.get("/")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            return posted(client, "/")
    finally:
        server.terminate()
        server.wait()


def encoder_alone() -> float:
    from models.gist import gist
    from service.wiring import build_embedder

    embedder = build_embedder(load_settings(encoder_cache=0))
    sample = [gist(text) for text in texts()[:1_500]]
    embedder.embed(sample[:64])
    begun = time.perf_counter()
    for start in range(0, len(sample), 64):
        embedder.embed(sample[start : start + 64])
    return len(sample) / (time.perf_counter() - begun)


async def pipelined_xadd(url: str) -> float:
    store = Store.connect(url)
    begun = time.perf_counter()
    for batch in batches():
        pipe = store.client.pipeline(transaction=False)
        for message in batch:
            pipe.xadd("bench", {"m": json.dumps(message)})
        await pipe.execute()
    speed = MESSAGES / (time.perf_counter() - begun)
    await store.client.delete("bench")
    await store.close()
    return speed


def counted(client: httpx.Client) -> float:
    """Messages a second through the worker, from a full inbox to an empty one."""
    waiting = [(time.perf_counter(), client.get("/v1/status").json()["waiting"])]
    while waiting[-1][1] > 0 and len(waiting) < 2_000:
        time.sleep(0.3)
        waiting.append((time.perf_counter(), client.get("/v1/status").json()["waiting"]))
    done = waiting[0][1] - waiting[-1][1]
    return float(done / (waiting[-1][0] - waiting[0][0]))


class Told:
    """The ids of the messages in the samples of every alert, as the stream of alerts tells of them."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._at: dict[str, float] = {}
        self._listening = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        self._listening.wait(30)

    def at(self, prefix: str, until: float) -> float | None:
        """When an alert came that shows a message whose id begins so; None where none has by then."""
        while time.perf_counter() < until:
            for name, at in list(self._at.items()):
                if name.startswith(prefix):
                    return at
            time.sleep(0.02)
        return None

    def _listen(self) -> None:
        with (
            suppress(httpx.HTTPError),
            self._client.stream("GET", "/v1/alerts/stream", timeout=httpx.Timeout(10, read=PATIENCE)) as stream,
        ):
            for line in stream.iter_lines():
                self._listening.set()
                told = json.loads(line[5:]) if line.startswith("data:") else {}
                if "alert" in told:
                    at = time.perf_counter()
                    alert = self._client.get(f"/v1/alerts/{told['alert']['alert_id']}").json()
                    for sample in alert["samples"]:
                        self._at.setdefault(sample["message_id"], at)


def noticed(client: httpx.Client) -> list[float | None]:
    """Seconds from posting each of several bursts, of one issue and one batch each, to its alert on the stream; None where
    none came. Between two of them time goes on as before."""
    from training.corpus import load_issues

    issues = sorted(load_issues(), key=lambda one: -len(one.wordings["en"]))[:BURSTS]
    told = Told(client)
    calm = iter(batch_of(texts()[: BURSTS * CALM], datetime.now(UTC) - PACE * (BURSTS + 1) * CALM, PACE, "calm"))
    found = []
    for number, issue in enumerate(issues):
        between = list(islice(calm, CALM))
        client.post("/v1/messages:batch", json=between).raise_for_status()
        counted(client)
        time.sleep(3)
        said = [f"{issue.wordings['en'][n % len(issue.wordings['en'])]} {n}" for n in range(BURST)]
        last = datetime.fromisoformat(between[-1]["occurred_at"])
        burst = batch_of(said, last, timedelta(seconds=10), f"burst-{number}", {"batch": f"B{number}"})
        begun = time.perf_counter()
        client.post("/v1/messages:batch", json=burst).raise_for_status()
        at = told.at(f"burst-{number}-", begun + 20)
        found.append(None if at is None else at - begun)
    return found


def settled(client: httpx.Client) -> None:
    """Wait until the judge has judged what was counted."""
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end and not client.get("/v1/topics").json()["topics"]:
        time.sleep(0.5)
    time.sleep(10)


def burst_figures(spans: Sequence[float | None]) -> list[Figure]:
    came = [span for span in spans if span is not None]
    name, note = "burst, POST to the alert on the stream", f"{len(came)} of {len(spans)} bursts told"
    if not came:
        return [Figure(f"{name}: told", 0, "bursts", goal=1)]
    return [
        Figure(f"{name}, median", median(came), "s", note=note),
        Figure(f"{name}, slowest", max(came), "s", note=note),
    ]


def memory(group: Group) -> dict[str, int]:
    """Resident megabytes of each role."""
    found = {}
    for role in ("api", "worker-0", "judge", "deliver"):
        lines = Path(f"/proc/{group.pid(role)}/status").read_text().splitlines()
        found[role] = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1_024
    return found


async def kept(url: str) -> dict[str, float]:
    """What the store keeps: bytes of samples a topic (and a message of them), and of all recent messages together."""
    store = Store.connect(url)
    found: dict[str, float] = {}
    for kind in ("samples", "recent"):
        names = [name async for name in store.client.scan_iter(f"tocsin:*:{kind}*")]
        size = sum([await store.client.memory_usage(name, samples=0) for name in names])
        messages = sum([await store.client.xlen(name) for name in names])
        topics = len({name.split(b":")[-1] for name in names})
        found[f"{kind}_bytes"] = size / topics
        found[f"{kind}_bytes_a_message"] = size / max(messages, 1)
    await store.close()
    return found


def figures() -> list[Figure]:
    bare, encoder = bare_endpoint(), encoder_alone()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        data = Path(folder) / "store"
        settings = load_settings(data_dir=data, port=0, time=TimeMode.event, encoder_cache=0, log_level="warning")
        with (
            Group(settings, Console(stderr=True)) as group,
            httpx.Client(base_url=group.url, timeout=60) as client,
        ):
            url = running_url(data)
            assert url is not None
            xadd = asyncio.run(pipelined_xadd(url))
            ingest = posted(client, "/v1/messages:batch")
            worker = counted(client)
            settled(client)
            spans = noticed(client)
            resident = memory(group)
            held = asyncio.run(kept(url))
    rate = "messages/s"
    return [
        Figure("batches of 500 over HTTP", ingest, rate, ingest / bare, f"a bare FastAPI endpoint ({bare:,.0f})"),
        Figure("batches of 500 over HTTP", ingest, rate, ingest / xadd, f"pipelined XADD ({xadd:,.0f})"),
        Figure("worker", worker, rate, worker / encoder, f"the encoder alone in batches of 64 ({encoder:,.0f})"),
        *burst_figures(spans),
        *(Figure(f"memory of {role}", mb, "MB") for role, mb in resident.items()),
        *(Figure(f"kept: {name.replace('_', ' ')}", size, "bytes") for name, size in held.items()),
    ]
