"""The month in hindsight: when each surge was noticed, and when plainer habits would have, in hours and money.

Beside the detector stand mean + 3 standard deviations of the last seven days' hours, as many teams have it, and a review
each Monday at nine that sees everything of the week before. A cost is the ticket of each customer beyond the expected (of an
indicator, what one more costs), from the onset until somebody noticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from models.indicator import Direction, Indicator, Kind, Tally, middle
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
    hourly: FloatArray,
    excess: FloatArray,
    onset: int,
    end: int,
    fired: int,
    *,
    at: timedelta,
    bucket: timedelta,
    price: float,
) -> Episode:
    """Who noticed a surge when. ``hourly``: the figure of the hour that ends with each bucket (`hours_of`, `figures`);
    ``excess``: how many more than expected came in each bucket from the onset to the end, of ``price`` each; ``onset``, ``end``
    and ``fired`` (the bucket at whose end the detector told) places in ``hourly``; ``at``: when the onset was, since the
    epoch."""
    plain = three_sd(hourly, onset, end, hour_in(bucket))
    when = (fired, plain, onset + int(until_monday(at) / bucket))
    noticed = tuple(
        _noticed(method, place, onset, excess, price, bucket) for method, place in zip(METHODS, when, strict=True)
    )
    return Episode(topic, onset, end, max(float(excess.sum()), 0.0), noticed)


def hour_in(bucket: timedelta) -> int:
    """Buckets in an hour; 1 where a bucket is longer."""
    return max(1, round(timedelta(hours=1) / bucket))


def hours_of(y: FloatArray, hour: int) -> FloatArray:
    """The sum of the hour that ends with each bucket; NaN before there was one.

    >>> hours_of(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [nan, 3.0, 5.0]
    """
    total = np.concatenate([[0.0], np.cumsum(y)])
    found = np.full(len(y), np.nan)
    found[hour - 1 :] = total[hour:] - total[:-hour]
    return found


def figures(indicator: Indicator, tallies: Sequence[Tally], hour: int) -> FloatArray:
    """An indicator's figure in the hour that ends with each bucket, its sign such that more is worse; NaN where there were
    too few observations.

    >>> from models.indicator import READY
    >>> late = [Tally(30.0, 3.0)] * 3 + [Tally(30.0, 9.0)]
    >>> figures(READY["waiting_time"], late, 2).round(2).tolist()
    [nan, 0.1, 0.1, 0.2]
    """
    n = hours_of(np.array([one.n for one in tallies]), hour)
    total = hours_of(np.array([one.total for one in tallies]), hour)
    found = total if indicator.kind is Kind.number else total / np.maximum(n, 1e-9)
    if indicator.kind is Kind.quantile:
        found = _quantiles(indicator, tallies, hour)
    least = 0.0 if indicator.kind is Kind.number else indicator.least
    sign = -1.0 if indicator.direction is Direction.down else 1.0
    told: FloatArray = np.where(n >= least, sign * found, np.nan)
    return told


def _quantiles(indicator: Indicator, tallies: Sequence[Tally], hour: int) -> FloatArray:
    bins = sorted({bin_ for one in tallies for bin_ in one.bins})
    if not bins or indicator.quantile is None:
        return np.full(len(tallies), np.nan)
    below = np.cumsum([hours_of(np.array([one.bins.get(bin_, 0.0) for one in tallies]), hour) for bin_ in bins], axis=0)
    place = (below >= indicator.quantile * below[-1]).argmax(0)
    found: FloatArray = np.array([middle(one) for one in bins])[place]
    return found


def three_sd(hourly: FloatArray, onset: int, end: int, hour: int) -> int | None:
    """The first place at which the last hour (of ``hour`` buckets) stands over mean + 3 sd of the hours of the week before.

    >>> y = np.tile([1.0, 3.0], 24 * 4)
    >>> y[150:] += 9
    >>> three_sd(y, 148, 160, 1), three_sd(y, 100, 140, 1)
    (150, None)
    """
    week = round(_WEEK / timedelta(hours=1))
    for at in range(onset, end + 1):
        past = hourly[(at % hour) : at : hour][-week:]
        if _beyond(hourly[at], past):
            return at
    return None


def _beyond(value: float, past: FloatArray) -> bool:
    """Whether an hour stands over mean + 3 sd of others; hours of which too little is known are left out."""
    known = past[~np.isnan(past)]
    return bool(len(known) >= _LEAST_HISTORY and value > known.mean() + _SDS * known.std())


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
        if _beyond(hours[at], hours[max(0, at - week) : at]):
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
    method: str, place: int | None, onset: int, excess: FloatArray, price: float, bucket: timedelta
) -> Noticed:
    until = len(excess) if place is None else min(max(place - onset + 1, 0), len(excess))
    hours = None if place is None else max(place + 1 - onset, 0) * bucket / timedelta(hours=1)
    return Noticed(method, hours, round(max(float(excess[:until].sum()), 0.0) * price, 2))


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
