"""From one space of meaning to another: what was measured with one embedder, in the space of the next.

What a text can be embedded again for is embedded again (exemplars, kept messages). What is only a direction, such
as a place where messages crowd, goes over by the turn that carries the topics of both models best.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.embed import Centring, Language, Vectors, language_of, unit
from models.gist import gist
from models.topic import Topic, TopicState
from models.topics import TopicModel

Embed = Callable[[Sequence[str]], Vectors]
"""Unit vectors of texts, before centring."""

_HOLD = 1.0  # topics that the identity weighs: a tuned space is near its own, and few topics tell little of a turn


def rotation(before: Vectors, after: Vectors) -> NDArray[np.float32]:
    """The rotation (d, d), for rows from the right, that best carries ``before`` (n, d) onto ``after`` (n, d).

    Orthogonal Procrustes (Schönemann, 1966), drawn towards no turn at all, so that directions that no row tells of
    stay. Distances stay too, so that what a topic held it holds: after tuning on eight new issues, .92 of old
    messages were nearest to the same topic turned so, .76 to the same topics measured anew.

    >>> np.allclose(rotation(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)), np.eye(2))
    True
    """
    crossed = before.T @ after + _HOLD * np.eye(before.shape[1], dtype=np.float32)
    left, _, right = np.linalg.svd(crossed)
    found: NDArray[np.float32] = (left @ right).astype(np.float32)
    return found


def carried(centring: Centring, before: Vectors, after: Vectors, languages: Sequence[Language]) -> Centring:
    """``centring`` as far on as the same texts' vectors went, from ``before`` (n, d) to ``after`` (n, d).

    Fitted anew it would also tell of what texts there are now, and old topics would seem to move with their share.

    >>> same = np.eye(2, dtype=np.float32)
    >>> carried(Centring.none(2), same, same + 1, ["en", "en"]).means["en"].tolist()
    [1.0, 1.0]
    """
    then, now = Centring.fit(before, languages), Centring.fit(after, languages)
    means = {name: mean + now.means[name] - then.means[name] for name, mean in centring.means.items()}
    return replace(centring, means=means)


def turn(before: TopicModel, after: TopicModel) -> NDArray[np.float32]:
    """The `rotation` that best carries topics of ``before`` onto the same ids of ``after``; none where they share none.

    >>> from datetime import UTC, datetime
    >>> born, centring = datetime(2026, 1, 1, tzinfo=UTC), Centring.none(2)
    >>> one, two = (Topic("t1", np.array(at, np.float32), 0.5, 9, born) for at in ([1, 0], [0, 1]))
    >>> turn(TopicModel("a", centring, (one,)), TopicModel("b", centring, (two,))).shape
    (2, 2)
    """
    then = {topic.id: topic.centroid for topic in before.topics}
    pairs = [(then[topic.id], topic.centroid) for topic in after.topics if topic.id in then]
    none = np.empty((0, after.centring.dimension), np.float32)
    old, new = (np.stack(side) for side in zip(*pairs, strict=True)) if pairs else (none, none)
    return rotation(old, new)


def moved(topics: Sequence[Topic], before: TopicModel, after: TopicModel, embed: Embed) -> list[Topic]:
    """Topics of ``before`` as they are in the space of ``after``; ``embed`` is of the embedder of ``after``.

    Centroids are those of the exemplars, embedded again; of a topic without exemplars, turned. Radii are scaled as
    those of the topics that both models have.
    """
    if same_space(before, after):
        return list(topics)
    turned, scale = turn(before, after), _scale(before, after)
    places = [_centroid(topic, turned, after.centring, embed) for topic in topics]
    return [
        replace(topic, centroid=place, radius=topic.radius * scale) for topic, place in zip(topics, places, strict=True)
    ]


def same_space(one: TopicModel, other: TopicModel) -> bool:
    """Whether vectors of both models can be compared."""
    means, others = one.centring.means, other.centring.means
    return one.space == other.space and all(np.array_equal(means[name], others[name]) for name in means)


def _centroid(topic: Topic, turned: NDArray[np.float32], centring: Centring, embed: Embed) -> NDArray[np.float32]:
    texts = [one.text for one in topic.exemplars]
    if not texts:
        place: NDArray[np.float32] = unit((topic.centroid @ turned)[None])[0]
        return place
    vectors = centring.apply(embed([gist(text) for text in texts]), [language_of(text) for text in texts])
    mean: NDArray[np.float32] = unit(vectors.mean(axis=0, keepdims=True))[0]
    return mean


def _scale(before: TopicModel, after: TopicModel) -> float:
    radii = {topic.id: topic.radius for topic in before.topics if topic.state is not TopicState.RETIRED}
    ratios = [topic.radius / radii[topic.id] for topic in after.topics if radii.get(topic.id)]
    return float(np.median(ratios)) if ratios else 1.0
