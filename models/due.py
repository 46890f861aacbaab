"""Due: how many messages of one value of an attribute were to come, by its own past and by that of the product that holds it."""

from __future__ import annotations

import numpy as np

from models.buckets import BUCKET
from models.emerging import DAY_NOISE
from models.space import NOWHERE, Floats, Handle, Ints, Space

_HOLDS = 0.9  # of the messages with one value, those with another, from which the other holds it: a batch's product
_FEW = 20  # values that it holds at most: one of few takes another's place, one of hundreds does not
_SPANS = (1, 2, 4)
"""Times the days that a share is read from: a value's level is the highest that it had in any of them."""
_LEAST_LEFT = 0.15  # of what its product lets expect, what a batch expects at least: a new one has no past


class Past:
    """What is held of an attribute before bucket ``now``: the rows of each value, oldest first, and whose product it is."""

    def __init__(self, space: Space[Handle], name: str, now: int) -> None:
        self.name, self._now, self._span = name, now, space.settings.same_days // BUCKET
        self._buckets = space.buckets[: int(np.searchsorted(space.buckets, now))]
        self._codes = {one: codes[: len(self._buckets)] for one, codes in space.values.items()}
        self._rows = _by_value(self._codes[name])
        self._products: dict[int, tuple[str | None, Ints]] = {}
        self._begins = now - np.asarray(space.lengths)
        self._firsts = self._begins - np.multiply(_SPANS, self._span)[:, None]
        self._volumes = self._since(self._buckets)
        self._before = self._in_spans(self._buckets)

    def holder(self, value: int) -> str | None:
        """The attribute of which one value holds nearly all of a value and more, as a product its batches; the rarest."""
        return self._product(value)[0]

    def level(self, value: int) -> tuple[Floats, Floats]:
        """Customers of a value that are due in each window, and the squared coefficient of variation of that, each (windows,).

        Of a batch, what its product lets expect beyond its other batches: they follow one another.
        """
        own, rests = self._due(self._buckets[self._rows[value]])
        if self.holder(value) is not None:
            due, left = self._shared(value)
            own = np.maximum(own, due * left)
        return own, DAY_NOISE + 1 / (rests + 0.5)

    def left(self, value: int) -> Floats:
        """Of what is due of its product in each window, the part that its others leave to a batch, (windows,)."""
        return self._shared(value)[1]

    def is_new(self, value: int) -> bool:
        """Whether a value came first in the days whose messages tell what shares are now: then they do not tell its."""
        return bool(self._buckets[self._rows[value][0]] >= self._now - self._span)

    def share(self, value: int) -> float:
        """Of what is due of everything in the longest window, what is of a value."""
        return float(self._due(self._buckets[self._rows[value]])[0][-1] / max(self._volumes[-1], 1))

    def before(self, value: int) -> Ints:
        """The rows of a value, or of its product, before the longest window, oldest first."""
        rows = self._product(value)[1]
        past: Ints = rows[self._buckets[rows] < self._begins[-1]]
        return past

    def _shared(self, value: int) -> tuple[Floats, Floats]:
        """What is due of a batch's product in each window, and the part of it that the others leave, each (windows,)."""
        product = self._buckets[self._product(value)[1]]
        due, _ = self._due(product)
        others = self._since(product) - self._since(self._buckets[self._rows[value]])
        return due, np.maximum(1 - others / np.maximum(due, 0.5), _LEAST_LEFT)

    def _product(self, value: int) -> tuple[str | None, Ints]:
        """The attribute that holds a value, and the rows of what holds it; where none does, its own.

        What most of all messages have, as in a shop of one channel, holds new values alone: the past of others tells more.
        """
        if value not in self._products:
            mine, found = self._rows[value], []
            most = len(self._buckets) if self.is_new(value) else len(self._buckets) // 2
            for name, codes in self._codes.items():
                holder = _holder(codes[mine]) if name != self.name else None
                rows = np.flatnonzero(codes == holder) if holder is not None else mine
                if len(mine) < len(rows) <= most and len(np.unique(self._codes[self.name][rows])) <= _FEW:
                    found.append((name, rows))
            self._products[value] = min(found, key=lambda one: len(one[1]), default=(None, mine))
        return self._products[value]

    def _due(self, buckets: Ints) -> tuple[Floats, Ints]:
        """What the highest share of several spans before each window lets expect among its messages; how many it rests on."""
        counts = self._in_spans(buckets)
        shares = (counts + 0.5) / np.maximum(self._before, 1)
        return shares.max(axis=0) * self._volumes, counts.max(axis=0)

    def _since(self, buckets: Ints) -> Ints:
        """How many lie in each window, (windows,)."""
        inside: Ints = len(buckets) - np.searchsorted(buckets, self._begins)
        return inside

    def _in_spans(self, buckets: Ints) -> Ints:
        """How many lie in each span before each window, (spans, windows)."""
        inside: Ints = np.searchsorted(buckets, self._begins) - np.searchsorted(buckets, self._firsts)
        return inside


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
    return int(values[most]) if counts[most] >= _HOLDS * len(codes) and values[most] != NOWHERE else None
