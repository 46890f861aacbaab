"""What spreading over Ray workers saves and costs: ``python -m tests.benchmarks.spread [TEXTS] [STEPS]``.

Embeds synthesised messages and tunes for some steps: in this process on one thread, with one worker, with two. Prints
seconds of each, the ratio to one worker, and how far results are from those of this process. First what one message costs
of the processor, step by step, in time of the processor alone, which tells little of who else is busy. STEPS 0: that alone.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.embed import Centring, Embedder
from models.gist import gist
from models.redact import redact
from models.sentence import load_embedder
from models.topic import Topic, TopicId
from models.topics import TopicModel
from training.adapter import Recipe, fit
from training.intents import Source as Wordings
from training.intents import read_own
from training.lowrank import UpperLayers
from training.plan import Settings
from training.spread import Source, Spread, spread_over
from training.synthesize import synthesize


def main() -> None:
    count, steps = (int(given) for given in (*sys.argv[1:], "2048", "10")[:2])
    torch.set_num_threads(1)
    source = Source(Path("~/.cache/tocsin").expanduser(), None)
    raw = [row.text for row in islice(synthesize(Settings()), count)]
    own = load_embedder(source.folder(), threads=1)
    own.embed(raw[:64])
    texts = costs(own, raw)
    if not steps:
        return
    alone, expected = timed(lambda: own.embed(texts))
    print(f"embedding {count} texts: {alone:.1f} s here, {count / alone:.0f} a second", flush=True)
    tuned, layers = timed(lambda: learn(source, steps, None))
    print(f"tuning, {steps} steps: {tuned:.1f} s here", flush=True)
    one: dict[str, float] = {}
    for workers in (1, 2):
        with spread_over(workers) as spread:
            list(spread.embed(source, texts[:64]))  # workers start, and load the encoder
            took, vectors = timed(lambda spread=spread: embedded(spread, source, texts))
            one.setdefault("embedding", took)
            least = float((vectors * expected).sum(axis=1).min())
            print(f"{workers} workers, embedding with their start: {took:.1f} s, {took / one['embedding']:.2f} of one worker; "
                  f"least cosine {least:.4f}", flush=True)  # fmt: skip
            took, other = timed(lambda spread=spread: learn(source, steps, spread))
            one.setdefault("tuning", took)
            far = max(float(np.abs(a - b).max()) for a, b in zip(layers.state(), other.state(), strict=True))
            print(f"{workers} workers, tuning with their start: {took:.1f} s, {took / one['tuning']:.2f} of one worker; "
                  f"weights at most {far:.1e} away", flush=True)  # fmt: skip


def costs(own: Embedder, raw: list[str]) -> list[str]:
    """The gists of what was redacted; prints microseconds of the processor that each step takes a message."""
    begun = time.process_time()
    redacted = [redact(text).text for text in raw]
    texts = [gist(text) for text in redacted]
    between = time.process_time()
    vectors = own.embed(texts)
    done = time.process_time()
    places = [
        Topic(TopicId(f"t{row}"), vectors[row], 0.3, 9, datetime.now(UTC)) for row in range(min(200, len(vectors)))
    ]
    model = TopicModel(own.name, Centring.none(own.dimension), tuple(places))
    model.assign(vectors[:64])
    last = time.process_time()
    model.assign(vectors)
    spent = {"redact and gist": between - begun, "embed": done - between, "place among 200": time.process_time() - last}
    print("; ".join(f"{name} {1e6 * took / len(raw):.0f} µs a message" for name, took in spent.items()), flush=True)
    return texts


def embedded(spread: Spread, source: Source, texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
    parts = sorted(spread.embed(source, texts), key=lambda part: part[0])
    return np.concatenate([vectors for _, vectors in parts])


def learn(source: Source, steps: int, spread: Spread | None) -> UpperLayers:
    recipe = Recipe(steps=steps, intents=32)
    encoder = UpperLayers(source.folder(), layers=recipe.layers, rank=recipe.rank, seed=0)
    crew = spread.crew(source, encoder, recipe) if spread else None
    own = read_own()
    fit(encoder, [Wordings(own.name, own.licence, own.intents)], recipe, crew=crew)
    return encoder


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = act()
    return time.perf_counter() - begun, found


if __name__ == "__main__":
    main()
