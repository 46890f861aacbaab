"""What is known of one topic beside its rings: one row of fixed size, so that it is written and restored whole."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.season import FloatArray


def row_type(size: int) -> np.dtype[Any]:
    """What is known of one topic beside its rings."""
    return np.dtype(
        [
            ("m", "f4", (size,)),
            ("p", "f4", (size * (size + 1) // 2,)),
            ("phi", "f4", (2,)),
            ("scale", "f4", (2,)),
            ("born", "i4"),
            ("hot", "i4"),
            ("episode_end", "i4"),
            ("episode_peak", "f4"),
            ("residual", "f4"),
            ("doubt", "f4"),
            ("peak", "f4"),
            ("alarmed_beats", "u1"),
            ("cooling_beats", "u1"),
            ("quiet", "u1"),
        ]
    )


def triangle(P: FloatArray) -> FloatArray:
    """The lower triangles (J, K(K+1)/2) of symmetric matrices (J, K, K)."""
    i, j = np.tril_indices(P.shape[-1])
    return P[:, i, j]


def square(p: np.ndarray, k: int) -> FloatArray:
    """The symmetric matrices (J, k, k) of these lower triangles."""
    P: FloatArray = p.astype(float)[:, _places(k)]
    return P


@cache
def _places(k: int) -> NDArray[np.int64]:
    """Where each entry of a symmetric matrix (k, k) stands in its lower triangle.

    >>> _places(3).tolist()
    [[0, 1, 3], [1, 2, 4], [3, 4, 5]]
    """
    i, j = np.tril_indices(k)
    places = np.zeros((k, k), np.int64)
    places[i, j] = places[j, i] = np.arange(len(i))
    return places
