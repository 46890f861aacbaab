"""Speed, agreement and quality of the default encoder: ``python tests/benchmarks/encoder.py DATA``.

DATA holds ``aftersales_240.py`` (ZH and EN: texts by intent), and the folders of `SETS`, each with a ``data.csv`` that
has the columns ``text`` and ``label``. Prints JSON. Run it on an otherwise idle machine.
"""

import argparse
import csv
import json
import os
import runpy
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from models.embed import Centring, Embedder, Vectors, language_of
from models.encoder import adapter as adapters
from models.encoder.prepare import prepare
from models.gist import gist
from models.sentence import OnnxEmbedder, TorchEmbedder
from models.vectorcache import alike
from training.grouping import grouping

STREAMS = {"zh": "online_shopping_10_cats", "en": "us_airline_tweets"}
SETS = {
    "online_shopping_10_cats": (), "us_airline_tweets": ("(not negative)", "Can't Tell"),
    "tianchi_beauty_absa": ("整体",), "banking77": (), "hwu64": (),
}  # fmt: skip
"""Sets whose labels tell issues apart, with the labels that don't."""
LABELLED = 600  # texts of each: kNN and k-means are then sure to about .02
ROUNDS = 3


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--texts", type=int, default=512, help="texts a language for speed and agreement")
    arguments.add_argument("--plain", action="store_true", help="without the intent adapter")
    arguments.add_argument("--whole", type=Path, help="adapter of the whole encoder to set beside, else e5 as it comes")
    given = arguments.parse_args()
    cache = Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser()
    whole = prepare(cache, adapter=adapters.load(given.whole) if given.whole else None)
    folder = whole if given.plain else prepare(cache)
    forms: dict[str, Embedder] = {
        "onnx int8": OnnxEmbedder(folder, threads=given.threads),
        "torch float32": TorchEmbedder(folder, threads=given.threads),
    }
    if not given.plain:
        forms["whole, float32"] = TorchEmbedder(whole, threads=given.threads)
    texts = {language: sampled(given.data / name / "data.csv", given.texts) for language, name in STREAMS.items()}
    report: dict[str, Any] = {
        "encoder": forms["onnx int8"].name,
        "threads": given.threads,
        "load": os.getloadavg()[0],
        "messages_per_second": speeds(forms, texts),
        "milliseconds_for_one": {name: alone(form, texts["zh"][:50]) for name, form in forms.items()},
        "cosine_int8_to_float32": {
            language: agreement(forms["onnx int8"], forms["torch float32"], texts[language]) for language in texts
        },
        "cosine_int8_alone_to_batched": neighbours(forms["onnx int8"], texts["zh"] + texts["en"]),
        "grouping": {name: qualities(form, given.data) for name, form in forms.items()},
        "share_of_texts_said_before": {name: repeats(given.data / name / "data.csv") for name in SETS},
    }
    print(json.dumps(report, indent=2))


def sampled(path: Path, count: int) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return [texts[index] for index in np.random.default_rng(0).permutation(len(texts))[:count]]


def speeds(forms: dict[str, Embedder], texts: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    """Messages a second, the best of `ROUNDS`, the forms taking turns so that other work hits both."""
    best = {name: dict.fromkeys(texts, 0) for name in forms}
    for _ in range(ROUNDS):
        for name, form in forms.items():
            for language, own in texts.items():
                rate = round(len(own) / seconds(lambda form=form, own=own: form.embed(own)))
                best[name][language] = max(best[name][language], rate)
    return best


def alone(form: Embedder, texts: list[str]) -> float:
    return round(1000 * min(seconds(lambda text=text: form.embed([text])) for text in texts), 1)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def agreement(fast: Embedder, reference: Embedder, texts: list[str]) -> dict[str, float]:
    return spread(fast.embed(texts), reference.embed(texts))


def neighbours(form: Embedder, texts: list[str]) -> dict[str, float]:
    return spread(form.embed(texts), np.concatenate([form.embed([text]) for text in texts]))


def spread(one: Vectors, other: Vectors) -> dict[str, float]:
    cosines = (one * other).sum(axis=1)
    return {"least": round(float(cosines.min()), 4), "mean": round(float(cosines.mean()), 4)}


def repeats(path: Path) -> dict[str, float]:
    """Of all texts of a file, those that were there before: to the letter, and as the cache sees them."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return {
        "exact": round(1 - len(set(texts)) / len(texts), 4),
        "alike": round(1 - len({alike(gist(text)) for text in texts}) / len(texts), 4),
    }


def labelled(path: Path, left_out: Sequence[str]) -> list[tuple[str, str]]:
    """`LABELLED` different texts of a file that bear one label."""
    labels: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels.setdefault(row["text"], set()).add(row["label"])
    rows = [(text, *own) for text, own in labels.items() if len(own) == 1 and not own & {*left_out}]
    return [rows[index] for index in np.random.default_rng(0).permutation(len(rows))[:LABELLED]]


def qualities(form: Embedder, data: Path) -> dict[str, dict[str, float]]:
    """kNN1, NMI and ARI of twelve after-sales intents and of `SETS`, centred as stated; the sets by language."""
    written = runpy.run_path(str(data / "aftersales_240.py"))
    rows = {
        language: [(text, label) for label, own in written[language.upper()].items() for text in own]
        for language in ("zh", "en")
    }
    mixed = rows["zh"] + rows["en"]
    return {
        "zh": quality(form, rows["zh"], by_language=False),
        "en": quality(form, rows["en"], by_language=False),
        "mixed, one mean": quality(form, mixed, by_language=False),
        "mixed, a mean per language": quality(form, mixed, by_language=True),
    } | {
        name: quality(form, labelled(data / name / "data.csv", left_out), by_language=True)
        for name, left_out in SETS.items()
    }


def quality(form: Embedder, rows: list[tuple[str, str]], *, by_language: bool) -> dict[str, float]:
    texts, labels = zip(*rows, strict=True)
    vectors = form.embed(texts)
    languages = [language_of(text) if by_language else "zh" for text in texts]
    return asdict(grouping(Centring.fit(vectors, languages).apply(vectors, languages), labels))


if __name__ == "__main__":
    main()
