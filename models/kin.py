"""Kin: whether a crowd is another face of one that was told already, so that one event is one alert.

An event is seldom one place in the space of meaning: people say it in other words, and both its messages and those
of one batch among them crowd. Of the crowds alone, 20 were told again for 57 events of the development streams without
this, and 3 with it; no event was lost.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.culprit import Cell, goes_with
from models.embed import Vectors, unit
from models.watch import Place

_SHARED = 0.5
"""Of what a crowd has beyond the expected, messages of what was told, from which the crowd is told."""
_KNOWN = 4
"""Customers of whom an attribute is known, from which they tell whether an event is of a value."""
_RARE = 0.1
"""Of all messages: a value as rare that crowds twice within a day is one batch with one defect, whatever it is called."""


def is_kin(
    vectors: Vectors,
    attributes: Sequence[Mapping[str, str]],
    expected: float,
    cell: Cell | None,
    place: Place,
    *,
    near: float,
    far: float,
    share: float,
) -> bool:
    """Whether a crowd is of the event at ``place``: half of what it has beyond the ``expected`` is, or both name one batch
    or product and that is rare, or they speak of nearly the same and name one thing, or nothing.

    ``vectors`` (n, d) and ``attributes`` are those of the crowd's messages, ``cell`` the attribute value that it is
    of. Of the event are messages at the place with the value that its alert names, and where that is rare, ``share`` of all
    messages, any with it. ``near`` and ``far`` are the cosines within which messages are at one place, and within which
    places are alike.

    >>> at = np.array([1, 0], np.float32)
    >>> place = Place(1, at, 0, 0, 5.0, True, ("batch", "A1-B2"))
    >>> is_kin(at[None], [{"batch": "A1-B2"}], 0.1, None, place, near=0.9, far=0.5, share=0.0)
    True
    >>> is_kin(at[None], [{"batch": "A2-B1"}], 0.1, ("sku", "A2"), place, near=0.9, far=0.5, share=0.04)
    False
    """
    of_it = vectors @ place.centroid > near
    if place.cell is not None:
        named = has(attributes, place.cell)
        of_it = named if is_rare(share) else of_it & named
    if of_it.sum() >= _SHARED * max(len(vectors) - expected, 1.0):
        return True
    alike = float(unit(vectors.mean(axis=0)[None])[0] @ place.centroid) > far
    if cell is None or place.cell is None:
        return cell == place.cell and alike
    return goes_with(cell, place.cell) and (is_rare(share) or alike)


def is_another(cell: Cell | None, attributes: Sequence[Mapping[str, str]], place: Place, *, share: float) -> bool:
    """Whether a crowd at a place told of is another event there: of another value, and a rare one, ``share`` of all messages.

    >>> place = Place(1, np.array([1, 0], np.float32), 0, 0, 5.0, True, ("batch", "A1-B2"))
    >>> [is_another(("batch", batch), [{"batch": batch}], place, share=0.02) for batch in ("A1-B2", "A7-B1")]
    [False, True]
    """
    if cell is None or place.cell is None or goes_with(cell, place.cell):
        return False
    return is_rare(share) and float(has(attributes, place.cell).mean()) < _SHARED


def is_beside(cell: Cell | None, told: Sequence[Mapping[str, str]], expected: float, *, share: float) -> bool:
    """Whether a crowd of a rare value, ``share`` of all messages, is another event than an alert that names none: of the
    customers beyond the ``expected`` that it tells of, whose attributes are given as ``told``, less than half have it.

    Only those count of whom the attribute is known, and too few of them say nothing.

    >>> told = [{"sku": "A1"}] * 8 + [{"sku": "A4"}] * 2
    >>> [is_beside(("sku", sku), told, 1.0, share=0.02) for sku in ("A1", "A4")]
    [False, True]
    """
    known = [row for row in told if cell is not None and cell[0] in row]
    if cell is None or len(known) < _KNOWN or not is_rare(share):
        return False
    beyond = len(known) * (1 - expected / len(told))
    return float(has(known, cell).sum()) < _SHARED * max(beyond, 1.0)


def is_rare(share: float) -> bool:
    """Whether a value that ``share`` of all messages have is rare enough for what names it to be one event.

    >>> is_rare(0.02), is_rare(0.3)
    (True, False)
    """
    return share <= _RARE


def has(attributes: Sequence[Mapping[str, str]], cell: Cell) -> NDArray[np.bool_]:
    """Which rows have an attribute value."""
    return np.array([row.get(cell[0]) == cell[1] for row in attributes], dtype=bool)


def is_named(cell: Cell, attributes: Sequence[Mapping[str, str]], culprits: Sequence[Cell]) -> bool:
    """Whether a crowd of one value at the place of an alert is what that alert names as behind it: the value itself, one
    that goes with it, or a value that half of the crowd's messages, whose ``attributes`` are given, have.

    >>> rows = [{"region": "north", "batch": "A1-B2"}] * 6 + [{"region": "north", "batch": "A1-B1"}] * 4
    >>> is_named(("region", "north"), rows, [("batch", "A1-B2")]), is_named(("region", "north"), rows, [("batch", "A1-B1")])
    (True, False)
    >>> is_named(("sku", "A1"), [], [("batch", "A1-B2")])
    True
    """
    return any(
        goes_with(cell, one) or (len(attributes) > 0 and float(has(attributes, one).mean()) >= _SHARED)
        for one in culprits
    )
