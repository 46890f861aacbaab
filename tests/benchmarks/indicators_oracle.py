"""What could be noticed at most: a judge that knows how the queues were invented, but not what chance made of them.

It is told each queue's expected contacts, its campaigns, its staff plan, and how far contacts, hands and moods wander; it plays
each queue through `RUNS` times without a slow-down and holds every window of 15 minutes to a day against the mean and the
spread of those runs at that very time. Nobody who sees contacts and waiting times alone can know so much.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from models.gauge import HANDICAP, WINDOWS
from tests.benchmarks.indicators_world import World, late, wander

RUNS = 32
_SLACK = 0.05  # customers squared, so that an empty window is no certainty


def oracle(world: World) -> NDArray[np.float64]:
    """Scores by bucket and queue: -log10 of a normal tail, less the handicap of the window."""
    rng, scores = np.random.default_rng(99), np.zeros(world.n.shape)
    for queue, plan in enumerate(world.plans):
        size = len(plan.usual)
        coming = plan.usual * plan.campaign
        served = (plan.staff * (1 + 0.5 * (plan.campaign - 1)))[:, None] * np.exp(wander(rng, (size, RUNS), 0.02, 0.99))
        n = rng.poisson(coming[:, None] * np.exp(wander(rng, (size, RUNS), 0.05, 0.97))).astype(float)
        p = late(_waits(n, served), wander(rng, (size, RUNS), 0.15, 0.98))
        scores[:, queue] = _scan(world.n[:, queue].astype(float), world.over[:, queue].astype(float), p)
    return scores


def _scan(n: NDArray[np.float64], over: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most telling window that ends with each bucket."""
    due = np.vstack([np.zeros(p.shape[1]), np.cumsum(n[:, None] * p, 0)])
    chance = np.r_[0.0, np.cumsum((n[:, None] * p * (1 - p)).mean(1))]
    seen, end, best = np.r_[0.0, np.cumsum(over)], np.arange(len(n)) + 1, np.full(len(n), -np.inf)
    for length, handicap in zip(WINDOWS.tolist(), HANDICAP[:, 0].tolist(), strict=True):
        begin = np.maximum(end - length, 0)
        runs = due[end] - due[begin]
        z = (seen[end] - seen[begin] - runs.mean(1)) / np.sqrt(runs.var(1) + chance[end] - chance[begin] + _SLACK)
        best = np.maximum(best, -log_ndtr(-z) / np.log(10) - handicap)
    return best


def _waits(n: NDArray[np.float64], served: NDArray[np.float64]) -> NDArray[np.float64]:
    """The generator's queue for many runs of a queue at once."""
    waits, behind, load = np.zeros(n.shape), np.zeros(n.shape[1]), np.full(n.shape[1], 0.5)
    for at in range(len(n)):
        behind = np.maximum(0.0, behind * 0.9 + n[at] - served[at])
        load += 0.2 * (np.minimum(n[at] / np.maximum(served[at], 1e-9), 2.0) - load)
        full = np.minimum(load, 0.95)
        waits[at] = 5 * behind / np.maximum(served[at], 0.2) + 2.5 * full / (1 - full) ** 0.5
    return waits + 0.5
