"""The detector on worlds with planted surges, beside what others run; ``python tests/benchmarks/surge.py [FOLDER]``.

POD: part of the planted that alarm between onset and end + 2 h (weekly: within the outbreak). FAR: false episodes a
topic and week, merged over 6 h; FPR: part of the null weeks that alarm. Every method gets the threshold that meets
the same rate, except for the self-calibrated one. Intervals are 95 % by bootstrap over the planted.
With a FOLDER, the complaints are read from it (complaints_5min, _topics, _events as Parquet) instead of made.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, DetectorSettings
from models.surge import Reading, Surge, SurgeRules, advance
from tests.benchmarks.surge_peers import farrington, mean_and_sd, sentry
from tests.benchmarks.surge_world import World, complaints, read_complaints, weekly

MERGE, SHADOW, AFTER = 72, 288, 24  # buckets: one episode, after an end nothing counts, still found
FARS, FPRS = (0.10, 0.05, 0.02), (0.005, 0.01, 0.025)
RESTS = (2, 12, 24, 36, 72)


class Judged:
    """A world's null and surge cells, to hold scores against."""

    def __init__(self, world: World, *, slow: bool) -> None:
        self.world, self.slow, zero = world, slow, world.score_from
        self.null = ~world.ignored[zero:]
        self.spans = []
        for one in world.planted:
            end = min(one.end + (0 if slow else AFTER), len(world.counts))
            self.spans.append((one.start - zero, end - zero, one.topic))
            self.null[one.start - zero : end - zero + (0 if slow else SHADOW), one.topic] = False
        for topic in range(world.counts.shape[1]):
            self.null[: max(world.born[topic] - zero, 0), topic] = False
        self.weeks = self.null.sum() / (1 if slow else 7 * 288)

    def false(self, scores: NDArray[Any], threshold: float) -> float:
        """FAR, or FPR where buckets are weeks."""
        topics, buckets = np.nonzero(((scores >= threshold) & self.null).T)
        if self.slow:
            return len(buckets) / self.weeks
        fresh = (np.diff(topics, prepend=-1) != 0) | (np.diff(buckets, prepend=-MERGE) > MERGE)
        return float(fresh.sum()) / self.weeks

    def threshold(self, scores: NDArray[Any], rate: float) -> float:
        """The lowest threshold that keeps within the rate, among the null scores."""
        levels = np.unique(scores[self.null & np.isfinite(scores)])
        low, high = 0, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.false(scores, levels[middle]) <= rate else (middle + 1, high)
        return float(levels[low])

    def found(self, scores: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
        return np.array([bool((scores[a:b, topic] >= threshold).any()) for a, b, topic in self.spans])

    def row(self, scores: NDArray[Any], rates: tuple[float, ...]) -> dict[str, Any]:
        told = {}
        for rate in rates:
            found = self.found(scores, self.threshold(scores, rate))
            told[f"POD@{rate:g}"] = _interval(found)
            slow = np.array([one.kind == "slow" for one in self.world.planted])
            if slow.any():
                told[f"slow@{rate:g}"] = _interval(found[slow])
        return told


def _interval(found: NDArray[np.bool_]) -> str:
    rng = np.random.default_rng(0)
    drawn = found[rng.integers(0, len(found), (2_000, len(found)))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{found.mean():.3f} ({low:.2f}-{high:.2f})"


def watched(
    world: World, bucket: timedelta, each: Callable[[int, Detector, Any], None], **given: Any
) -> tuple[Detector, float]:
    """Step a detector through a world; microseconds a topic and bucket."""
    monday = timedelta(days=4) // bucket
    detector = Detector(DetectorSettings(bucket=bucket, year=timedelta(weeks=52), **given), monday)
    order = np.argsort(world.born, kind="stable")
    spent = 0.0
    for at, y in enumerate(world.counts):
        for topic in order[len(detector.topics) : np.searchsorted(world.born[order], at, "right")]:
            detector.add(str(topic))
        if at == world.score_from:
            detector.calibrate()
        begun = time.process_time()
        tick = detector.take(monday + at, y[order[: len(detector.topics)]])
        spent += time.process_time() - begun
        if at >= world.score_from:
            each(at - world.score_from, detector, tick)
    return detector, spent / world.counts.size * 1e6


def ours(world: World, bucket: timedelta, **given: Any) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Scores, alarms and calm (T, J) of the detector, and what it cost."""
    shape = (len(world.counts) - world.score_from, world.counts.shape[1])
    kept = {"scores": np.full(shape, -np.inf), "alarm": np.zeros(shape, bool), "calm": np.zeros(shape, bool)}

    def keep(at: int, detector: Detector, tick: Any) -> None:
        columns = [int(topic) for topic in tick.topics]
        kept["scores"][at, columns], kept["alarm"][at, columns] = tick.score, tick.alarm
        kept["calm"][at, columns] = tick.calm

    detector, spent = watched(world, bucket, keep, **given)
    size = len(detector.pack()["topics"]) / max(len(detector.topics), 1)
    return kept, {
        "us_a_topic_and_bucket": round(spent, 2),
        "bytes_a_topic": round(size),
        "threshold": detector.threshold,
    }


def hysteresis(judged: Judged, kept: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """For each number of quiet ticks that close an alert: how often too early, how often again, how long too late."""
    rows = []
    for rest in RESTS:
        early = again = found = 0
        late = []
        for a, b, topic in judged.spans:
            end, surge, closed, reopened = b - AFTER, None, [], 0
            for at in range(a, min(b + 2 * SHADOW, len(kept["alarm"]))):
                reading = Reading(at, bool(kept["alarm"][at, topic]), bool(kept["calm"][at, topic]), at, 1, 1.0)
                before: Surge | None = surge
                surge = advance(str(topic), before, reading, SurgeRules(rest=rest))
                if surge is not None and surge.resolved == at:
                    closed.append(at)
                reopened += bool(
                    before is not None and before.resolved is not None and surge is not None and surge.open and at < end
                )
                if at >= end and (surge is None or not surge.open):
                    break
            if not closed and surge is None:
                continue
            found += 1
            early += any(at < end - 12 for at in closed)
            again += reopened
            late.append(((closed[-1] if closed else at) - end) / 12)
        rows.append(
            {
                "quiet_ticks": rest,
                "found": found,
                "closed_too_early": round(early / max(found, 1), 3),
                "reopened_each": round(again / max(found, 1), 2),
                "hours_open_after_the_end": {
                    q: round(float(np.quantile(late, p)), 1) for q, p in (("median", 0.5), ("p90", 0.9))
                },
            }
        )
    return rows


def few(world: World, size: int = 10) -> dict[str, Any]:
    """POD where a tenant has ten topics: the world's topics dealt out to tenants of their own."""
    scores = np.full((len(world.counts) - world.score_from, world.counts.shape[1]), -np.inf)
    dealt = np.random.default_rng(5).permutation(world.counts.shape[1])
    for begin in range(0, len(dealt), size):
        mine = dealt[begin : begin + size]
        part = World(world.counts[:, mine], world.born[mine], (), world.ignored[:, mine], world.score_from)
        scores[:, mine] = ours(part, timedelta(minutes=5))[0]["scores"]
    return Judged(world, slow=False).row(scores, (0.10,))


def main(folder: Path | None) -> dict[str, Any]:
    world = complaints(1) if folder is None else read_complaints(folder)
    judged, told = Judged(world, slow=False), {}
    kept, cost = ours(world, timedelta(minutes=5))
    told["complaints"] = {"tocsin": judged.row(kept["scores"], FARS) | cost}
    for peer in (mean_and_sd, sentry):
        told["complaints"][peer.__name__] = judged.row(peer(world)[world.score_from :], FARS)
    topics = world.counts.shape[1]
    told["self_calibration"] = {
        f"{asked:g}": round(judged.false(kept["scores"], _calibrated(world, asked * topics)) / asked, 2)
        for asked in (2 / topics, *FARS[::-1])
    }
    told["hysteresis"] = hysteresis(judged, kept)
    told["ten_topics"] = few(world)
    weeks = weekly(1)
    judged = Judged(weeks, slow=True)
    told["weekly"] = {"tocsin": judged.row(ours(weeks, timedelta(weeks=1))[0]["scores"], FPRS)}
    scores = farrington(weeks)
    told["weekly"]["farringtonFlexible"] = (
        "skipped: no Rscript with surveillance (Debian: r-cran-surveillance)"
        if scores is None
        else judged.row(scores[weeks.score_from :], FPRS)
    )
    return told


def _calibrated(world: World, budget: float) -> float:
    """The threshold that the history alone gives for a budget."""
    found: list[float] = []

    def first(at: int, detector: Detector, tick: Any) -> None:
        if at == 0:
            found.append(detector.threshold)

    part = World(world.counts[: world.score_from + 1], world.born, (), world.ignored, world.score_from)
    watched(part, timedelta(minutes=5), first, false_alarms_per_week=budget)
    return found[0]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
