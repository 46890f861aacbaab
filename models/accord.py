"""Accord: messages of one batch, product or region that say the same as one another, wherever in the space of meaning.

Where meaning is told apart coarsely, the messages of one defect lie scattered, each with few of the others near it, and no
place crowds (`models.crowds`). But n messages make n (n - 1) / 2 pairs, and the close ones among them add up. So the close
pairs among the last hours' messages of one value are held against those that its usual number of messages, as alike as
they usually are, would make (Knox, "The detection of space-time interactions", Applied Statistics 1964, with meaning in
the place of space).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from models.buckets import BUCKET
from models.emerging import DAY_NOISE, SPREAD
from models.neighbourhood import View
from models.scan import nb_midp_log10
from models.space import NOWHERE, Handle, Ints, Space

HOLDS = 0.9  # of the messages with one value, those with another, from which the other holds it: a batch's product
_SPANS = (1, 2, 4)
"""Times the days that a share is read from: a value's level is the highest that it had in any of them."""
_LEAST_LEFT = 0.15  # of what its product lets expect, what a batch expects at least: a new one has no past
_COMMON = 0.1  # of all messages: who a commoner value's messages are of, is no news
_LEAST_PAIRS = 3
_WINDOWS = 2
"""The longest windows are looked at. At half a false alarm a week the pairs alone find 21 of 60 surges of the Chinese development
streams in these, 19 in all five."""
_MOST = 200  # newest messages of a value that are paired
_PAST = 60  # of its messages before, that tell how alike they usually are
_PRIOR = 100.0  # pairs that the share of close ones among all messages is worth to it


@dataclass(frozen=True, slots=True, eq=False)
class Accord:
    """Messages with one value of an attribute that say the same.

    ``rows`` are those of the view with another customer's near them, ``window`` counts among those of the settings;
    ``observed`` counts the customers whose they are but one, ``expected`` and ``variance`` are of that count, were nothing
    new. ``score`` is -log10 of the chance of as many close pairs.
    """

    score: float
    window: int
    attribute: str
    rows: Ints
    observed: int
    expected: float
    variance: float


def accords(space: Space[Handle], view: View, now: int) -> list[Accord]:
    """The most telling window of each rare value, where it is over the floor, as of bucket ``now``."""
    found: list[Accord | None] = []
    for name, codes in space.values.items():
        past = _Past(space, name, now)
        here = codes[view.rows]
        values, counts = np.unique(here[view.ages <= space.lengths[-1]], return_counts=True)
        some = values[(counts > space.settings.min_others) & (values != NOWHERE)].tolist()
        found += [_of_value(space, view, past, value, np.flatnonzero(here == value)[:_MOST]) for value in some]
    return [one for one in found if one is not None]


def pairs_due(customers: float, share: float, doubt: float) -> tuple[float, float]:
    """Mean and variance of the close pairs among a number of customers of whom so many are due, where a ``share`` of pairs is
    close: N of variance s·m + d·m², s that of counts and d the ``doubt``, makes p·(m²·(1 + d) + (s - 1)·m) / 2 of them.

    >>> [round(figure, 2) for figure in pairs_due(10.0, 0.03, 0.1)]
    [1.7, 4.34]
    """
    mean = share * (customers**2 * (1 + doubt) + (SPREAD - 1) * customers) / 2
    return mean, mean + 4 * mean**2 * (SPREAD / max(customers, 0.1) + doubt)


def _of_value(space: Space[Handle], view: View, past: _Past[Handle], value: int, rows: Ints) -> Accord | None:
    """The most telling window of a value's messages ``rows`` of the view, newest first."""
    rows = rows[np.sort(np.unique(view.owner[rows], return_index=True)[1])]  # the newest of each customer
    vectors = space.vectors[view.rows[rows]]
    near = vectors @ vectors.T > space.radii[-1]
    np.fill_diagonal(near, False)
    if near.sum() < 2 * _LEAST_PAIRS or past.share(value, space.lengths[-1]) > _COMMON:
        return None
    product = past.product(value)
    share = past.close(value, product)
    found = []
    for window, length in list(enumerate(space.lengths))[-_WINDOWS:]:
        inside = view.ages[rows] <= length
        close = near & inside & inside[:, None]
        pairs, linked = int(close.sum()) // 2, close.any(axis=1)
        if pairs >= _LEAST_PAIRS and linked.sum() > space.settings.min_others:
            customers, doubt = past.level(value, product, length)
            score = float(nb_midp_log10(pairs, *pairs_due(customers, share, doubt)))
            due = customers * float(-np.expm1(-share * customers))  # who has another near by chance
            variance = SPREAD * due + doubt * due**2
            found.append(Accord(score, window, past.name, rows[linked], int(linked.sum()) - 1, due, variance))
    best = max(found, key=lambda one: one.score, default=None)
    return best if best is not None and best.score >= space.settings.floor else None


class _Past(Generic[Handle]):
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

    def close(self, value: int, product: Ints | None) -> float:
        """The share of close pairs among the messages of a value, or of its product, before the longest window."""
        space = self._space
        rows = self._rows[value] if product is None else product
        rows = rows[self._buckets[rows] < self._now - space.lengths[-1]][-_PAST:]
        near = space.vectors[rows] @ space.vectors[rows].T > space.radii[-1]
        pairs = len(rows) * (len(rows) - 1) / 2
        return float(((near.sum() - len(rows)) / 2 + _PRIOR * space.settings.near_shares[-1]) / (pairs + _PRIOR))

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
