"""Rings of counts: the last few units of time of every topic, as fixed-size memory.

A ring of size n and unit u has one slot for each of the last n spans of u buckets. Slots are aligned to the
epoch, so that a ring restored from the store goes on where it stopped.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from models.season import FloatArray


@dataclass(frozen=True, slots=True)
class Ring:
    """The shape of a ring; the counts themselves live in an array (size, ...) of the owner."""

    unit: int
    size: int

    def slot(self, bucket: int) -> int:
        return (bucket // self.unit) % self.size

    def begins(self, bucket: int) -> bool:
        """Whether ``bucket`` is the first of its slot, so that the slot has to be emptied."""
        return bucket % self.unit == 0

    def remembers(self, bucket: int, newest: int) -> bool:
        """Whether ``bucket`` still has its slot when ``newest`` is the newest bucket."""
        return 0 <= newest // self.unit - bucket // self.unit < self.size

    def newest_first(self, bucket: int) -> np.ndarray:
        """Indices of the slots from the one that holds ``bucket`` back into the past."""
        return (self.slot(bucket) - np.arange(self.size)) % self.size

    def sums(self, values: np.ndarray, bucket: int) -> FloatArray:
        """Sums over the last 1, 2, … slots up to and with the one of ``bucket``; slots are the first axis."""
        return np.cumsum(values[self.newest_first(bucket)], axis=0, dtype=np.float64)

    def window_sums(self, values: np.ndarray, bucket: int, slots: tuple[int, ...]) -> FloatArray:
        """Sums (len(slots), ...) over the last so many slots each.

        >>> Ring(1, 3).window_sums(np.array([[5], [7], [11]]), 4, (1, 2)).tolist()
        [[7.0], [12.0]]
        """
        sums: FloatArray = _inside(self.size, self.slot(bucket), slots) @ values.astype(np.float64)
        return sums

    def span(self, bucket: int, slots: int) -> tuple[int, int]:
        """The half-open run of buckets that the last ``slots`` slots cover when ``bucket`` is the newest."""
        return (bucket // self.unit - slots + 1) * self.unit, bucket + 1


@cache
def _inside(size: int, newest: int, slots: tuple[int, ...]) -> FloatArray:
    """Which slots (len(slots), size) lie within the last so many of each, 1 or 0: as many matrices as a ring has slots."""
    age = (newest - np.arange(size)) % size
    return (age < np.asarray(slots)[:, None]).astype(np.float64)
