"""Crowds: places in the space of meaning where messages come together as never before, whatever their topics are.

A surge may be a part of a topic, or lie across several, and is lost in all of them. So every recent message is the
centre of a place, at more than one radius; the customers there in the last hours are held against the messages
there in the past, scaled by the volume of everything (a scan statistic over meaning; compare Nobles et al.,
"Presyndromic surveillance for improved detection of emerging public health threats", Science Advances 2022). The
same is done for those with one value of an attribute, a batch above all, against the value's share of the other
messages of the same days (Kulldorff, "A spatial scan statistic", 1997, with two kinds of nearness), times the affinity
that the place had to the value before: who speaks of milk always speaks of the dairy's products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from models.accord import Accord, accords
from models.buckets import BUCKET
from models.culprit import Cell
from models.due import Past
from models.embed import unit
from models.emerging import DAY_NOISE, SAME_PLACE, SPREAD
from models.neighbourhood import Pairs, View
from models.scan import nb_midp_log10
from models.space import NOWHERE, Flags, Floats, Handle, Ints, Space

_AFFINITY_WEIGHT = 1.0  # messages that the affinity of a wider place is worth: places speak of one product or of any
_SHARE_WEIGHT = 10.0  # messages known at a place that half believe the share of a value among them


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
    anywhere: bool = False
    """Whether its messages lie anywhere: of one value, and alike (`models.accord`). The centroid is their middle still."""

    @property
    def cell(self) -> Cell | None:
        return None if self.attribute is None or self.value is None else (self.attribute, self.value)


def scan(space: Space[Handle], now: int) -> list[Crowd[Handle]]:
    """Places where messages crowd in the windows that end before bucket ``now``, the least likely first."""
    settings, lengths = space.settings, space.lengths
    view = View.of(space, now)
    if view is None:
        return []
    volumes = np.array([(view.ages <= length).sum() for length in lengths])
    pasts = {name: Past(space, name, now) for name in space.values}
    affinities, holders = _affinities(space, view), {name: _holders(space, past, view) for name, past in pasts.items()}
    found: list[_Place] = []
    for scale, radius in enumerate(space.radii):
        near = view.pairs.closer_than(radius)
        seen = space.known[view.rows[view.centres], scale] + settings.prior
        expected = seen[:, None] * volumes / view.past[:, None]
        found += _places(space, view.count(near, lengths), expected, DAY_NOISE + 1 / seen, scale, None)
        ally = view.per_centre(near)
        same = {name: _with_centre(space, name, near, view) for name in space.values}
        others = {name: _elsewhere(space, name, pairs, view) for name, pairs in same.items()}
        known = _known_share(space, view, scale)
        for name, pairs in same.items():
            share = affinities[name][:, scale] * (others[name] + 0.5) / np.maximum(len(view.rows) - ally, 1)
            share = np.maximum(share, known[name])[:, None]
            for one in holders[name]:
                beside = (others[name] + 0.5) / (others[one.attribute] + 0.5)
                part = known[one.attribute][:, None] * np.maximum(beside[:, None], one.left)
                share = np.where(one.holds[:, None], np.maximum(share, part), share)
            doubt = DAY_NOISE + 1 / seen + 1 / (others[name] + 0.5)
            usual = expected * np.minimum(share, 1.0)
            found += _places(space, view.count(pairs, lengths), usual, doubt, scale, name)
    crowds = _told(space, found, view) + _told(space, accords(space, view, now, pasts), view)
    return sorted(crowds, key=lambda one: -one.score)[: space.settings.most]


def in_campaigns(
    crowds: Sequence[Crowd[Handle]], space: Space[Handle], now: int, campaigns: Sequence[range]
) -> list[Crowd[Handle]]:
    """The crowds of a scan as of bucket ``now`` with less for those in whose window a campaign ran, the least likely first.

    Three times as many messages are three times as many places where chance may crowd: their score is less by the
    logarithm of that. ``campaigns`` are those announced, by their buckets.
    """
    found = []
    for crowd in crowds:
        length = crowd.window // BUCKET
        ran = any(one.start < now and one.stop > now - length for one in campaigns)
        found.append(
            replace(crowd, score=crowd.score - math.log10(max(space.busier(now, length), 1.0))) if ran else crowd
        )
    return sorted(found, key=lambda one: -one.score)


def _affinities(space: Space[Handle], view: View) -> dict[str, Floats]:
    """How many times more often than elsewhere each centre's value was heard at its place in the past, by attribute.

    Shape (c, scales). From the widest radius to the narrowest, a = (t + k·b) / (e + k): t past messages there with
    the value, e as many as its share of the past lets expect, b the affinity within the next wider radius, 1 beyond
    the widest, k = `_AFFINITY_WEIGHT` (the mean of a gamma posterior); never under 1.
    """
    rows = view.rows[view.centres]
    found = {}
    for name, known_with in space.known_with.items():
        usual = space.known[rows] * (space.past_with[name][rows] / np.maximum(space.known_past[rows], 1))[:, None]
        wider = np.ones(len(rows))
        levels = []
        for level in reversed(range(usual.shape[1])):
            wider = (known_with[rows, level] + _AFFINITY_WEIGHT * wider) / (usual[:, level] + _AFFINITY_WEIGHT)
            levels.append(np.maximum(wider, 1.0))
        found[name] = np.stack(levels[:0:-1], axis=1)
    return found


def _known_share(space: Space[Handle], view: View, scale: int) -> dict[str, Floats]:
    """The share of each centre's value at its place in the past, drawn to 0 by `_SHARE_WEIGHT`, by attribute: what
    is said of a product at one place alone has no share elsewhere that an affinity could multiply."""
    rows = view.rows[view.centres]
    known = space.known[rows, scale] + _SHARE_WEIGHT
    return {name: known_with[rows, scale] / known for name, known_with in space.known_with.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Holder:
    """An attribute whose values hold those of another, as a product holds its batches: which centres' value it ``holds``
    (c,), and what of the holder's messages is ``left`` to that in each window (c, windows), 0 where it has a past to tell."""

    attribute: str
    holds: Flags
    left: Floats


def _holders(space: Space[Handle], past: Past, view: View) -> list[_Holder]:
    """The attributes that hold some centres' value of an attribute; of values too rare to crowd none is sought."""
    recent = space.values[past.name][view.rows]
    codes = recent[view.centres]
    values, counts = np.unique(recent, return_counts=True)
    found: dict[str, _Holder] = {}
    for value in values[(counts > space.settings.min_others) & (values != NOWHERE)].tolist():
        name = past.holder(value)
        if name is None:
            continue
        if name not in found:
            found[name] = _Holder(name, np.zeros(len(codes), dtype=bool), np.zeros((len(codes), len(space.lengths))))
        here = codes == value
        found[name].holds[here] = True
        if past.is_new(value):
            found[name].left[here] = past.left(value)
    return list(found.values())


def _with_centre(space: Space[Handle], name: str, near: Pairs, view: View) -> Pairs:
    """The pairs in which both have the same value of an attribute."""
    codes = space.values[name][view.rows]
    mine = codes[near.others]
    return near.where((mine == codes[view.centres[near.centres]]) & (mine != NOWHERE))


def _elsewhere(space: Space[Handle], name: str, same: Pairs, view: View) -> Ints:
    """Recent messages with each centre's value of an attribute that are not at its place."""
    code = np.unique(space.values[name][view.rows], return_inverse=True)[1]
    with_value = np.bincount(code)[code[view.centres]]
    others: Ints = np.maximum(with_value - view.per_centre(same) - 1, 0)
    return others


def _places(
    space: Space[Handle], counts: Ints, expected: Floats, doubt: Floats, scale: int, attribute: str | None
) -> list[_Place]:
    """Each centre's most telling window, where it is over the floor."""
    centres, windows = np.nonzero((counts >= space.settings.min_others) & (counts > expected))
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
        for i in best[score[best] >= space.settings.floor]
    ]


def _told(space: Space[Handle], places: Sequence[_Place | Accord], view: View) -> list[Crowd[Handle]]:
    """Crowds of the most telling places, the first first, less those that share their messages with a more telling one."""
    told: list[Crowd[Handle]] = []
    taken = np.zeros(len(view.rows), dtype=bool)
    near = [view.pairs.closer_than(radius) for radius in space.radii]
    for place in sorted(places, key=lambda one: -one.score):
        if len(told) == space.settings.most:
            break
        inside = _inside(space, place, view, near)
        if taken[inside].mean() >= SAME_PLACE:
            continue
        taken |= inside
        rows = np.sort(view.rows[inside])
        told.append(
            Crowd(
                members=tuple(space.handles[row] for row in rows),
                centroid=unit(space.vectors[rows].mean(axis=0)[None])[0],
                window=space.settings.windows[place.window],
                observed=place.observed,
                expected=place.expected,
                variance=place.variance,
                score=place.score,
                attribute=place.attribute,
                value=None if place.attribute is None else space.attributes[rows[0]][place.attribute],
                anywhere=isinstance(place, Accord),
            )
        )
    return told


def _inside(space: Space[Handle], place: _Place | Accord, view: View, near: Sequence[Pairs]) -> Flags:
    """Which rows of the view are a crowd's messages."""
    if isinstance(place, Accord):
        inside = np.zeros(len(view.rows), dtype=bool)
        inside[place.rows] = True
        return inside
    centre = int(view.centres[place.centre])
    inside = near[place.scale].around(place.centre, len(view.rows))
    inside &= view.ages <= space.lengths[place.window]
    inside[centre] = True
    if place.attribute is not None:
        values = space.values[place.attribute][view.rows]
        inside &= values == values[centre]
    return inside


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
