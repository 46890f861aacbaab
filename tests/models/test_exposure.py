"""Surge and rate together: a sales peak is no defect, a defect in a sales peak is."""

import numpy as np
import pytest

from models.exposure import LAG, LAGS, Pace, Span, falling_due, rate_of, spans, usual_lag, weigh

DAYS = 60
PEAK = range(40, 43)  # days on which eight times as many orders are shipped


def shipped(times: float = 8.0) -> dict[int, float]:
    return {day: 500.0 * (times if day in PEAK else 1.0) for day in range(-40, DAYS)}


def complaints(orders: dict[int, float], lag: float, *, rate: float = 0.01, defect: float = 1.0) -> dict[int, float]:
    """By hour, of a chance; from day 42 on ``defect`` times as many."""
    rng, due = np.random.default_rng(7), falling_due(orders, lag, 0, DAYS - 1)
    return {
        hour: float(rng.poisson(rate * due[hour // 24] / 24 * (defect if hour >= 42 * 24 else 1.0)))
        for hour in range(DAYS * 24)
    }


def step_at(orders: dict[int, float], said: dict[int, float], begin: int, end: int, lag: float = LAG) -> Pace:
    return weigh(*spans(said, falling_due(orders, lag, 0, DAYS), begin, end, begin - 14 * 24))


@pytest.mark.parametrize("hours", [6, 12, 24, 48])
def test_a_sales_peak_is_in_step(hours: int) -> None:
    orders = shipped()
    said = complaints(orders, LAG)
    begin = 43 * 24 + 8
    assert sum(said[hour] for hour in range(begin, begin + 24)) > 3 * sum(
        said[hour - 240] for hour in range(begin, begin + 24)
    )
    assert step_at(orders, said, begin, begin + hours) is Pace.in_step


@pytest.mark.parametrize("hours", [12, 24, 48])
def test_a_defect_in_a_sales_peak_is_beyond_it(hours: int) -> None:
    orders = shipped()
    said = complaints(orders, LAG, defect=2.5)
    assert step_at(orders, said, 43 * 24 + 8, 43 * 24 + 8 + hours) is Pace.beyond


def test_complaints_that_rise_alone_are_excused_by_nothing() -> None:
    orders = shipped(1.0)
    assert step_at(orders, complaints(orders, LAG, defect=3.0), 43 * 24, 44 * 24) is Pace.steady


def test_a_peak_is_not_in_step_before_its_parcels_arrive() -> None:
    orders = {day: 500.0 * (8.0 if day == 50 else 1.0) for day in range(-40, 51)}
    said = dict.fromkeys(range(51 * 24), 1.0) | dict.fromkeys(range(50 * 24, 50 * 24 + 6), 8.0)
    assert step_at(orders, said, 50 * 24, 50 * 24 + 6, lag=10.0) in (Pace.steady, Pace.beyond)


@pytest.mark.parametrize("lag", LAGS)
def test_the_lag_is_learnt_from_an_earlier_peak(lag: float) -> None:
    orders = {day: 800.0 * (6.0 if day in (12, 13) else 1.0) for day in range(-40, DAYS)}
    due, rng = falling_due(orders, lag, 0, 34), np.random.default_rng(3)
    assert usual_lag({day: float(rng.poisson(0.02 * due[day])) for day in range(35)}, orders) == lag


def test_orders_that_nobody_posted_say_nothing() -> None:
    assert falling_due({}, LAG, 0, 10) == {}
    assert rate_of(Span(5.0, 0.0, 0.0), Span(0.0, 0.0, 0.0), LAG) is None
    assert usual_lag({}, {}) == LAG
    told = rate_of(Span(5.0, 100.0, 24.0), Span(40.0, 9_000.0, 240.0), LAG, ("batch", "B3"), same=False)
    assert told is not None and (told.pace, told.sales, round(told.now)) == (Pace.unknown, None, 50)


def test_three_complaints_for_one_are_never_in_step() -> None:
    before = Span(6.0, 6_000.0, 240.0)
    assert weigh(Span(12.0, 4_000.0, 24.0), before) is Pace.beyond
