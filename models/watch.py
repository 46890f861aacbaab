"""The watch over crowds: which crowd of this scan is which of the last, and how telling one must be to ring.

A place is followed from scan to scan by its direction in the space of meaning. The bar is set by the places that
crowded on the tenant's own past, as the threshold of the topics is: one knob, false alarms a week.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.buckets import BUCKET
from models.crowdbar import ANYWHERE, AT_A_PLACE, crowd_bar
from models.crowds import Crowd
from models.culprit import Cell, goes_with
from models.space import Handle

_STAYS = timedelta(hours=24) // BUCKET  # a place that crowds again within a day is the same episode
_FIT = timedelta(days=14) // BUCKET
_REMEMBERED = timedelta(days=2) // BUCKET  # since a place crowded last that was told of: the longest window
_KEPT = timedelta(days=28) // BUCKET  # of places that are gone: to tell what another budget would have meant
_LEAST_FIT = timedelta(days=4) // BUCKET  # of scans, before the bar is the tenant's own
_PLACES, _ANYWHERE = 0.8, 0.3
"""Shares of the false alarms allowed: of crowds at a place, and of those of one value anywhere (`models.accord`)."""
FORMAT = 5
_SCORED = 5  # the format since which scores are what they are: by branches too


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One place that crowds, or lately did. ``number`` is never given twice; buckets are those of the scans.

    ``told`` is whether an alert tells of it, ``cell`` the attribute value that the alert names, where it names one;
    where ``anywhere``, it is that value's, and has no direction to speak of. ``face`` is whether it is of an event that is
    told of another place: one event counts once towards the bar.
    """

    number: int
    centroid: NDArray[np.float32]
    first: int
    last: int
    peak: float
    told: bool = False
    cell: Cell | None = None
    anywhere: bool = False
    face: bool = False


class Peak(NamedTuple):
    """What is kept of a place: the bucket in which it was seen last, its highest score, and what was told of it."""

    last: int
    score: float
    anywhere: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """The scores that crowds must reach: those at a ``place``, and those of one value ``anywhere``."""

    place: float
    anywhere: float

    def of(self, *, anywhere: bool) -> float:
        return self.anywhere if anywhere else self.place


class Watch:
    """Follows crowds from scan to scan. Not safe for several threads."""

    def __init__(self, false_alarms_per_week: float, first_bar: float = 5.0) -> None:
        self.per_week, self.first_bar = false_alarms_per_week, first_bar
        self.bars = Bars(first_bar, first_bar)
        self.places: list[Place] = []
        self.space = ""
        """The embedder in whose space the places are; empty is any."""
        self._next = 1
        self._gone: list[Peak] = []  # of places that crowd no more
        self._begun: int | None = None
        self._over: list[Place] = []  # places told of that crowd no more

    @property
    def begun(self) -> bool:
        """Whether anything was followed yet."""
        return self._begun is not None

    def follow(self, crowds: Sequence[Crowd[Handle]], now: int, same: float) -> list[tuple[Place, Crowd[Handle]]]:
        """The place of each crowd of a scan at bucket ``now``, the most telling crowd of each place only.

        Crowds whose direction is nearer than the cosine ``same`` to a place's, within a day, are at that place; of several
        such places at the one whose alert names their value, else at the nearest. One of a value that another place's alert
        names is not at a place whose alert names none, and gets a place of its own: it is of the other event.
        """
        self._begun = now if self._begun is None else self._begun
        staying = [place for place in self.places if now - place.last <= _STAYS]
        self._gone += [_peak(place) for place in self.places if now - place.last > _STAYS and not place.face]
        self._gone = [gone for gone in self._gone if now - gone.last <= _KEPT]
        self._over += [place for place in self.places if place.told and now - place.last > _STAYS]
        self._over = [place for place in self._over if now - place.last <= _REMEMBERED]
        self.places = staying
        seen: dict[int, tuple[int, Crowd[Handle]]] = {}
        for crowd in crowds:
            row = self._row_of(crowd, same)
            if row is not None and self._of_another(crowd, self.places[row]):
                row = len(self.places)
                self.part(crowd, now)
            elif row is None:
                row = len(self.places)
                self._begin(crowd, now)
            place = self.places[row]
            self.places[row] = replace(place, last=now, peak=max(place.peak, crowd.score))
            if row not in seen:
                seen[row] = row, crowd
        return [(self.places[row], crowd) for row, crowd in seen.values()]

    def place(self, number: int) -> Place | None:
        """The place of this number, while it is followed; told of, for two days more."""
        return next((place for place in [*self.places, *self._over] if place.number == number), None)

    def tell(self, number: int, cell: Cell | None) -> None:
        """An alert tells of the place of this number, and names this value."""
        told = (replace(one, told=True, cell=cell, face=False) if one.number == number else one for one in self.places)
        self.places = list(told)

    def face(self, number: int) -> None:
        """The place of this number is of an event that is told of another place."""
        self.places = [replace(one, face=True) if one.number == number else one for one in self.places]

    def go_on(self, told: Sequence[Place], same: float) -> None:
        """Go on with places that were told of before the past was looked at anew, in place of what was seen there meanwhile."""
        rest = (one for one in self.places if not any(_is_at(one, other, same) for other in told))
        self.places = [*told, *rest]

    def _of_another(self, crowd: Crowd[Handle], place: Place) -> bool:
        """Whether the value of a crowd at a place whose alert names none is named by the alert of another place."""
        cell = crowd.cell
        if cell is None or not place.told or place.cell is not None:
            return False
        return any(one.told and one.cell is not None and goes_with(cell, one.cell) for one in self.places)

    def part(self, crowd: Crowd[Handle], now: int) -> Place:
        """A place of its own, for its value, for a crowd that is another event than what is told of its place."""
        place = replace(self._begin(crowd, now), cell=crowd.cell)
        self.places[-1] = place
        return place

    def _begin(self, crowd: Crowd[Handle], now: int) -> Place:
        cell = crowd.cell if crowd.anywhere else None
        place = Place(self._next, crowd.centroid, now, now, crowd.score, cell=cell, anywhere=crowd.anywhere)
        self.places.append(place)
        self._next += 1
        return place

    def reached(self, bars: Bars, since: int) -> int:
        """How many places crowded at ``since`` or later and reached their bar."""
        return sum(one.last >= since and one.score >= bars.of(anywhere=one.anywhere) for one in self._peaks())

    def calibrate(self, now: int) -> Bars:
        """Set the bars by the places of the last two weeks; answers them."""
        self.bars = self.bars_at(self.per_week, now)
        return self.bars

    def bars_at(self, per_week: float, now: int) -> Bars:
        """The bars that the places of the last two weeks give for a budget of false alarms a week."""
        days = 0 if self._begun is None else min(now - self._begun, _FIT)
        if days < _LEAST_FIT:
            return self.bars
        weeks, peaks = days * BUCKET / timedelta(days=7), [one for one in self._peaks() if now - one.last <= _FIT]
        place, anywhere = (
            crowd_bar(
                [one.score for one in peaks if one.anywhere == kind and not one.told],
                sum(one.anywhere == kind and one.told for one in peaks),
                weeks,
                per_week=part * per_week,
                usual=usual,
            )
            for kind, part, usual in ((False, _PLACES, AT_A_PLACE), (True, _ANYWHERE, ANYWHERE))
        )
        return Bars(place, anywhere)

    def _peaks(self) -> list[Peak]:
        return [*self._gone, *(_peak(place) for place in self.places if not place.face)]

    def turn(self, rotation: NDArray[np.float32]) -> None:
        """Take the places to another space, by the rotation (d, d) of `models.bridge`."""
        self.places = [replace(place, centroid=place.centroid @ rotation) for place in self.places]
        self._over = [replace(place, centroid=place.centroid @ rotation) for place in self._over]

    def _row_of(self, crowd: Crowd[Handle], same: float) -> int | None:
        if crowd.anywhere:
            rows = (row for row, place in enumerate(self.places) if place.anywhere and place.cell == crowd.cell)
            return next(rows, None)
        if not self.places:
            return None
        cosines = np.stack([place.centroid for place in self.places]) @ crowd.centroid
        cosines[[place.anywhere for place in self.places]] = -1.0
        named = [crowd.cell is not None and place.cell == crowd.cell for place in self.places]
        best = int((cosines + 2.0 * np.logical_and(named, cosines > same)).argmax())
        return best if cosines[best] > same else None

    def pack(self) -> bytes:
        """All that is known, as `unpack` takes it."""
        head = {
            "format": FORMAT,
            "per_week": self.per_week,
            "first_bar": self.first_bar,
            "bars": [self.bars.place, self.bars.anywhere],
            "next": self._next,
            "begun": self._begun,
            "space": self.space,
            "places": [_packed(place) for place in self.places],
            "over": [_packed(place) for place in self._over],
            "gone": self._gone,
        }
        out = io.BytesIO()
        np.savez(
            out,
            head=np.frombuffer(json.dumps(head).encode(), np.uint8),
            centroids=np.array([one.centroid for one in [*self.places, *self._over]], np.float32),
        )
        return out.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The watch that was packed. Raises ValueError on a format that this version does not know.

        One whose scores were others has its places and what was told of them, and has not `begun`: the past that its bars
        are set by is to be looked at anew.
        """
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            head: Mapping[str, object] = json.loads(arrays["head"].tobytes())
            centroids = arrays["centroids"]
        if head["format"] not in range(1, FORMAT + 1):
            raise ValueError(f"a watch of format {head['format']}, known are 1 to {FORMAT}")
        watch = cls(head["per_week"], head["first_bar"])  # type: ignore[arg-type]
        watch.bars = Bars(*head.get("bars", [head.get("bar"), watch.first_bar]))  # type: ignore[misc]
        watch._next = head["next"]  # type: ignore[assignment]
        watch.space = head.get("space", "")  # type: ignore[assignment]
        if head["format"] >= _SCORED:  # type: ignore[operator]
            watch._begun = head["begun"]  # type: ignore[assignment]
            watch._gone = [Peak(*fields) for fields in head["gone"]]  # type: ignore[attr-defined]
        live, over = head["places"], head.get("over", [])
        places = [_unpacked(*packed) for packed in zip([*live, *over], centroids, strict=True)]  # type: ignore[misc]
        watch.places, watch._over = places[: len(live)], places[len(live) :]  # type: ignore[arg-type]
        return watch


def _is_at(one: Place, other: Place, same: float) -> bool:
    if one.anywhere or other.anywhere:
        return one.anywhere and other.anywhere and one.cell == other.cell
    return float(one.centroid @ other.centroid) > same


def _peak(place: Place) -> Peak:
    return Peak(place.last, place.peak, place.anywhere, place.told)


def _packed(place: Place) -> list[object]:
    return [place.number, place.first, place.last, place.peak, place.told, place.cell, place.anywhere, place.face]


def _unpacked(fields: list[Any], centroid: NDArray[np.float32]) -> Place:
    number, first, last, peak, *rest = fields
    told, cell, *flags = rest if len(rest) > 1 else (False, None)  # formats 1 and 2 knew not what was told
    return Place(number, centroid, first, last, peak, told, tuple(cell) if cell else None, *flags)
