"""Due: how many messages of one value of an attribute were to come, by its own past and by that of the product that holds it."""

from __future__ import annotations

from typing import Generic

import numpy as np

from models.buckets import BUCKET
from models.emerging import DAY_NOISE
from models.space import NOWHERE, Handle, Ints, Space

HOLDS = 0.9  # of the messages with one value, those with another, from which the other holds it: a batch's product
_SPANS = (1, 2, 4)
"""Times the days that a share is read from: a value's level is the highest that it had in any of them."""
_LEAST_LEFT = 0.15  # of what its product lets expect, what a batch expects at least: a new one has no past


class Past(Generic[Handle]):
    """What is held of an attribute before bucket ``now``: the rows of each value, oldest first, and whose product it is."""

    def __init__(self, space: Space[Handle], name: str, now: int) -> None:
        self._space, self.name, self._now = space, name, now
        self._buckets = space.buckets[: int(np.searchsorted(space.buckets, now))]
        self._codes = {one: codes[: len(self._buckets)] for one, codes in space.values.items()}
        self._rows = _by_value(self._codes[name])
        self._span = space.settings.same_days // BUCKET

    def product(self, value: int) -> Ints | None:
        """Rows of the rarest value of another attribute that holds a value."""
        found = []
        for other, codes in self._codes.items():
            holder = _holder(codes[self._rows[value]]) if other != self.name else None
            if holder is not None:
                found.append(np.flatnonzero(codes == holder))
        return min(found, key=len, default=None)

    def level(self, value: int, product: Ints | None, length: int) -> tuple[float, float]:
        """Customers of a value that are due in the last ``length`` buckets, and the squared coefficient of variation of that.

        Of a batch, what its product lets expect beyond its other batches: they follow one another.
        """
        begin, mine = self._now - length, self._buckets[self._rows[value]]
        volume = _count(self._buckets, begin, self._now)
        own, rests = self._due(mine, begin, volume)
        if product is not None:
            every = self._buckets[product]
            due, _ = self._due(every, begin, volume)
            others = _count(every, begin, self._now) - _count(mine, begin, self._now)
            own = max(own, due - others, _LEAST_LEFT * due)
        return own, DAY_NOISE + 1 / (rests + 0.5)

    def share(self, value: int, length: int) -> float:
        """Of what is due of everything, what is of a value."""
        return self._due(self._buckets[self._rows[value]], self._now - length, 1)[0]

    def before(self, value: int, product: Ints | None) -> Ints:
        """The rows of a value, or of its product, before the longest window, oldest first."""
        rows = self._rows[value] if product is None else product
        return rows[self._buckets[rows] < self._now - self._space.lengths[-1]]

    def _due(self, buckets: Ints, begin: int, volume: float) -> tuple[float, int]:
        """What the highest share of several spans before ``begin`` lets expect among ``volume`` messages; how many it rests
        on."""
        due, rests = 0.0, 0
        for times in _SPANS:
            first = begin - times * self._span
            count = _count(buckets, first, begin)
            due = max(due, (count + 0.5) / max(_count(self._buckets, first, begin), 1) * volume)
            rests = max(rests, count)
        return due, rests


def _count(buckets: Ints, begin: int, end: int) -> int:
    first, last = np.searchsorted(buckets, [begin, end])
    return int(last - first)


def _by_value(codes: Ints) -> dict[int, Ints]:
    """The rows of each value, ascending.

    >>> {value: rows.tolist() for value, rows in _by_value(np.array([7, 3, 7])).items()}
    {3: [1], 7: [0, 2]}
    """
    order = np.argsort(codes, kind="stable")
    values, begins = np.unique(codes[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, begins[1:]), strict=True))


def _holder(codes: Ints) -> int | None:
    """The value of another attribute that nearly all of a value's messages have.

    >>> _holder(np.array([5, 5, 5])), _holder(np.array([5, 6]))
    (5, None)
    """
    values, counts = np.unique(codes, return_counts=True)
    most = int(counts.argmax())
    return int(values[most]) if counts[most] >= HOLDS * len(codes) and values[most] != NOWHERE else None
