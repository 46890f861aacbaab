"""Which new group is which former topic: ids live on where what they stand for does."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.portrait import RADIUS_SHARE, SMALLEST_RADIUS, shape_of
from models.topic import TopicId

_MEMBERS = 0.5
"""What shared members weigh beside near centroids: members say what it was, centroids what it is like; alike here."""
_SAME = 0.5  # of either one's members are in both, for them to be one without lying near

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Match:
    """One group and one topic that are the same issue."""

    group: int
    topic: TopicId


def match(groups: Sequence[Rows], formers: dict[TopicId, Rows], vectors: Vectors, nearer: float) -> list[Match]:
    """The best pairs of groups and former topics, each at most once (Kuhn, "The Hungarian method", 1955).

    ``groups`` and ``formers`` hold the rows of their members in ``vectors`` (n, d), neither is empty. A pair counts
    where half of the members of both are shared, or the centroids are nearer than ``nearer`` times the smaller radius.

    >>> vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 1, 2, 2]]
    >>> rows = [np.array([2, 3]), np.array([4, 5])]
    >>> match(rows, {TopicId("t1"): np.array([0, 1]), TopicId("t2"): np.array([2, 3])}, vectors, 0.25)
    [Match(group=0, topic='t2')]
    """
    if not groups or not formers:
        return []
    from scipy.optimize import linear_sum_assignment

    names = list(formers)
    shared = np.array([[len(np.intersect1d(rows, formers[name])) for name in names] for rows in groups], float)
    sizes = np.array([len(rows) for rows in groups], float)[:, None]
    former = np.array([len(formers[name]) for name in names], float)
    centres, radii = _shapes(groups, vectors)
    former_centres, former_radii = _shapes(list(formers.values()), vectors)
    near = centres @ former_centres.T
    apart = (1 - near) / np.maximum(np.minimum(radii[:, None], former_radii), SMALLEST_RADIUS)
    same = (apart < nearer) | (shared >= _SAME * np.maximum(sizes, former))
    together = shared / (sizes + former - shared)
    worth = np.where(same, 1 + _MEMBERS * together + (1 - _MEMBERS) * near.clip(0), 0.0)
    rows, columns = linear_sum_assignment(-worth)
    return [Match(int(row), names[column]) for row, column in zip(rows, columns, strict=True) if same[row, column]]


def _shapes(groups: Sequence[Rows], vectors: Vectors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    centroids, radii = zip(*(shape_of(vectors[rows], RADIUS_SHARE) for rows in groups), strict=True)
    return np.stack(centroids), np.array(radii, np.float32)
