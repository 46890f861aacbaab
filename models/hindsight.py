"""The month in hindsight: when each surge was noticed, and when plainer habits would have, in hours and money.

Beside the detector stand mean + 3 standard deviations of the last seven days' hours, as many teams have it, and a review
each Monday at nine that sees everything of the week before. A cost is the ticket of each customer beyond the expected, from
the onset until somebody noticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from models.cost import Rates
from models.season import FloatArray

_WEEK = timedelta(days=7)
_NINE = timedelta(hours=9)
_MONDAY = timedelta(days=4)  # 1970-01-01 was a Thursday; the first Monday came four days later
_SDS = 3.0
_LEAST_HISTORY = 24  # hours before a mean means anything
_APART = 6  # hours
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
    """One surge of the month and who noticed it when. Buckets as the caller numbers them."""

    topic: Any
    onset: int
    end: int
    excess: float
    noticed: tuple[Noticed, ...]


def episode(
    topic: Any,
    y: FloatArray,
    onset: int,
    end: int,
    fired: int,
    *,
    expected: float,
    at: timedelta,
    bucket: timedelta,
    rates: Rates,
) -> Episode:
    """Who noticed a surge when. ``y``: customers by bucket, ``onset``, ``end`` and ``fired`` (the bucket at whose end the
    detector told) places in it; ``expected`` customers a bucket; ``at``: when the onset was, since the epoch."""
    hour = max(1, round(timedelta(hours=1) / bucket))
    when = (fired, three_sd(y, onset, end, hour), onset + int(until_monday(at) / bucket))
    excess = y[onset : end + 1] - expected
    noticed = tuple(
        _noticed(method, place, onset, excess, rates, bucket) for method, place in zip(METHODS, when, strict=True)
    )
    return Episode(topic, onset, end, max(float(excess.sum()), 0.0), noticed)


def three_sd(y: FloatArray, onset: int, end: int, hour: int) -> int | None:
    """The first place at which the last hour (``hour`` buckets) stands over mean + 3 sd of the hours of the week before.

    >>> y = np.tile([1.0, 3.0], 24 * 4)
    >>> y[150:] += 9
    >>> three_sd(y, 148, 160, 1), three_sd(y, 100, 140, 1)
    (150, None)
    """
    week = round(_WEEK / timedelta(hours=1))
    for at in range(onset, end + 1):
        past = y[max(0, at + 1 - (week + 1) * hour) : at + 1 - hour]
        hours = past[len(past) % hour :].reshape(-1, hour).sum(1)
        if len(hours) >= _LEAST_HISTORY and y[at + 1 - hour : at + 1].sum() > hours.mean() + _SDS * hours.std():
            return at
    return None


def alarms_of_three_sd(hours: FloatArray, first: int) -> int:
    """How often mean + 3 sd would have rung from hour ``first`` on, alarms less than six hours apart being one: what its
    quickness costs. ``hours``: customers by hour, at least a day of them before ``first``.

    >>> y = np.tile([1.0, 3.0], 200)
    >>> y[[300, 302, 350]] = 9
    >>> alarms_of_three_sd(y, 200)
    2
    """
    week, rung, last = round(_WEEK / timedelta(hours=1)), 0, -_APART
    for at in range(max(first, _LEAST_HISTORY), len(hours)):
        past = hours[max(0, at - week) : at]
        if hours[at] > past.mean() + _SDS * past.std():
            rung += at - last >= _APART
            last = at
    return rung


def until_monday(at: timedelta) -> timedelta:
    """From a time since the epoch to the next Monday, nine o'clock.

    >>> until_monday(timedelta(days=4, hours=10)).days, until_monday(timedelta(days=4)) / timedelta(hours=1)
    (6, 9.0)
    """
    return _WEEK - (at - _MONDAY - _NINE) % _WEEK


def _noticed(
    method: str, place: int | None, onset: int, excess: FloatArray, rates: Rates, bucket: timedelta
) -> Noticed:
    until = len(excess) if place is None else min(max(place - onset + 1, 0), len(excess))
    hours = None if place is None else max(place + 1 - onset, 0) * bucket / timedelta(hours=1)
    return Noticed(method, hours, round(max(float(excess[:until].sum()), 0.0) * rates.ticket, 2))


def summary(episodes: Sequence[Episode]) -> dict[str, dict[str, Any]]:
    """Of each method how many it noticed, after how many hours in the middle, and what had been lost until then."""
    found = {}
    for place, method in enumerate(METHODS):
        mine = [one.noticed[place] for one in episodes]
        hours = [one.hours for one in mine if one.hours is not None]
        found[method] = {
            "noticed": len(hours),
            "of": len(mine),
            "median_hours": float(np.median(hours)) if hours else None,
            "cost_until_noticed": round(sum(one.cost for one in mine), 2),
        }
    return found
