"""Vectors into groups: all of them divided evenly, or only where they crowd."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.reduction import Reduction, places, reduce

Groups = NDArray[np.intp]
"""A group number a row, -1 for noise, shape (n,)."""

_LEAST_DENSE = 0.17  # times √n, the least size of a dense group: 5 among 800 messages, 15 among 8,000


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How rows are grouped. Figures: tests/benchmarks/topics.py, and surges found on the development streams."""

    reduction: Reduction = Reduction.DIFFUSION
    dimensions: int = 60
    groups_a_place: float = 1.75
    """Groups of `even_groups` to a place where messages dwell (`models.reduction.places`): finer than issues where these
    lie apart. Beside BERTopic at equal coverage, shop reviews and bank, NMI with 1.5, 1.75 and 2: +.022, +.009, -.002
    and +.062, +.068, +.081. Surges found at 8,000 messages with 25, 40, 60, 90, 120 groups (an earlier encoder): English
    (now 67) .43 .47 .51 .53 .53, Chinese (now 16) .48 .43 .40 .38 .37."""
    least_groups: int = 12
    """Of `even_groups`: a few hundred messages show no places yet, and still speak of more than one thing."""
    messages_a_group: int = 8
    """Rows to a group of `even_groups` on average, at least."""
    min_messages: int = 5
    """Rows that a group needs."""


def even_groups(vectors: Vectors, settings: GroupSettings, seed: int) -> Groups:
    """Every row in a group; -1 only where there are too few for any."""
    if len(vectors) < 2 * settings.min_messages:
        return np.full(len(vectors), -1, dtype=np.intp)
    wanted = max(settings.least_groups, round(settings.groups_a_place * places(vectors, seed=seed)))
    wanted = max(1, min(wanted, len(vectors) // settings.messages_a_group))
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    reduced = reduce(vectors, settings.reduction, settings.dimensions, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct places than groups: fewer groups, then
        groups = KMeans(wanted, n_init=3, random_state=seed).fit_predict(reduced)
    return _without_small(reduced, groups.astype(np.intp), settings.min_messages)


def _without_small(reduced: NDArray[np.float32], groups: Groups, least: int) -> Groups:
    """Rows of groups too small moved to the nearest of the others; -1 where no group is large enough."""
    sizes = np.bincount(groups)
    large = np.flatnonzero(sizes >= least)
    if not len(large):
        return np.full(len(groups), -1, dtype=np.intp)
    centres = np.stack([reduced[groups == name].mean(axis=0) for name in large])
    moving = np.flatnonzero(sizes[groups] < least)
    apart = np.square(reduced[moving][:, None] - centres).sum(axis=2)
    moved = groups.copy()
    moved[moving] = large[apart.argmin(axis=1)]
    return moved


def dense_groups(vectors: Vectors, settings: GroupSettings, seed: int) -> Groups:
    """Groups of these rows by density, numbered from 0; -1 for rows in no group.

    HDBSCAN: Campello, Moulavi & Sander, "Density-based clustering based on hierarchical density estimates", 2013.
    """
    if len(vectors) < 2 * settings.min_messages:
        return np.full(len(vectors), -1, dtype=np.intp)
    from hdbscan import HDBSCAN

    reduced = reduce(vectors, settings.reduction, settings.dimensions, seed=seed)
    clusterer = HDBSCAN(
        min_cluster_size=max(settings.min_messages, round(_LEAST_DENSE * len(vectors) ** 0.5)),
        min_samples=1,  # more turns a third of the messages into noise (docs/measured.md)
        cluster_selection_method="eom",
        core_dist_n_jobs=1,
    )
    return np.asarray(clusterer.fit_predict(reduced.astype(np.float64)), dtype=np.intp)
