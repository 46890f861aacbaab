"""A part of `make bench`: messages a second from POST to counted, beside the usual ways to sort messages into topics.

The peers take the same messages in the same run, in turns, on the same two cores: BERTopic's ``transform``, and the
plain pipeline (encode one by one, ``hdbscan.approximate_predict``, one INCR each in the same store). Both have plain
sentence-transformers in float32 with the service's own weights, and are fitted on the history that the service found
its topics in. Needs the extra ``bench``. ``python -m tests.benchmarks.endtoend`` prints the figures.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import redis
from rich.console import Console

from models.embed import Vectors
from models.encoder.prepare import prepare
from models.sentence import TorchEmbedder
from service.commands.serve import Group
from service.settings import TimeMode, load_settings
from service.store.embedded import running_url
from tests.benchmarks.chat import new, repeating
from tests.benchmarks.figure import Figure, alternated, ratio
from tests.benchmarks.live import settled

HISTORY, PACE = 800, timedelta(minutes=6)
MEASURED, ROUNDS, BATCH = 150, 2, 50
REPEATING = 3_000
"""Messages of the stream that repeats itself; the cache fills with it, as with any."""
SINGLES = 100
PATIENCE = 300.0


def figures() -> list[Figure]:
    warnings.simplefilter("ignore")
    history = new(HISTORY, seed=7)
    peers = Peers(history)
    fresh = new(MEASURED * ROUNDS, seed=8)
    told: list[Figure] = []
    with serving(history, cache=0) as (client, url):
        parts = iter(range(ROUNDS)), iter(range(ROUNDS)), iter(range(ROUNDS))

        def part(side: int) -> list[str]:
            start = next(parts[side]) * MEASURED
            return fresh[start : start + MEASURED]

        ours, bertopic, plain = alternated(
            [
                lambda: through(client, url, part(0)),
                lambda: rate(peers.bertopic, part(1)),
                lambda: rate(lambda texts: peers.plain(texts, url), part(2)),
            ],
            ROUNDS,
        )
        told += beside("POST to counted, each text new", ours, bertopic, plain, 5)
        told += latencies(client)
    with serving(history, cache=50_000) as (client, url):
        stream = repeating(REPEATING, seed=9)

        def peer(work: Callable[[Sequence[str]], None]) -> float:
            return rate(work, stream[:MEASURED])

        before = peer(peers.bertopic), peer(lambda texts: peers.plain(texts, url))
        ours = through(client, url, stream)
        after = peer(peers.bertopic), peer(lambda texts: peers.plain(texts, url))
        bertopic, plain = map(list, zip(before, after, strict=True))
        told += beside("POST to counted, repeating chat", [ours, ours], bertopic, plain, 10)
    return told


def latencies(client: httpx.Client) -> list[Figure]:
    """From POST to counted, one message at a time."""
    spans = [one_by_one(client, number) for number in range(SINGLES)]
    return [
        Figure("one message, POST to counted, p50", 1_000 * median(spans), "ms"),
        Figure("one message, POST to counted, p99", 1_000 * quantiles(spans, n=100)[98], "ms"),
    ]


def alone() -> list[Figure]:
    """The latencies without the peers."""
    with serving(new(HISTORY, seed=7), cache=0) as (client, _):
        return latencies(client)


def beside(
    name: str, ours: Sequence[float], bertopic: Sequence[float], plain: Sequence[float], goal: float
) -> list[Figure]:
    unit = "messages/s"
    return [
        Figure(name, median(ours), unit, ratio(ours, bertopic), f"BERTopic.transform ({median(bertopic):.0f})", goal),
        Figure(name, median(ours), unit, ratio(ours, plain), f"the plain pipeline ({median(plain):.0f})", goal),
    ]


class Peers:
    """Both peers, fitted on ``history``."""

    def __init__(self, history: Sequence[str]) -> None:
        import hdbscan
        from bertopic import BERTopic
        from umap import UMAP

        self._encoder = TorchEmbedder(
            prepare(load_settings().cache, adapter=None), threads=len(os.sched_getaffinity(0))
        )
        vectors = self._encoder.embed(history)
        self._bertopic = BERTopic(
            embedding_model=_backend(self._encoder), umap_model=UMAP(n_components=5, metric="cosine", random_state=0),
            hdbscan_model=hdbscan.HDBSCAN(min_cluster_size=10, prediction_data=True), calculate_probabilities=False,
        )  # fmt: skip
        self._bertopic.fit(list(history), vectors)
        self._clusterer = hdbscan.HDBSCAN(min_cluster_size=5, prediction_data=True).fit(vectors)

    def bertopic(self, texts: Sequence[str]) -> None:
        self._bertopic.transform(list(texts))

    def plain(self, texts: Sequence[str], url: str) -> None:
        import hdbscan

        with redis.Redis.from_url(url) as store:
            for text in texts:
                labels, _ = hdbscan.approximate_predict(self._clusterer, self._encoder.embed([text]))
                store.incr(f"bench:{labels[0]}")


def _backend(encoder: TorchEmbedder) -> Any:
    """The encoder as BERTopic asks for one."""
    from bertopic.backend import BaseEmbedder

    class Backend(BaseEmbedder):
        def embed(self, documents: Sequence[str], verbose: bool = False) -> Vectors:
            return encoder.embed(documents)

    return Backend()


@contextmanager
def serving(history: Sequence[str], *, cache: int) -> Iterator[tuple[httpx.Client, str]]:
    """The whole service with its topics found in ``history``, days of it."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        data = Path(folder) / "store"
        settings = load_settings(
            data_dir=data, port=0, time=TimeMode.event, encoder_cache=cache, log_level="error",
            discover_every=timedelta(days=30), max_batch=2_000,
        )  # fmt: skip
        with (
            Group(settings, Console(stderr=True)) as group,
            httpx.Client(base_url=group.url, timeout=60, trust_env=False) as client,
        ):
            url = running_url(data)
            assert url is not None
            start = datetime.now(UTC) - PACE * (len(history) + 30)
            post(client, history, lambda number: start + number * PACE)
            drained(url)
            settled(client)
            yield client, url


def through(client: httpx.Client, url: str, texts: Sequence[str]) -> float:
    """Messages a second from the first POST to all counted."""
    now = datetime.now(UTC) - timedelta(minutes=90)
    begun = time.perf_counter()
    post(client, texts, lambda number: now + timedelta(milliseconds=number))
    drained(url)
    return len(texts) / (time.perf_counter() - begun)


def post(client: httpx.Client, texts: Sequence[str], at: Callable[[int], datetime]) -> None:
    serial = f"{time.monotonic_ns()}"
    messages = [
        {"id": f"{serial}-{n}", "text": text, "customer_id": f"c{serial}{n}", "occurred_at": at(n).isoformat()}
        for n, text in enumerate(texts)
    ]
    for start in range(0, len(messages), BATCH):
        client.post("/v1/messages:batch", json=messages[start : start + BATCH]).raise_for_status()


def drained(url: str) -> None:
    """Wait until the inboxes are empty, asking the store: what stands at `/v1/status` costs more than counting a message."""
    end = time.perf_counter() + PATIENCE
    with redis.Redis.from_url(url) as store:
        inboxes = store.keys("tocsin:*:inbox")
        while any(map(store.xlen, inboxes)) and time.perf_counter() < end:
            time.sleep(0.02)


def one_by_one(client: httpx.Client, number: int) -> float:
    """Seconds until the answer to a message that waits for its topic, which comes once it is counted."""
    text = f"充电宝充不进电了 {number}" if number % 2 else f"it stopped charging after three days {number}"
    at = datetime.now(UTC) - timedelta(minutes=80)
    begun = time.perf_counter()
    answer = client.post(
        "/v1/messages?wait=topic&timeout=10",
        json={"id": f"one-{number}", "text": text, "customer_id": f"one{number}", "occurred_at": at.isoformat()},
    )
    assert answer.raise_for_status().json()["waited"]
    return time.perf_counter() - begun


def rate(work: Callable[[Sequence[str]], None], texts: Sequence[str]) -> float:
    begun = time.perf_counter()
    work(texts)
    return len(texts) / (time.perf_counter() - begun)


if __name__ == "__main__":
    told = alone() if sys.argv[1:] == ["--latencies"] else figures()
    print(json.dumps([asdict(figure) for figure in told], indent=1))
