"""The space of meaning: the messages of the last weeks as they lie in it, and how many each had near it before it came.

What crowds in it is told by `models.crowds`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.buckets import BUCKET, BUCKETS_PER_DAY
from models.culprit import Cell
from models.embed import Vectors
from models.emerging import near_cosine
from models.fingerprint import normalise
from models.gist import gist
from models.neighbours import rows_at_once
from models.tree import Tree, grow

Handle = TypeVar("Handle")
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOWHERE = -1
_GROWN = 1.25  # the radii, and what is known of each place, are read anew when so many times the rows are held
_ALIKE = 0.05  # the share of random pairs of messages that are no farther apart than places nearly alike
_PACE, _LONGER = 150.0, 7.0  # messages a day below which windows are longer, and how many times at most
_REGULAR = 50  # messages held of a value, below which its silence says nothing
_SILENT = 13.0
"""Messages expected since the last one from which a value has fallen silent: at 9 there were 12 false ones in 16 weeks
of the development streams (DETECTION.md)."""


@dataclass(frozen=True, slots=True)
class CrowdSettings:
    """How the scan looks. Figures behind the defaults are of the development streams, by README."""

    windows: tuple[timedelta, ...] = tuple(timedelta(hours=hours) for hours in (3, 6, 12, 24, 48))
    near_shares: tuple[float, ...] = (0.003, 0.01, 0.03)
    """The shares of random pairs of messages that lie within each radius. Shares and no distances: comparable
    cosines are .55 in English and .25 to .3 in Chinese; and two, since one language's issues are finer."""
    same_share: float = 0.01
    """The same of the radius within which two places are about the same thing."""
    prior: float = 3.0
    """Past neighbours that every place is given: without them a place with no past would expect nothing."""
    min_others: int = 3
    """Distinct customers at a place beside the centre's own."""
    floor: float = 1.5
    """-log10 of the chance from which a place is told. Callers calibrate above it, on their own past."""
    same_days: timedelta = timedelta(hours=72)
    """The days whose other messages tell an attribute value's share."""
    past: timedelta = timedelta(days=21)
    max_rows: int = 20_000
    max_centres: int = 1_000
    """Only the newest messages are centres, since a crowd that grows has new ones; all count as neighbours."""
    least_past: int = 300
    """Messages in the past below which nothing is expected, so nothing surprises."""
    max_attributes: int = 8
    most: int = 30
    """Places told at a time."""

    @classmethod
    def for_pace(cls, per_day: float) -> Self:
        """For a stream of so many messages a day: where they are few, windows and past are longer, up to 7 times.

        >>> [window.days for window in CrowdSettings.for_pace(20).windows]
        [0, 1, 3, 7, 14]
        """
        usual, times = cls(), min(max(_PACE / max(per_day, 1e-9), 1.0), _LONGER)
        return cls(
            windows=tuple(timedelta(hours=round(times * (window / timedelta(hours=1)))) for window in usual.windows),
            same_days=times * usual.same_days,
            past=times * usual.past,
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A value of an attribute from which nothing came since bucket ``last``, where ``expected`` messages would have:
    its share of the past times all that came from the others."""

    attribute: str
    value: str
    last: int
    expected: float


class Space(Generic[Handle]):
    """The messages of the last weeks, as far as they are held: bounded in rows and in time.

    Not safe for several threads. Handles are the caller's own, one a message, and come back as members of crowds.
    """

    def __init__(self, dimension: int, settings: CrowdSettings | None = None) -> None:
        self.settings = settings or CrowdSettings()
        self.handles: list[Handle] = []
        self.vectors: Vectors = np.empty((0, dimension), np.float32)
        self.buckets: Ints = np.empty(0, np.int64)
        self.customers: Ints = np.empty(0, np.int64)
        """A code for each row's customer."""
        self.attributes: list[Mapping[str, str]] = []
        self.values: dict[str, Ints] = {}
        """By attribute, a code for each row's value, `NOWHERE` where it has none."""
        self.radii: tuple[float, ...] = ()
        """Cosines, that of the narrowest first."""
        self.nearest = self.alike = 1.0
        """The cosines above which two places are about the same thing, and nearly so."""
        self.known = np.empty((0, len(self.settings.near_shares) + 1), np.int64)
        """How many messages of each row's past lie within each radius of it, and nearly so."""
        self.known_with: dict[str, Ints] = {}
        """The same of those that have the row's own value of an attribute."""
        self.known_past = np.empty(0, np.int64)
        """How many messages each row's past held: those that came before the longest window; `NOWHERE` if not counted."""
        self.past_with: dict[str, Ints] = {}
        """The same of those that have the row's own value of an attribute."""
        self._wordings: Ints = np.empty(0, np.int64)
        self._texts: list[str] = []
        self._settled = 0
        self.leaves: Ints = np.empty(0, np.int64)
        """The leaf of the tree that each row lies in; `NOWHERE` if not looked up."""
        self._tree: Tree | None = None
        self._grown = NOWHERE  # on which day

    def __len__(self) -> int:
        return len(self.handles)

    @property
    def ready(self) -> bool:
        """Whether enough is held of the past for the newest messages to be held against."""
        return bool(len(self) and self.known_past[-1] >= self.settings.least_past)

    def extend(
        self,
        handles: Sequence[Handle],
        vectors: Vectors,
        buckets: Sequence[int],
        customers: Sequence[str],
        texts: Sequence[str],
        attributes: Sequence[Mapping[str, str]],
    ) -> None:
        """Hold these messages too, and no longer those that have become too old or too many.

        ``vectors`` (n, d) are unit vectors after centring, evened out. Messages may come in any order.
        """
        if not handles:
            return
        begin = len(self)
        self.handles += handles
        self.vectors = np.concatenate([self.vectors, vectors.astype(np.float32)])
        self.buckets = np.concatenate([self.buckets, np.asarray(buckets, np.int64)])
        self.customers = np.concatenate([self.customers, _codes(customers)])
        self._wordings = np.concatenate([self._wordings, np.full(len(texts), NOWHERE, np.int64)])
        self.leaves = np.concatenate([self.leaves, np.full(len(texts), NOWHERE, np.int64)])
        self._texts += texts
        self.attributes += attributes
        for name in dict.fromkeys(name for row in attributes for name in row):
            if name not in self.values and len(self.values) < self.settings.max_attributes:
                self.values[name] = np.full(begin, NOWHERE, np.int64)
                self.past_with[name] = np.zeros(len(self.known_past), np.int64)
                self.known_with[name] = np.zeros_like(self.known)
        for name, held in self.values.items():
            self.values[name] = np.concatenate([held, _codes([row.get(name) for row in attributes])])
        self._order()
        self._settle()

    def heard(self, first: int, last: int) -> bool:
        """Whether a message is held of buckets ``first`` up to, not with, ``last``."""
        begin, end = np.searchsorted(self.buckets, [first, last])
        return bool(end > begin)

    def around(self, centroid: NDArray[np.float32], first: int, last: int) -> tuple[Ints, Ints]:
        """Rows in buckets ``first`` to ``last`` about the same thing as a direction, and all others there."""
        inside = np.flatnonzero((self.buckets >= first) & (self.buckets <= last))
        near = self.vectors[inside] @ centroid > self.nearest
        return inside[near], inside[~near]

    def beside(self, vectors: Vectors, cell: Cell, first: int, last: int) -> tuple[Ints, Ints]:
        """Rows with one value of an attribute in buckets ``first`` to ``last`` near any of the vectors (n, d), and all others
        there."""
        inside = np.flatnonzero((self.buckets >= first) & (self.buckets <= last))
        near = np.array([self.attributes[row].get(cell[0]) == cell[1] for row in inside], dtype=bool)
        near[near] = (self.vectors[inside[near]] @ vectors.T > self.radii[-1]).any(axis=1)
        return inside[near], inside[~near]

    def wordings(self, rows: Ints) -> Ints:
        """A number for the wording of each row, the same for the same; each is read when it is first asked for."""
        new = rows[self._wordings[rows] == NOWHERE]
        self._wordings[new] = _codes([normalise(gist(self._texts[row])) for row in new])
        found: Ints = self._wordings[rows]
        return found

    def tree_at(self, now: int) -> Tree | None:
        """The tree of what had been said when the day of bucket ``now`` began, before the longest window; all `leaves` are its.
        None where that is too little.

        It hangs on the messages and the day alone, not on when they were read: who begins anew sees what was seen before.
        """
        day = now // BUCKETS_PER_DAY
        if day != self._grown:
            rows = self._lasting(day)
            self._tree = grow(self.vectors[rows]) if len(rows) >= self.settings.least_past else None
            self._grown = day
            self.leaves[:] = NOWHERE
        if self._tree is not None:
            new = np.flatnonzero(self.leaves == NOWHERE)
            self.leaves[new] = self._tree.leaf(self.vectors[new])
        return self._tree

    def _lasting(self, day: int) -> Ints:
        """The rows before a day's longest window that are held to its end, in an order of their own."""
        oldest = (day + 1) * BUCKETS_PER_DAY - self.settings.past // BUCKET - self.lengths[-1]
        first, last = np.searchsorted(self.buckets, [oldest, day * BUCKETS_PER_DAY - self.lengths[-1]])
        rows = np.arange(first, last)
        ordered: Ints = rows[np.lexsort((self.vectors[rows, 0], self.buckets[rows]))]
        return ordered

    def share(self, cell: Cell, now: int) -> float:
        """Of the messages of the last days before bucket ``now`` that have an attribute, those with one value of it."""
        begin, end = np.searchsorted(self.buckets, [now - self.settings.same_days // BUCKET, now])
        values = [row[cell[0]] for row in self.attributes[begin:end] if cell[0] in row]
        return values.count(cell[1]) / max(len(values), 1)

    def busier(self, now: int, length: int) -> float:
        """How many times as many messages came in the ``length`` buckets before ``now`` as on average of all that are held
        from before it."""
        begin, end = np.searchsorted(self.buckets, [now - length, now])
        span = max(now - int(self.buckets[0]), length) if end else length
        return float((end - begin) / max(end * length / span, 1.0))

    def silences(self, now: int, attribute: str) -> list[Silence]:
        """Values of an attribute that were heard regularly and are not any more, as of bucket ``now``."""
        values = self.values.get(attribute)
        if values is None:
            return []
        heard = np.flatnonzero((values != NOWHERE) & (self.buckets < now))
        found = []
        for value in np.unique(values[heard]):
            rows = heard[values[heard] == value]
            last = int(self.buckets[rows[-1]])
            usual = np.count_nonzero(self.buckets[heard] <= last)
            since = len(heard) - usual
            if len(rows) < _REGULAR or usual == len(rows):
                continue
            expected = since * len(rows) / (usual - len(rows))
            if expected >= _SILENT:
                found.append(Silence(attribute, self.attributes[rows[-1]][attribute], last, float(expected)))
        return found

    @property
    def lengths(self) -> list[int]:
        return [window // BUCKET for window in self.settings.windows]

    def drop(self, wanted: Callable[[Handle], bool]) -> int:
        """Hold what is ``wanted`` no longer; answers how many rows went. What was counted of them stays counted."""
        keep = np.flatnonzero([not wanted(handle) for handle in self.handles]).astype(np.int64)
        gone = len(self) - len(keep)
        if gone:
            self._take(keep)
        return gone

    def _order(self) -> None:
        """By time, the oldest left out."""
        order = np.argsort(self.buckets, kind="stable")
        oldest = int(self.buckets[order[-1]]) - (self.settings.past + self.settings.windows[-1]) // BUCKET
        keep = order[self.buckets[order] >= oldest][-self.settings.max_rows :]
        missing = len(self.buckets) - len(self.known_past)
        none = np.zeros((missing, self.known.shape[1]), np.int64)
        self.known = np.concatenate([self.known, none])
        self.known_past = np.concatenate([self.known_past, np.full(missing, NOWHERE, np.int64)])
        for name in self.values:
            self.known_with[name] = np.concatenate([self.known_with[name], none])
            self.past_with[name] = np.concatenate([self.past_with[name], none[:, 0]])
        self._take(keep)

    def _take(self, keep: Ints) -> None:
        """Hold these rows alone, in this order."""
        self.known, self.known_past = self.known[keep], self.known_past[keep]
        self.known_with = {name: known[keep] for name, known in self.known_with.items()}
        self.past_with = {name: past[keep] for name, past in self.past_with.items()}
        self.handles = [self.handles[row] for row in keep]
        self.attributes = [self.attributes[row] for row in keep]
        self._texts = [self._texts[row] for row in keep]
        self.vectors, self.buckets = self.vectors[keep], self.buckets[keep]
        self.customers, self._wordings = self.customers[keep], self._wordings[keep]
        self.leaves = self.leaves[keep]
        self.values = {name: values[keep] for name, values in self.values.items()}

    def _settle(self) -> None:
        """Count each new row's neighbours in the past before it; all rows' where the radii are read anew."""
        if len(self) < self.settings.least_past:
            return
        if not self.radii or len(self) > _GROWN * self._settled:
            self.radii = tuple(near_cosine(self.vectors, share) for share in self.settings.near_shares)
            self.nearest = near_cosine(self.vectors, self.settings.same_share)
            self.alike = near_cosine(self.vectors, _ALIKE)
            self.known_past[:] = NOWHERE
            self._settled = len(self)
        new = np.flatnonzero(self.known_past == NOWHERE)
        apart = self.lengths[-1]
        step = rows_at_once(len(self))
        for start in range(0, len(new), step):
            rows = new[start : start + step]
            before = np.searchsorted(self.buckets, self.buckets[rows] - apart)
            cosines = self.vectors[rows] @ self.vectors[: before.max(initial=0)].T
            cosines[np.arange(cosines.shape[1]) >= before[:, None]] = -1
            self.known_past[rows] = before
            one, other = np.nonzero(cosines > self.alike)
            near = [cosines[one, other] > radius for radius in (*self.radii, self.alike)]
            self.known[rows] = np.stack([np.bincount(one[flags], minlength=len(rows)) for flags in near], axis=1)
            for name, values in self.values.items():
                same = values[other] == values[rows[one]]
                with_value = [np.bincount(one[flags & same], minlength=len(rows)) for flags in near]
                self.known_with[name][rows] = np.stack(with_value, axis=1)
                self.past_with[name][rows] = _with_value(values, rows, before)


def _with_value(values: Ints, rows: Ints, before: Ints) -> Ints:
    """How many of the first ``before`` values are the same as each row's.

    >>> _with_value(np.array([7, 8, 7, 7]), np.array([2, 3]), np.array([1, 3])).tolist()
    [1, 2]
    """
    size = len(values) + 1
    code = np.unique(values, return_inverse=True)[1] * size
    ranked = np.sort(code + np.arange(len(values)))
    upto: Ints = np.searchsorted(ranked, code[rows] + before) - np.searchsorted(ranked, code[rows])
    return upto


def _codes(words: Sequence[str | None]) -> Ints:
    """A number a word, the same for the same word for ever; -1 for none."""
    return np.array(
        [
            NOWHERE if word is None else int.from_bytes(blake2b(word.encode(), digest_size=8).digest()) >> 1
            for word in words
        ],
        np.int64,
    )
