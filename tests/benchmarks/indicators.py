"""`python tests/benchmarks/indicators.py`: waiting times of invented queues, our gauge beside what companies use.

All methods see the same contacts, five minutes at a time, and speak at the end of every five minutes. Thresholds are
set afterwards so that each rings falsely equally often: episodes merged over six hours, those that touch a planted
slow-down or the six hours after it left out, and so where chance alone made a queue slow: many wait there indeed, though
nothing was planted (``--strict`` calls that false, too). A slow-down is noticed where an alarm falls between its onset and
two hours after its end. Every rival has the least contacts an hour, of `LEAST`, that suit it best.

Below the table stands what the gauge's own bar gives, which it sets by its own past alone for `ASKED` false alarms, and what
campaign days do to it. ``--short`` invents queues for which too few hands are planned whenever a campaign runs;
``--no-calendar`` tells the gauge of none.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.gauge import Gauge
from models.indicator import Indicator, Kind
from tests.benchmarks.indicators_world import DAY, KINDS, WEEK, World, build

Scores = NDArray[np.float64]
QUIET_WEEKS = 4
RATES = (0.10, 0.05, 0.02)
ASKED = 0.05
_MERGE, _LATE, _AFTER = 72, 24, 72
LEAST = (20, 40)


@dataclass(frozen=True, slots=True, eq=False)
class Ours:
    """What the gauge said, bucket by bucket: scores, and whether it rang by its own bar; and its bar at the end."""

    scores: Scores
    rang: NDArray[np.bool_]
    bar: float


def ours(world: World, *, calendar: bool = True) -> Ours:
    """The gauge on all queues, with the calendar of campaigns."""
    queues = world.n.shape[1]
    gauge = Gauge(
        [Indicator(f"q{one}", {"en": "wait"}, Kind.share, limit=15.0) for one in range(queues)], ASKED * queues
    )
    scores, rang = np.zeros(world.n.shape), np.zeros(world.n.shape, bool)
    for bucket in range(len(world.n)):
        campaign = world.announced[bucket] if calendar else 0.0
        tick = gauge.take(bucket, world.n[bucket].astype(float), world.over[bucket].astype(float), campaign=campaign)
        scores[bucket], rang[bucket] = tick.score, [one is not None for one in tick.cause]
        if bucket % DAY == DAY - 1:
            gauge.calibrate()
    return Ours(scores, rang, gauge.bar)


def hourly(world: World) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share and contacts of the last hour, at the end of every five minutes."""
    n, over = (_trailing(one.astype(float), 12) for one in (world.n, world.over))
    return over / np.maximum(n, 1.0), n


def fixed_rule(world: World, least: int) -> Scores:
    """The share itself: a line at some per cent, the same for all and at all times."""
    share, n = hourly(world)
    return np.where(n >= least, share, 0.0)


def mean_and_deviations(world: World, least: int) -> Scores:
    """Standard deviations above the mean of the last seven days' hours."""
    share, n = hourly(world)
    mean, deviation = _past(share, WEEK)
    return np.where(n >= least, (share - mean) / deviation, 0.0)


def same_hour(world: World, least: int) -> Scores:
    """The same against this hour of the day, over the last 28 days: a stronger rival than those that were asked for."""
    share, n = hourly(world)
    days = [np.roll(share, day * DAY, axis=0) for day in range(1, 29)]
    past = np.stack(days)
    deviation = np.maximum(past.std(0), 0.02)
    return np.where(n >= least, (share - past.mean(0)) / deviation, 0.0)


def ewma(world: World, least: int) -> Scores:
    """A control chart (Roberts, 1959): smoothed hours, weight .2, against the mean and deviation of 28 days."""
    share, n = hourly(world)
    mean, deviation = _past(share, 4 * WEEK)
    smooth, score = share[:12].copy(), np.zeros(share.shape)
    for bucket in range(12, len(share)):
        phase = bucket % 12
        smooth[phase] += 0.2 * (share[bucket] - smooth[phase])
        score[bucket] = (smooth[phase] - mean[bucket]) / (deviation[bucket] * np.sqrt(0.2 / 1.8))
    return np.where(n >= least, score, 0.0)


def _trailing(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    total = np.cumsum(values, 0)
    total[length:] -= total[:-length].copy()
    return total


def _past(share: NDArray[np.float64], length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of the ``length`` buckets before the last hour."""
    shifted = np.vstack([np.zeros((12, share.shape[1])), share[:-12]])
    mean, square = _trailing(shifted, length) / length, _trailing(shifted**2, length) / length
    return mean, np.sqrt(np.maximum(square - mean**2, 0.02**2))


def outside(world: World, *, strict: bool) -> NDArray[np.bool_]:
    """Where an alarm is false: buckets by queue."""
    slow = np.zeros(world.n.shape, bool) if strict else world.unplanned.copy()
    for one in world.slow:
        slow[one.onset : one.end, one.queue] = True
    near = _trailing(slow.astype(float), _AFTER + 1) > 0.5
    near[: QUIET_WEEKS * WEEK] = True
    return ~near


def episodes(score: NDArray[np.float64], outside: NDArray[np.bool_]) -> list[float]:
    """Peaks of the episodes of one queue that touch no slow-down, however faint."""
    peaks = []
    left = np.where(outside, score, -np.inf)
    # From the highest down, each with the six hours about it: the peaks of any threshold's episodes.
    for _ in range(100):
        at = int(left.argmax())
        if left[at] == -np.inf:
            break
        peaks.append(float(left[at]))
        left[max(0, at - _MERGE) : at + _MERGE + 1] = -np.inf
    return peaks


def judged(world: World, score: Scores, *, strict: bool = False) -> dict[str, float]:
    """Share noticed at each rate of false alarms a queue and week; at .05 by kind, and median minutes until then."""
    queues, false = score.shape[1], outside(world, strict=strict)
    peaks = sorted((peak for one in range(queues) for peak in episodes(score[:, one], false[:, one])), reverse=True)
    weeks, row = len(score) / WEEK - QUIET_WEEKS, {}
    for rate in RATES:
        threshold = peaks[min(int(rate * weeks * queues), len(peaks) - 1)]
        over = [np.flatnonzero(score[one.onset : one.end + _LATE, one.queue] > threshold) for one in world.slow]
        row[f"pod@{rate:g}"] = float(np.mean([len(one) > 0 for one in over]))
        if rate == 0.05:
            for kind in KINDS:
                of_kind = [len(hit) > 0 for hit, one in zip(over, world.slow, strict=True) if one.kind == kind]
                row[kind] = float(np.mean(of_kind))
            row["minutes"] = float(np.median([5.0 * (one[0] + 1) for one in over if len(one)] or [np.nan]))
            row["threshold"] = threshold
    return row


def own_bar(world: World, found: Ours) -> dict[str, float]:
    """What the gauge's own bar gave: alarms a queue and week that are false, the same with ``--strict``, and the share
    noticed; on campaign days without a slow-down, the share of those that rang, and with one the share noticed."""
    rang, queue_weeks = found.rang, world.n.shape[1] * (len(world.n) / WEEK - QUIET_WEEKS)
    noticed = [bool(rang[one.onset : one.end + _LATE, one.queue].any()) for one in world.slow]
    campaign = world.announced != 0
    slow = outside(world, strict=True)
    days = [
        (day, queue)
        for day, queue in np.argwhere(campaign[::DAY]).tolist()
        if slow[day * DAY : (day + 1) * DAY, queue].all()
    ]
    within = [
        hit for hit, one in zip(noticed, world.slow, strict=True) if campaign[one.onset : one.end, one.queue].any()
    ]
    return {
        "bar": found.bar,
        "false": _alarms(rang & outside(world, strict=False)) / queue_weeks,
        "strict": _alarms(rang & slow) / queue_weeks,
        "pod": float(np.mean(noticed)),
        "campaign days rung": float(np.mean([rang[day * DAY : (day + 1) * DAY, queue].any() for day, queue in days])),
        "campaign pod": float(np.mean(within)) if within else np.nan,
    }


def _alarms(rang: NDArray[np.bool_]) -> int:
    """Alarms, those of a queue less than six hours apart being one."""
    return sum(
        len(at) and 1 + int((np.diff(at) > _MERGE).sum()) for at in (np.flatnonzero(column) for column in rang.T)
    )


RIVALS: dict[str, Callable[[World, int], Scores]] = {
    "fixed rule": fixed_rule,
    "mean + k sd, 7 days": mean_and_deviations,
    "EWMA": ewma,
    "same hour + k sd, 28 days": same_hour,
}


def mean_of(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--queues", type=int, default=60)
    parser.add_argument("--strict", action="store_true", help="call it false where chance alone made a queue slow")
    parser.add_argument("--short", type=float, default=0.0, help="part of a campaign's log load without hands, say .3")
    parser.add_argument("--no-calendar", action="store_true", help="do not tell the gauge of campaigns")
    parser.add_argument("--alone", action="store_true", help="without the rivals")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    worlds = [build(seed, queues=asked.queues, short=asked.short) for seed in asked.seeds]
    rows: dict[str, dict[str, float]] = {}
    for name, rival in ({} if asked.alone else RIVALS).items():
        tried = [
            mean_of([judged(one, rival(one, least), strict=asked.strict) for one in worlds]) | {"least": float(least)}
            for least in LEAST
        ]
        rows[name] = max(tried, key=lambda row: row["pod@0.05"])
    begun = time.perf_counter()
    said = [ours(world, calendar=not asked.no_calendar) for world in worlds]
    us = 1e6 * (time.perf_counter() - begun) / sum(one.n.size for one in worlds)
    results = [judged(one, found.scores, strict=asked.strict) for one, found in zip(worlds, said, strict=True)]
    rows["Tocsin"] = mean_of(results) | {"least": 20.0}
    own = {seed: own_bar(one, found) for seed, one, found in zip(asked.seeds, worlds, said, strict=True)}
    if asked.json:
        print(json.dumps({"methods": rows, "own bar": own}))
        return
    _print(rows, f"{sum(len(one.slow) for one in worlds)} slow-downs in {asked.queues} queues, seeds {asked.seeds}", us)
    for seed, row in own.items():
        told = ", ".join(f"{name} {value:.3f}" for name, value in row.items())
        Console(width=150).print(f"own bar, {ASKED:g} asked, seed {seed}: {told}")


def _print(rows: dict[str, dict[str, float]], title: str, us: float) -> None:
    table = Table("method", *next(iter(rows.values())), title=title)
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    console = Console(width=150)
    console.print(table)
    missed = {name: 1 - row["pod@0.05"] for name, row in rows.items()}
    mine = missed.pop("Tocsin")
    beside = f"; the best of the others {min(missed.values()):.3f}" if missed else ""
    console.print(f"missed at .05 false alarms a queue and week: {mine:.3f}{beside}; {us:.0f} us a bucket")


if __name__ == "__main__":
    main()
