"""What a few named messages of new issues do to the encoder: ``python tests/benchmarks/retrain.py DATA``.

DATA holds sets as ``NAME/data.csv`` with text and label. Half of a set's labels are what is known, half are new: the
encoder is tuned on some messages a new label, with messages of the known ones (unnamed) held in place, as
``tocsin-train retrain`` does. Held-out messages of both are grouped before and after. Prints a line a run, then JSON.
"""

import argparse
import csv
import json
import os
import random
import time
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from models.embed import Centring, language_of
from models.encoder.prepare import prepare
from models.gist import gist
from training import tuning
from training.adapter import fit
from training.grouping import Grouping, grouping
from training.lowrank import UpperLayers
from training.tuning import TUNING

LEARNT, HELD_IN_PLACE = 32, 400  # messages a label, at most; known messages that are held
PARTS = ("known", "new", "both")

Labelled = dict[str, list[str]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--set", default="banking77")
    arguments.add_argument("--shots", type=int, nargs="+", default=[8, 16, 32])
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--steps", type=int, default=TUNING.steps)
    arguments.add_argument("--encoder", type=Path, help="prepared folder; else e5 without the intent adapter")
    arguments.add_argument("--held-out", type=int, default=12, help="messages a label to judge by")
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    cache = Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser()
    folder = given.encoder or prepare(cache, adapter=None)  # the shipped adapter has seen banking77
    labelled = read(given.data / given.set / "data.csv", given.held_out + LEARNT)
    runs = [
        one(labelled, folder, shots, seed, given.steps, given.held_out) for shots in given.shots for seed in given.seeds
    ]
    print(json.dumps({"set": given.set, "encoder": folder.name, "mean": means(runs), "runs": runs}, indent=1))


def read(path: Path, least: int) -> Labelled:
    """Different texts with one label each, by label; of labels with at least so many."""
    labels: dict[str, set[str]] = defaultdict(set)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels[row["text"].strip()].add(row["label"])
    found: Labelled = defaultdict(list)
    for text, names in labels.items():
        if len(names) == 1 and text:
            found[min(names)].append(gist(text))
    return {label: texts for label, texts in sorted(found.items()) if len(texts) >= least}


def one(labelled: Labelled, folder: Path, shots: int, seed: int, steps: int, out: int) -> dict[str, Any]:
    chance = random.Random(seed)
    labels = chance.sample(list(labelled), len(labelled))
    known, new = labels[: len(labels) // 2], labels[len(labels) // 2 :]
    texts = {label: chance.sample(labelled[label], out + LEARNT) for label in labels}
    encoder = UpperLayers(folder, layers=TUNING.layers, rank=TUNING.rank, seed=seed)
    judge = {label: texts[label][:out] for label in labels}
    before = judged(encoder, judge, known, new)
    named = {label: texts[label][out : out + shots] for label in new}
    held = [text for label in known for text in texts[label][out:]]
    begun = time.perf_counter()
    learnt = tuning.sources(named, topics(encoder, held, len(known)), held, seed=seed)
    recipe = replace(
        TUNING, steps=steps, seed=seed, intents=min(TUNING.intents, max(len(one.intents) for one in learnt))
    )
    fit(encoder, learnt, recipe, held=chance.sample(held, min(HELD_IN_PLACE, len(held))))
    took = time.perf_counter() - begun
    after = judged(encoder, judge, known, new)
    told = " ".join(f"{part}: {short(before[part])} -> {short(after[part])}" for part in PARTS)
    print(f"{shots} a label, seed {seed}, {took:.0f} s; kNN/NMI {told}", flush=True)
    figures = {part: {"before": asdict(before[part]), "after": asdict(after[part])} for part in PARTS}
    return {"shots": shots, "seed": seed, "seconds": round(took), **figures}


def topics(encoder: UpperLayers, texts: list[str], count: int) -> Labelled:
    """Unnamed messages as a service has grouped them: by k-means, not by their labels."""
    from sklearn.cluster import KMeans

    found: Labelled = defaultdict(list)
    for text, name in zip(
        texts, KMeans(count, n_init=3, random_state=0).fit_predict(encoder.embed(texts)), strict=True
    ):
        found[str(name)].append(text)
    return found


def short(found: Grouping) -> str:
    return f"{found.knn1:.3f}/{found.nmi:.3f}"


def judged(encoder: UpperLayers, texts: Labelled, known: list[str], new: list[str]) -> dict[str, Grouping]:
    """Held-out messages of the known labels, of the new ones, and of both side by side."""
    found = {}
    for part, labels in zip(PARTS, (known, new, [*known, *new]), strict=True):
        said = [text for label in labels for text in texts[label]]
        languages = [language_of(text) for text in said]
        vectors = encoder.embed(said)
        vectors = Centring.fit(vectors, languages).apply(vectors, languages)
        found[part] = grouping(vectors, [label for label in labels for _ in texts[label]])
    return found


def means(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds, by number of messages a label, part, side and figure."""
    return {
        str(shots): {
            part: {
                side: {
                    name: round(fmean(run[part][side][name] for run in runs if run["shots"] == shots), 3)
                    for name in ("knn1", "nmi")
                }
                for side in ("before", "after")
            }
            for part in PARTS
        }
        for shots in sorted({run["shots"] for run in runs})
    }


if __name__ == "__main__":
    main()
