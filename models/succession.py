"""What the detector knows of a topic, handed on where two become one or one becomes two.

What was counted and what was expected add up over merge and split, so that no surge is made or hidden by a change of
names. A topic is taken for a share of the other messages, log-normal as `models.share` has it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ring import Ring
from models.rows import square, triangle
from models.season import FloatArray

_SHARE_DOUBT = 1.0  # messages more that a split is thought to rest on, so that one of few is not taken for certain


def joined(one: NDArray[Any], other: NDArray[Any], size: int) -> NDArray[Any]:
    """The row (1,) of one topic for the rows (1,) of two; ``size`` is that of the season.

    Levels add up. Everything else that is believed is the mean of both by their levels; what is remembered of
    alarms is that of the one that remembers more.
    """
    levels = np.exp([float(one["m"][0, 0]), float(other["m"][0, 0])])
    a, b = levels / levels.sum()
    row = one.copy()
    for name in ("m", "phi", "scale", "doubt"):
        row[name] = a * one[name] + b * other[name]
    row["m"][0, 0] = np.log(levels.sum())
    row["p"] = triangle(a * a * square(one["p"], size) + b * b * square(other["p"], size))
    row["residual"] = one["residual"] + other["residual"]
    for name in ("hot", "episode_end", "episode_peak", "peak", "alarmed_beats", "cooling_beats"):
        row[name] = np.maximum(one[name], other[name])
    for name in ("born", "quiet"):
        row[name] = np.minimum(one[name], other[name])
    return row


def parted(row: NDArray[Any], share: float, size: int, messages: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows (1,) of the rest and of a part that takes ``share`` (0 to 1) of a topic, judged from ``messages``."""
    rest, part = row.copy(), row.copy()
    for found, its in ((rest, 1 - share), (part, share)):
        found["m"][0, 0] += np.log(its)
        p = square(found["p"], size)
        p[0, 0, 0] += (1 - its) / (its * (messages + _SHARE_DOUBT))  # of the logarithm of a binomial share
        found["p"] = triangle(p)
        found["residual"] = its * row["residual"]
    part["episode_peak"] = part["alarmed_beats"] = part["cooling_beats"] = 0
    return rest, part


def part_of(
    ring: Ring, kept: NDArray[Any], share: float, counted: Mapping[int, int], known_from: int, now: int
) -> FloatArray:
    """What a ring (size,) that counted ``kept`` of a topic counts of its part, in whole customers.

    As ``counted`` by bucket where that is complete, from ``known_from`` to ``now``; before that, the share.
    """
    found: FloatArray = np.round(kept * share)
    first = -(-max(known_from, now - ring.unit * ring.size + 1) // ring.unit) * ring.unit
    for begin in range(first, now + 1, ring.unit):
        slot = ring.slot(begin)
        found[slot] = sum(counted.get(bucket, 0) for bucket in range(begin, min(begin + ring.unit, now + 1)))
    np.minimum(found, kept, out=found)
    return found
