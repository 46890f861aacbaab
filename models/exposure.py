"""Exposure: how many orders stand behind complaints, so that a surge is also told per 1,000 orders, and a sales peak is no
defect.

Who complains does so some days after the order was shipped. Orders of each day are therefore spread over the days after it
by a gamma density of shape 2, and a day's complaints are held against the orders that fall due on it. Its mean, the usual
lag, is the one of `LAGS` under which a topic's own past is likeliest; `LAG` where that past cannot tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from scipy.special import gammainc, gammaincinv

from models.culprit import Cell
from models.scan import FloatArray, nb_midp_log10

PER = 1_000.0
LAG = 4.0
LAGS = (1.0, 2.0, 4.0, 7.0, 10.0)
"""Mean days from shipment to complaint; four is a parcel of two or three days and a day or two of use."""
_SHAPE = 2.0  # nobody complains before the parcel is there, some late
_REACH = 35  # days after which an order is forgotten
_TELLING = 3.0  # log likelihood by which another lag must be better than the usual one: 20 to 1
_LEAST_KNOWN = 0.5  # part of the density that must lie on days of which orders are known
_SURE = 0.9
_LEAST_BEFORE = 5.0  # complaints in the past below which nobody knows a rate
_ENOUGH = 25.0  # complaints in the past that tell a rate to a fifth
_ROSE = 1.25  # times the orders of before, from which sales have risen at all
_STEP = 1.5  # times the rate of before, beyond which complaints have left the orders behind, however few they are
_CHANCE = 2.0  # -log10 of the tail that still passes for the same rate
_WOBBLE = 0.05  # variance of a rate from week to week, relative: a fifth up or down

Days: TypeAlias = Mapping[int, float]
"""Orders by day since the epoch, in UTC; a day that is missing is not known."""
Hours: TypeAlias = Mapping[int, float]
"""Complaining customers by hour since the epoch; an hour that is missing had none."""


class Pace(StrEnum):
    """How complaints went beside orders: up with them, beyond them, without a rise of orders, or too little is known."""

    in_step = "in_step"
    beyond = "beyond"
    steady = "steady"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class Span:
    """Complaints of some hours, and the orders that fell due in them."""

    complaints: float
    orders: float
    hours: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Complaints per 1,000 orders since the onset, nine in ten sure between ``low`` and ``high``, and ``before`` at the same
    hours of the days before. ``cell``: of whose orders, None of all. ``sales``: times as many orders as before."""

    cell: Cell | None
    now: float
    low: float
    high: float
    orders: float
    before: float | None
    sales: float | None
    lag: float
    pace: Pace


@lru_cache(maxsize=16)
def density(lag: float) -> FloatArray:
    """Part of the complaints that come 0, 1, 2, … days after shipment, for a mean ``lag`` in days; sums to 1.

    >>> density(4.0).round(2)[:6].tolist()
    [0.09, 0.17, 0.18, 0.15, 0.12, 0.09]
    """
    edges = gammainc(_SHAPE, np.arange(_REACH + 1) * _SHAPE / lag)
    parts: FloatArray = np.diff(edges) / edges[-1]
    return parts


def falling_due(shipped: Days, lag: float, first: int, last: int) -> dict[int, float]:
    """Orders that fall due on each of the days ``[first, last]``; a day of which too little is known is left out.

    >>> due = falling_due({day: 100.0 for day in range(50)}, LAG, 40, 60)
    >>> due[40], due[51], 60 in due
    (100.0, 100.0, False)
    """
    parts, due = density(lag), {}
    for day in range(first, last + 1):
        known = [(part, shipped[day - back]) for back, part in enumerate(parts.tolist()) if day - back in shipped]
        weight = sum(part for part, _ in known)
        if weight >= _LEAST_KNOWN:
            due[day] = round(sum(part * orders for part, orders in known) / weight, 6)
    return due


def usual_lag(complaints: Days, shipped: Days) -> float:
    """The lag under which complaints by day are likeliest where they follow orders at one rate (Poisson's likelihood
    with the rate profiled out); `LAG` unless another one is clearly better.

    >>> shipped = {day: 1000.0 if day == 20 else 100.0 for day in range(60)}
    >>> usual_lag({day: round(due / 10) for day, due in falling_due(shipped, 7.0, 40, 59).items()}, shipped)
    4.0
    >>> usual_lag({day: round(due / 10) for day, due in falling_due(shipped, 7.0, 10, 50).items()}, shipped)
    7.0
    """
    first, last = min(complaints, default=0), max(complaints, default=-1)
    due = {lag: falling_due(shipped, lag, first, last) for lag in LAGS}
    days = [day for day in complaints if all(found.get(day, 0.0) > 0 for found in due.values())]
    if not days:
        return LAG
    y = np.array([complaints[day] for day in days], float)

    def likelihood(lag: float) -> float:
        orders = np.array([due[lag][day] for day in days])
        return float((y * np.log(orders)).sum() - y.sum() * np.log(orders.sum()))

    best = max(LAGS, key=likelihood)
    return best if likelihood(best) > likelihood(LAG) + _TELLING else LAG


def spans(complaints: Hours, due: Days, begin: int, end: int, first: int) -> tuple[Span, Span]:
    """The hours ``[begin, end)``, and the same hours of the days before back to hour ``first``, without the day that lies
    next, in which it may have begun; with as many hours about them as it takes to see `_ENOUGH` complaints. Only hours of
    days whose orders are known.

    >>> now, before = spans({hour: 2.0 for hour in range(24 * 30)}, {day: 24.0 for day in range(30)}, 700, 704, 24 * 10)
    >>> now, before.hours, before.orders
    (Span(complaints=8.0, orders=4.0, hours=4.0), 72.0, 72.0)
    """
    now, before = _span(complaints, due, range(begin, end)), Span(0.0, 0.0, 0.0)
    for about in range(12):
        since, until = begin - about, end + about
        if about and until - since > 24:
            break
        days = -(-(until - since) // 24)
        backs = range(days + 1, (until - first) // 24 + 1, days)
        past = (hour - 24 * back for back in backs for hour in range(since, until))
        before = _span(complaints, due, [hour for hour in past if hour >= first])
        if before.complaints >= _ENOUGH:
            break
    return now, before


def _span(complaints: Hours, due: Days, hours: Sequence[int]) -> Span:
    known = [hour for hour in hours if hour // 24 in due]
    return Span(
        float(sum(complaints.get(hour, 0.0) for hour in known)),
        float(sum(due[hour // 24] for hour in known)) / 24,
        float(len(known)),
    )


def weigh(now: Span, before: Span) -> Pace:
    """Whether complaints rose in step with orders, and with them alone.

    Under one rate the count is that of a negative binomial: Poisson, with the rate as surely known as the past tells
    (a gamma) and as it wobbles. In step is what such a count reaches by chance, and never more than half as much again.

    >>> before = Span(140.0, 14_000.0, 336.0)
    >>> weigh(Span(30.0, 3_000.0, 24.0), before), weigh(Span(60.0, 3_000.0, 24.0), before)
    (<Pace.in_step: 'in_step'>, <Pace.beyond: 'beyond'>)
    >>> weigh(Span(30.0, 1_000.0, 24.0), before), weigh(Span(3.0, 3_000.0, 24.0), Span(1.0, 14_000.0, 336.0))
    (<Pace.steady: 'steady'>, <Pace.unknown: 'unknown'>)
    """
    if before.complaints < _LEAST_BEFORE or min(before.orders, now.orders) <= 0:
        return Pace.unknown
    if sales(now, before) < _ROSE:
        return Pace.steady
    mean = (before.complaints + 0.5) * now.orders / before.orders
    variance = mean + mean**2 * (1 / (before.complaints + 0.5) + _WOBBLE)
    likely = float(nb_midp_log10(now.complaints, mean, variance)) < _CHANCE
    return Pace.in_step if likely and now.complaints <= _STEP * mean else Pace.beyond


def sales(now: Span, before: Span) -> float:
    """Times as many orders an hour as before."""
    return (now.orders / max(now.hours, 1.0)) / (before.orders / max(before.hours, 1.0))


def rate_of(now: Span, before: Span, lag: float, cell: Cell | None = None, *, same: bool = True) -> Rate | None:
    """The rate, or None where no orders fell due. ``same`` where both spans are of the same orders: those of a batch that
    is new are held against the orders of everything, and excuse nothing. The interval is Garwood's (1936).

    >>> one = rate_of(Span(30.0, 3_000.0, 24.0), Span(140.0, 14_000.0, 336.0), LAG)
    >>> one.now, round(one.low, 1), round(one.high, 1), one.before, one.sales, one.pace
    (10.0, 7.2, 13.6, 10.0, 3.0, <Pace.in_step: 'in_step'>)
    """
    if now.orders <= 0:
        return None
    edge, y = (1 - _SURE) / 2, now.complaints
    low = float(gammaincinv(y, edge)) if y > 0 else 0.0
    high = float(gammaincinv(y + 1, 1 - edge))
    known = before.orders > 0
    return Rate(
        cell,
        PER * y / now.orders,
        PER * low / now.orders,
        PER * high / now.orders,
        now.orders,
        PER * before.complaints / before.orders if known else None,
        sales(now, before) if known and same else None,
        lag,
        weigh(now, before) if same else Pace.unknown,
    )


def total(posted: Mapping[tuple[str, ...], float]) -> float:
    """Orders of one day by the attributes that they were broken down by: the fullest breakdown, since the same orders may be
    posted by product and by batch.

    >>> total({("sku",): 100.0, ("batch", "sku"): 80.0})
    100.0
    """
    return max(posted.values(), default=0.0)
