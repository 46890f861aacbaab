"""Windows over a stream of counts, and how surprising the count in each is.

A count is judged against a negative binomial with the given mean and variance by its mid-p upper tail
(Lancaster, 1961: P(Y > y) + P(Y = y)/2), which is less conservative than the plain tail on small counts.
Scores are -log10 p, so 3 is one in a thousand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammaln

FloatArray = NDArray[np.float64]

LEAST_MEAN = 1e-9
LEAST_EXCESS = 1e-4  # a variance below 1.0001 means is taken as Poisson: the negative binomial needs some excess
MOST_SCORE = 300.0  # -log10 of the smallest double


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the scan: its length in buckets, its handicap, and how far its expectation is stretched.

    ``stretch`` hedges long windows against slow drift that the expectation has not learnt yet; ``handicap`` is
    taken off the window's score, so that windows compete fairly for one budget of false alarms.
    """

    buckets: int
    handicap: float
    stretch: float


def nb_midp_log10(y: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> FloatArray:
    """-log10 of the mid-p upper tail of a negative binomial at ``y``; arrays broadcast.

    ``variance`` below the mean is taken as Poisson. A count of 0 gives a score of about 0.

    >>> nb_midp_log10([0, 10, 20], 5.0, 8.0).round(2).tolist()
    [0.0, 1.25, 3.91]
    """
    y, variance = np.asarray(y, float), np.asarray(variance, float)
    mean = np.maximum(np.asarray(mean, float), LEAST_MEAN)
    excess = np.maximum(variance / mean - 1.0, LEAST_EXCESS)
    size = mean / excess
    theta = excess / (1.0 + excess)
    upper = betainc(y + 1.0, size, theta)
    log_pmf = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0) - size * np.log1p(excess) + y * np.log(theta)
    score: FloatArray = -np.log10(np.clip(upper + 0.5 * np.exp(log_pmf), 10.0**-MOST_SCORE, 1.0))
    return score


def nb_lower_log10(y: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> FloatArray:
    """-log10 of the mid-p lower tail, P(Y < y) + P(Y = y)/2: how surprisingly few.

    >>> nb_lower_log10([0, 2, 5], 5.0, 5.0).round(2).tolist()
    [2.47, 1.08, 0.28]
    """
    y, mean, variance = np.broadcast_arrays(
        np.asarray(y, float), np.maximum(np.asarray(mean, float), LEAST_MEAN), np.asarray(variance, float)
    )
    excess = np.maximum(variance / mean - 1.0, LEAST_EXCESS)
    size = mean / excess
    lower = betainc(size, y + 1.0, 1.0 / (1.0 + excess))
    log_pmf = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0) - size * np.log1p(excess)
    log_pmf += y * np.log(excess / (1.0 + excess))
    score: FloatArray = -np.log10(np.clip(lower - 0.5 * np.exp(log_pmf), 10.0**-MOST_SCORE, 1.0))
    return score


def upper_bound(score: ArrayLike, mean: ArrayLike, variance: ArrayLike, *, least: int = 0) -> NDArray[np.int64]:
    """The largest count whose score stays below ``score``: one more would be beyond the bound. Never below ``least``.

    The dynamic threshold shown to people. Found by bisection on whole counts, since the score grows with the count.

    >>> bound = upper_bound(3.0, 5.0, 8.0)
    >>> bool(nb_midp_log10(bound, 5.0, 8.0) < 3.0 <= nb_midp_log10(bound + 1, 5.0, 8.0))
    True
    """
    score, mean, variance = np.broadcast_arrays(
        np.asarray(score, float), np.maximum(np.asarray(mean, float), LEAST_MEAN), np.asarray(variance, float)
    )
    low = np.full(score.shape, -1, np.int64)
    high = np.ceil(mean + 10 * np.sqrt(np.maximum(variance, mean)) + 10).astype(np.int64)
    for _ in range(60):
        short = nb_midp_log10(high, mean, variance) < np.minimum(score, MOST_SCORE)
        if not short.any():
            break
        low = np.where(short, high, low)
        high = np.where(short, high * 2, high)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        below = (middle < 0) | (nb_midp_log10(np.maximum(middle, 0), mean, variance) < score)
        low = np.where(below, middle, low)
        high = np.where(below, high, middle)
    return np.maximum(low, least)
