"""How well vectors group texts by what people would call one issue: the yardstick for encoders and adapters."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from models.embed import Vectors

KMEANS_SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Grouping:
    """All three are higher for better, 1 at most.

    ``knn1``: share of texts whose nearest other text has the same label. ``nmi``, ``ari``: normalised mutual
    information and adjusted Rand index of k-means with the true number of groups, mean over `KMEANS_SEEDS`.
    """

    knn1: float
    nmi: float
    ari: float


def grouping(vectors: Vectors, labels: Sequence[str]) -> Grouping:
    """Score unit ``vectors`` (n, d) against ``labels`` (n). Raises ValueError when the lengths differ.

    >>> vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    >>> grouping(vectors, ["late"] * 4 + ["broken"] * 4 + ["fake"] * 4)
    Grouping(knn1=1.0, nmi=1.0, ari=1.0)
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    if len(vectors) != len(labels):
        raise ValueError(f"{len(vectors)} vectors but {len(labels)} labels")
    found = [KMeans(len(set(labels)), n_init=10, random_state=seed).fit_predict(vectors) for seed in KMEANS_SEEDS]
    return Grouping(
        knn1=round(nearest_agrees(vectors, labels), 3),
        nmi=round(fmean(normalized_mutual_info_score(labels, groups) for groups in found), 3),
        ari=round(fmean(adjusted_rand_score(labels, groups) for groups in found), 3),
    )


def nearest_agrees(vectors: Vectors, labels: Sequence[str]) -> float:
    """Share of texts whose nearest other text, by cosine, bears the same label."""
    named = np.asarray(labels)
    agree = 0
    for start in range(0, len(vectors), 1024):  # keeps the table of products small
        products = vectors[start : start + 1024] @ vectors.T
        rows = np.arange(len(products))
        products[rows, start + rows] = -np.inf
        agree += int((named[products.argmax(axis=1)] == named[start + rows]).sum())
    return agree / len(vectors)
