"""A part of `make bench`: the packaged encoder beside e5 as it comes, in plain sentence-transformers and float32.

The sides take turns; both have all cores. ``python -m tests.benchmarks.embedding`` prints the figures.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from statistics import median

from models.chatter import is_chatter
from models.embed import Embedder
from models.encoder.prepare import prepare
from models.gist import gist
from models.sentence import OnnxEmbedder, TorchEmbedder
from models.vectorcache import CachedEmbedder
from service.settings import load_settings
from tests.benchmarks.chat import new, repeating
from tests.benchmarks.figure import Figure, alternated, ratio

TEXTS = 128
ROUNDS = 2
ALONE = 12
STREAM = 2_000
BATCH = 64  # what a worker takes at once
_BUSY = "while True: pass"

Work = Callable[[], int]
"""Embeds, and answers how many messages are done."""


def figures() -> list[Figure]:
    threads = len(os.sched_getaffinity(0))
    cache = load_settings().cache
    ours = OnnxEmbedder(prepare(cache), threads=threads)
    plain = TorchEmbedder(prepare(cache, adapter=None), threads=threads)  # all layers, and the prefix
    texts = [gist(text) for text in new(TEXTS)]
    for form in (ours, plain):
        form.embed(texts[:BATCH])
    stream = repeating(STREAM)
    told = beside("each text new", lambda: every(ours, texts), lambda: every(plain, texts), 5)
    with busy():
        told += beside(
            "each text new, one more busy process", lambda: every(ours, texts), lambda: every(plain, texts), 5
        )
    told += beside(
        "repeating chat", lambda: through_cache(ours, stream), lambda: every(plain, stream[:TEXTS]), 8,
    )  # fmt: skip
    return told + beside("one by one", lambda: singly(ours, texts), lambda: singly(plain, texts), 4)


def beside(name: str, ours: Work, plain: Work, goal: float) -> list[Figure]:
    """Messages a second by the clock, and of processor time, which other work on the machine changes least."""
    (clock, own), (theirs, other) = (
        ([by_clock for by_clock, _ in rounds], [by_core for _, by_core in rounds])
        for rounds in alternated([lambda: rates(ours), lambda: rates(plain)], ROUNDS)
    )
    peer = "plain sentence-transformers"
    return [
        Figure(f"encoder, {name}", median(clock), "a second", ratio(clock, theirs), f"{peer} ({median(theirs):.0f})", goal),
        Figure(f"encoder, {name}", median(own), "a core second", ratio(own, other), f"{peer} ({median(other):.0f})", goal),
    ]  # fmt: skip


def rates(work: Work) -> tuple[float, float]:
    clock, core = time.perf_counter(), time.process_time()
    done = work()
    return done / (time.perf_counter() - clock), done / (time.process_time() - core)


def every(form: Embedder, texts: Sequence[str]) -> int:
    form.embed(texts)
    return len(texts)


def singly(form: Embedder, texts: Sequence[str]) -> int:
    for text in texts[:ALONE]:
        form.embed([text])
    return ALONE


def through_cache(ours: Embedder, messages: Sequence[str]) -> int:
    """As a worker does: chatter left out, the rest through a cache that begins empty."""
    form = CachedEmbedder(ours)
    for start in range(0, len(messages), BATCH):
        form.embed([gist(text) for text in messages[start : start + BATCH] if not is_chatter(text)])
    return len(messages)


@contextmanager
def busy() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    print(json.dumps([asdict(figure) for figure in figures()], indent=1))
