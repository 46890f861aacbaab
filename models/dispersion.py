"""How far counts stray from their expectation: ``phi`` for a topic's buckets, ``alpha`` for its windows.

The variance of a window's count is phi * M + (alpha_w + doubt) * M^2: the first part is bunching of messages,
the second is what moves whole hours (weather, news, a slow drift), which grows with the square of the count.
Windows share the shape of alpha over all topics of a tenant (the pool); each topic has one scale of its own, which
all its windows teach together.
"""

import numpy as np

from models.season import FloatArray

# Priors: DETECTION.md, formula 7.
PHI_EXCESS, PHI_WEIGHT, PHI_FLOOR = 0.4, 100.0, 0.02
SCALE_WEIGHT, SCALE_FLOOR = 4.0, 0.1
SCALE_THINNING = 1.0 / 3.0  # nested windows repeat each other: together about a third of their number
ALPHA_FLOOR = 0.002
WINSOR_SD, WINSOR_SHRINK = 3.0, 0.93  # a normal square cut at 3 sd above keeps about .93 to .97 of its mean
BUCKET_WINSOR = 40.0
POOL_STEP = 0.2


def decay(half_life: float) -> float:
    """What is left of a sum after one beat."""
    return float(0.5 ** (1.0 / half_life))


def phi_of(excess: FloatArray, weight: FloatArray) -> FloatArray:
    """Variance over mean of a bucket's count, 1.02 at least."""
    return 1.0 + np.maximum(excess / weight, PHI_FLOOR)


def learn_phi(
    excess: FloatArray, weight: FloatArray, residual: FloatArray, mean: FloatArray, trust: FloatArray, kept: float
) -> tuple[FloatArray, FloatArray]:
    """A beat's ``residual`` (sum of squares beyond Poisson) and ``mean`` join the sums; old ones fade to ``kept``."""
    fade = 1.0 - kept
    return (
        excess * kept + residual * trust + fade * PHI_WEIGHT * PHI_EXCESS,
        weight * kept + mean * trust + fade * PHI_WEIGHT,
    )


def bucket_residual(y: FloatArray, mean: FloatArray, doubt: FloatArray) -> FloatArray:
    """A bucket's squared residual beyond Poisson and beyond the doubt about the mean, winsorised."""
    return np.minimum((y - mean) ** 2, BUCKET_WINSOR * (mean + 1.0)) - mean - doubt * mean * mean


def alpha_of(scale_sum: FloatArray, scale_weight: FloatArray, pool: FloatArray) -> FloatArray:
    """Relative variance (W, J) of the windows' counts: the ``pool`` (W,) times each topic's scale, shrunk to 1."""
    scale = (scale_sum + SCALE_WEIGHT) / (scale_weight + SCALE_WEIGHT)
    return np.maximum(pool[:, None] * np.maximum(scale, SCALE_FLOOR), min(ALPHA_FLOOR, float(pool.min())))


def window_excess(
    y: FloatArray,
    mean: FloatArray,
    *,
    variance: FloatArray,
    known: FloatArray,
    phi: FloatArray,
    pool: float,
    trust: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """What a window's outcome says of alpha: an estimate a topic and its weight (inverse variance).

    ``known`` is the relative variance that is already accounted for.
    """
    gap = y - mean
    square = np.where(gap > 0, np.minimum(gap * gap, WINSOR_SD**2 * variance), gap * gap) / WINSOR_SHRINK
    mean = np.maximum(mean, 1e-9)
    said = trust / (phi / mean + pool) ** 2
    return (square - phi * mean) / (mean * mean) - known, said


def next_pool(pool: FloatArray, found: FloatArray, said: FloatArray, limits: tuple[float, float]) -> FloatArray:
    """The tenant's common alpha (W,), moved a part of the way to what its topics say today."""
    told = np.where(said > 0, found / np.maximum(said, 1e-300), pool)
    return np.clip((1 - POOL_STEP) * pool + POOL_STEP * told, *limits)
