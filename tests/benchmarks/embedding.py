"""A part of `make bench`: the packaged encoder beside plain sentence-transformers in float32, with the same weights.

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

TEXTS = 192
ROUNDS = 3
ALONE = 40
STREAM = 3_000
BATCH = 64  # what a worker takes at once
_BUSY = "while True: pass"


def figures() -> list[Figure]:
    threads = len(os.sched_getaffinity(0))
    folder = prepare(load_settings().cache)
    ours, plain = OnnxEmbedder(folder, threads=threads), TorchEmbedder(folder, threads=threads)
    texts = [gist(text) for text in new(TEXTS)]
    for form in (ours, plain):
        form.embed(texts[:BATCH])
    idle = beside(ours, plain, texts)
    with busy():
        contended = beside(ours, plain, texts)
    one, one_plain = alternated([lambda: alone(ours, texts), lambda: alone(plain, texts)], ROUNDS)
    cached, rate = through_cache(ours)
    return [
        Figure("encoder, each text new", *idle, "plain sentence-transformers", 5),
        Figure("encoder, one other busy process", *contended, "plain beside the same", 5),
        Figure(
            "encoder with its cache, repeating chat", cached, "messages/s", cached / idle[0] * idle[2],
            "plain sentence-transformers", 8, note=f"{rate:.0%} of messages embedded",
        ),
        Figure(
            "encoder, one text", median(one), "ms", ratio(one, one_plain), "plain sentence-transformers", 0.25, "most"
        ),
    ]  # fmt: skip


def beside(ours: Embedder, plain: Embedder, texts: Sequence[str]) -> tuple[float, str, float]:
    """Texts a second of ours, and how many times plain's."""
    found, theirs = alternated([lambda: speed(ours, texts), lambda: speed(plain, texts)], ROUNDS)
    return median(found), "texts/s", ratio(found, theirs)


def speed(form: Embedder, texts: Sequence[str]) -> float:
    return len(texts) / seconds(lambda: form.embed(texts))


def alone(form: Embedder, texts: Sequence[str]) -> float:
    return 1_000 * median(seconds(lambda text=text: form.embed([text])) for text in texts[:ALONE])


def through_cache(ours: Embedder) -> tuple[float, float]:
    """Messages a second as a worker embeds them, and the share that reached the network."""
    messages = repeating(STREAM)
    form = CachedEmbedder(ours)

    def work() -> None:
        for start in range(0, len(messages), BATCH):
            form.embed([gist(text) for text in messages[start : start + BATCH] if not is_chatter(text)])

    taken = seconds(work)
    return len(messages) / taken, len(form) / len(messages)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


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
