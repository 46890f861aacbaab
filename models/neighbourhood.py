"""Neighbourhoods: who is near whom among the recent messages of a space, and how many customers that makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.buckets import BUCKET
from models.embed import Vectors
from models.neighbours import rows_at_once
from models.space import Flags, Floats, Handle, Ints, Space


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Who is near whom: centres and others by their places, and how near; by centre, customer, newest first."""

    centres: Ints
    others: Ints
    cosines: NDArray[np.float32]

    def where(self, flags: Flags) -> Pairs:
        return Pairs(self.centres[flags], self.others[flags], self.cosines[flags])

    def closer_than(self, radius: float) -> Pairs:
        return self.where(self.cosines > radius)

    def around(self, centre: int, size: int) -> Flags:
        """Which of ``size`` rows are paired with a centre."""
        begin, end = np.searchsorted(self.centres, [centre, centre + 1])
        inside = np.zeros(size, dtype=bool)
        inside[self.others[begin:end]] = True
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The recent messages, one of each wording; which of them are centres, and what is near these.

    ``pairs`` are those within the widest radius of other customers; ``past`` how many messages each centre's past held.
    """

    rows: Ints
    ages: Ints
    owner: Ints
    centres: Ints
    past: Floats
    pairs: Pairs

    @classmethod
    def of(cls, space: Space[Handle], now: int) -> View | None:
        settings, longest = space.settings, space.lengths[-1]
        first = int(np.searchsorted(space.buckets, now - settings.same_days // BUCKET))
        last = int(np.searchsorted(space.buckets, now))
        rows = np.arange(first, last)[::-1]  # newest first, so that the newest of each wording stays
        rows = rows[np.sort(np.unique(space.wordings(rows), return_index=True)[1])]
        ready = space.known_past[rows] >= settings.least_past
        recent = now - space.buckets[rows] <= longest
        centres = np.flatnonzero(ready & recent)[: settings.max_centres]
        if len(rows) <= settings.min_others or not len(centres):
            return None
        owner = np.unique(space.customers[rows], return_inverse=True)[1]
        return cls(
            rows=rows,
            ages=now - space.buckets[rows],
            owner=owner,
            centres=centres,
            past=space.known_past[rows[centres]].astype(float),
            pairs=_pairs(space.vectors[rows], centres, owner, space.radii[-1]),
        )

    def per_centre(self, pairs: Pairs) -> Ints:
        """Messages near each centre, shape (c,)."""
        return np.bincount(pairs.centres, minlength=len(self.centres))

    def count(self, pairs: Pairs, lengths: Sequence[int]) -> Ints:
        """Distinct customers near each centre within each window that the centre itself lies in, (c, windows)."""
        begins = np.r_[True, (np.diff(pairs.centres) != 0) | (np.diff(self.owner[pairs.others]) != 0)]
        newest = pairs.where(begins[: len(pairs.centres)])
        ages = self.ages[newest.others]
        counts = [np.bincount(newest.centres[ages <= length], minlength=len(self.centres)) for length in lengths]
        inside: Ints = np.where(self.ages[self.centres][:, None] <= np.asarray(lengths), np.stack(counts, axis=1), 0)
        return inside


def _pairs(vectors: Vectors, centres: Ints, owner: Ints, radius: float) -> Pairs:
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
    return Pairs(one[order], other[order], near[order])
