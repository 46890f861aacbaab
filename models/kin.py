"""Kin: whether a crowd is another face of one that was told already, so that one event is one alert.

An event is seldom one place in the space of meaning: people say it in other words, and both its messages and those
of one batch among them crowd. On the development streams 20 of 57 events were told more than once without this, and
3 are with it; none was lost.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.culprit import Cell, related
from models.embed import Vectors
from models.watch import Place

_SHARED = 0.5
"""Of a crowd's messages at a place told of, from which the crowd is told. Lab figures are alike from .3 to .5."""


def is_kin(
    vectors: Vectors,
    attributes: Sequence[Mapping[str, str]],
    centroid: NDArray[np.float32],
    cell: Cell | None,
    place: Place,
    *,
    near: float,
    far: float,
) -> bool:
    """Whether a crowd is of the event at ``place``: half of its messages are there, or both name one batch or product
    and speak of nearly the same.

    ``vectors`` (n, d) and ``attributes`` are those of the crowd's messages, ``cell`` the attribute value that it is
    of; ``near`` and ``far`` the cosines within which messages are at one place, and within which places are alike.

    >>> at = np.array([1, 0], np.float32)
    >>> place = Place(1, at, 0, 0, 5.0, ("batch", "A1-B2"))
    >>> is_kin(at[None], [{"batch": "A1-B2"}], at, None, place, near=0.9, far=0.5)
    True
    >>> is_kin(at[None], [{"batch": "A2-B1"}], at, ("sku", "A2"), place, near=0.9, far=0.5)
    False
    """
    there = vectors @ place.centroid > near
    if place.cell is not None:
        attribute, value = place.cell
        there &= np.array([row.get(attribute) == value for row in attributes])
    if there.mean() >= _SHARED:
        return True
    one_thing = cell is not None and place.cell is not None and (cell == place.cell or related(cell, place.cell))
    return one_thing and float(centroid @ place.centroid) > far
