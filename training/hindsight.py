"""The month in hindsight on a table of counts: `models.hindsight` on what a backtest raised."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.cost import Rates
from models.hindsight import Episode, episode, hour_in, hours_of, summary
from models.season import FloatArray
from training.backtest import Backtest, Raised, shift_of


def months_review(result: Backtest, rates: Rates, first: int, last: int) -> tuple[Episode, ...]:
    """The surges that the detector raised in the buckets ``[first, last]``, each beside the other methods.

    Surges that only another method would have found are not counted, and neither are its false alarms.
    """
    rows = {topic: row for row, topic in enumerate(result.counts.topics)}
    hourly = _by_topic(result)
    return tuple(
        _episode(result, rates, one, hourly[rows[one.topic]]) for one in result.alerts if first <= one.bucket <= last
    )


def _by_topic(result: Backtest) -> FloatArray:
    """Counts by topic and bucket, shape (topics, buckets)."""
    counts = result.counts
    table = np.zeros((len(counts.topics), counts.last - counts.first + 1))
    np.add.at(table, (counts.row, counts.bucket - counts.first), counts.customers)
    return table


def _episode(result: Backtest, rates: Rates, one: Raised, y: FloatArray) -> Episode:
    begin, length = result.counts.first, result.settings.bucket
    onset, end = one.onset - begin, (result.counts.last if one.end is None else one.end) - begin
    found = episode(
        one.topic,
        hours_of(y, hour_in(length)),
        y[onset : end + 1] - one.expected / max(one.window_buckets, 1),
        onset,
        end,
        one.bucket - begin,
        at=(one.onset + shift_of(result.counts, length)) * length,
        bucket=length,
        price=rates.ticket,
    )
    return Episode(found.topic, found.onset + begin, found.end + begin, found.excess, found.noticed)


def report(episodes: Sequence[Episode], rates: Rates) -> dict[str, Any]:
    """Hours and money by method, ready for JSON."""
    return {
        "currency": rates.currency,
        "ticket": rates.ticket,
        "methods": summary(episodes),
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
