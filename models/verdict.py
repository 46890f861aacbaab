"""What the detector says: of every topic at one bucket, and why of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.scan import Window, upper_bound
from models.season import FloatArray

LEAST_COUNT = 3  # fewer customers than this are no surge in any window


@dataclass(frozen=True, slots=True)
class Tick:
    """What the detector made of one bucket. Arrays have one value a topic, in the order of `Detector.topics`.

    ``window``, ``observed``, ``expected`` and ``variance`` speak of each topic's most telling window.
    """

    bucket: int
    topics: Sequence[str]
    score: FloatArray
    alarm: NDArray[np.bool_]
    window: NDArray[np.int64]
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    threshold: float
    new_normal: tuple[str, ...]
    calm: NDArray[np.bool_]
    windows: tuple[Window, ...]
    extra: Mapping[str, float] = field(default_factory=dict)
    """What topics must score beyond the threshold (`models.bar`)."""

    @property
    def quiet(self) -> frozenset[str]:
        """Topics whose last hour was as usual, at two buckets running, whatever longer windows say."""
        return frozenset(self.topics[row] for row in np.nonzero(self.calm)[0].tolist())

    def upper_bound(self, row: int) -> int:
        """The largest count of the topic's most telling window at which it would not have alarmed."""
        window = self.windows[int(self.window[row])]
        required = self.threshold + self.extra.get(self.topics[row], 0.0)
        return bound_of(required, window, float(self.expected[row]), float(self.variance[row]))


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """One window's word on a topic: half-open run of buckets, counts and score over its handicap."""

    first: int
    end: int
    observed: int
    expected: float
    upper_bound: int
    score: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of the topics: by hour, newest first, the hour that is still filling among them.

    ``expected`` (24, J) customers; ``phi`` (J,) and ``relative`` (J,) are the spread of counts as in `models.scan`:
    variance = phi * mean + relative * mean^2.
    """

    topics: Sequence[str]
    expected: FloatArray
    phi: FloatArray
    relative: FloatArray


@dataclass(frozen=True, slots=True)
class Factor:
    """What one cause multiplies the expectation by."""

    name: str
    times: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a topic alarms, or does not: its most telling window, those that spoke, and what made the expectation."""

    telling: WindowVerdict
    spoke: tuple[WindowVerdict, ...]
    onset: int
    factors: tuple[Factor, ...]


def bound_of(threshold: float, window: Window, mean: float, variance: float) -> int:
    """The largest count of a window at which its topic does not alarm: the alarm rule solved for the count."""
    return int(upper_bound(threshold + window.handicap, mean, variance, least=LEAST_COUNT - 1))
