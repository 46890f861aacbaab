"""What topics hold apart and together: ``python tests/benchmarks/apart.py``.

Topics are made of the written after-sales issues (`training/wordings`), and the pairs of ``opposites.toml``, which were
written beside them, are assigned: how many pairs does one topic take in whole? Then topics are made of one language's
wordings and the other's are assigned: how many go where their issue is? Prints JSON.
"""

import argparse
import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.embed import Centring, Embedder, Vectors, language_of
from models.encoder.prepare import prepare
from models.gist import gist
from models.portrait import RADIUS_SHARE, shape_of
from models.sentence import OnnxEmbedder
from models.topic import Topic, TopicId
from models.topics import TopicModel
from training.corpus import LANGUAGES, Language, load_issues, load_opposites

BORN = datetime(2025, 1, 1, tzinfo=UTC)
FILLED = {"zh": "产品", "en": "product"}
_SLOT = re.compile(r"\{\w+\}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--plain", action="store_true", help="without the intent adapter")
    given = arguments.parse_args()
    cache = Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser()
    embedder = OnnxEmbedder(prepare(cache, adapter=None) if given.plain else prepare(cache))
    print(json.dumps({"encoder": embedder.name} | measure(embedder), indent=2))


def measure(embedder: Embedder) -> dict[str, Any]:
    said = {
        language: [(issue.key, filled(text, language)) for issue in load_issues() for text in issue.wordings[language]]
        for language in LANGUAGES
    }
    everything = [text for language in LANGUAGES for _, text in said[language]]
    centring = Centring.fit(*seen(embedder, everything))
    placed = {language: centring.apply(*seen(embedder, [text for _, text in said[language]])) for language in LANGUAGES}
    names = {language: np.array([key for key, _ in said[language]]) for language in LANGUAGES}
    both = model_of(centring, np.concatenate([placed[one] for one in LANGUAGES]), np.concatenate(list(names.values())))
    return {
        "issues": len(load_issues()),
        "wordings": {language: len(said[language]) for language in LANGUAGES},
        "pairs": pairs(embedder, both),
        "across": {
            f"{one} to {other}": across(model_of(centring, placed[one], names[one]), placed[other], names[other])
            for one, other in (LANGUAGES, LANGUAGES[::-1])
        },
    }


def pairs(embedder: Embedder, model: TopicModel) -> dict[str, Any]:
    """Of each language's pairs: how many are there, how many one topic takes in whole, and which those are."""
    report: dict[str, Any] = {}
    for language in LANGUAGES:
        own = [pair for pair in load_opposites() if pair.language == language]
        texts = [text for pair in own for text in (pair.first, pair.second)]
        found = model.assign(model.centring.apply(*seen(embedder, texts)))
        mixed = [
            f"{pair.why}: {one.topic}"
            for pair, one, other in zip(own, found[::2], found[1::2], strict=True)
            if one.topic is not None and one.topic == other.topic
        ]
        report[language] = {"pairs": len(own), "in one topic": len(mixed), "which": mixed}
    return report


def across(model: TopicModel, vectors: Vectors, issues: np.ndarray) -> dict[str, float]:
    """Of the wordings in the language that the topics never saw: those in the right topic, in none, nearest to the right."""
    found = model.assign(vectors)
    nearest = [model.nearest(vector)[0][0] for vector in vectors]
    return {
        "right": round(float(np.mean([one.topic == issue for one, issue in zip(found, issues, strict=True)])), 3),
        "none": round(float(np.mean([one.topic is None for one in found])), 3),
        "nearest is right": round(float(np.mean(np.array(nearest) == issues)), 3),
    }


def model_of(centring: Centring, vectors: Vectors, issues: np.ndarray) -> TopicModel:
    topics = []
    for issue in np.unique(issues):
        centroid, radius = shape_of(vectors[issues == issue], RADIUS_SHARE)
        topics.append(Topic(TopicId(str(issue)), centroid, radius, int((issues == issue).sum()), BORN))
    return TopicModel("bench", centring, tuple(topics))


def seen(embedder: Embedder, texts: Sequence[str]) -> tuple[Vectors, list[Language]]:
    """Vectors as the service makes them, and the languages."""
    return embedder.embed([gist(text) for text in texts]), [language_of(text) for text in texts]


def filled(text: str, language: Language) -> str:
    return _SLOT.sub(FILLED[language], text)


if __name__ == "__main__":
    main()
