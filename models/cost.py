"""What blind spots cost: a ticket, a day, a month; and what one alert is about to cost, as a range with its assumptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from scipy.special import gammaincinv

from models.evidence import Evidence, GaugeFigures, WindowFigures
from models.indicator import HOURS, CostKind, Kind

_SURE = 0.9
"""How surely the true excess lies in the range: nine in ten."""


@dataclass(frozen=True, slots=True)
class Rates:
    """A company's own figures. Money is in ``currency``.

    ``returned``: the share of those affected who send it back, at least and at most; ``affected``: orders affected for
    each customer who complains, at least and at most, since most say nothing; ``again``: the share of those who waited too long
    who write again.
    """

    hour: float = 30.0
    handling: timedelta = timedelta(hours=1)
    refund: float = 0.0
    margin: float = 0.0
    returned: tuple[float, float] = (0.05, 0.30)
    affected: tuple[float, float] = (1.0, 3.0)
    again: tuple[float, float] = (0.1, 0.5)
    currency: str = "yuan"

    @property
    def ticket(self) -> float:
        """What one ticket costs in working time."""
        return self.hour * (self.handling / timedelta(hours=1))

    @property
    def order(self) -> float:
        """What one order that comes back costs: handling the return, and the margin lost."""
        return self.refund + self.margin


@dataclass(frozen=True, slots=True)
class Burden:
    """What a steady load of avoidable tickets costs."""

    a_day: float
    in_all: float
    days: int


def burden(rates: Rates, tickets_a_day: float = 100.0, days: int = 30) -> Burden:
    """The plain calculation: tickets a day, each for so long, at so much an hour.

    >>> burden(Rates())
    Burden(a_day=3000.0, in_all=90000.0, days=30)
    """
    a_day = tickets_a_day * rates.ticket
    return Burden(a_day, a_day * days, days)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an episode has cost so far: at least, likely, at most; with what was assumed, figure by figure."""

    low: float
    likely: float
    high: float
    assumptions: Mapping[str, float]


def estimate(evidence: Evidence, rates: Rates) -> Estimate | None:
    """The cost of an alert's excess; None where nothing is known that it costs (satisfaction, a silence, a fall).

    Excess customers write a ticket each; of the orders affected, a share comes back. Of an indicator its kind of cost says
    it (`models.indicator.CostKind`).
    """
    if evidence.gauge is not None:
        return _of_indicator(evidence.window, evidence.gauge, rates)
    window = evidence.window
    if window.observed <= 0:
        return None
    part = max(evidence.customers, 1) / max(window.observed, 1)
    seen, expected = float(evidence.customers), window.expected * part
    low, likely, high = excess(seen, expected)
    returned, affected = _middle(rates.returned), _middle(rates.affected)
    return Estimate(
        _cost(low, rates, rates.affected[0], rates.returned[0]),
        _cost(likely, rates, affected, returned),
        _cost(high, rates, rates.affected[1], rates.returned[1]),
        {
            "customers": seen,
            "expected": round(expected, 2),
            "excess_low": round(low, 1),
            "excess_high": round(high, 1),
            "ticket": rates.ticket,
            "order": rates.order,
            "affected_low": rates.affected[0],
            "affected_high": rates.affected[1],
            "returned_low": rates.returned[0],
            "returned_high": rates.returned[1],
        },
    )


def excess(seen: float, expected: float) -> tuple[float, float, float]:
    """How many more there are than expected: at least, likely, at most. The true number is read off the count as a
    Poisson's mean (Garwood, 1936), nine in ten sure.

    >>> [round(one, 1) for one in excess(20.0, 5.0)]
    [8.3, 15.0, 24.1]
    """
    edge = (1 - _SURE) / 2
    low, high = float(gammaincinv(seen, edge)) if seen else 0.0, float(gammaincinv(seen + 1, 1 - edge))
    return max(0.0, low - expected), max(0.0, seen - expected), max(0.0, high - expected)


def price_of(kind: CostKind, unit: str, rates: Rates) -> tuple[float, float, float]:
    """What one more of an indicator costs: at least, likely, at most."""
    if kind is CostKind.again:
        low, high = rates.again
        return low * rates.ticket, _middle(rates.again) * rates.ticket, high * rates.ticket
    known = {
        CostKind.ticket: rates.ticket,
        CostKind.order: rates.order,
        CostKind.time: rates.hour * HOURS.get(unit, 0.0),
    }
    return (known[kind],) * 3


def _of_indicator(window: WindowFigures, gauge: GaugeFigures, rates: Rates) -> Estimate | None:
    """The cost of the window that told. Of a time the excess is sure where it is beyond the threshold, and at most as far
    beyond the figure as the threshold is beyond the usual."""
    if gauge.cost is None or window.observed <= window.expected:
        return None
    price = price_of(gauge.cost, gauge.unit, rates)
    if price[1] <= 0:
        return None
    times = window.minutes / 60 if gauge.kind is Kind.number else gauge.n
    seen, expected = window.observed * times, window.expected * times
    if gauge.cost is CostKind.time:
        apart = max(window.upper_bound - window.expected, 0.0) * times
        more = max(seen - expected - apart, 0.0), seen - expected, seen - expected + apart
    else:
        more = excess(seen, expected)
    low, likely, high = (round(many * each, 2) for many, each in zip(more, price, strict=True))
    assumed = {
        "seen": round(seen, 1),
        "expected": round(expected, 1),
        "excess_low": round(more[0], 1),
        "excess_high": round(more[2], 1),
        "hour": rates.hour,
        "ticket": rates.ticket,
        "order": rates.order,
        "again_low": rates.again[0],
        "again_high": rates.again[1],
    }
    told = {
        CostKind.ticket: {"ticket"},
        CostKind.again: {"ticket", "again_low", "again_high"},
        CostKind.order: {"order"},
        CostKind.time: {"hour"},
    }[gauge.cost] | {"seen", "expected", "excess_low", "excess_high"}
    return Estimate(low, likely, high, {name: value for name, value in assumed.items() if name in told})


def _middle(ends: tuple[float, float]) -> float:
    """The geometric mean of two ends of a range."""
    return float((ends[0] * ends[1]) ** 0.5)


def _cost(many: float, rates: Rates, affected: float, returned: float) -> float:
    return round(many * rates.ticket + many * affected * returned * rates.order, 2)
