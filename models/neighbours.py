"""Exact nearest neighbours by blocks, so that memory stays bounded whatever the number of rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors

SIMILARITIES_AT_ONCE = 8_000_000
"""Cosines held at a time (32 MB of float32)."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """For each row its k nearest rows, nearest first, the row itself among them as the first.

    ``indices`` (n, k) int32, ``distances`` (n, k) float32, cosine distances from 0 to 2.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]


def nearest(vectors: Vectors, k: int) -> Neighbours:
    """The k nearest of all rows for every row; ``vectors`` (n, d) are unit vectors. k is cut to n.

    >>> nearest(np.eye(2, dtype=np.float32), 2).indices.tolist()
    [[0, 1], [1, 0]]
    """
    rows = len(vectors)
    k = min(k, rows)
    indices = np.empty((rows, k), dtype=np.int32)
    distances = np.empty((rows, k), dtype=np.float32)
    step = rows_at_once(rows)
    for start in range(0, rows, step):
        block = 1 - vectors[start : start + step] @ vectors.T
        here = np.arange(len(block))
        block[here, start + here] = -1  # the row itself is first, before its copies
        chosen = np.argpartition(block, k - 1, axis=1)[:, :k]
        apart = np.take_along_axis(block, chosen, axis=1)
        order = apart.argsort(axis=1, kind="stable")
        indices[start : start + step] = np.take_along_axis(chosen, order, axis=1)
        distances[start : start + step] = np.take_along_axis(apart, order, axis=1)
    return Neighbours(indices, distances.clip(0, 2))


def rows_at_once(columns: int) -> int:
    """How many rows of so many similarities are held at a time."""
    return max(1, SIMILARITIES_AT_ONCE // max(1, columns))


def nearest_within(
    vectors: Vectors,
    centroids: Vectors,
    radii: NDArray[np.float32],
    *,
    own: tuple[NDArray[np.intp], NDArray[np.float32]] | None = None,
) -> NDArray[np.intp]:
    """The nearest centroid within whose own radius each vector lies, -1 where there is none; shape (n,).

    ``own``: which centroid each vector helped to make, -1 for none, and the distance to it that counts instead; each (n,).
    """
    placed = np.full(len(vectors), -1, dtype=np.intp)
    if not len(centroids):
        return placed
    step = rows_at_once(len(centroids))
    for start in range(0, len(vectors), step):
        distances = 1 - vectors[start : start + step] @ centroids.T
        if own is not None:
            names, apart = (each[start : start + step] for each in own)
            members = np.flatnonzero(names >= 0)
            distances[members, names[members]] = apart[members]
        reach = np.where(distances <= radii, distances, np.inf)
        placed[start : start + step] = np.where(np.isfinite(reach).any(axis=1), reach.argmin(axis=1), -1)
    return placed
