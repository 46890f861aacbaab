"""How indicators of each kind are held against their expectation: what a window says, and how surprising that is.

Every kind is brought to one form. ``eta`` is the expectation on a scale where effects add up: the log odds of a share or
ratio, the log of a mean, quantile or count. A window of ``n`` observations with the sum ``y`` against the expected sum
``mean`` then says that eta was off by (y - mean) / ``gain``, with variance 1 / ``weight``: one Newton step of the
likelihood (McCullagh and Nelder, "Generalized linear models", 1989). Of a quantile, y counts the observations beyond
the expected quantile, so that one long wait weighs no more than another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from models.buckets import BUCKETS_PER_HOUR
from models.indicator import Direction, Indicator, Kind, Tally, middle
from models.scan import nb_lower_log10, nb_midp_log10
from models.season import FloatArray
from models.tails import mean_log10, normal_log10, share_midp_log10

Mask = NDArray[np.bool_]

NEAR = 0.2
"""Log distance from the expected quantile within which its density is read: a fifth more or less."""
CLUMP, MARGIN = 4.0, 0.03
"""Waits are no matters of their own: one stuck case keeps all behind it. So of counts of waits so many customers, and so large
a part of all, lie within a standard deviation whatever chance says; what moves so little nobody feels."""
CAP = 4.0
"""Standard deviations at which a value is cut, so that one forgotten ticket is not the mean of a day."""
_LEAST_COUNT = 3.0  # below which a count is no news, as for topics
_TWO_SIDED = float(np.log10(2.0))


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What windows hold; all arrays of one shape, the last axis being the indicators."""

    n: FloatArray
    y: FloatArray
    mean: FloatArray
    gain: FloatArray
    weight: FloatArray

    @property
    def off(self) -> FloatArray:
        """How far eta was off."""
        return (self.y - self.mean) / np.maximum(self.gain, 1e-9)

    @property
    def doubt(self) -> FloatArray:
        """Variance of `off`, were nothing but chance at work."""
        return 1.0 / np.maximum(self.weight, 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """The kinds of a row of indicators, as masks. ``waits``: those that count values beyond a limit or a quantile; ``part``:
    of a quantile, the share that should lie beyond it."""

    hits: Mask
    waits: Mask
    beyond: Mask
    means: Mask
    counts: Mask
    part: FloatArray
    least: FloatArray
    up: Mask
    down: Mask

    @classmethod
    def of(cls, indicators: Sequence[Indicator]) -> "Measures":
        def mask(*kinds: Kind) -> Mask:
            return np.array([one.kind in kinds for one in indicators], bool)

        return cls(
            hits=mask(Kind.share, Kind.ratio),
            waits=mask(Kind.share, Kind.quantile),
            beyond=mask(Kind.quantile),
            means=mask(Kind.mean),
            counts=mask(Kind.number),
            part=np.array([1.0 - (one.quantile or 0.5) for one in indicators], float),
            least=np.array([0.0 if one.kind is Kind.number else one.least for one in indicators], float),
            up=np.array([one.direction is not Direction.down for one in indicators], bool),
            down=np.array([one.direction is not Direction.up for one in indicators], bool),
        )

    def expected(self, eta: FloatArray) -> FloatArray:
        """The expectation in the indicator's own unit."""
        found: FloatArray = np.where(self.hits, expit(eta), np.exp(np.clip(eta, -30.0, 30.0)))
        return found

    def first(self, values: FloatArray, n: FloatArray) -> FloatArray:
        """The eta of a first figure; of a share drawn to a half, since it may be 0 of 1."""
        share = (np.clip(values, 0.0, 1.0) * n + 0.5) / (n + 1.0)
        found: FloatArray = np.where(self.hits, logit(share), np.log(np.maximum(values, 1e-6)))
        return found

    def sums(self, n: FloatArray, y: FloatArray, eta: FloatArray, spread: FloatArray, density: FloatArray) -> Sums:
        """What one bucket holds. ``spread``: relative variance of single values; ``density``: of log values, at the
        expected quantile."""
        expected = self.expected(eta)
        mean = np.where(self.beyond, n * self.part, np.where(self.counts, expected, n * expected))
        gain = np.where(self.hits, mean * (1 - expected), np.where(self.beyond, n * density, mean))
        by_spread, by_place = n / spread, n * density**2 / (self.part * (1 - self.part))
        weight = np.where(self.means, by_spread, np.where(self.beyond, by_place, gain))
        return Sums(n, y, mean, gain, weight)

    def surprise(self, sums: Sums, variance: FloatArray) -> FloatArray:
        """-log10 of the tail on the bad side of each window, where eta itself varies with ``variance``; 0 where there
        is too little to say anything."""
        higher, lower = np.zeros(sums.n.shape), np.zeros(sums.n.shape)
        if self.waits.any():
            n, mean = sums.n[..., self.waits], sums.mean[..., self.waits]
            chance = (
                mean * (1 - mean / np.maximum(n, 1e-9)) + sums.gain[..., self.waits] ** 2 * variance[..., self.waits]
            )
            z = (sums.y[..., self.waits] - mean) / np.sqrt(chance + CLUMP**2 + (MARGIN * n) ** 2)
            higher[..., self.waits], lower[..., self.waits] = normal_log10(z), normal_log10(-z)
        ratios = self.hits & ~self.waits
        if ratios.any():
            n, y = np.maximum(sums.n[..., ratios], 1.0), sums.y[..., ratios]
            p = np.clip(sums.mean[..., ratios] / n, 1e-6, 1 - 1e-6)
            spread = (sums.gain[..., ratios] / n) ** 2 * variance[..., ratios]
            higher[..., ratios] = share_midp_log10(y, n, p, spread)
            lower[..., ratios] = share_midp_log10(n - y, n, 1 - p, spread)
        if self.means.any():
            z = (sums.off / np.sqrt(sums.doubt + variance))[..., self.means]
            higher[..., self.means], lower[..., self.means] = mean_log10(z), mean_log10(-z)
        if self.counts.any():
            y, mean = sums.y[..., self.counts], sums.mean[..., self.counts]
            spread = mean + variance[..., self.counts] * mean**2
            higher[..., self.counts] = nb_midp_log10(y, mean, spread) * (y >= _LEAST_COUNT)
            lower[..., self.counts] = nb_lower_log10(y, mean, spread)
        bad = np.maximum(higher * self.up, lower * self.down) - _TWO_SIDED * (self.up & self.down)
        return np.where((sums.n >= self.least) & (sums.weight > 0), bad, 0.0)

    def values(self, sums: Sums, eta: FloatArray, hours: FloatArray | float) -> FloatArray:
        """The figures that people read: shares, means and quantiles; of counts the sum an hour."""
        n = np.maximum(sums.n, 1e-9)
        beyond = np.exp(np.clip(eta + sums.off, -30.0, 30.0))
        found: FloatArray = np.where(self.beyond, beyond, np.where(self.counts, sums.y / hours, sums.y / n))
        return found

    def hourly(self, eta: FloatArray) -> FloatArray:
        """An expectation as people read it; of counts that of an hour."""
        found: FloatArray = self.expected(eta) * np.where(self.counts, BUCKETS_PER_HOUR, 1.0)
        return found


def heard(indicator: Indicator, tally: Tally, expected: float, spread: float) -> tuple[float, float, float]:
    """What a tally says beside an expectation: n, y as `Sums` has it, and what it tells of the spread: of a mean the sum of
    squared relative errors, of a quantile how many values lie near it.

    >>> wait = Indicator("w", {"en": "wait"}, Kind.quantile, quantile=0.5)
    >>> heard(wait, Tally(3.0, 60.0, {46: 2.0, 74: 1.0}), 12.0, 1.0)
    (3.0, 1.0, 2.0)
    """
    if not indicator.kind.binned:
        return tally.n, tally.total, 0.0
    values, counts = np.array([middle(one) for one in tally.bins]), np.array([*tally.bins.values()], float)
    if indicator.kind is Kind.quantile:
        near = np.abs(np.log(np.maximum(values, 1e-9) / expected)) <= NEAR
        return tally.n, float(counts[values > expected].sum()), float(counts[near].sum())
    cut = np.minimum(values, expected * (1.0 + CAP * np.sqrt(spread)))
    return tally.n, float((counts * cut).sum()), float((counts * (cut / expected - 1.0) ** 2).sum())
