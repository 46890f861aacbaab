"""The detector alone on a table of counts: a score for every topic and bucket, and the alerts it would have raised.

Strictly causal: a score uses counts up to the end of its own bucket, a threshold only what lies before the day.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.detector import Detector, DetectorSettings
from models.season import YEAR, SeasonKind
from models.surge import Reading, Surge, SurgeRules, advance
from models.verdict import Tick
from training.counts import Counts

FIRST_OF_EPOCH = timedelta(days=365 * 10)
"""Buckets that lie later than this after 1970 are counted from the epoch; smaller numbers from some Monday."""
NUMBERED_YEAR = timedelta(weeks=52)
BUDGETS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""False alarms a week for which the cost in delay is told."""

_DAY = timedelta(days=1)
_MONDAY = 4 * _DAY  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert that would have been raised. Buckets as in the table; ``end`` is None while it is open."""

    topic: Any
    bucket: int
    onset: int
    end: int | None
    score: float
    observed: int
    expected: float
    upper_bound: int
    window_buckets: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A threshold and the bucket from which it counted."""

    bucket: int
    threshold: float
    reason: str


@dataclass(frozen=True, slots=True)
class Backtest:
    """``scores`` (B, J) of the buckets from ``score_from`` on; NaN before a topic was known.

    ``budgets``: false alarms a week and the threshold that the history before ``score_from`` gives for them.
    """

    counts: Counts
    score_from: int
    scores: NDArray[np.float32]
    thresholds: tuple[Fitted, ...]
    budgets: tuple[tuple[float, float], ...]
    alerts: tuple[Raised, ...]
    settings: DetectorSettings
    gap: int


def shift_of(counts: Counts, bucket: timedelta) -> int:
    """What to add to the table's bucket numbers to count them from the epoch.

    >>> import numpy as np
    >>> none = np.zeros(0, int)
    >>> shift_of(Counts((), none, none, none, none, 0, 9), timedelta(hours=1))
    96
    """
    return 0 if counts.first * bucket > FIRST_OF_EPOCH else _MONDAY // bucket


def settings_for(
    counts: Counts,
    bucket: timedelta,
    *,
    season: SeasonKind | None = None,
    budget: float = 2.0,
    utc_offset: timedelta = timedelta(0),
) -> DetectorSettings:
    """Settings for a table: numbered buckets know no calendar, so that their year has 52 weeks."""
    year = YEAR if counts.first * bucket > FIRST_OF_EPOCH else NUMBERED_YEAR
    return DetectorSettings(
        false_alarms_per_week=budget, bucket=bucket, season=season, utc_offset=utc_offset, year=year
    )


def run(
    counts: Counts,
    settings: DetectorSettings,
    score_from: int,
    *,
    rules: SurgeRules = SurgeRules(),
    progress: Callable[[int], None] = lambda done: None,
) -> Backtest:
    """Step a new detector through ``counts``; alerts and scores from bucket ``score_from`` on."""
    shift = shift_of(counts, settings.bucket)
    detector = Detector(settings, counts.first + shift)
    daily = max(_DAY // settings.bucket, 1)
    scores = np.full((max(counts.last - score_from + 1, 0), len(counts.topics)), np.nan, np.float32)
    budgets: tuple[tuple[float, float], ...] = ()
    ledger, thresholds = (
        _Ledger(counts.topics, rules, shift),
        [Fitted(score_from, detector.threshold, "first threshold")],
    )
    for bucket, y in counts.by_bucket():
        known = int(np.searchsorted(counts.born, bucket, "right"))
        for row in range(len(detector.topics), known):
            detector.add(str(row))
        if bucket == score_from:
            budgets = tuple((budget, detector.threshold_for(budget)) for budget in BUDGETS)
        if (bucket - score_from) % daily == 0:
            calibration = detector.calibrate()
            if calibration.changed and bucket <= score_from:
                thresholds = [Fitted(score_from, calibration.after, calibration.reason)]
            elif calibration.changed:
                thresholds.append(Fitted(bucket, calibration.after, calibration.reason))
        tick = detector.take(bucket + shift, y[:known])
        if bucket >= score_from:
            scores[bucket - score_from, :known] = tick.score
            ledger.note(detector, tick)
        progress(1)
    return Backtest(
        counts, score_from, scores, tuple(thresholds), budgets, ledger.raised(), settings, detector.cadence.gap
    )


class _Ledger:
    """Episodes by topic, kept with the rules of the live service."""

    def __init__(self, topics: Sequence[Any], rules: SurgeRules, shift: int) -> None:
        self._topics, self._rules, self._shift = topics, rules, shift
        self._open: dict[int, Surge] = {}
        self._alerts: dict[tuple[int, int], Raised] = {}

    def note(self, detector: Detector, tick: Tick) -> None:
        for row in {*np.nonzero(tick.alarm)[0].tolist(), *self._open}:
            before, loud = self._open.get(row), bool(tick.alarm[row])
            onset = detector.explain(str(row)).onset if loud and (before is None or not before.open) else tick.bucket
            reading = Reading(
                tick.bucket, loud, bool(tick.calm[row]), onset, int(tick.observed[row]), float(tick.expected[row])
            )
            surge = advance(str(row), before, reading, self._rules)
            if surge is None:
                self._open.pop(row, None)
                continue
            self._open[row] = surge
            if surge.fired is None:
                continue
            if surge.fired == tick.bucket:
                self._alerts[row, surge.fired] = self._raise(row, surge, tick)
            elif before != surge:
                end = None if surge.resolved is None else surge.resolved - self._shift
                self._alerts[row, surge.fired] = replace(self._alerts[row, surge.fired], end=end)

    def _raise(self, row: int, surge: Surge, tick: Tick) -> Raised:
        return Raised(
            topic=self._topics[row],
            bucket=tick.bucket - self._shift,
            onset=surge.onset - self._shift,
            end=None,
            score=round(float(tick.score[row]), 3),
            observed=int(tick.observed[row]),
            expected=round(float(tick.expected[row]), 3),
            upper_bound=tick.upper_bound(row),
            window_buckets=tick.windows[int(tick.window[row])].buckets,
        )

    def raised(self) -> tuple[Raised, ...]:
        return tuple(sorted(self._alerts.values(), key=lambda one: (one.bucket, str(one.topic))))


def write_scores(result: Backtest, path: Path) -> None:
    """Write topic, bucket and score, one row for every topic and bucket that was judged."""
    buckets, rows = np.nonzero(~np.isnan(result.scores))
    topics = pa.array(result.counts.topics)
    table = pa.table(
        {
            "topic": topics.take(pa.array(rows)),
            "bucket": pa.array(buckets + result.score_from),
            "score": pa.array(result.scores[buckets, rows]),
        }
    )
    pq.write_table(table, path, compression="zstd")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a budget of false alarms a week comes to: alerts raised, and buckets later than the largest budget."""

    false_alarms_per_week: float
    threshold: float
    alerts: int
    missed: int
    median_delay_buckets: float


def costs(result: Backtest) -> tuple[Cost, ...]:
    """What each budget would have raised and, of what the largest raised, how much it misses or tells later."""
    if not result.budgets:
        return ()
    gap = result.gap
    widest = max(result.budgets)[1]
    every = _episodes(result.scores, widest, gap)
    found = []
    for budget, threshold in result.budgets:
        delays, missed = [], 0
        for row, begin, end in every:
            over = np.nonzero(result.scores[begin:end, row] >= threshold)[0]
            missed += not len(over)
            delays += over[:1].tolist()
        alerts = len(_episodes(result.scores, threshold, gap))
        found.append(Cost(budget, round(threshold, 3), alerts, missed, float(np.median(delays)) if delays else 0.0))
    return tuple(found)


def _episodes(scores: NDArray[np.float32], threshold: float, gap: int) -> list[tuple[int, int, int]]:
    """Topic, first and end of each run over the threshold; runs nearer than ``gap`` buckets are one."""
    found = []
    over = scores >= threshold
    for row in np.nonzero(over.any(0))[0]:
        at = np.nonzero(over[:, row])[0]
        breaks = np.nonzero(np.diff(at) > gap)[0]
        begins, ends = at[np.r_[0, breaks + 1]], at[np.r_[breaks, len(at) - 1]]
        found += [(int(row), int(begin), int(end) + 1) for begin, end in zip(begins, ends, strict=True)]
    return found


def report(result: Backtest) -> dict[str, Any]:
    """All that the run found, ready for JSON."""
    counts, settings = result.counts, result.settings
    return {
        "topics": len(counts.topics),
        "first_bucket": counts.first,
        "last_bucket": counts.last,
        "score_from": result.score_from,
        "bucket_minutes": settings.bucket / timedelta(minutes=1),
        "false_alarms_per_week": settings.false_alarms_per_week,
        "threshold": result.thresholds[0].threshold,
        "thresholds": [asdict(one) for one in result.thresholds],
        "budgets": [asdict(one) for one in costs(result)],
        "alerts": [asdict(one) for one in result.alerts],
    }
