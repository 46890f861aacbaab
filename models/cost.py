"""What blind spots cost: a ticket, a day, a month; and what one alert is about to cost, as a range with its assumptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from scipy.special import gammaincinv

from models.evidence import Evidence
from models.indicator import Kind

_SURE = 0.9
"""How surely the true excess lies in the range: nine in ten."""


@dataclass(frozen=True, slots=True)
class Rates:
    """A company's own figures. Money is in ``currency``.

    ``returned``: the share of those affected who send it back, at least and at most; ``affected``: orders affected for
    each customer who complains, at least and at most, since most say nothing.
    """

    hour: float = 30.0
    handling: timedelta = timedelta(hours=1)
    refund: float = 0.0
    margin: float = 0.0
    returned: tuple[float, float] = (0.05, 0.30)
    affected: tuple[float, float] = (1.0, 3.0)
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
    """The cost of an alert's excess; None where customers are not what it counts (an indicator, a silence).

    Excess customers write a ticket each; of the orders affected, a share comes back. The true excess is read off the
    count as a Poisson's mean (Garwood, 1936), nine in ten sure.
    """
    window = evidence.window
    if window.observed <= 0 or (evidence.gauge is not None and evidence.gauge.kind is not Kind.number):
        return None
    part = max(evidence.customers, 1) / max(window.observed, 1)
    expected = window.expected * part
    seen = float(evidence.customers)
    edge = (1 - _SURE) / 2
    low = max(0.0, float(gammaincinv(seen, edge)) - expected)
    high = max(0.0, float(gammaincinv(seen + 1, 1 - edge)) - expected)
    likely = max(0.0, seen - expected)
    returned = (rates.returned[0] * rates.returned[1]) ** 0.5
    affected = (rates.affected[0] * rates.affected[1]) ** 0.5
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


def _cost(excess: float, rates: Rates, affected: float, returned: float) -> float:
    return round(excess * rates.ticket + excess * affected * returned * rates.order, 2)
