"""The topics of a tenant, and which of them a message belongs to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.constraints import Constraints
from models.embed import Centring, Vectors
from models.leaning import Leanings, opposed
from models.topic import Topic, TopicId, TopicKind, TopicState, exemplar_from, exemplar_words

_ROWS_AT_ONCE = 2_000_000
"""Similarities held at a time (8 MB of float32): 200 rows against 10,000 topics."""

_FORMAT, _WITHOUT_FOCUS = 3, 2
_KNOWN = (1, 2, 3)  # 1 had no names, merges or constraints, 2 no focus

_WARMTH, _AWAY = 0.2, 0.7
"""Of the usual radius: .2 is some .14, and .7 how far away a message is as likely of no topic as of the nearest. NMI of the
surest three quarters of banking77, after-sales, cosmetics and shop reviews .870, .630, .339, .634; without `_AWAY` and with
half the warmth .870, .632, .325, .616, by distance alone .860, .632, .334, .625 (docs/measured.md)."""


_MOST_NEARER = 50.0  # e to this is 5e21: the sum of many is still a float32


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a message belongs. Noise has ``topic`` None; ``nearest`` and ``distance`` tell how near it was.

    ``strength`` is the topic's part among all topics and none, 0 to 1, each weighed by exp(-distance / warmth): near 1
    near a centre that is alone, at most a half midway between two, and less towards the rim. It is 0 for noise.
    """

    topic: TopicId | None
    strength: float
    nearest: TopicId | None
    distance: float


class UnknownTopicError(KeyError):
    """The model has no topic of this id."""


@dataclass(frozen=True, eq=False)
class TopicModel:
    """Every topic of a tenant, with the embedder and the centring that its centroids are measured in.

    ``constraints`` are what people said of topics, for every later discovery and training to keep.
    """

    embedder: str
    centring: Centring
    topics: tuple[Topic, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)

    def __post_init__(self) -> None:
        ids = [topic.id for topic in self.topics]
        if len(set(ids)) < len(ids):
            raise ValueError("a topic id was given twice")
        for topic in self.topics:
            if topic.centroid.shape != (self.centring.dimension,):
                raise ValueError(f"centroid of {topic.id} has another dimension than the centring")

        known = set(ids)
        for topic in self.topics:
            if topic.into is not None and (topic.into not in known or topic.state is not TopicState.RETIRED):
                raise ValueError(f"{topic.id} is merged into {topic.into}, and not retired for it or that is no topic")

    @cached_property
    def _by_id(self) -> Mapping[TopicId, Topic]:
        return {topic.id: topic for topic in self.topics}

    @cached_property
    def space(self) -> str:
        """Names the space of the centroids: the embedder, and the stretch and the focus behind it where there are such."""
        maps = [one for one in (self.centring.stretch, self.centring.focus) if one is not None]
        return "~".join([self.embedder, *(sha256(one.tobytes()).hexdigest()[:8] for one in maps)])

    @cached_property
    def assignable(self) -> tuple[Topic, ...]:
        """The topics that messages are assigned to."""
        return tuple(topic for topic in self.topics if topic.state is not TopicState.RETIRED)

    @cached_property
    def places(self) -> tuple[Topic, ...]:
        """The topics whose places draw messages, in the order of `centroids` and `radii`: those that are assignable,
        and those that were merged into one that is."""
        return tuple(topic for topic in self.topics if self.heir(topic.id) is not None)

    @cached_property
    def centroids(self) -> Vectors:
        """Unit vectors, shape (places, d)."""
        if not self.places:
            return np.empty((0, self.centring.dimension), dtype=np.float32)
        return np.stack([topic.centroid for topic in self.places])

    @cached_property
    def radii(self) -> NDArray[np.float32]:
        return np.array([topic.radius for topic in self.places], dtype=np.float32)

    @cached_property
    def _leanings(self) -> NDArray[np.float64]:
        return np.array([topic.leaning for topic in self.places], dtype=np.float64)

    @cached_property
    def _heirs(self) -> tuple[TopicId, ...]:
        """The topic that each place is counted under."""
        return tuple(heir for topic in self.places if (heir := self.heir(topic.id)) is not None)

    @cached_property
    def _kinship(self) -> NDArray[np.float32]:
        """1 where two places are of one topic, shape (places, places)."""
        heirs = np.array(self._heirs)
        return np.asarray(heirs[:, None] == heirs, dtype=np.float32)

    @cached_property
    def _warmth(self) -> float:
        """Of the weights of strength, in cosine distance: a share of the usual radius, since scales of distance differ
        between languages and encoders."""
        return max(_WARMTH * self._usual_radius, 1e-6)

    @cached_property
    def _usual_radius(self) -> float:
        return float(np.median(self.radii))

    def topic(self, topic_id: TopicId) -> Topic:
        """Raises `UnknownTopicError`."""
        try:
            return self._by_id[topic_id]
        except KeyError:
            raise UnknownTopicError(topic_id) from None

    def heir(self, topic_id: TopicId) -> TopicId | None:
        """The topic that messages of this one are counted under: itself, what it was merged into, or None where that
        is retired. Raises `UnknownTopicError`."""
        topic = self.topic(topic_id)
        for _ in self.topics:
            if topic.state is not TopicState.RETIRED:
                return topic.id
            if topic.into is None:
                return None
            topic = self.topic(topic.into)
        raise ValueError(f"{topic_id} was merged into itself")

    def assign(self, vectors: Vectors, leanings: Leanings | None = None) -> list[Assignment]:
        """One assignment a row: the nearest of the places within whose own radius the vector lies, and its topic.

        ``vectors`` (n, d) are unit vectors after `centring`. Where no radius covers a vector it is noise,
        and the nearest topic is told all the same. With ``leanings`` (n,) a topic takes in no message that says the
        opposite of its own: "it charges fine" is not of the topic of what does not charge.
        """
        if leanings is None:
            leanings = np.zeros(len(vectors), dtype=np.int8)
        if not self.places:
            return [Assignment(None, 0.0, None, 2.0)] * len(vectors)
        step = max(1, _ROWS_AT_ONCE // len(self.places))
        found: list[Assignment] = []
        for start in range(0, len(vectors), step):
            found += self._assign_block(vectors[start : start + step], leanings[start : start + step])
        return found

    def _assign_block(self, vectors: Vectors, leanings: Leanings) -> list[Assignment]:
        distances = 1 - vectors @ self.centroids.T
        covered: NDArray[np.bool_] = np.less_equal(distances, self.radii)
        leaning = np.flatnonzero(leanings)
        if len(leaning):
            covered[leaning] &= ~opposed(leanings[leaning], self._leanings)
        inside: NDArray[np.bool_] = np.any(covered, axis=1)
        # Covered topics first: 4 is more than any cosine distance.
        best = np.where(inside[:, None] & ~covered, np.float32(4), distances).argmin(axis=1)
        at = distances[np.arange(len(vectors)), best]
        parts = self._weights(at[:, None] - distances)
        own = (parts * self._kinship[best]).sum(axis=1)
        none = self._weights(at - _AWAY * self._usual_radius)
        strengths = np.where(inside, own / (parts.sum(axis=1) + none), 0).clip(0, 1)
        return [
            Assignment(heir if within else None, float(strength), heir, max(float(distance), 0.0))
            for heir, within, strength, distance in zip(
                (self._heirs[index] for index in best), inside, strengths, at, strict=True
            )
        ]

    def _weights(self, nearer: NDArray[np.floating]) -> NDArray[np.floating]:
        """Of what is nearer by so much; where all is narrow, at most what float32 holds."""
        weights: NDArray[np.floating] = np.exp(np.minimum(nearer / self._warmth, _MOST_NEARER))
        return weights

    def nearest(self, vector: NDArray[np.float32]) -> list[tuple[TopicId, float]]:
        """Every assignable topic by how near its places are to a vector (d,), the nearest first, with the distance."""
        found: dict[TopicId, float] = {}
        distances = 1 - self.centroids @ vector
        for place in np.argsort(distances, kind="stable").tolist():
            found.setdefault(self._heirs[place], max(float(distances[place]), 0.0))
        return list(found.items())

    def add(self, topics: Iterable[Topic]) -> Self:
        """The model with more topics. Raises ValueError where an id is taken, by a retired topic too."""
        return replace(self, topics=(*self.topics, *topics))

    def put(self, topic: Topic) -> Self:
        """The model with this topic in the place of the one of its id. Raises `UnknownTopicError`."""
        self.topic(topic.id)
        return replace(self, topics=tuple(topic if old.id == topic.id else old for old in self.topics))

    def retire(self, topic_id: TopicId) -> Self:
        """The model without messages for this topic any more; its id stays taken."""
        return self.put(replace(self.topic(topic_id), state=TopicState.RETIRED))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays for ``numpy.savez``: no pickle, words as UTF-8 JSON in an array of bytes."""
        words = {
            "format": _WITHOUT_FOCUS if self.centring.focus is None else _FORMAT,  # the versions before read the former
            "embedder": self.embedder,
            "topics": [_words_of(topic) for topic in self.topics],
            "constraints": self.constraints.to_words(),
        }
        dimension = self.centring.dimension
        centroids = [topic.centroid for topic in self.topics]
        arrays: dict[str, NDArray[Any]] = {
            "centroids": np.array(centroids, dtype=np.float32).reshape(len(centroids), dimension),
            "radii": np.array([topic.radius for topic in self.topics], dtype=np.float32),
            "words": np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), dtype=np.uint8),
        }
        return arrays | {f"centring.{name}": mean for name, mean in self.centring.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `to_arrays` gave. Raises ValueError for a format this version does not know."""
        words = json.loads(bytes(arrays["words"]))
        if words["format"] not in _KNOWN:
            raise ValueError(f"topic model of format {words['format']}, this version reads {_KNOWN}")
        means = {
            name.removeprefix("centring."): array for name, array in arrays.items() if name.startswith("centring.")
        }
        topics = zip(words["topics"], arrays["centroids"], arrays["radii"], strict=True)
        return cls(
            embedder=words["embedder"],
            centring=Centring.from_arrays(means),
            topics=tuple(_topic_from(entry, centroid, radius) for entry, centroid, radius in topics),
            constraints=Constraints.from_words(words.get("constraints", [])),
        )


def radius_of(distances: NDArray[np.floating], share: float) -> float:
    """The distance within which ``share`` of a topic's own members lie from its centroid.

    >>> radius_of(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), 0.75)
    0.4
    """
    return float(np.quantile(distances, share))


def _words_of(topic: Topic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "size": topic.size,
        "born": topic.born.isoformat(),
        "terms": list(topic.terms),
        "labels": dict(topic.labels),
        "exemplars": [exemplar_words(exemplar) for exemplar in topic.exemplars],
        "state": topic.state.value,
        "kind": topic.kind.value,
        "names": dict(topic.names),
        "into": topic.into,
        "origin": topic.origin,
        "leaning": topic.leaning,
    }


def _topic_from(words: Mapping[str, Any], centroid: NDArray[np.float32], radius: float) -> Topic:
    exemplars: Sequence[Sequence[str]] = words["exemplars"]
    return Topic(
        id=TopicId(words["id"]),
        centroid=np.asarray(centroid, dtype=np.float32),
        radius=float(radius),
        size=words["size"],
        born=datetime.fromisoformat(words["born"]),
        terms=tuple(words["terms"]),
        labels=words["labels"],
        exemplars=tuple(exemplar_from(one) for one in exemplars),
        state=TopicState(words["state"]),
        kind=TopicKind(words["kind"]),
        names=words.get("names", {}),
        into=words.get("into"),
        origin=words.get("origin"),
        leaning=words.get("leaning", 0.0),
    )
