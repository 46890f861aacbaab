"""What a few named messages of new issues do to the encoder: ``python tests/benchmarks/retrain.py DATA``.

DATA holds sets as ``NAME/data.csv`` with text and label. Half of a set's labels are what is known, half are new: a map
of the vectors is learnt (with ``--tune`` the encoder is tuned, too, apart) from some messages a new label, and messages of
the known ones (unnamed) are kept where they are, as ``tocsin-train retrain`` does. Held-out messages of both are grouped
before and after. Prints a line a run, then JSON. With two new labels k-means of the new part hangs on which two they are:
``--every`` takes each choice of new labels once.
"""

import argparse
import csv
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.embed import Centring, Vectors, language_of, unit
from models.encoder.prepare import prepare
from models.gist import gist
from training.exam import Known
from training.grouping import Grouping, grouping
from training.lowrank import UpperLayers
from training.stretch import learn, subject_of
from training.tuning import TUNING, Lesson, Tuned, tune

LEARNT = 32  # messages a label, at most
LEAST_JUDGED = 12  # messages a label
PARTS = ("known", "new", "both")

Labelled = dict[str, list[str]]
Embed = Callable[[Sequence[str]], Vectors]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--set", default="banking77")
    arguments.add_argument("--shots", type=int, nargs="+", default=[8, 16, 32])
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments.add_argument("--every", action="store_true", help="each choice of new labels once, not those of seeds")
    arguments.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what is judged; the new part alone is quick"
    )
    arguments.add_argument(
        "--shuffled", action="store_true", help="labels that mean nothing: the exam should keep nothing"
    )
    arguments.add_argument("--tune", action="store_true", help="tune the encoder as well, for comparison")
    arguments.add_argument("--steps", type=int, default=TUNING.steps)
    arguments.add_argument("--encoder", type=Path, help="prepared folder; else e5 without the intent adapter")
    arguments.add_argument("--held-out", type=int, default=12, help="messages a label to judge by, 12 to so many")
    arguments.add_argument("--known", type=int, default=0, help="known labels; else half")
    arguments.add_argument("--hold", type=float, default=TUNING.hold)
    arguments.add_argument("--longest", type=int, default=0, help="characters of a text, at most; 0: all")
    arguments.add_argument("--pool", type=int, default=0, help="messages a label that all seeds draw from; 0: all")
    arguments.add_argument("--vectors", type=Path, help="npz file of the encoder's vectors, kept between runs")
    arguments.add_argument("--setfit", type=int, nargs="*", default=[], help="shots at which SetFit runs beside it")
    arguments.add_argument(
        "--setfit-steps", type=int, default=TUNING.steps, help="batches of 16 pairs; -1: its default"
    )
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    cache = Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser()
    folder = given.encoder or prepare(cache, adapter=None)  # the shipped adapter has seen banking77
    labelled = read(given.data / given.set / "data.csv", LEAST_JUDGED + LEARNT, given.longest)
    if given.pool:
        chance = random.Random(99)
        labelled = {label: chance.sample(own, min(given.pool, len(own))) for label, own in labelled.items()}
    plain = remembered(UpperLayers(folder, layers=TUNING.layers, rank=TUNING.rank, seed=0).embed, given.vectors)
    drawn = splits(list(labelled), given.known or len(labelled) // 2, None if given.every else given.seeds)
    runs = [one(labelled, folder, plain, shots, given, *split) for shots in given.shots for split in drawn]
    told = {"set": given.set, "encoder": folder.name, "mean": means(runs), "gain": gains(runs), "runs": runs}
    print(json.dumps(told, indent=1, ensure_ascii=False))


def splits(labels: list[str], known: int, seeds: Sequence[int] | None) -> list[tuple[int, list[str], list[str]]]:
    """A seed with known and new labels each: as the seeds draw them, or each choice once with its number as the seed."""
    if seeds is None:
        choices = combinations(labels, len(labels) - known)
        return [(at, [one for one in labels if one not in new], list(new)) for at, new in enumerate(choices)]
    mixed = {seed: random.Random(seed).sample(labels, len(labels)) for seed in seeds}
    return [(seed, mixed[seed][:known], mixed[seed][known:]) for seed in seeds]


def read(path: Path, least: int, longest: int) -> Labelled:
    """Different texts with one label each, by label; of labels with at least so many that are not too long."""
    labels: dict[str, set[str]] = defaultdict(set)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels[row["text"].strip()].add(row["label"])
    found: Labelled = defaultdict(list)
    for text, names in labels.items():
        if len(names) == 1 and text and (not longest or len(text) <= longest):
            found[min(names)].append(gist(text))
    return {label: texts for label, texts in sorted(found.items()) if len(texts) >= least}


def remembered(embed: Embed, path: Path | None = None) -> Embed:
    """The same vectors, each text embedded once; kept in the file at ``path``, if given."""
    known: dict[str, NDArray[np.float32]] = {}
    if path and path.is_file():
        with np.load(path) as arrays:
            known.update(zip(arrays["texts"].tolist(), arrays["vectors"], strict=True))

    def found(texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embed(new), strict=True))
            if path:
                np.savez(path, texts=np.array(list(known)), vectors=np.stack(list(known.values())))
        return np.stack([known[text] for text in texts])

    return found


def one(
    labelled: Labelled,
    folder: Path,
    plain: Embed,
    shots: int,
    given: argparse.Namespace,
    seed: int,
    known: list[str],
    new: list[str],
) -> dict[str, Any]:
    """One run; ``plain`` embeds by the encoder of ``folder`` as it is."""
    chance = random.Random(seed)
    labels = chance.sample(list(labelled), len(labelled))  # messages are drawn in this order, whatever is new
    most = given.held_out + LEARNT
    texts = {label: chance.sample(labelled[label], min(most, len(labelled[label]))) for label in labels}
    judge = {label: texts[label][:-LEARNT] for label in labels}
    learnt = {label: texts[label][-LEARNT:] for label in labels}
    named = {label: learnt[label][:shots] for label in new}
    named = shuffled(named, chance) if given.shuffled else named
    sides = {"known": known, "new": new, "both": [*known, *new]}
    parts = {part: sides[part] for part in given.parts}
    before = judged(plain, judge, parts)
    held = [text for label in known for text in learnt[label]]
    taught = lesson(plain, named, held, len(known))
    plain([text for own in named.values() for text in own])  # so that the time is that of the map
    begun = time.process_time()
    stretched, exam = stretch(plain, named, taught)
    took = time.process_time() - begun
    arms = {"before": before, "stretch": judged(plain, judge, parts, stretched)}
    told = f"{shots} a label, seed {seed}; stretch {took:.0f} s, {exam}"
    if given.tune:
        encoder = UpperLayers(folder, layers=TUNING.layers, rank=TUNING.rank, seed=seed)
        begun = time.process_time()
        tuned = tune(encoder, taught, replace(TUNING, steps=given.steps, hold=given.hold, seed=seed))
        told += f"; tuning {time.process_time() - begun:.0f} s, {tuned}"
        arms["tuned"] = judged(remembered(encoder.embed), judge, parts)
    if shots in given.setfit:
        begun = time.process_time()
        body = setfit(folder, named, given.setfit_steps, seed)
        told += f"; SetFit {time.process_time() - begun:.0f} s"
        arms["setfit"] = judged(remembered(body), judge, parts)
    for name, figures in arms.items():
        told += f"\n  {name}: " + ", ".join(f"{part} {short(figures[part])}" for part in parts)
    print(told, flush=True)
    figures = {part: {name: asdict(arm[part]) for name, arm in arms.items()} for part in parts}
    return {"shots": shots, "seed": seed, "seconds": round(took, 1), "kept": exam.share, "new labels": new, **figures}


def shuffled(named: Labelled, chance: random.Random) -> Labelled:
    """The same texts, each under a label drawn at random; as many a label as before."""
    texts = [text for own in named.values() for text in own]
    mixed = iter(chance.sample(texts, len(texts)))
    return {label: [next(mixed) for _ in own] for label, own in named.items()}


def stretch(embed: Embed, named: Labelled, taught: Lesson) -> tuple[NDArray[np.float32] | None, Tuned]:
    """The map that a retraining learns, and its exam; vectors are centred by the known and the named together."""
    known = taught.known
    assert known is not None
    texts = [*known.texts, *(text for own in named.values() for text in own)]
    languages = [language_of(text) for text in texts]
    vectors = embed(texts)
    vectors = Centring.fit(vectors, languages).apply(vectors, languages)
    labels = [None] * len(known.texts) + [label for label, own in named.items() for _ in own]
    nearest = (vectors[: len(known.texts)] @ known.places.T).argmax(axis=1)
    topics = [*nearest.tolist(), *[None] * (len(texts) - len(known.texts))]
    subject = subject_of(vectors, labels, topics, known.places)
    assert subject is not None
    found, exam = learn(subject)
    return (found.matrix if found else None), exam


def lesson(embed: Embed, named: Labelled, held: list[str], count: int) -> Lesson:
    """What a service would know: unnamed messages as it has grouped them, by k-means and not by their labels."""
    from sklearn.cluster import KMeans

    languages = [language_of(text) for text in held]
    vectors = embed(held)
    centring = Centring.fit(vectors, languages)
    found = KMeans(count, n_init=3, random_state=0).fit(centring.apply(vectors, languages))
    topics: Labelled = defaultdict(list)
    for text, name in zip(held, found.labels_, strict=True):
        topics[str(name)].append(text)
    return Lesson(named, topics, [], Known(held, unit(found.cluster_centers_), centring))


def setfit(folder: Path, named: Labelled, steps: int, seed: int) -> Embed:
    """The body that SetFit (Tunstall et al., 2022) tunes on the same messages, by its own defaults but for the steps."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    pairs = [(text, number) for number, texts in enumerate(named.values()) for text in texts]
    data = Dataset.from_dict({"text": [text for text, _ in pairs], "label": [label for _, label in pairs]})
    model = SetFitModel.from_pretrained(str(folder))
    with TemporaryDirectory() as scratch:
        how = TrainingArguments(scratch, max_steps=steps, seed=seed, report_to="none", save_strategy="no")
        Trainer(model=model, args=how, train_dataset=data).train()
    return lambda texts: model.model_body.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)


def short(found: Grouping) -> str:
    return f"{found.knn1:.3f}/{found.nmi:.3f}"


def judged(
    embed: Embed, texts: Labelled, parts: dict[str, list[str]], matrix: NDArray[np.float32] | None = None
) -> dict[str, Grouping]:
    """Held-out messages of the labels of each part; behind a map, where there is one."""
    found = {}
    for part, labels in parts.items():
        said = [text for label in labels for text in texts[label]]
        languages = [language_of(text) for text in said]
        vectors = embed(said)
        vectors = replace(Centring.fit(vectors, languages), stretch=matrix).apply(vectors, languages)
        found[part] = grouping(vectors, [label for label in labels for _ in texts[label]])
    return found


def gains(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the stretch adds to NMI of the new part, where that is judged: mean and standard error; and of how many runs,
    how many kept some of it, and how many lost over .01."""
    found = {}
    for shots in sorted({run["shots"] for run in runs}):
        some = [run for run in runs if run["shots"] == shots and "new" in run]
        if not some:
            continue
        added = [run["new"]["stretch"]["nmi"] - run["new"]["before"]["nmi"] for run in some]
        found[str(shots)] = {
            "runs": len(some),
            "kept": sum(run["kept"] > 0 for run in some),
            "lost": sum(one < -0.01 for one in added),
            "mean": round(fmean(added), 3),
            "error": round(stdev(added) / len(added) ** 0.5, 3) if len(added) > 1 else None,
        }
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
                for side in ("before", "stretch", "tuned", "setfit")
                if all(side in run[part] for run in runs if run["shots"] == shots)
            }
            for part in PARTS
            if part in runs[0]
        }
        for shots in sorted({run["shots"] for run in runs})
    }


if __name__ == "__main__":
    main()
