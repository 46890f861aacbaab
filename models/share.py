"""The share model: which part of all messages each topic is expected to take, by hour and weekday.

Per topic a Gaussian posterior over the coefficients of the log share, ``m`` (J, K) and ``P`` (J, K, K), learnt from
counts by conjugate gamma-Poisson steps with linear-Bayes feedback (West, Harrison and Migon, 1985). Arrays are
not changed in place.
"""

from dataclasses import dataclass

import numpy as np

from models.season import FloatArray, Season

LOG_FLOOR, LOG_CEILING = -25.0, 12.0  # exp() of these is no count any more, or all messages of the world
MOST_DOUBT = 3.0  # variance of a log share beyond which nothing is known: DETECTION.md, formula 3


@dataclass(frozen=True, slots=True)
class Prior:
    """What a topic that has not spoken yet is expected to look like: mean (K,) and covariance (K, K)."""

    mean: FloatArray
    covariance: FloatArray


def first_prior(season: Season) -> Prior:
    """The prior before any topic is known."""
    return Prior(np.zeros(season.size), np.diag(season.prior_sd**2))


def predict(m: FloatArray, P: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean (J,) and variance (J,) of the log share at features ``x`` (K,)."""
    f = _dot(m, x)
    return f, np.maximum(_dot(_dot(P, x), x), 1e-8)


def learn(
    m: FloatArray, P: FloatArray, *, x: FloatArray, y: FloatArray, exposure: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """One observation a topic: count ``y`` (J,) out of ``exposure`` (J,), believed to a ``weight`` (J,) of 0 to 1.

    Returns the new mean and covariance. A weight of 0 leaves a topic as it is.
    """
    Px = _dot(P, x)
    f, q = _dot(m, x), np.maximum(_dot(Px, x), 1e-8)
    shape = 1.0 / q
    rate = shape * np.exp(-np.clip(f, LOG_FLOOR, LOG_CEILING))
    new_shape, new_rate = shape + weight * y, rate + weight * exposure
    new_f, new_q = np.log(new_shape / new_rate), 1.0 / new_shape
    new_m = m + Px * ((new_f - f) / q)[:, None]
    new_P = P - Px[:, :, None] * Px[:, None, :] * ((1.0 - new_q / q) / q)[:, None, None]
    return new_m, new_P


def drift(P: FloatArray, prior: Prior, variance: FloatArray) -> FloatArray:
    """Time passes: every coefficient may have moved by ``variance`` (K,), but nothing gets vaguer than the prior."""
    P = P.copy()
    k = np.arange(P.shape[1])
    P[:, k, k] += variance
    ceiling = np.diag(prior.covariance)
    over = P[:, k, k] > ceiling
    if over.any():
        scale = np.sqrt(np.where(over, ceiling / np.maximum(P[:, k, k], 1e-12), 1.0))
        P *= scale[:, :, None] * scale[:, None, :]
    return P


def slide(m: FloatArray, P: FloatArray, slope: int) -> tuple[FloatArray, FloatArray]:
    """One step of a local linear trend: the level moves by the slope (West and Harrison, 1997, chapter 7)."""
    m, P = m.copy(), P.copy()
    m[:, 0] += m[:, slope]
    P[:, 0, :] += P[:, slope, :]
    P[:, :, 0] += P[:, :, slope]
    return m, P


def pooled_prior(m: FloatArray, P: FloatArray, season: Season, *, settled_share: float = 0.35) -> Prior | None:
    """The prior that the tenant's own topics suggest, or None while fewer than 25 of them are settled.

    Level and volume response keep their wide prior; the seasons take the mean and spread of the settled topics,
    less what is estimation error (moment matching, as in Morris, 1983).
    """
    seasonal = slice(1, season.size - 1)
    variances = np.einsum("jkk->jk", P)
    settled = variances[:, seasonal].max(1) < settled_share * season.prior_sd[1] ** 2
    if settled.sum() < 25:
        return None
    mean = np.zeros(season.size)
    mean[seasonal] = m[settled].mean(0)[seasonal]
    spread = np.cov(m[settled].T)
    inner = spread[seasonal, seasonal]
    error = np.minimum(variances[settled][:, seasonal].mean(0), 0.5 * np.diag(inner))
    inner = inner - np.diag(error)
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    covariance = np.diag(season.prior_sd**2)
    covariance[seasonal, seasonal] = 1.2 * (vectors * np.maximum(values, 0.003)) @ vectors.T
    covariance[-1, -1] = max(float(spread[-1, -1]), 0.05**2)
    return Prior(mean, covariance)


def change_prior(m: FloatArray, P: FloatArray, old: Prior, new: Prior) -> tuple[FloatArray, FloatArray]:
    """What the topics would believe had they started from ``new`` and seen the same counts.

    The likelihood is what the posterior holds beyond the old prior, in natural parameters; directions in which
    it would be negative (drift, capped variances) are taken as saying nothing.
    """
    precision, old_precision = np.linalg.inv(P), np.linalg.inv(old.covariance)
    values, vectors = np.linalg.eigh(precision - old_precision)
    likelihood = (vectors * np.maximum(values, 0.0)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    pull = np.einsum("jkl,jl->jk", precision, m) - old_precision @ old.mean
    new_precision = np.linalg.inv(new.covariance)
    new_P = np.linalg.inv(likelihood + new_precision)
    return np.einsum("jkl,jl->jk", new_P, pull + new_precision @ new.mean), new_P


def _dot(a: FloatArray, x: FloatArray) -> FloatArray:
    """``a @ x`` over the last axis in a fixed order, so that a restored detector gives the same bits."""
    total: FloatArray = a[..., 0] * x[0]
    for k in range(1, len(x)):
        if x[k] != 0.0:
            total = total + a[..., k] * x[k]
    return total
