"""Topics, and which topic a message belongs to.

A topic is a promise to people: its id is given once, by the caller, and stands for the same issue until it is
retired; then the id stays in the model, so that it can't be given again. What a topic looks like (centroid,
radius, terms) may change under the id.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NewType, Self

import numpy as np
from numpy.typing import NDArray

from models.embed import Centring, Language, Vectors
from models.message import RedactedText

TopicId = NewType("TopicId", str)

_ROWS_AT_ONCE = 2_000_000
"""Similarities held at a time (8 MB of float32): 200 rows against 10,000 topics."""

_FORMAT = 1

_WARMTH = 0.1
"""Of the usual radius, some .07. Ranked by this strength the surest three quarters of banking77 have NMI .825, ranked by
distance alone .805, by distance over radius .803."""


class TopicState(StrEnum):
    LIVE = "live"
    MUTED = "muted"  # counted, never alerted
    RETIRED = "retired"  # no message is assigned to it any more; its id stays taken


class TopicKind(StrEnum):
    ISSUE = "issue"
    CHATTER = "chatter"  # greetings, thanks: counted, kept out of detection


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A message near the centre of its topic, to show people what the topic is about."""

    message_id: str
    text: RedactedText


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """An issue that people can name.

    ``centroid`` is a unit vector (d,) in the space of the model's centring, ``radius`` the cosine distance
    (1 - cosine, 0 to 2) up to which a message belongs, ``size`` the number of messages it was found from.
    """

    id: TopicId
    centroid: NDArray[np.float32]
    radius: float
    size: int
    born: datetime
    terms: tuple[str, ...] = ()
    labels: Mapping[Language, str] = field(default_factory=dict)
    exemplars: tuple[Exemplar, ...] = ()
    state: TopicState = TopicState.LIVE
    kind: TopicKind = TopicKind.ISSUE


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a message belongs. Noise has ``topic`` None; ``nearest`` and ``distance`` tell how near it was.

    ``strength`` is the topic's part among all topics, 0 to 1, each weighed by exp(-distance / warmth): near 1 where
    no other topic is as near, a half midway between two. It is 0 for noise.
    """

    topic: TopicId | None
    strength: float
    nearest: TopicId | None
    distance: float


class UnknownTopicError(KeyError):
    """The model has no topic of this id."""


@dataclass(frozen=True, eq=False)
class TopicModel:
    """Every topic of a tenant, with the embedder and the centring that its centroids are measured in."""

    embedder: str
    centring: Centring
    topics: tuple[Topic, ...] = ()

    def __post_init__(self) -> None:
        ids = [topic.id for topic in self.topics]
        if len(set(ids)) < len(ids):
            raise ValueError("a topic id was given twice")
        for topic in self.topics:
            if topic.centroid.shape != (self.centring.dimension,):
                raise ValueError(f"centroid of {topic.id} has another dimension than the centring")

    @cached_property
    def assignable(self) -> tuple[Topic, ...]:
        """The topics that messages are assigned to, in the order of `centroids` and `radii`."""
        return tuple(topic for topic in self.topics if topic.state is not TopicState.RETIRED)

    @cached_property
    def centroids(self) -> Vectors:
        """Unit vectors, shape (assignable topics, d)."""
        if not self.assignable:
            return np.empty((0, self.centring.dimension), dtype=np.float32)
        return np.stack([topic.centroid for topic in self.assignable])

    @cached_property
    def radii(self) -> NDArray[np.float32]:
        return np.array([topic.radius for topic in self.assignable], dtype=np.float32)

    @cached_property
    def _warmth(self) -> float:
        """Of the weights of strength, in cosine distance: a share of the usual radius, since scales of distance differ
        between languages and encoders."""
        return max(_WARMTH * float(np.median(self.radii)), 1e-6)

    def topic(self, topic_id: TopicId) -> Topic:
        """Raises `UnknownTopicError`."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise UnknownTopicError(topic_id)

    def assign(self, vectors: Vectors) -> list[Assignment]:
        """One assignment a row: the nearest of the topics within whose own radius the vector lies.

        ``vectors`` (n, d) are unit vectors after `centring`. Where no radius covers a vector it is noise,
        and the nearest topic is told all the same.
        """
        if not self.assignable:
            return [Assignment(None, 0.0, None, 2.0)] * len(vectors)
        step = max(1, _ROWS_AT_ONCE // len(self.assignable))
        found: list[Assignment] = []
        for start in range(0, len(vectors), step):
            found += self._assign_block(vectors[start : start + step])
        return found

    def _assign_block(self, vectors: Vectors) -> list[Assignment]:
        distances = 1 - vectors @ self.centroids.T
        covered: NDArray[np.bool_] = np.less_equal(distances, self.radii)
        inside: NDArray[np.bool_] = np.any(covered, axis=1)
        # Covered topics first: 4 is more than any cosine distance.
        best = np.where(inside[:, None] & ~covered, np.float32(4), distances).argmin(axis=1)
        at = distances[np.arange(len(vectors)), best]
        parts = np.exp((at[:, None] - distances) / self._warmth).sum(axis=1)
        strengths = np.where(inside, 1 / parts, 0).clip(0, 1)
        return [
            Assignment(topic.id if within else None, float(strength), topic.id, max(float(distance), 0.0))
            for topic, within, strength, distance in zip(
                (self.assignable[index] for index in best), inside, strengths, at, strict=True
            )
        ]

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
            "format": _FORMAT,
            "embedder": self.embedder,
            "topics": [_words_of(topic) for topic in self.topics],
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
        if words["format"] != _FORMAT:
            raise ValueError(f"topic model of format {words['format']}, this version reads {_FORMAT}")
        means = {
            name.removeprefix("centring."): array for name, array in arrays.items() if name.startswith("centring.")
        }
        topics = zip(words["topics"], arrays["centroids"], arrays["radii"], strict=True)
        return cls(
            embedder=words["embedder"],
            centring=Centring.from_arrays(means),
            topics=tuple(_topic_from(entry, centroid, radius) for entry, centroid, radius in topics),
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
        "exemplars": [[exemplar.message_id, exemplar.text] for exemplar in topic.exemplars],
        "state": topic.state.value,
        "kind": topic.kind.value,
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
        exemplars=tuple(Exemplar(message_id, RedactedText(text)) for message_id, text in exemplars),
        state=TopicState(words["state"]),
        kind=TopicKind(words["kind"]),
    )
