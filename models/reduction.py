"""Fewer dimensions for clustering: 384 of them hide the dense places among the empty space.

A diffusion map, after comparing (k-means with 60 to 110 groups of the first 2,000 messages of banking77, the other
4,000 placed online; NMI, purity): 110 groups .743, .642; UMAP .741, .639; no reduction .708, .593. Surges found with it
and with UMAP differ by less than their standard error, and UMAP takes some 20 times as long and a minute to compile.
Heavy packages are imported where they are used, so that a process that never searches never loads them.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.neighbours import nearest

_NEIGHBOURS = 8
"""Rows that a row is tied to in the graph. Fewer than the usual 15 keep small issues apart: mean NMI of groups online
(banking77, 6,000 messages, a third to start) .726 with 8, .707 with 15; surges found in Chinese .42 and .36."""
_ROWS_A_DIMENSION = 4
_SCALE = 7  # the neighbour whose distance is a row's own scale (Zelnik-Manor & Perona, 2004)
_CLOSEST = 1e-6  # cosine distance of copies, that they don't make a scale of zero
_STEPS = 8  # of the random walk: 16 make groups of uneven size, of which the large ones hide surges
_PLACES_ROWS = 2_000
_MOST_PLACES = 150
_STAYS = 0.9
"""Above .8 there are 50 and 97 places of the bank's 77 labels, 17 and 22 of the shop's 10: the higher, the less the number
hangs on that of the rows, and the farther apart are sets that speak of many things and those that speak of few."""


class Reduction(StrEnum):
    DIFFUSION = "diffusion"
    PCA = "pca"
    NONE = "none"


def reduce(vectors: Vectors, how: Reduction, dimensions: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Rows in at most ``dimensions`` dimensions, shape (n, dimensions) or as they came for `Reduction.NONE`.

    The same rows and seed give the same result. Small sets get fewer dimensions, a quarter of their rows, and sets
    too small for a graph of neighbours are taken through PCA.
    """
    if how is Reduction.NONE:
        return vectors
    dimensions = min(dimensions, max(2, len(vectors) // _ROWS_A_DIMENSION))
    if how is Reduction.PCA or len(vectors) <= 3 * _NEIGHBOURS:
        return _pca(vectors, dimensions)
    return _diffusion(vectors, dimensions, seed)


def _pca(vectors: Vectors, dimensions: int) -> NDArray[np.float32]:
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred.T @ centred, hermitian=True)
    reduced: NDArray[np.float32] = (centred @ axes[:dimensions].T).astype(np.float32)
    return reduced


def _diffusion(vectors: Vectors, dimensions: int, seed: int) -> NDArray[np.float32]:
    """Diffusion map of the graph of neighbours (Coifman & Lafon, "Diffusion maps", 2006), rows of length 1."""
    values, axes = _walk(vectors, dimensions + 1, seed)
    steps = axes[:, 1:] * np.maximum(values[1:], 0) ** _STEPS  # the first is constant
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    reduced: NDArray[np.float32] = (steps / np.maximum(lengths, 1e-30)).astype(np.float32)
    return reduced


def places(vectors: Vectors, *, seed: int = 0) -> int:
    """About how many different things the rows speak of: places that a random walk among neighbours hardly leaves.

    The eigenvalues of the walk above `_STAYS` (von Luxburg, "A tutorial on spectral clustering", 2007), read from at
    most `_PLACES_ROWS` rows. Sets with a known number of labels, and what this finds in 1,000 rows and in 2,000: 77, 29
    and 60 (bank); 10, 8 and 9 (shop); 64, 31 (assistant); 13, 7 (beauty, 500 rows); of streams 78, 38 (bank), 35, 9 (a
    Chinese mix). At most `_MOST_PLACES`.
    """
    if len(vectors) > _PLACES_ROWS:
        vectors = vectors[np.random.default_rng(seed).choice(len(vectors), _PLACES_ROWS, replace=False)]
    if len(vectors) <= 3 * _NEIGHBOURS:
        return 1
    values, _ = _walk(vectors, min(_MOST_PLACES, len(vectors) // 3), seed)
    return max(1, int((values > _STAYS).sum()))


def _walk(vectors: Vectors, count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues (count,) of a random walk among neighbours, falling, and their eigenvectors (n, count).

    Scales are local (Zelnik-Manor & Perona, "Self-tuning spectral clustering", 2004), so that neither dense nor thin
    places rule the graph.
    """
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import eigsh

    rows = len(vectors)
    near = nearest(vectors, _NEIGHBOURS + 1)
    others, apart = near.indices[:, 1:], np.maximum(near.distances[:, 1:], _CLOSEST)
    k = others.shape[1]
    scale = apart[:, min(_SCALE, k) - 1]
    weights = np.exp(-np.square(apart) / (scale[:, None] * scale[others]))
    graph = csr_matrix((weights.ravel(), (np.repeat(np.arange(rows), k), others.ravel())), shape=(rows, rows))
    graph = graph.maximum(graph.T)
    spread = diags(np.asarray(graph.sum(axis=1)).ravel() ** -0.5)
    begin = np.random.default_rng(seed).uniform(0.5, 1, rows)
    values, axes = eigsh(spread @ graph @ spread, k=count, v0=begin)
    order = values.argsort()[::-1]
    return values[order], axes[:, order]
