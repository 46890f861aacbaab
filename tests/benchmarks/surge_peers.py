"""What the detector is held against: mean + k sd of a day, Sentry's escalating rule, and R's farringtonFlexible."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.surge_world import World

Scores = NDArray[np.float64]

_R = """
suppressMessages(library(surveillance))
args <- commandArgs(trailingOnly = TRUE)
y <- as.matrix(read.csv(args[1], header = FALSE))
first <- as.integer(args[3])
control <- list(range = first:nrow(y), b = 5, w = 3, reweight = TRUE, weightsThreshold = 2.58, noPeriods = 10,
                trend = TRUE, pThresholdTrend = 1, thresholdMethod = "nbPlugin", pastWeeksNotIncluded = 26,
                alpha = 0.01, limit54 = c(0, 4), fitFun = "algo.farrington.fitGLM.flexible")
out <- sapply(seq_len(ncol(y)), function(j) {
  res <- suppressWarnings(farringtonFlexible(sts(y[, j], start = c(2000, 1), frequency = 52), control))
  expected <- as.vector(res@control$expected)
  (as.vector(observed(res)) - expected) / pmax(as.vector(upperbound(res)) - expected, 1e-9)
})
write.table(out, args[2], row.names = FALSE, col.names = FALSE, sep = ",")
"""


def mean_and_sd(world: World) -> Scores:
    """Hourly counts as standard deviations above the mean of the 24 hours before, known at the end of the hour."""
    hourly = world.counts.reshape(-1, 12, world.counts.shape[1]).sum(1).astype(float)
    scores = np.full(hourly.shape, -np.inf)
    for hour in range(24, len(hourly)):
        before = hourly[hour - 24 : hour]
        scores[hour] = (hourly[hour] - before.mean(0)) / np.maximum(before.std(0, ddof=1), 1.0)
    return _at_ends(scores, world)


def sentry(world: World) -> Scores:
    """Hourly counts over the limit of Sentry's escalating rule (its RFC 78), set each midnight from seven days.

    The limit is the larger of the highest hour times 5 exp(-.65 cv), held to 2 to 5, and the mean, the weekday
    weighing double, plus five standard deviations, held to 5 to 8 times the mean.
    """
    hourly = world.counts.reshape(-1, 12, world.counts.shape[1]).sum(1).astype(float)
    scores = np.full(hourly.shape, -np.inf)
    for day in range(7, len(hourly) // 24):
        week = hourly[(day - 7) * 24 : day * 24]
        mean, sd = np.maximum(week.mean(0), 1e-9), week.std(0, ddof=1)
        bursty = week.max(0) * np.clip(5 * np.exp(-0.65 * sd / mean), 2, 5)
        weights = np.where(np.arange(168) // 24 == 0, 2.0, 1.0)  # the first of the seven days is the same weekday
        spiky = (week * weights[:, None]).sum(0) / weights.sum() + np.clip((mean + 5 * sd) / mean, 5, 8) * mean
        limit = np.maximum(np.floor(np.maximum(bursty, spiky)), 1.0)
        scores[day * 24 : day * 24 + 24] = hourly[day * 24 : day * 24 + 24] / limit
    return _at_ends(scores, world)


def _at_ends(hourly: Scores, world: World) -> Scores:
    """Hourly scores at the last bucket of their hour; nothing for a topic of less than a day."""
    scores = np.full(world.counts.shape, -np.inf)
    scores[11::12] = hourly
    for topic in np.nonzero(world.born > 0)[0]:
        scores[: world.born[topic] + 25 * 12, topic] = -np.inf
    return scores


def farrington(world: World) -> Scores | None:
    """Weekly counts over the upper bound of farringtonFlexible, None where R or its surveillance is missing."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        folder = Path(name)
        np.savetxt(folder / "counts.csv", world.counts, fmt="%d", delimiter=",")
        (folder / "run.R").write_text(_R)
        done = subprocess.run(
            [program, "run.R", "counts.csv", "scores.csv", str(world.score_from + 1)], cwd=folder, capture_output=True
        )
        if done.returncode:
            return None
        scores = np.full(world.counts.shape, -np.inf)
        scores[world.score_from :] = np.loadtxt(folder / "scores.csv", delimiter=",", ndmin=2)
        return scores
