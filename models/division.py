"""One topic in two: which of its messages are one part, and which the rest."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors, unit

_STEPS = 20  # of the two means; messages of one topic settle within a few


def halves(vectors: Vectors, picked: Sequence[int] = ()) -> NDArray[np.bool_]:
    """Which rows belong to the part, shape (n,).

    ``vectors`` (n, d) are unit vectors after centring. ``picked`` rows are of the part, and what is nearer to them
    than to the rest goes with them; without any, the rows are divided along the direction that they differ most in,
    and the part is the smaller half. Two means on the sphere (Dhillon & Modha, "Concept decompositions for large
    sparse text data using clustering", 2001). The same rows give the same halves.

    >>> around = unit(np.array([[1, 0], [1, 0.1], [0, 1], [1, -0.1]], dtype=np.float32))
    >>> halves(around).tolist(), halves(around, [0]).tolist()
    ([False, False, True, False], [True, True, False, True])
    """
    fixed = np.zeros(len(vectors), dtype=bool)
    fixed[list(picked)] = True
    part = fixed if fixed.any() else _along(vectors)
    for _ in range(_STEPS):
        if part.all() or not part.any():
            return part
        centres = unit(np.stack([vectors[~part].mean(axis=0), vectors[part].mean(axis=0)]))
        nearer = vectors @ centres[1] > vectors @ centres[0]
        moved: NDArray[np.bool_] = nearer | fixed
        if (moved == part).all():
            break
        part = moved
    return ~part if not fixed.any() and part.sum() > len(part) / 2 else part


def _along(vectors: Vectors) -> NDArray[np.bool_]:
    """The rows on one side of the mean, along the direction of most variance."""
    apart = vectors - vectors.mean(axis=0)
    direction = np.linalg.svd(apart, full_matrices=False)[2][0]
    side: NDArray[np.bool_] = apart @ direction > 0
    return side
