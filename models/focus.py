"""The focus: a space in which the issues of a tenant's own messages lie apart, found from these messages alone.

Messages about one thing differ in what is of no issue, such as mood and length, and in what else is said in their
stream. Where they are grouped as they come, the directions in which members of a group differ tell what that is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.discovery import DiscoverySettings, one_of_each
from models.embed import Vectors, whitening_of
from models.groups import Groups, even_groups

FOCUSED = 0.5
"""How far `focus` evens out what differs within groups: 0 not at all, 1 whitened. Figures: docs/measured.md."""

_SAME = 1e-4  # the length of a difference that is rounding: all vectors of a group are the same


def focus(
    vectors: Vectors, texts: Sequence[str], settings: DiscoverySettings | None = None, *, seed: int = 0
) -> NDArray[np.float32] | None:
    """A map (d, d), symmetric, behind which the messages of a group lie nearer together than before.

    ``vectors`` (n, d) are unit vectors after centring, ``texts`` has n entries. It is the `whitening_of` what is left of
    one message of each wording without its group's mean, by `FOCUSED` (within-class covariance normalisation: Hatch,
    Kajarekar & Stolcke, "Within-class covariance normalization for SVM-based speaker recognition", 2006); the groups
    are those of `models.groups.even_groups`. None where there are none, or where they are of copies alone. The same
    input and seed give the same map.
    """
    settings = settings or DiscoverySettings()
    rows = one_of_each(texts, settings.max_rows, seed)
    left = _within(vectors[rows], even_groups(vectors[rows], settings.grouping, seed))
    length = float(np.sqrt(np.square(left).sum(axis=1).mean())) if len(left) else 0.0
    return whitening_of(left / np.float32(length), FOCUSED) if length > _SAME else None


def _within(vectors: Vectors, groups: Groups) -> Vectors:
    """What is left of the rows that are in a group without their group's mean."""
    left = vectors[groups >= 0].copy()
    names = groups[groups >= 0]
    for name in np.unique(names):
        left[names == name] -= left[names == name].mean(axis=0)
    return left
