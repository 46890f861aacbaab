"""The tree: what is said at every width, from a phrase to a field, as the past has shown what belongs together.

What people call one issue is now one place in the space of meaning and now many. So the past is divided finely, and its
leaves are joined, two at a time and the nearest first, up to the whole; counts are held for every branch (a tree-based
scan statistic: Kulldorff, Fang & Walsh, "A tree-based scan statistic for database disease surveillance and data mining",
Biometrics 2003; joined as by Ward, "Hierarchical grouping to optimize an objective function", 1963).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors, unit

_ROWS = 4_000  # of the past that a tree is grown from, at most
_LEAVES, _A_LEAF = 200, 20  # leaves at most, and messages to each on average at least
_TURNS = 10  # of k-means


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """``leaves`` (l, d) are unit vectors; ``branches`` (b, l) says which leaves each branch holds, each leaf a branch too."""

    leaves: Vectors
    branches: NDArray[np.float32]

    def leaf(self, vectors: Vectors) -> NDArray[np.int64]:
        """The leaf that each of the vectors (n, d) lies in."""
        nearest: NDArray[np.int64] = (vectors @ self.leaves.T).argmax(axis=1)
        return nearest

    def held(self, leaves: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many of those that lie in these leaves each branch holds, (b,)."""
        counts: NDArray[np.float64] = self.branches @ np.bincount(leaves, minlength=len(self.leaves)).astype(float)
        return counts


def grow(vectors: Vectors, *, seed: int = 0) -> Tree:
    """The tree of the vectors (n, d) of the past, n at least 2, of unit length: up to `_LEAVES` leaves, found by k-means among
    up to `_ROWS` of them. The same vectors in the same order and seed give the same tree."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    rng = np.random.default_rng(seed)
    some = vectors[rng.permutation(len(vectors))[:_ROWS]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        means = KMeans(max(2, min(_LEAVES, len(some) // _A_LEAF)), n_init=1, max_iter=_TURNS, random_state=seed).fit(
            some
        )
    sizes = np.bincount(means.labels_, minlength=len(means.cluster_centers_))
    filled = np.flatnonzero(sizes)
    centres = means.cluster_centers_[filled]
    return Tree(unit(centres), joined(centres.astype(np.float64), sizes[filled].astype(np.float64)))


def joined(centres: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Which of the clusters each branch holds, (2 l - 2, l), where two are joined at a time up to the whole, which is left
    out: those whose joining adds least to the squares within (Lance & Williams, 1967).

    >>> joined(np.array([[0.0], [1.0], [9.0]]), np.ones(3)).astype(int).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]]
    """
    count = len(centres)
    held = np.eye(count, dtype=np.float32)
    branches, sizes, alive = [*held.copy()], sizes.copy(), np.ones(count, dtype=bool)
    squares = np.square(centres).sum(axis=1)
    apart = squares + squares[:, None] - 2 * centres @ centres.T
    cost = apart * sizes * sizes[:, None] / (sizes + sizes[:, None])
    np.fill_diagonal(cost, np.inf)
    for _ in range(count - 2):
        one, other = divmod(int(cost.argmin()), count)
        both, least = sizes[one] + sizes[other], cost[one, other]
        row = ((sizes + sizes[one]) * cost[one] + (sizes + sizes[other]) * cost[other] - sizes * least) / (sizes + both)
        row[~alive] = np.inf
        row[[one, other]] = np.inf
        cost[one] = cost[:, one] = row
        cost[other] = cost[:, other] = np.inf
        alive[other], sizes[one] = False, both
        held[one] += held[other]
        branches.append(held[one].copy())
    return np.stack(branches)
