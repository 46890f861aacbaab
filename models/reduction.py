"""Fewer dimensions for density clustering: 384 of them hide the dense places among the empty space.

Heavy packages are imported where they are used, so that a process that never searches never loads them.
"""

import warnings
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.neighbours import nearest

_NEIGHBOURS = 15  # UMAP's default, and that of most who use it on sentences
_UMAP_EPOCHS = 200  # UMAP's own choice above 10,000 rows; 500 below it more than doubles the time


class Reduction(StrEnum):
    UMAP = "umap"
    SPECTRAL = "spectral"
    PCA = "pca"
    NONE = "none"


def reduce(vectors: Vectors, how: Reduction, dimensions: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Rows in at most ``dimensions`` dimensions, shape (n, dimensions) or as they came for `Reduction.NONE`.

    The same rows and seed give the same result. Sets too small for a graph of neighbours are taken through PCA.
    """
    if how is Reduction.NONE:
        return vectors
    if how is Reduction.PCA or len(vectors) <= max(2 * dimensions, 3 * _NEIGHBOURS):
        return _pca(vectors, dimensions)
    return {Reduction.UMAP: _umap, Reduction.SPECTRAL: _spectral}[how](vectors, dimensions, seed)


def _pca(vectors: Vectors, dimensions: int) -> NDArray[np.float32]:
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred.T @ centred, hermitian=True)
    reduced: NDArray[np.float32] = (centred @ axes[:dimensions].T).astype(np.float32)
    return reduced


def _umap(vectors: Vectors, dimensions: int, seed: int) -> NDArray[np.float32]:
    """McInnes, Healy & Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018.

    Neighbours are found exactly here: its own search compiles for a minute before the first result.
    """
    near = nearest(vectors, _NEIGHBOURS)
    with warnings.catch_warnings():
        # It warns of a package that it could use, of rows to come that it can't map, of graphs in pieces.
        warnings.simplefilter("ignore")
        from umap import UMAP

        mapper = UMAP(
            n_neighbors=near.indices.shape[1],
            n_components=dimensions,
            min_dist=0.0,
            metric="cosine",
            n_epochs=_UMAP_EPOCHS,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(near.indices, near.distances),
            force_approximation_algorithm=True,
        )
        return np.asarray(mapper.fit_transform(vectors), dtype=np.float32)


def _spectral(vectors: Vectors, dimensions: int, seed: int) -> NDArray[np.float32]:
    """Laplacian eigenmaps of the graph of neighbours (Belkin & Niyogi, 2003), rows scaled to length 1
    (Ng, Jordan & Weiss, "On spectral clustering", 2001)."""
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import eigsh

    rows = len(vectors)
    near = nearest(vectors, _NEIGHBOURS)
    k = near.indices.shape[1]
    reach = np.maximum(near.distances[:, -1:], 1e-6)  # each row's own scale: dense places are not favoured
    weights = np.exp(-np.square(near.distances / reach))
    start = np.repeat(np.arange(rows), k)
    graph = csr_matrix((weights.ravel(), (start, near.indices.ravel())), shape=(rows, rows))
    graph = graph.maximum(graph.T)
    scale = diags(np.asarray(graph.sum(axis=1)).ravel() ** -0.5)
    begin = np.random.default_rng(seed).uniform(0.5, 1, rows)
    values, axes = eigsh(scale @ graph @ scale, k=dimensions + 1, v0=begin)
    axes = axes[:, values.argsort()[::-1][1:]]  # the first is constant
    lengths = np.linalg.norm(axes, axis=1, keepdims=True)
    reduced: NDArray[np.float32] = (axes / np.maximum(lengths, 1e-12)).astype(np.float32)
    return reduced
