"""From one space of meaning to another: what was measured with one embedder, in the space of the next.

What a text can be embedded again for is embedded again (exemplars, kept messages). What is only a direction, such
as a place where messages crowd, goes over by the turn that carries the topics of both models best.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.embed import Centring, Vectors, language_of, unit
from models.gist import gist
from models.topic import Topic, TopicState
from models.topics import TopicModel

Embed = Callable[[Sequence[str]], Vectors]
"""Unit vectors of texts, before centring."""

_HOLD = 1.0  # topics that the identity weighs: a tuned space is near its own, and few topics tell little of a turn


def turn(before: TopicModel, after: TopicModel) -> NDArray[np.float32]:
    """The rotation (d, d), for rows from the right, that best carries topics of ``before`` onto the same ids of ``after``.

    Orthogonal Procrustes (Schönemann, 1966) on centred centroids, drawn towards no turn at all, so that directions
    that no topic tells of stay. Identity where the two share no topic.

    >>> from datetime import UTC, datetime
    >>> born, centring = datetime(2026, 1, 1, tzinfo=UTC), Centring.none(2)
    >>> one, two = (Topic("t1", np.array(at, np.float32), 0.5, 9, born) for at in ([1, 0], [0, 1]))
    >>> turn(TopicModel("a", centring, (one,)), TopicModel("b", centring, (two,))).shape
    (2, 2)
    """
    then = {topic.id: topic.centroid for topic in before.topics}
    pairs = [(then[topic.id], topic.centroid) for topic in after.topics if topic.id in then]
    crossed = _HOLD * np.eye(after.centring.dimension)
    for old, new in pairs:
        crossed += np.outer(old, new)
    left, _, right = np.linalg.svd(crossed)
    rotation: NDArray[np.float32] = (left @ right).astype(np.float32)
    return rotation


def moved(topics: Sequence[Topic], before: TopicModel, after: TopicModel, embed: Embed) -> list[Topic]:
    """Topics of ``before`` as they are in the space of ``after``; ``embed`` is of the embedder of ``after``.

    Centroids are those of the exemplars, embedded again; of a topic without exemplars, turned. Radii are scaled as
    those of the topics that both models have.
    """
    if before.embedder == after.embedder and before.centring is after.centring:
        return list(topics)
    rotation, scale = turn(before, after), _scale(before, after)
    places = [_centroid(topic, rotation, after.centring, embed) for topic in topics]
    return [
        replace(topic, centroid=place, radius=topic.radius * scale) for topic, place in zip(topics, places, strict=True)
    ]


def _centroid(topic: Topic, rotation: NDArray[np.float32], centring: Centring, embed: Embed) -> NDArray[np.float32]:
    texts = [one.text for one in topic.exemplars]
    if not texts:
        turned: NDArray[np.float32] = unit((topic.centroid @ rotation)[None])[0]
        return turned
    vectors = centring.apply(embed([gist(text) for text in texts]), [language_of(text) for text in texts])
    mean: NDArray[np.float32] = unit(vectors.mean(axis=0, keepdims=True))[0]
    return mean


def _scale(before: TopicModel, after: TopicModel) -> float:
    radii = {topic.id: topic.radius for topic in before.topics if topic.state is not TopicState.RETIRED}
    ratios = [topic.radius / radii[topic.id] for topic in after.topics if radii.get(topic.id)]
    return float(np.median(ratios)) if ratios else 1.0
