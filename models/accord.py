"""Accord: messages of one batch, product or region that say the same as one another, wherever in the space of meaning.

Where meaning is told apart coarsely, the messages of one defect lie scattered, each with few of the others near it, and no
place crowds (`models.crowds`). Two things add up still. n messages make n (n - 1) / 2 pairs, so the close pairs among the
last hours' messages of one value are held against those that its usual number of messages, as alike as they usually are,
would make (Knox, "The detection of space-time interactions", Applied Statistics 1964, with meaning in the place of space):
that tells what was never said before. What is one thing to people is spread over many places that the past has shown to
belong together, so the customers in each branch of its tree (`models.tree`) are counted as well: that tells more of what is
known, and of values that much is always said of (docs/measured.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.due import Past
from models.emerging import SPREAD
from models.neighbourhood import View
from models.scan import nb_midp_log10
from models.space import NOWHERE, Flags, Floats, Handle, Ints, Space
from models.tree import Tree

_COMMON = 0.1  # of all messages: who a commoner value's messages are of, is no news
_LEAST_PAIRS = 3
_WINDOWS = 2
"""The longest windows are looked at for pairs. At half a false alarm a week the pairs alone find 21 of 60 surges of the
Chinese development streams in these, 19 in all five."""
_MOST = 200  # newest messages of a value that are looked at
_PAST = 60  # of its messages before, that tell how alike they usually are
_PRIOR = 100.0  # pairs that the share of close ones among all messages is worth to it
_WIDEST = 0.1  # of all messages: who speaks of what a wider branch holds, says no one thing
_ROOTED = 10.0  # messages of a value that the share of all that lie in a branch is worth to its own


@dataclass(frozen=True, slots=True, eq=False)
class Accord:
    """Messages with one value of an attribute that say the same.

    ``rows`` are those of the view in one branch, or with another customer's near them; ``window`` counts among those of the
    settings; ``observed`` counts the customers whose they are but one, ``expected`` and ``variance`` are of that count, were
    nothing new. ``score`` is -log10 of the chance of as many, or of as many close pairs.
    """

    score: float
    window: int
    attribute: str
    rows: Ints
    observed: int
    expected: float
    variance: float


def accords(space: Space[Handle], view: View, now: int, pasts: Mapping[str, Past]) -> list[Accord]:
    """The most telling of each rare value, where it is over the floor, as of bucket ``now``: by pairs and by branches.

    ``pasts`` are of each attribute.
    """
    wood = _Wood.of(space, view, now)
    found: list[Accord] = []
    for name, past in pasts.items():
        here = space.values[name][view.rows]
        values, counts = np.unique(here[view.ages <= space.lengths[-1]], return_counts=True)
        for value in values[(counts > space.settings.min_others) & (values != NOWHERE)].tolist():
            if past.share(value) > _COMMON:
                continue
            rows = np.flatnonzero(here == value)[:_MOST]
            rows = rows[np.sort(np.unique(view.owner[rows], return_index=True)[1])]  # the newest of each customer
            one = _Value.of(past, value, rows)
            for way in (_by_pairs(space, view, one), _by_branches(space, view, one, wood)):
                best = max(way, key=lambda accord: accord.score, default=None)
                if best is not None and best.score >= space.settings.floor:
                    found.append(best)
    return found


def pairs_due(customers: float, share: float, doubt: float) -> tuple[float, float]:
    """Mean and variance of the close pairs among a number of customers of whom so many are due, where a ``share`` of pairs is
    close: N of variance s·m + d·m², s that of counts and d the ``doubt``, makes p·(m²·(1 + d) + (s - 1)·m) / 2 of them.

    >>> [round(figure, 2) for figure in pairs_due(10.0, 0.03, 0.1)]
    [1.7, 4.34]
    """
    mean = share * (customers**2 * (1 + doubt) + (SPREAD - 1) * customers) / 2
    return mean, mean + 4 * mean**2 * (SPREAD / max(customers, 0.1) + doubt)


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """One value of an attribute: its newest rows of the view, those of its past or of the past of the product that holds it,
    and its level in each window."""

    attribute: str
    rows: Ints
    before: Ints
    customers: Floats
    doubts: Floats

    @classmethod
    def of(cls, past: Past, value: int, rows: Ints) -> _Value:
        return cls(past.name, rows, past.before(value), *past.level(value))

    def accord(self, score: float, window: int, rows: Ints, due: float, variance: float) -> Accord:
        return Accord(score, window, self.attribute, rows, len(rows) - 1, due, variance)


def _by_pairs(space: Space[Handle], view: View, one: _Value) -> list[Accord]:
    """A value's messages that are near another's, in each window that has enough of them."""
    near = _near(space, view.rows[one.rows])
    if near.sum() < 2 * _LEAST_PAIRS:
        return []
    share = _usually_near(space, one.before)
    found = []
    for window, length in list(enumerate(space.lengths))[-_WINDOWS:]:
        inside = view.ages[one.rows] <= length
        close = near & inside & inside[:, None]
        pairs, linked = int(close.sum()) // 2, close.any(axis=1)
        if pairs >= _LEAST_PAIRS and linked.sum() > space.settings.min_others:
            customers, doubt = float(one.customers[window]), float(one.doubts[window])
            score = float(nb_midp_log10(pairs, *pairs_due(customers, share, doubt)))
            due = customers * float(-np.expm1(-share * customers))  # who has another near by chance
            found.append(one.accord(score, window, one.rows[linked], due, SPREAD * due + doubt * due**2))
    return found


def _near(space: Space[Handle], rows: Ints) -> Flags:
    """Which of the rows are near which others."""
    near = space.vectors[rows] @ space.vectors[rows].T > space.radii[-1]
    np.fill_diagonal(near, False)
    return near


def _usually_near(space: Space[Handle], rows: Ints) -> float:
    """The share of close pairs among the newest of these rows of the past."""
    rows = rows[-_PAST:]
    pairs = len(rows) * (len(rows) - 1) / 2
    close = _near(space, rows).sum() / 2
    return float((close + _PRIOR * space.settings.near_shares[-1]) / (pairs + _PRIOR))


@dataclass(frozen=True, slots=True, eq=False)
class _Wood:
    """The tree of the past (`models.tree`), the leaves of the view's rows and of all rows, and the share of the past's
    messages that each branch holds."""

    tree: Tree
    here: Ints
    leaves: Ints
    shares: Floats

    @classmethod
    def of(cls, space: Space[Handle], view: View, now: int) -> _Wood | None:
        tree = space.tree_at(now)
        if tree is None:
            return None
        past = space.leaves[: int(np.searchsorted(space.buckets, now - space.lengths[-1]))]
        return cls(tree, space.leaves[view.rows], space.leaves, (tree.held(past) + 0.5) / (len(past) + 1))


def _by_branches(space: Space[Handle], view: View, one: _Value, wood: _Wood | None) -> list[Accord]:
    """A value's messages that are in one branch, the most telling in each window.

    Due in it are those due of the value, by the share of its messages of before that lay there, drawn to that of all
    messages by `_ROOTED` of them, and never less than that.
    """
    if wood is None:
        return []
    before = wood.leaves[one.before]
    shares = (wood.tree.held(before) + _ROOTED * wood.shares) / (len(before) + _ROOTED)
    shares = np.maximum(shares, wood.shares)
    found = []
    for window, length in enumerate(space.lengths):
        rows = one.rows[view.ages[one.rows] <= length]
        counts = wood.tree.held(wood.here[rows])
        many = np.flatnonzero((counts > space.settings.min_others) & (wood.shares <= _WIDEST))
        if not len(many):
            continue
        customers, doubt = float(one.customers[window]), float(one.doubts[window])
        due = customers * shares[many]
        variance = SPREAD * due + doubt * due**2
        scores = nb_midp_log10(counts[many], due, variance)
        best = int(scores.argmax())
        inside = rows[wood.tree.branches[many[best]][wood.here[rows]] > 0]
        found.append(one.accord(float(scores[best]), window, inside, float(due[best]), float(variance[best])))
    return found
