"""What a beat holds still, and what a scan of all windows finds in one bucket of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from models.scan import nb_midp_log10
from models.season import FloatArray

ROBUST_Z = 2.58


@dataclass(frozen=True, slots=True)
class Beat:
    """What does not change within a beat."""

    number: int
    x: FloatArray
    share: FloatArray
    heard: float
    doubt: FloatArray
    witness: FloatArray
    response: FloatArray
    cross: FloatArray
    response_doubt: FloatArray
    phi: FloatArray
    alpha: FloatArray


class Scanned:
    """Counts, expectations and scores of all windows (W, J) at one bucket; the score of what is no surge is 0."""

    def __init__(
        self, y: FloatArray, mean: FloatArray, variance: FloatArray, relative: FloatArray, handicap: FloatArray
    ) -> None:
        self.y, self.mean, self.variance, self.relative = y, mean, variance, relative
        self.raw = np.zeros(y.shape)
        self._handicap = handicap

    @cached_property
    def score(self) -> FloatArray:
        score: FloatArray = np.where(self.raw > 0.0, self.raw - self._handicap, 0.0)
        return score

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """The window that says most of each topic (J,), the longest of equals."""
        best: NDArray[np.int64] = len(self.score) - 1 - self.score[::-1].argmax(0)
        return best


def surprise(y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """How much a count may teach: 1, or less where it lies too far above what was expected (Huber, 1964)."""
    weight = np.ones(y.shape)
    far = y > mean + 1.5 * np.sqrt(variance)
    p = np.clip(10.0 ** -nb_midp_log10(y[far], mean[far], variance[far]), 1e-15, 1 - 1e-15)
    z = -ndtri(p)
    weight[far] = np.where(z > ROBUST_Z, (ROBUST_Z / np.maximum(z, 1e-9)) ** 2, 1.0)
    return weight
