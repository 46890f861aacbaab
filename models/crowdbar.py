"""The bar of crowds: from a budget of false alarms a week to the score that rings, on the tenant's own past.

Scores are logarithms of tail probabilities, so that the peaks of false crowds fall off exponentially. Two weeks hold some
twenty that say anything of the tail, and a bar by these alone is left to chance; but tenants differ little: so what is
their own is drawn to what is usual. What was told is left out but for as many as were allowed, since the rest were surges.
"""

from collections.abc import Sequence

import numpy as np

FROM = 2.75
"""The score from which peaks fall off evenly: in 24 weeks without an event (twelve text streams in two languages) 716 places
peaked over 2.25, of which .33 reached half a unit more; .26 did from 2.5, .22 from 2.75 and .22 from 3 on."""
AT_A_PLACE, ANYWHERE = 10.0, 13.0
"""Peaks over it a week that are usual: 10.1 and 9.7 in English and Chinese at places, 13.5 of one value anywhere (16 weeks, from
12 to 18 of a stream)."""
FALL = 3.0
"""How fast they fall off from there, a unit of score: 3.3 and 2.9 at places, 2.9 of one value."""
_WEEKS, _PEAKS = 1.0, 20.0  # what the usual is worth, in weeks of the rate and in peaks of the fall
_SURGE = 1.5  # over `FROM`, where hardly a false one comes: how far over says nothing of the tail
LOWEST, HIGHEST = 2.0, 12.0


def crowd_bar(peaks: Sequence[float], told: int, weeks: float, *, per_week: float, usual: float) -> float:
    """The score that false crowds pass ``per_week`` times a week.

    ``peaks`` are of the places seen in so many ``weeks`` that nothing was told of, ``told`` how many others there were;
    ``usual`` is how many such peaks a week are usual. Rate and fall are means under gamma priors of an exponential tail,
    its peaks censored at `_SURGE`.

    >>> crowd_bar([], 0, 0.0, per_week=1.0, usual=AT_A_PLACE).__round__(2)
    3.52
    >>> peaks = FROM + np.random.default_rng(0).exponential(1 / FALL, 200)
    >>> crowd_bar([*peaks, 9.0, 20.0], 4, 20.0, per_week=1.0, usual=AT_A_PLACE).__round__(1)
    3.6
    """
    over = np.asarray(peaks, dtype=float) - FROM
    over = over[over >= 0]
    rate = (len(over) + min(told, per_week * weeks) + _WEEKS * usual) / (weeks + _WEEKS)
    fall = ((over < _SURGE).sum() + _PEAKS) / (np.minimum(over, _SURGE).sum() + _PEAKS / FALL)
    return float(np.clip(FROM + np.log(rate / per_week) / fall, LOWEST, HIGHEST))
