"""The gauge's bar: from a budget of false alarms a week to the score that rings, on the tenant's own episodes.

Queues are slow in truth, too, as often as not without anybody's having planned it: such episodes outnumber the false ones
tenfold, and a bar fitted on all would lie over most of them. But they peak anywhere, and false ones low: so peaks are
taken for a falling exponential (chance) on a flat floor (what was slow), and the former is carried on upwards.
"""

import numpy as np

from models.season import FloatArray

FALL = 1.15
"""How fast chance falls off, a unit of score. Tail probabilities would fall by ln 10; the highest of many windows over hours
falls more slowly, and queues that are a little slow by chance have longer tails yet. Seeds 11 and 12 of
tests/benchmarks/indicators.py; with 1.0 and 1.3, .05 asked gives .043 and .063."""
USUAL, USUAL_WEEKS = 0.45, 20.0
"""False episodes over a score of 0 an indicator and week, on the same seeds, and how many such weeks that guess is worth."""
_LOW, _REAL = (0.0, 1.5), (3.0, 6.0)
"""Scores between which most episodes are chance, and between which hardly any is."""
LOWEST, HIGHEST = 0.5, 12.0


def bar_for(peaks: FloatArray, weeks: float, rate: float) -> float:
    """The bar that false episodes pass ``rate`` times an indicator and week. ``peaks``: of all episodes seen in ``weeks``
    (indicators times weeks).

    >>> bar_for(np.zeros(0), 0.0, 0.05).__round__(2)
    1.91
    >>> rng = np.random.default_rng(0)
    >>> chance, slow = rng.exponential(1 / FALL, 200), rng.uniform(0, 12, 400)
    >>> bar_for(np.concatenate([chance, slow]), 400.0, 0.05).__round__(1)
    1.9
    """
    return float(np.clip(np.log(max(chance(peaks, weeks) / rate, 1e-9)) / FALL, LOWEST, HIGHEST))


def chance(peaks: FloatArray, weeks: float) -> float:
    """False episodes over a score of 0, an indicator and week: of two stretches of peaks the counts that exponential and
    floor would give, solved for the two, and drawn to what is usual."""
    counts = [float(((peaks > low) & (peaks <= high)).sum()) for low, high in (_LOW, _REAL)]
    held = [[np.exp(-FALL * low) - np.exp(-FALL * high), high - low] for low, high in (_LOW, _REAL)]
    false, floor = np.linalg.solve(held, counts)
    if floor < 0:
        false = counts[0] / held[0][0]
    return float((max(false, 0.0) + USUAL * USUAL_WEEKS) / (weeks + USUAL_WEEKS))
