"""What a blind spot costs: the plain calculation, and a range that holds the likely figure and narrows with evidence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.cost import Rates, burden, estimate
from models.evidence import GaugeFigures
from models.indicator import Direction, Kind
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


def test_an_indicator_and_a_silence_have_no_such_cost() -> None:
    evidence = alert(0).evidence
    gauge = GaugeFigures("waiting_time", Kind.share, Direction.up, "min", 80.0, Cause.learnt)
    assert estimate(replace(evidence, gauge=gauge), RATES) is None
    assert estimate(replace(evidence, window=replace(evidence.window, observed=0)), RATES) is None
