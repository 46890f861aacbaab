"""A map of topics: each a place on a plane, near to those that speak of what is near to it."""

import numpy as np

from models.embed import Vectors
from models.season import FloatArray

_STEPS = 60  # after which no topic of a hundred moves by a hundredth of the map
_MOST = 600  # topics: the time of a step grows with their square
_SMALLEST = 0.05  # distance below which topics are the same to the eye; keeps weights finite


def layout(centroids: Vectors) -> FloatArray:
    """A place (n, 2) in -1 to 1 for each of the unit vectors (n, d).

    Stress majorization (Gansner, Koren & North, "Graph drawing by stress majorization", 2004): distances on the map
    are as near as can be to the distances of meaning, near ones first. It begins at the two directions that the topics
    differ most in; of more than 600 topics it stays there. The same topics give the same map.

    >>> near, far = layout(np.array([[1, 0, 0], [0.95, 0.31, 0], [0, 0, 1]], dtype=np.float32))[[1, 2]]
    >>> here = layout(np.array([[1, 0, 0], [0.95, 0.31, 0], [0, 0, 1]], dtype=np.float32))[0]
    >>> bool(np.linalg.norm(here - near) < np.linalg.norm(here - far))
    True
    """
    if len(centroids) < 3:
        return np.array([[0.0, 0.0], [1.0, 0.0]][: len(centroids)]).reshape(len(centroids), 2)
    wanted = np.sqrt(np.maximum(2 - 2 * centroids.astype(float) @ centroids.T.astype(float), 0.0))
    places = _flat(centroids)
    if len(centroids) <= _MOST:
        wanted = np.maximum(wanted, _SMALLEST)
        weight = wanted**-2
        np.fill_diagonal(weight, 0.0)
        pull = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
        for _ in range(_STEPS):
            places = pull @ _push(places, wanted, weight)
    places -= (places.max(0) + places.min(0)) / 2
    spread: FloatArray = places / max(float(np.abs(places).max()), 1e-9)
    return spread


def _flat(centroids: Vectors) -> FloatArray:
    """The two directions of most variance, each with its largest part positive: an axis has no side of its own."""
    apart = centroids.astype(float) - centroids.mean(axis=0)
    directions = np.linalg.svd(apart, full_matrices=False)[2][:2]
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    flat: FloatArray = apart @ (directions * signs[:, None]).T
    return flat


def _push(places: FloatArray, wanted: FloatArray, weight: FloatArray) -> FloatArray:
    """One side of the majorizing step: where each would go for its distances from where the others are."""
    between = places[:, None] - places
    lengths = np.maximum(np.linalg.norm(between, axis=2), 1e-9)
    factor = weight * wanted / lengths
    pushed: FloatArray = (factor[:, :, None] * between).sum(axis=1)
    return pushed
