"""What is known of one topic beside its rings: one row of fixed size, so that it is written and restored whole."""

from typing import Any

import numpy as np

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
    P = np.empty((len(p), k, k))
    i, j = np.tril_indices(k)
    P[:, i, j] = p
    P[:, j, i] = p
    return P
