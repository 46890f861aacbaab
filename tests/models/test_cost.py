"""What a blind spot costs: the plain calculation, and a range that holds the likely figure and narrows with evidence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.cost import Estimate, Rates, burden, estimate
from models.evidence import GaugeFigures
from models.indicator import READY, CostKind, Direction, Kind
from models.limits import Cause
from tests.service.web.acts import alert

RATES = Rates(refund=20.0, margin=15.0)


def test_the_usual_example_is_three_thousand_a_day_and_ninety_thousand_a_month() -> None:
    found = burden(Rates())
    assert (found.a_day, found.in_all) == (3_000.0, 90_000.0)
    assert burden(Rates(handling=timedelta(minutes=20)), 50, 10).in_all == pytest.approx(5_000)


def test_an_alerts_cost_is_a_range_around_the_likely_figure() -> None:
    found = estimate(alert(0).evidence, RATES)
    assert found is not None
    assert 0 < found.low < found.likely < found.high
    assert found.assumptions["ticket"] == 30.0 and found.assumptions["order"] == 35.0


def test_more_customers_make_the_range_narrower_in_proportion() -> None:
    few = alert(0).evidence
    window = replace(few.window, observed=few.window.observed * 10, expected=few.window.expected * 10)
    many = replace(few, customers=few.customers * 10, window=window)
    one, other = (
        estimate(few, Rates(affected=(1, 1), returned=(0, 0))),
        estimate(many, Rates(affected=(1, 1), returned=(0, 0))),
    )
    assert one is not None and other is not None
    assert (other.high - other.low) / other.likely < (one.high - one.low) / one.likely


def gauge(name: str, n: float) -> GaugeFigures:
    one = READY[name]
    return GaugeFigures(one.name, one.kind, one.direction, one.unit, n, Cause.learnt, cost=one.cost)


def told(figures: GaugeFigures, observed: float, usual: float, bound: float, rates: Rates = RATES) -> Estimate | None:
    evidence = alert(0).evidence
    window = replace(evidence.window, observed=observed, expected=usual, upper_bound=bound)
    return estimate(replace(evidence, window=window, gauge=figures), rates)


def test_what_an_indicator_costs_is_worked_out_by_what_one_more_costs() -> None:
    complaints, returns = (
        told(gauge("complaint_rate", 1_000), 0.05, 0.02, 0.04),
        told(gauge("return_rate", 1_000), 0.05, 0.02, 0.04),
    )
    waits = told(gauge("waiting_time", 1_000), 0.05, 0.02, 0.04)
    assert complaints is not None and returns is not None and waits is not None
    assert complaints.likely == pytest.approx(30 * 30) and returns.likely == pytest.approx(30 * 35)
    for one in (complaints, returns, waits):
        assert 0 < one.low < one.likely < one.high and one.assumptions["seen"] == 50
    assert waits.high / complaints.high == pytest.approx(RATES.again[1], rel=1e-3)
    assert set(waits.assumptions) > {"ticket", "again_low", "again_high"}


def test_longer_handling_costs_the_time_that_it_takes() -> None:
    found = told(gauge("handling_time", 60), 25.0, 20.0, 23.0)
    assert found is not None
    assert (found.low, found.likely, found.high) == pytest.approx((60.0, 150.0, 240.0))
    assert told(gauge("handling_time", 60), 15.0, 20.0, 17.0) is None, "shorter handling costs nothing"


def test_a_count_is_of_all_its_window() -> None:
    count = GaugeFigures("refunds", Kind.number, Direction.up, "", 3.0, Cause.learnt, cost=CostKind.order)
    found = told(count, 40.0, 10.0, 25.0)
    hours = alert(0).evidence.window.minutes / 60
    assert found is not None and found.likely == pytest.approx(30 * hours * 35)


def test_satisfaction_a_silence_and_what_no_setting_prices_have_no_such_cost() -> None:
    evidence = alert(0).evidence
    assert told(gauge("satisfaction", 100), 3.0, 4.5, 4.0) is None
    assert told(gauge("return_rate", 1_000), 0.05, 0.02, 0.04, Rates()) is None
    assert estimate(replace(evidence, window=replace(evidence.window, observed=0)), RATES) is None
