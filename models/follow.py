"""Drift: where a topic lies follows slowly what its messages become."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors, unit
from models.topic import TopicId
from models.topics import TopicModel

_WEIGHT = 500.0
"""Messages that the place of before weighs. A topic of 20 messages a day follows a change by half in about two months, one of
200 in a week; chance among so few moves neither. Measured: tests/benchmarks/topics.py --follow."""

Centroids = Mapping[TopicId, NDArray[np.float32]]


def follow(model: TopicModel, topic: TopicId, vectors: Vectors) -> dict[TopicId, NDArray[np.float32]]:
    """Where the places of a topic lie after messages (n, d) that were counted under it: its own, and those merged into it.

    c' = unit(w · c + Σ v) over the messages nearest to each place, w = `_WEIGHT`; radii stay. ``vectors`` are unit vectors
    after centring.
    """
    places = [place for place in model.places if model.heir(place.id) == topic]
    if not places or not len(vectors):
        return {}
    centroids = np.stack([place.centroid for place in places])
    nearest = (vectors @ centroids.T).argmax(axis=1)
    return {
        place.id: unit((_WEIGHT * place.centroid + vectors[nearest == number].sum(axis=0))[None])[0]
        for number, place in enumerate(places)
        if (nearest == number).any()
    }


def moved(model: TopicModel, found: Centroids, of: TopicModel) -> TopicModel | None:
    """``model`` with the centroids that were ``found`` from ``of``; None where its topics do not lie where they did then."""
    if model.embedder != of.embedder:
        return None
    known = {topic.id: topic.centroid for topic in of.topics}
    topics = tuple(
        replace(topic, centroid=found[topic.id])
        if topic.id in found and np.array_equal(topic.centroid, known[topic.id])
        else topic
        for topic in model.topics
    )
    changed = any(one is not other for one, other in zip(topics, model.topics, strict=True))
    return replace(model, topics=topics) if changed else None
