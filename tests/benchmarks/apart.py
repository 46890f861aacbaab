"""What topics hold apart and together: ``python tests/benchmarks/apart.py``.

Topics are made of the written after-sales issues (`training/wordings`), and pairs of a thing and its opposite or its
neighbour are assigned: how many does one topic take in whole, with and without regard to how messages lean
(`models.leaning`), and how many complaints lose their topic by it? ``known`` are the pairs of ``training/wordings``, by
which that was made, ``held out`` those of ``opposites.toml`` beside this file, to which nothing is fitted. Then topics
are made of one language's wordings and the other's are assigned: how many go where their issue is, and how many of a
language's own, each left out of its topic in turn? Prints JSON.
"""

import argparse
import json
import os
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.embed import Centring, Embedder, Vectors, language_of, unit
from models.encoder.prepare import prepare
from models.gist import gist
from models.leaning import Leanings, leanings, mean_of
from models.portrait import RADIUS_SHARE, shape_of
from models.sentence import OnnxEmbedder
from models.topic import Topic, TopicId
from models.topics import Assignment, TopicModel
from training.corpus import LANGUAGES, Language, Opposite, load_issues, load_opposites
from training.phrase import plain

BORN = datetime(2025, 1, 1, tzinfo=UTC)
HELD_OUT = Path(__file__).with_name("opposites.toml")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--plain", action="store_true", help="without the intent adapter")
    given = arguments.parse_args()
    cache = Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser()
    embedder = OnnxEmbedder(prepare(cache, adapter=None) if given.plain else prepare(cache))
    print(json.dumps({"encoder": embedder.name} | measure(embedder), indent=2))


def measure(embedder: Embedder) -> dict[str, Any]:
    said = {
        language: [(issue.key, plain(text, language)) for issue in load_issues() for text in issue.wordings[language]]
        for language in LANGUAGES
    }
    texts = [text for language in LANGUAGES for _, text in said[language]]
    raw, spoken = seen(embedder, texts)
    centring = Centring.fit(raw, spoken)
    placed = {language: centring.apply(*seen(embedder, [text for _, text in said[language]])) for language in LANGUAGES}
    started = time.process_time()
    leaning = leanings(embedder.name, texts, raw)
    took = time.process_time() - started
    names = {language: np.array([key for key, _ in said[language]]) for language in LANGUAGES}
    together = np.concatenate([placed[one] for one in LANGUAGES]), np.concatenate(list(names.values()))
    both = model_of(centring, *together, leaning)
    alone, held = both.assign(together[0]), both.assign(together[0], leaning)
    written = {"known": load_opposites(), "held out": held_out()}
    return {
        "issues": len(load_issues()),
        "wordings": {language: len(said[language]) for language in LANGUAGES},
        "pairs": {name: pairs(embedder, both, some) for name, some in written.items()},
        "microseconds a message": round(took / len(texts) * 1e6, 1),
        "complaints that lose their topic": round(
            float(
                np.mean(
                    [one.topic is not None and one.topic != two.topic for one, two in zip(alone, held, strict=True)]
                )
            ),
            4,
        ),
        "across": {
            f"{one} to {other}": across(model_of(centring, placed[one], names[one]), placed[other], names[other])
            for one, other in (LANGUAGES, LANGUAGES[::-1])
        },
        "nearest is right within": {language: within(placed[language], names[language]) for language in LANGUAGES},
    }


def held_out() -> list[Opposite]:
    return [
        Opposite(*pair[language], language=language, why=pair["why"])
        for pair in tomllib.loads(HELD_OUT.read_text(encoding="utf-8"))["pair"]
        for language in LANGUAGES
    ]


def pairs(embedder: Embedder, model: TopicModel, written: Sequence[Opposite]) -> dict[str, Any]:
    """Of each language's pairs: how many are there, how many one topic takes in whole, and which those are."""
    report: dict[str, Any] = {}
    for language in LANGUAGES:
        own = [pair for pair in written if pair.language == language]
        texts = [text for pair in own for text in (pair.first, pair.second)]
        raw, spoken = seen(embedder, texts)
        vectors = model.centring.apply(raw, spoken)
        mixed = mixed_in(own, model.assign(vectors, leanings(embedder.name, texts, raw)))
        regardless = len(mixed_in(own, model.assign(vectors)))
        report[language] = {"pairs": len(own), "in one topic": len(mixed), "regardless": regardless, "which": mixed}
    return report


def mixed_in(written: Sequence[Opposite], found: Sequence[Assignment]) -> list[str]:
    return [
        f"{pair.why}: {one.topic}"
        for pair, one, other in zip(written, found[::2], found[1::2], strict=True)
        if one.topic is not None and one.topic == other.topic
    ]


def across(model: TopicModel, vectors: Vectors, issues: np.ndarray) -> dict[str, float]:
    """Of the wordings in the language that the topics never saw: those in the right topic, in none, nearest to the right."""
    found = model.assign(vectors)
    nearest = [model.nearest(vector)[0][0] for vector in vectors]
    return {
        "right": round(float(np.mean([one.topic == issue for one, issue in zip(found, issues, strict=True)])), 3),
        "none": round(float(np.mean([one.topic is None for one in found])), 3),
        "nearest is right": round(float(np.mean(np.array(nearest) == issues)), 3),
    }


def within(vectors: Vectors, issues: np.ndarray) -> float:
    """Of one language's wordings, those nearest to their issue's others: what `across` can hope for."""
    names, own = np.unique(issues, return_inverse=True)
    sums = np.stack([vectors[issues == name].sum(axis=0) for name in names])
    right = [
        (unit(np.where(np.arange(len(names))[:, None] == place, sums - vector, sums)) @ vector).argmax() == place
        for vector, place in zip(vectors, own, strict=True)
    ]
    return round(float(np.mean(right)), 3)


def model_of(centring: Centring, vectors: Vectors, issues: np.ndarray, leaning: Leanings | None = None) -> TopicModel:
    topics = []
    for issue in np.unique(issues):
        centroid, radius = shape_of(vectors[issues == issue], RADIUS_SHARE)
        mean = 0.0 if leaning is None else mean_of(leaning[issues == issue])
        topics.append(Topic(TopicId(str(issue)), centroid, radius, int((issues == issue).sum()), BORN, leaning=mean))
    return TopicModel("bench", centring, tuple(topics))


def seen(embedder: Embedder, texts: Sequence[str]) -> tuple[Vectors, list[Language]]:
    """Vectors as the service makes them, and the languages."""
    return embedder.embed([gist(text) for text in texts]), [language_of(text) for text in texts]


if __name__ == "__main__":
    main()
