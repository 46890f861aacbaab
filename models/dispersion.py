"""How far counts stray from their expectation: ``phi`` for a topic's buckets, ``alpha`` for its windows.

The variance of a window's count is phi * M + (alpha_w + doubt) * M^2: the first part is bunching of messages,
the second is what moves whole hours (weather, news, a slow drift), which grows with the square of the count.
"""

import numpy as np

from models.season import FloatArray

# Priors: DETECTION.md, formula 7.
PHI_EXCESS, PHI_WEIGHT, PHI_FLOOR = 0.4, 100.0, 0.02
ALPHA_FIRST, ALPHA_WEIGHT, ALPHA_FLOOR, ALPHA_RANGE = 0.02, 4.0, 0.003, (0.004, 0.5)
HALF_LIFE_HOURS = 24.0 * 14
WINSOR_SD, WINSOR_SHRINK = 3.0, 0.93  # a normal square cut at 3 sd above keeps about .93 to .97 of its mean
BUCKET_WINSOR = 16.0
DECAY = 0.5 ** (1.0 / HALF_LIFE_HOURS)


def phi_of(excess: FloatArray, weight: FloatArray) -> FloatArray:
    """Variance over mean of a bucket's count, 1.02 at least."""
    return 1.0 + np.maximum(excess / weight, PHI_FLOOR)


def learn_phi(
    excess: FloatArray, weight: FloatArray, residual: FloatArray, mean: FloatArray, trust: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """An hour's ``residual`` (sum of squares beyond Poisson) and ``mean`` join the sums; old ones fade."""
    fade = 1.0 - DECAY
    return (
        excess * DECAY + residual * trust + fade * PHI_WEIGHT * PHI_EXCESS,
        weight * DECAY + mean * trust + fade * PHI_WEIGHT,
    )


def bucket_residual(y: FloatArray, mean: FloatArray, doubt: FloatArray) -> FloatArray:
    """A bucket's squared residual beyond Poisson and beyond the doubt about the mean, winsorised."""
    return np.minimum((y - mean) ** 2, BUCKET_WINSOR * (mean + 1.0)) - mean - doubt * mean * mean


def alpha_of(excess: FloatArray, weight: FloatArray, pool: float) -> FloatArray:
    """Relative variance of a window's count for each topic, shrunk to the tenant's ``pool``."""
    prior = ALPHA_WEIGHT / pool**2
    return np.maximum((excess + prior * pool) / (weight + prior), ALPHA_FLOOR)


def learn_alpha(
    excess: FloatArray,
    weight: FloatArray,
    *,
    y: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    known: FloatArray,
    phi: FloatArray,
    pool: float,
    trust: FloatArray,
    hours: int,
) -> tuple[FloatArray, FloatArray]:
    """A window's outcome joins the sums; ``known`` is the relative variance that is already accounted for."""
    gap = y - mean
    square = np.where(gap > 0, np.minimum(gap * gap, WINSOR_SD**2 * variance), gap * gap) / WINSOR_SHRINK
    mean = np.maximum(mean, 1e-9)
    said = trust / (phi / mean + pool) ** 2
    found = (square - phi * mean) / (mean * mean) - known
    fade = DECAY**hours
    return excess * fade + said * found, weight * fade + said


def pooled_alpha(pool: float, excess: FloatArray, weight: FloatArray) -> float:
    """The tenant's common relative variance, moved a fifth of the way to what its topics say today."""
    total = float(weight.sum())
    if total <= 0.0:
        return pool
    return float(np.clip(0.8 * pool + 0.2 * float(excess.sum()) / total, *ALPHA_RANGE))
