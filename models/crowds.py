"""Crowds: places in the space of meaning where messages come together as never before, whatever their topics are.

A surge may be a part of a topic, or lie across several, and is lost in all of them. So every recent message is the
centre of a place, at more than one radius; the customers there in the last hours are held against the messages
there in the past, scaled by the volume of everything (a scan statistic over meaning; compare Nobles et al.,
"Presyndromic surveillance for improved detection of emerging public health threats", Science Advances 2022). The
same is done for those with one value of an attribute, a batch above all, against the value's share of the other
messages of the same days (Kulldorff, "A spatial scan statistic", 1997, with two kinds of nearness), times the affinity
that the place had to the value before: who speaks of milk always speaks of the dairy's products.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from itertools import permutations
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.buckets import BUCKET
from models.culprit import Cell
from models.embed import Vectors, unit
from models.emerging import DAY_NOISE, SAME_PLACE, SPREAD, near_cosine
from models.fingerprint import normalise
from models.gist import gist
from models.neighbours import rows_at_once
from models.scan import nb_midp_log10

Handle = TypeVar("Handle")
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_GROWN = 1.25  # the radii, and what is known of each place, are read anew when so many times the rows are held
_ALIKE = 0.05  # the share of random pairs of messages that are no farther apart than places nearly alike
_AFFINITY_WEIGHT = 1.0  # messages that the affinity of a wider place is worth: places speak of one product or of any
_SHARE_WEIGHT = 10.0  # messages known at a place that half believe the share of a value among them
_HOLDS = 0.9  # of the messages with one value, those with another, from which the other holds it: a batch's product
_NOWHERE = -1
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


@dataclass(frozen=True, slots=True, eq=False)
class Crowd(Generic[Handle]):
    """A place where messages crowd.

    ``members`` are the handles of the messages there, oldest first, copies left out; ``centroid`` (d,) their mean
    direction. ``observed`` and ``expected`` count distinct customers in the ``window`` up to the scan, beside the
    one whose message is the centre; ``variance`` is that of the count, were nothing new; ``score`` -log10 of the
    chance. ``attribute`` and ``value`` are set where only messages with that value crowd.
    """

    members: tuple[Handle, ...]
    centroid: NDArray[np.float32]
    window: timedelta
    observed: int
    expected: float
    variance: float
    score: float
    attribute: str | None = None
    value: str | None = None

    @property
    def cell(self) -> Cell | None:
        return None if self.attribute is None or self.value is None else (self.attribute, self.value)


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
        self._customers: Ints = np.empty(0, np.int64)
        self._wordings: Ints = np.empty(0, np.int64)
        self._texts: list[str] = []
        self._values: dict[str, Ints] = {}
        self._attributes: list[Mapping[str, str]] = []
        self._radii: tuple[float, ...] = ()
        self._nearest = self._alike = 1.0
        self._known = np.empty((0, len(self.settings.near_shares) + 1), np.int64)
        self._past = np.empty(0, np.int64)
        self._past_with: dict[str, Ints] = {}
        self._known_with: dict[str, Ints] = {}
        self._settled = 0

    def __len__(self) -> int:
        return len(self.handles)

    @property
    def ready(self) -> bool:
        """Whether enough is held of the past for the newest messages to be held against."""
        return bool(len(self) and self._past[-1] >= self.settings.least_past)

    @property
    def alike(self) -> float:
        """The cosine above which two places are nearly about the same thing."""
        return self._alike

    @property
    def nearest(self) -> float:
        """The cosine above which two places are about the same thing."""
        return self._nearest

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
        self._customers = np.concatenate([self._customers, _codes(customers)])
        self._wordings = np.concatenate([self._wordings, np.full(len(texts), _NOWHERE, np.int64)])
        self._texts += texts
        self._attributes += attributes
        for name in dict.fromkeys(name for row in attributes for name in row):
            if name not in self._values and len(self._values) < self.settings.max_attributes:
                self._values[name] = np.full(begin, _NOWHERE, np.int64)
                self._past_with[name] = np.zeros(len(self._past), np.int64)
                self._known_with[name] = np.zeros_like(self._known)
        for name, held in self._values.items():
            self._values[name] = np.concatenate([held, _codes([row.get(name) for row in attributes])])
        self._order()
        self._settle()

    def scan(self, now: int) -> list[Crowd[Handle]]:
        """Places where messages crowd in the windows that end before bucket ``now``, the least likely first."""
        settings, lengths = self.settings, self._lengths
        view = _View.of(self, now)
        if view is None:
            return []
        volumes = np.array([(view.ages <= length).sum() for length in lengths])
        affinities, holders = self._affinities(view), self._holders(view)
        found: list[_Place] = []
        for scale, radius in enumerate(self._radii):
            near = view.pairs.closer_than(radius)
            seen = self._known[view.rows[view.centres], scale] + settings.prior
            expected = seen[:, None] * volumes / view.past[:, None]
            found += self._places(view.count(near, lengths), expected, DAY_NOISE + 1 / seen, scale, None)
            ally = view.per_centre(near)
            same = {name: self._with_centre(name, near, view) for name in self._values}
            others = {name: self._elsewhere(name, pairs, view) for name, pairs in same.items()}
            known = self._known_share(view, scale)
            for name, pairs in same.items():
                share = affinities[name][:, scale] * (others[name] + 0.5) / np.maximum(len(view.rows) - ally, 1)
                share = np.maximum(share, known[name])
                for holder, holds in holders[name]:
                    part = known[holder] * (others[name] + 0.5) / (others[holder] + 0.5)
                    share = np.where(holds, np.maximum(share, part), share)
                doubt = DAY_NOISE + 1 / seen + 1 / (others[name] + 0.5)
                usual = expected * np.minimum(share, 1.0)[:, None]
                found += self._places(view.count(pairs, lengths), usual, doubt, scale, name)
        return self._told(sorted(found, key=lambda one: -one.score), view)

    def heard(self, first: int, last: int) -> bool:
        """Whether a message is held of buckets ``first`` up to, not with, ``last``."""
        begin, end = np.searchsorted(self.buckets, [first, last])
        return bool(end > begin)

    def around(self, centroid: NDArray[np.float32], first: int, last: int) -> tuple[Ints, Ints]:
        """Rows in buckets ``first`` to ``last`` about the same thing as a direction, and all others there."""
        inside = np.flatnonzero((self.buckets >= first) & (self.buckets <= last))
        near = self.vectors[inside] @ centroid > self.nearest
        return inside[near], inside[~near]

    def wordings(self, rows: Ints) -> Ints:
        """A number for the wording of each row, the same for the same; each is read when it is first asked for."""
        new = rows[self._wordings[rows] == _NOWHERE]
        self._wordings[new] = _codes([normalise(gist(self._texts[row])) for row in new])
        found: Ints = self._wordings[rows]
        return found

    def share(self, cell: Cell, now: int) -> float:
        """Of the messages of the last days before bucket ``now`` that have an attribute, those with one value of it."""
        begin, end = np.searchsorted(self.buckets, [now - self.settings.same_days // BUCKET, now])
        values = [row[cell[0]] for row in self._attributes[begin:end] if cell[0] in row]
        return values.count(cell[1]) / max(len(values), 1)

    def silences(self, now: int, attribute: str) -> "list[Silence]":
        """Values of an attribute that were heard regularly and are not any more, as of bucket ``now``."""
        values = self._values.get(attribute)
        if values is None:
            return []
        heard = np.flatnonzero((values != _NOWHERE) & (self.buckets < now))
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
                found.append(Silence(attribute, self._attributes[rows[-1]][attribute], last, float(expected)))
        return found

    # ------------------------------------------------------------------ hold

    @property
    def _lengths(self) -> list[int]:
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
        missing = len(self.buckets) - len(self._past)
        none = np.zeros((missing, self._known.shape[1]), np.int64)
        self._known = np.concatenate([self._known, none])
        self._past = np.concatenate([self._past, np.full(missing, _NOWHERE, np.int64)])
        for name in self._values:
            self._known_with[name] = np.concatenate([self._known_with[name], none])
            self._past_with[name] = np.concatenate([self._past_with[name], none[:, 0]])
        self._take(keep)

    def _take(self, keep: Ints) -> None:
        """Hold these rows alone, in this order."""
        self._known, self._past = self._known[keep], self._past[keep]
        self._known_with = {name: known[keep] for name, known in self._known_with.items()}
        self._past_with = {name: past[keep] for name, past in self._past_with.items()}
        self.handles = [self.handles[row] for row in keep]
        self._attributes = [self._attributes[row] for row in keep]
        self._texts = [self._texts[row] for row in keep]
        self.vectors, self.buckets = self.vectors[keep], self.buckets[keep]
        self._customers, self._wordings = self._customers[keep], self._wordings[keep]
        self._values = {name: values[keep] for name, values in self._values.items()}

    def _settle(self) -> None:
        """Count each new row's neighbours in the past before it; all rows' where the radii are read anew."""
        if len(self) < self.settings.least_past:
            return
        if not self._radii or len(self) > _GROWN * self._settled:
            self._radii = tuple(near_cosine(self.vectors, share) for share in self.settings.near_shares)
            self._nearest = near_cosine(self.vectors, self.settings.same_share)
            self._alike = near_cosine(self.vectors, _ALIKE)
            self._past[:] = _NOWHERE
            self._settled = len(self)
        new = np.flatnonzero(self._past == _NOWHERE)
        apart = self._lengths[-1]
        step = rows_at_once(len(self))
        for start in range(0, len(new), step):
            rows = new[start : start + step]
            before = np.searchsorted(self.buckets, self.buckets[rows] - apart)
            cosines = self.vectors[rows] @ self.vectors[: before.max(initial=0)].T
            cosines[np.arange(cosines.shape[1]) >= before[:, None]] = -1
            self._past[rows] = before
            one, other = np.nonzero(cosines > self._alike)
            near = [cosines[one, other] > radius for radius in (*self._radii, self._alike)]
            self._known[rows] = np.stack([np.bincount(one[flags], minlength=len(rows)) for flags in near], axis=1)
            for name, values in self._values.items():
                same = values[other] == values[rows[one]]
                with_value = [np.bincount(one[flags & same], minlength=len(rows)) for flags in near]
                self._known_with[name][rows] = np.stack(with_value, axis=1)
                self._past_with[name][rows] = _with_value(values, rows, before)

    # ------------------------------------------------------------------ scan

    def _affinities(self, view: "_View") -> dict[str, Floats]:
        """How many times more often than elsewhere each centre's value was heard at its place in the past, by attribute.

        Shape (c, scales). From the widest radius to the narrowest, a = (t + k·b) / (e + k): t past messages there with
        the value, e as many as its share of the past lets expect, b the affinity within the next wider radius, 1 beyond
        the widest, k = `_AFFINITY_WEIGHT` (the mean of a gamma posterior); never under 1.
        """
        rows = view.rows[view.centres]
        found = {}
        for name, known_with in self._known_with.items():
            usual = self._known[rows] * (self._past_with[name][rows] / np.maximum(self._past[rows], 1))[:, None]
            wider = np.ones(len(rows))
            levels = []
            for level in reversed(range(usual.shape[1])):
                wider = (known_with[rows, level] + _AFFINITY_WEIGHT * wider) / (usual[:, level] + _AFFINITY_WEIGHT)
                levels.append(np.maximum(wider, 1.0))
            found[name] = np.stack(levels[:0:-1], axis=1)
        return found

    def _known_share(self, view: "_View", scale: int) -> dict[str, Floats]:
        """The share of each centre's value at its place in the past, drawn to 0 by `_SHARE_WEIGHT`, by attribute: what
        is said of a product at one place alone has no share elsewhere that an affinity could multiply."""
        rows = view.rows[view.centres]
        known = self._known[rows, scale] + _SHARE_WEIGHT
        return {name: known_with[rows, scale] / known for name, known_with in self._known_with.items()}

    def _holders(self, view: "_View") -> dict[str, list[tuple[str, Flags]]]:
        """The attributes whose value holds each centre's value of an attribute, as a product holds its batches."""
        values = {name: values[view.rows] for name, values in self._values.items()}
        found: dict[str, list[tuple[str, Flags]]] = {name: [] for name in values}
        for name, other in permutations(values, 2):
            holds = _held(values[name], values[other])[view.centres]
            if holds.any():
                found[name].append((other, holds))
        return found

    def _with_centre(self, name: str, near: "_Pairs", view: "_View") -> "_Pairs":
        """The pairs in which both have the same value of an attribute."""
        codes = self._values[name][view.rows]
        mine = codes[near.others]
        return near.where((mine == codes[view.centres[near.centres]]) & (mine != _NOWHERE))

    def _elsewhere(self, name: str, same: "_Pairs", view: "_View") -> Ints:
        """Recent messages with each centre's value of an attribute that are not at its place."""
        code = np.unique(self._values[name][view.rows], return_inverse=True)[1]
        with_value = np.bincount(code)[code[view.centres]]
        others: Ints = np.maximum(with_value - view.per_centre(same) - 1, 0)
        return others

    def _places(
        self, counts: Ints, expected: Floats, doubt: Floats, scale: int, attribute: str | None
    ) -> "list[_Place]":
        """Each centre's most telling window, where it is over the floor."""
        centres, windows = np.nonzero((counts >= self.settings.min_others) & (counts > expected))
        if not len(centres):
            return []
        mean = expected[centres, windows]
        variance = SPREAD * mean + doubt[centres] * mean**2
        score = nb_midp_log10(counts[centres, windows], mean, variance)
        order = np.lexsort((-score, centres))
        best = order[np.unique(centres[order], return_index=True)[1]]
        return [
            _Place(
                score=float(score[i]),
                scale=scale,
                centre=int(centres[i]),
                window=int(windows[i]),
                attribute=attribute,
                observed=int(counts[centres[i], windows[i]]),
                expected=float(mean[i]),
                variance=float(variance[i]),
            )
            for i in best[score[best] >= self.settings.floor]
        ]

    def _told(self, places: "Sequence[_Place]", view: "_View") -> list[Crowd[Handle]]:
        """Crowds of the most telling places, less those that share their messages with a more telling one."""
        told: list[Crowd[Handle]] = []
        taken = np.zeros(len(view.rows), dtype=bool)
        near = [view.pairs.closer_than(radius) for radius in self._radii]
        for place in places:
            if len(told) == self.settings.most:
                break
            centre = int(view.centres[place.centre])
            inside = near[place.scale].around(place.centre, len(view.rows))
            inside &= view.ages <= self._lengths[place.window]
            inside[centre] = True
            value = None
            if place.attribute is not None:
                values = self._values[place.attribute][view.rows]
                inside &= values == values[centre]
                value = self._attributes[view.rows[centre]][place.attribute]
            if taken[inside].mean() >= SAME_PLACE:
                continue
            taken |= inside
            rows = np.sort(view.rows[inside])
            told.append(
                Crowd(
                    members=tuple(self.handles[row] for row in rows),
                    centroid=unit(self.vectors[rows].mean(axis=0)[None])[0],
                    window=self.settings.windows[place.window],
                    observed=place.observed,
                    expected=place.expected,
                    variance=place.variance,
                    score=place.score,
                    attribute=place.attribute,
                    value=value,
                )
            )
        return told


@dataclass(frozen=True, slots=True)
class _Place:
    """One centre at one radius and in one window; ``scale`` and ``window`` count among those of the settings."""

    score: float
    scale: int
    centre: int
    window: int
    attribute: str | None
    observed: int
    expected: float
    variance: float


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Who is near whom: centres and others by their places, and how near; by centre, customer, newest first."""

    centres: Ints
    others: Ints
    cosines: NDArray[np.float32]

    def where(self, flags: Flags) -> "_Pairs":
        return _Pairs(self.centres[flags], self.others[flags], self.cosines[flags])

    def closer_than(self, radius: float) -> "_Pairs":
        return self.where(self.cosines > radius)

    def around(self, centre: int, size: int) -> Flags:
        """Which of ``size`` rows are paired with a centre."""
        begin, end = np.searchsorted(self.centres, [centre, centre + 1])
        inside = np.zeros(size, dtype=bool)
        inside[self.others[begin:end]] = True
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The recent messages, one of each wording; which of them are centres, and what is near these.

    ``pairs`` are those within the widest radius of other customers; ``past`` how many messages each centre's past held.
    """

    rows: Ints
    ages: Ints
    owner: Ints
    centres: Ints
    past: Floats
    pairs: _Pairs

    @classmethod
    def of(cls, space: "Space[Handle]", now: int) -> "_View | None":
        settings, longest = space.settings, space._lengths[-1]
        first = int(np.searchsorted(space.buckets, now - settings.same_days // BUCKET))
        last = int(np.searchsorted(space.buckets, now))
        rows = np.arange(first, last)[::-1]  # newest first, so that the newest of each wording stays
        rows = rows[np.sort(np.unique(space.wordings(rows), return_index=True)[1])]
        ready = space._past[rows] >= settings.least_past
        recent = now - space.buckets[rows] <= longest
        centres = np.flatnonzero(ready & recent)[: settings.max_centres]
        if len(rows) <= settings.min_others or not len(centres):
            return None
        owner = np.unique(space._customers[rows], return_inverse=True)[1]
        return cls(
            rows=rows,
            ages=now - space.buckets[rows],
            owner=owner,
            centres=centres,
            past=space._past[rows[centres]].astype(float),
            pairs=_pairs(space.vectors[rows], centres, owner, space._radii[-1]),
        )

    def per_centre(self, pairs: _Pairs) -> Ints:
        """Messages near each centre, shape (c,)."""
        return np.bincount(pairs.centres, minlength=len(self.centres))

    def count(self, pairs: _Pairs, lengths: Sequence[int]) -> Ints:
        """Distinct customers near each centre within each window that the centre itself lies in, (c, windows)."""
        begins = np.r_[True, (np.diff(pairs.centres) != 0) | (np.diff(self.owner[pairs.others]) != 0)]
        newest = pairs.where(begins[: len(pairs.centres)])
        ages = self.ages[newest.others]
        counts = [np.bincount(newest.centres[ages <= length], minlength=len(self.centres)) for length in lengths]
        inside: Ints = np.where(self.ages[self.centres][:, None] <= np.asarray(lengths), np.stack(counts, axis=1), 0)
        return inside


def _pairs(vectors: Vectors, centres: Ints, owner: Ints, radius: float) -> _Pairs:
    """Rows come newest first; so do the pairs of each centre and customer."""
    found: list[tuple[Ints, Ints, NDArray[np.float32]]] = []
    step = rows_at_once(len(vectors))
    for start in range(0, len(centres), step):
        block = centres[start : start + step]
        cosines = vectors[block] @ vectors.T
        one, other = np.nonzero(cosines > radius)
        apart = owner[other] != owner[block[one]]
        one, other = one[apart], other[apart]
        found.append((one + start, other, cosines[one, other]))
    one, other, near = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((other, owner[other], one))
    return _Pairs(one[order], other[order], near[order])


def _held(values: Ints, others: Ints) -> Flags:
    """Whether nearly all with the same value have the same other value, which holds it as a product its batches.

    >>> _held(np.array([1, 1, 2, 2]), np.array([5, 5, 5, 6])).tolist()
    [True, True, False, False]
    """
    one = np.unique(values, return_inverse=True)[1]
    both = np.unique(np.stack([values, others]), axis=1, return_inverse=True)[1].ravel()
    holds: Flags = (np.bincount(both)[both] >= _HOLDS * np.bincount(one)[one]) & (others != _NOWHERE)
    return holds


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
            _NOWHERE if word is None else int.from_bytes(blake2b(word.encode(), digest_size=8).digest()) >> 1
            for word in words
        ],
        np.int64,
    )
