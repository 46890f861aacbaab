"""The month in hindsight: when each surge was noticed, and when plainer habits would have, in hours and money.

Beside the detector stand mean + 3 standard deviations of the last seven days' hours, as many teams have it, and a
review each Monday at nine that sees everything of the week before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cost import Rates
from training.backtest import Backtest, Raised, shift_of

_WEEK = timedelta(days=7)
_NINE = timedelta(hours=9)
_MONDAY = timedelta(days=4)  # 1970-01-01 was a Thursday; the first Monday came four days later
_SDS = 3.0
_LEAST_HISTORY = 24  # hours before a mean means anything
METHODS = ("detector", "mean + 3 sd", "weekly review")


@dataclass(frozen=True, slots=True)
class Noticed:
    """When one method noticed one surge: hours after the onset, None where it never did; and what the customers beyond
    the expected had cost until then (until its end, where it never did)."""

    method: str
    hours: float | None
    cost: float


@dataclass(frozen=True, slots=True)
class Episode:
    """One surge of the month and who noticed it when."""

    topic: Any
    onset: int
    end: int
    excess: float
    noticed: tuple[Noticed, ...]


def months_review(result: Backtest, rates: Rates, first: int, last: int) -> tuple[Episode, ...]:
    """The surges that the detector raised in the buckets ``[first, last]``, each beside the other methods.

    A cost is the ticket of each customer beyond the expected, from the onset until somebody noticed. Surges that only
    another method would have found are not counted, and neither are its false alarms.
    """
    rows = {topic: row for row, topic in enumerate(result.counts.topics)}
    hourly = _by_topic(result)
    return tuple(
        _episode(result, rates, one, hourly[rows[one.topic]]) for one in result.alerts if first <= one.bucket <= last
    )


def _by_topic(result: Backtest) -> NDArray[np.float64]:
    """Counts by topic and bucket, shape (topics, buckets)."""
    counts = result.counts
    table = np.zeros((len(counts.topics), counts.last - counts.first + 1))
    np.add.at(table, (counts.row, counts.bucket - counts.first), counts.customers)
    return table


def _episode(result: Backtest, rates: Rates, one: Raised, y: NDArray[np.float64]) -> Episode:
    begin = result.counts.first
    end = result.counts.last if one.end is None else one.end
    expected = one.expected / max(one.window_buckets, 1)
    excess = y[one.onset - begin : end - begin + 1] - expected
    hour = max(1, round(timedelta(hours=1) / result.settings.bucket))
    when = (one.bucket, _three_sd(y, one.onset - begin, end - begin, hour, begin), _monday(result, one.onset))
    noticed = tuple(
        _noticed(method, bucket, one.onset, end, excess, rates, result.settings.bucket)
        for method, bucket in zip(METHODS, when, strict=True)
    )
    return Episode(one.topic, one.onset, end, max(float(excess.sum()), 0.0), noticed)


def _noticed(
    method: str, bucket: int | None, onset: int, end: int, excess: NDArray[np.float64], rates: Rates, length: timedelta
) -> Noticed:
    until = len(excess) if bucket is None else min(max(bucket - onset + 1, 0), len(excess))
    hours = None if bucket is None else max(bucket + 1 - onset, 0) * length / timedelta(hours=1)
    return Noticed(method, hours, round(max(float(excess[:until].sum()), 0.0) * rates.ticket, 2))


def _three_sd(y: NDArray[np.float64], onset: int, end: int, hour: int, begin: int) -> int | None:
    """The first bucket at which the last hour stands over mean + 3 sd of the hours of the week before."""
    week = round(_WEEK / timedelta(hours=1))
    for at in range(onset, end + 1):
        past = y[max(0, at + 1 - (week + 1) * hour) : at + 1 - hour]
        hours = past[len(past) % hour :].reshape(-1, hour).sum(1)
        if len(hours) >= _LEAST_HISTORY and y[at + 1 - hour : at + 1].sum() > hours.mean() + _SDS * hours.std():
            return at + begin
    return None


def _monday(result: Backtest, onset: int) -> int:
    """The bucket of the first Monday, nine o'clock, after the onset."""
    length = result.settings.bucket
    at = (onset + shift_of(result.counts, length)) * length - _MONDAY - _NINE
    return onset + int((_WEEK - at % _WEEK) / length)


def report(episodes: Sequence[Episode], rates: Rates) -> dict[str, Any]:
    """Hours and money by method, ready for JSON."""
    summary = {}
    for place, method in enumerate(METHODS):
        found = [one.noticed[place] for one in episodes]
        hours = [one.hours for one in found if one.hours is not None]
        summary[method] = {
            "noticed": len(hours),
            "of": len(found),
            "median_hours": float(np.median(hours)) if hours else None,
            "cost_until_noticed": round(sum(one.cost for one in found), 2),
        }
    return {
        "currency": rates.currency,
        "ticket": rates.ticket,
        "methods": summary,
        "surges": [
            {
                "topic": one.topic,
                "onset": one.onset,
                "end": one.end,
                "excess": round(one.excess, 1),
                "noticed": {each.method: {"hours": each.hours, "cost": each.cost} for each in one.noticed},
            }
            for one in episodes
        ],
    }
