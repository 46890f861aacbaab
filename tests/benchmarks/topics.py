"""How well topics group messages in stream order, and what they cost: ``python tests/benchmarks/topics.py DATA``.

DATA holds the folders ``banking77``, ``online_shopping_10_cats``, ``tianchi_beauty_absa``, ``hwu64`` and
``us_airline_tweets``, each with a ``data.csv`` (text, label), and ``aftersales_240.py``; settings were chosen on the
sets without the last two folders, draws 0 and 1. The first third of a set starts the topics, in its focus; the rest
comes online, 200 messages at a time, after which topics follow their newest messages. Beside it BERTopic (fitted on
the same third of the same vectors without focus, the rest by its ``transform``) and, as a ceiling, k-means with the
true number of groups on everything at once. Where one covers more messages than the other, its least sure ones are
taken away until both cover the same. Prints JSON.
"""

import argparse
import csv
import json
import os
import resource
import runpy
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from models.discovery import DiscoverySettings, discover, partition, same_topic
from models.embed import Centring, Embedder, Vectors, language_of, unit
from models.encoder.prepare import prepare
from models.focus import focus
from models.follow import follow, moved
from models.leaning import Leanings, leanings
from models.sentence import OnnxEmbedder
from models.topic import Topic, TopicId
from models.topics import TopicModel

STEP = 200  # messages between two looks at what has no topic
WAITING = 200  # messages of no topic from which a look is worth it
BORN = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Placed:
    """A group and how sure it is, for every message; -1 for none."""

    groups: NDArray[np.intp]
    strength: NDArray[np.float64]

    @property
    def coverage(self) -> float:
        return float((self.groups >= 0).mean())

    def at(self, coverage: float) -> "Placed":
        """The surest only, so many that the coverage is at most this."""
        keep = int(coverage * len(self.groups))
        sure = np.argsort(np.where(self.groups >= 0, -self.strength, np.inf), kind="stable")[:keep]
        groups = np.full(len(self.groups), -1)
        groups[sure] = self.groups[sure]
        return Placed(groups, self.strength)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument(
        "--most", type=int, default=6000, help="messages of a set, drawn at random where it has more"
    )
    arguments.add_argument("--draw", type=int, default=0, help="another draw and order of each set")
    arguments.add_argument("--sets", nargs="*", help="only these; none where none is named")
    arguments.add_argument("--plain", action="store_true", help="without the intent adapter")
    arguments.add_argument("--no-cost", action="store_true", help="quality only")
    given = arguments.parse_args()
    report: dict[str, Any] = {"load": os.getloadavg()[0], "quality": {}}
    if not given.no_cost:
        report["cost"] = {"assign": assignment_cost(), "discover": discovery_cost()}
    if given.sets != []:
        embedder = _embedder(plain=given.plain)
        report["encoder"] = embedder.name
        for name, read in SETS.items():
            if given.sets is None or name in given.sets:
                report["quality"][name] = quality(read(given.data), embedder, given.most, given.draw)
                print(name, json.dumps(report["quality"][name], indent=1), flush=True)
    print(json.dumps(report, indent=2))


def quality(rows: list[tuple[str, str]], embedder: Embedder, most: int, draw: int = 0) -> dict[str, Any]:
    rows = [rows[place] for place in np.random.default_rng(draw).permutation(len(rows))[:most]]
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    raw = embedder.embed(texts)
    start = len(rows) // 3
    languages = [language_of(text) for text in texts]
    centring = Centring.fit(raw[:start], languages[:start])
    vectors = centring.apply(raw, languages)
    found = focus(vectors[:start], texts[:start])
    focused = vectors if found is None else centring.focused(found).apply(raw, languages)
    ours = online(focused, texts, start, leanings(embedder.name, texts, raw))
    peers = {"bertopic": bertopic(raw, texts, start), "bertopic, centred": bertopic(vectors, texts, start)}
    kmeans = KMeans(len(set(labels)), n_init=3, random_state=0).fit_predict(vectors)
    everywhere = Placed(kmeans.astype(np.intp), np.ones(len(rows)))
    report: dict[str, Any] = {"messages": len(rows), "labels": len(set(labels)), "tocsin": scores(ours, labels)}
    for name, peer in peers.items():
        equal = min(ours.coverage, peer.coverage)
        report[name] = scores(peer, labels)
        report[f"at the coverage of {name}"] = {
            "tocsin": scores(ours.at(equal), labels),
            "bertopic": scores(peer.at(equal), labels),
        }
    return report | {"k-means, true k": scores(everywhere, labels)}


def online(vectors: Vectors, texts: Sequence[str], start: int, leaning: Leanings) -> Placed:
    """As the service does it: assign what comes, and look now and then at what has no topic."""
    model = TopicModel("bench", Centring.none(vectors.shape[1]))
    groups, strength = np.full(len(texts), -1), np.zeros(len(texts))
    ids, settings = count(), DiscoverySettings()
    for begin, end in [(0, start), *((at, min(at + STEP, len(texts))) for at in range(start, len(texts), STEP))]:
        _assign(model, vectors, leaning, np.arange(begin, end), groups, strength)
        model = _followed(model, vectors[begin:end], groups[begin:end])
        free = np.flatnonzero(groups[:end] < 0)
        if begin and len(free) < WAITING:
            continue
        look = discover if begin else partition
        found = look(
            vectors[free], [str(row) for row in free], [texts[row] for row in free], settings, leanings=leaning[free]
        )
        new = [candidate for candidate in found if same_topic(candidate, model, settings) is None]
        model = model.add(
            Topic(TopicId(str(next(ids))), one.centroid, one.radius, len(one.rows), BORN, leaning=one.leaning)
            for one in new
        )
        _assign(model, vectors, leaning, free, groups, strength)
    return Placed(groups, strength)


def _assign(
    model: TopicModel,
    vectors: Vectors,
    leaning: Leanings,
    rows: NDArray[np.intp],
    groups: NDArray[np.intp],
    strength: NDArray[np.float64],
) -> None:
    for row, found in zip(rows, model.assign(vectors[rows], leaning[rows]), strict=True):
        groups[row], strength[row] = (-1 if found.topic is None else int(found.topic)), found.strength


def _followed(model: TopicModel, vectors: Vectors, groups: NDArray[np.intp]) -> TopicModel:
    """As the service does it once a day: every topic follows its newest messages."""
    found: dict[TopicId, NDArray[np.float32]] = {}
    for topic in model.assignable:
        found |= follow(model, topic.id, vectors[groups == int(topic.id)])
    return moved(model, found, model) or model


def bertopic(vectors: Vectors, texts: Sequence[str], start: int) -> Placed:
    """BERTopic as it comes, with a seed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bertopic import BERTopic
        from umap import UMAP

        mapper = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
        model = BERTopic(umap_model=mapper, embedding_model=None, language="multilingual")
        first, sure = model.fit_transform(list(texts[:start]), vectors[:start])
        rest, likely = model.transform(list(texts[start:]), vectors[start:])
    return Placed(np.array([*first, *rest]), np.array([*sure, *likely], dtype=np.float64))


def scores(placed: Placed, labels: Sequence[str]) -> dict[str, float]:
    """NMI, ARI and purity of the covered messages, the share that is covered, and the number of groups."""
    inside = placed.groups >= 0
    named, groups = np.asarray(labels)[inside], placed.groups[inside]
    if not len(groups):
        return {"coverage": 0.0}
    largest = sum(Counter(named[groups == group]).most_common(1)[0][1] for group in np.unique(groups))
    return {
        "nmi": round(float(normalized_mutual_info_score(named, groups)), 3),
        "ari": round(float(adjusted_rand_score(named, groups)), 3),
        "purity": round(largest / len(groups), 3),
        "coverage": round(placed.coverage, 3),
        "groups": len(np.unique(groups)),
    }


def assignment_cost() -> dict[str, float]:
    """Microseconds of a processor a message, 64 at a time, by number of topics."""
    rng = np.random.default_rng(0)
    report = {}
    for topics in (100, 1_000, 10_000):
        centroids = unit(rng.normal(size=(topics, 384)))
        model = TopicModel(
            "bench",
            Centring.none(384),
            tuple(Topic(TopicId(str(i)), c, 0.5, 9, BORN, leaning=-0.9) for i, c in enumerate(centroids)),
        )
        batch, leaning = unit(rng.normal(size=(64, 384))), rng.integers(-1, 2, size=64).astype(np.int8)
        model.assign(batch, leaning)
        took = min(_seconds(lambda: model.assign(batch, leaning)) for _ in range(20))  # noqa: B023
        report[str(topics)] = round(took / 64 * 1e6, 1)
    return report


def discovery_cost() -> dict[str, dict[str, float]]:
    """Processor seconds of a discovery among so many waiting messages, and the process's peak of memory in MB. Before the
    encoder is loaded, so that the peak is the discovery's own."""
    rng = np.random.default_rng(0)
    report = {}
    for waiting in (1_000, 50_000):
        centres = unit(rng.normal(size=(waiting // 50, 384)))
        vectors = unit(centres[rng.integers(len(centres), size=waiting)] + 0.04 * rng.normal(size=(waiting, 384)))
        texts = [f"{'abcdefghij'[row % 10]}{row}" for row in range(waiting)]
        customers = [str(row) for row in range(waiting)]
        taken = _seconds(lambda: discover(vectors, customers, texts))  # noqa: B023
        report[str(waiting)] = {
            "seconds": round(taken, 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    return report


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _embedder(*, plain: bool) -> Embedder:
    cache = Path(os.environ.get("TOCSIN_CACHE", "~/.cache/tocsin")).expanduser()
    return OnnxEmbedder(prepare(cache, adapter=None) if plain else prepare(cache))


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _banking(data: Path) -> list[tuple[str, str]]:
    return [(row["text"], row["label"]) for row in _csv(data / "banking77/data.csv")]


def _shopping(data: Path) -> list[tuple[str, str]]:
    rows = _csv(data / "online_shopping_10_cats/data.csv")
    return [(row["text"], row["label"]) for row in rows if row["polarity"] == "0" and row["text"].strip()]


def _beauty(data: Path) -> list[tuple[str, str]]:
    """Texts with one label only."""
    labels: dict[str, set[str]] = {}
    for row in _csv(data / "tianchi_beauty_absa/data.csv"):
        labels.setdefault(row["text"], set()).add(row["label"])
    return [(text, next(iter(own))) for text, own in labels.items() if len(own) == 1]


def _assistant(data: Path) -> list[tuple[str, str]]:
    return [(row["text"], row["label"]) for row in _csv(data / "hwu64/data.csv")]


def _airlines(data: Path) -> list[tuple[str, str]]:
    """Those with a reason."""
    rows = _csv(data / "us_airline_tweets/data.csv")
    return [(row["text"], row["label"]) for row in rows if row["label"] not in ("(not negative)", "Can't Tell")]


def _aftersales(data: Path) -> list[tuple[str, str]]:
    written = runpy.run_path(str(data / "aftersales_240.py"))
    return [(text, label) for language in ("ZH", "EN") for label, texts in written[language].items() for text in texts]


SETS: dict[str, Callable[[Path], list[tuple[str, str]]]] = {
    "aftersales_240": _aftersales,
    "banking77": _banking,
    "tianchi_beauty_absa": _beauty,
    "online_shopping_10_cats (negative)": _shopping,
    "hwu64": _assistant,
    "us_airline_tweets (reasons)": _airlines,
}


if __name__ == "__main__":
    main()
