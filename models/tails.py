"""How surprising a share of many, or a mean of many, is: -log10 of upper tails, so 3 is one in a thousand."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln, gammaln, log_ndtr

from models.scan import MOST_SCORE, FloatArray

_TERMS = 256  # of the tail summed one by one; what lies beyond falls off at least as fast as a geometric series
_MOST_CERTAIN = 1e7  # the beta's parameters beyond which rounding would spoil it; there it is binomial in all but name
_DEGREES = 8.0  # of freedom: means of a few dozen waiting times have tails like this rather than a normal's
_DULL = 1.0  # standard errors below which a rough figure will do


def share_midp_log10(y: ArrayLike, n: ArrayLike, p: ArrayLike, variance: ArrayLike) -> FloatArray:
    """-log10 of the mid-p upper tail, P(Y > y) + P(Y = y)/2, of a beta-binomial; arrays broadcast.

    ``y`` of ``n`` where each has probability ``p``, which itself varies with ``variance`` from one time to another
    (Skellam, "A probability distribution derived from the binomial", 1948). ``y`` beyond ``n`` is taken as ``n``.

    >>> share_midp_log10([15, 30, 60], 100, 0.15, 0.0).round(2).tolist()
    [0.3, 4.14, 24.32]
    >>> share_midp_log10([30], 100, 0.15, 0.05**2).round(1).tolist()
    [1.8]
    """
    given = (np.asarray(one, float) for one in (y, n, p, variance))
    hits, trials, chance, spread = np.broadcast_arrays(*given)
    trials = np.maximum(np.round(trials), 1.0)
    hits, chance = np.clip(np.round(hits), 0.0, trials), np.clip(chance, 1e-6, 1 - 1e-6)
    whole = np.clip(chance * (1 - chance) / np.maximum(spread, 1e-12) - 1.0, 1e-2, _MOST_CERTAIN)
    z = (hits / trials - chance) / np.sqrt(chance * (1 - chance) * (1 + (trials - 1) / (1 + whole)) / trials)
    score = np.asarray(_rough(z))
    far = z > _DULL
    score[far] = _summed(hits[far], trials[far], chance[far] * whole[far], (1 - chance[far]) * whole[far])
    return score


def _rough(z: FloatArray) -> FloatArray:
    """Near enough where nothing is to be told."""
    rough: FloatArray = -np.log10(_student_upper(z, 1e3))
    return rough


def _summed(y: FloatArray, n: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """The tail added up from its first term, by the ratio of one term to the next."""
    first = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1) + betaln(y + a, n - y + b) - betaln(a, b)
    k = y[:, None] + np.arange(_TERMS)
    ratios = np.maximum(n[:, None] - k, 0.0) * (k + a[:, None])
    ratios /= (k + 1) * np.maximum(n[:, None] - k - 1 + b[:, None], 1e-9)
    terms = np.cumprod(ratios, axis=1)
    last = np.minimum(ratios[:, -1], 0.999)
    tail = 0.5 + terms.sum(1) + terms[:, -1] * last / (1 - last)
    score: FloatArray = np.clip(-(first / np.log(10) + np.log10(tail)), 0.0, MOST_SCORE)
    return score


def mean_log10(z: ArrayLike) -> FloatArray:
    """-log10 of the upper tail of Student's t: how surprising a mean ``z`` standard errors above its expectation is.

    >>> mean_log10([0.0, 3.0, 6.0]).round(2).tolist()
    [0.3, 2.07, 3.79]
    """
    score: FloatArray = -np.log10(_student_upper(np.asarray(z, float), _DEGREES))
    return score


def normal_log10(z: ArrayLike) -> FloatArray:
    """-log10 of the upper tail of a normal.

    >>> normal_log10([0.0, 3.0, 6.0]).round(2).tolist()
    [0.3, 2.87, 9.01]
    """
    score: FloatArray = np.minimum(-log_ndtr(-np.asarray(z, float)) / np.log(10), MOST_SCORE)
    return score


def _student_upper(z: FloatArray, degrees: float) -> FloatArray:
    half = 0.5 * betainc(degrees / 2, 0.5, degrees / (degrees + z * z))
    upper: FloatArray = np.maximum(np.where(z > 0, half, 1 - half), 10.0**-MOST_SCORE)
    return upper
