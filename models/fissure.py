"""Fissures: whether a topic's messages fall in two heaps, so that people may want to split it."""

import numpy as np

from models.division import halves
from models.embed import Vectors, unit

SPLIT_FROM = 5.5
"""From which a topic is proposed to be split. Of the labels of three development streams, one in twenty in English and none
in Chinese lie beyond; of two labels taken together three in four and three in five."""
_LEAST = 60
"""Messages of different wording, below which halves say nothing."""


def fissure(vectors: Vectors, *, seed: int = 0) -> float:
    """How far the messages of a topic fall apart in two: Ashman's D of the halves, 0 where too few tell.

    The halves are found among every other message, and the rest is laid along the line between them, so that what
    is only chance in the first does not show in the second. D = |m1 - m2| / sqrt((s1² + s2²) / 2) (Ashman, Bird & Zepf,
    "Detecting bimodality in astronomical datasets", 1994). One heap cut through its middle has 2.7, an even spread 3.5.

    >>> rng = np.random.default_rng(0)
    >>> one = unit(np.eye(16)[0] + 0.2 * rng.normal(size=(200, 16)))
    >>> two = unit(np.eye(16)[rng.integers(2, size=200)] + 0.2 * rng.normal(size=(200, 16)))
    >>> round(fissure(one), 1), round(fissure(two), 1)
    (2.7, 8.2)
    """
    if len(vectors) < _LEAST:
        return 0.0
    deal = np.random.default_rng(seed).permutation(len(vectors)) % 2 == 0
    found, told = vectors[deal], vectors[~deal]
    part = halves(found)
    if part.all() or not part.any():
        return 0.0
    line = found[part].mean(axis=0) - found[~part].mean(axis=0)
    along = told @ unit(line[None])[0]
    middle = float((found[part].mean(axis=0) + found[~part].mean(axis=0)) @ unit(line[None])[0] / 2)
    one, other = along[along > middle], along[along <= middle]
    if min(len(one), len(other)) < _LEAST / 10:
        return 0.0
    return float(abs(one.mean() - other.mean()) / np.sqrt(max((one.var() + other.var()) / 2, 1e-12)))
