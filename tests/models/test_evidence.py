"""What an alert shows: the surge at its most telling, and no other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.evidence import CurvePoint, Evidence, TopicName, WindowFigures, renewed
from models.exposure import Pace, Rate

START = datetime(2026, 3, 2, tzinfo=UTC)
NAME = TopicName("t1", "zip", {"en": "zip"}, ())


def look(observed: float, expected: float, *, hours: tuple[float, float] = (0, 6), customers: int = 9) -> Evidence:
    first, last = (START + timedelta(hours=hour) for hour in hours)
    window = WindowFigures(first, last, observed, expected, 9.0)
    return Evidence(NAME, window, first, customers, customers, curve=(CurvePoint(last, observed, expected, 9.0),))


def test_a_look_that_is_more_telling_is_shown() -> None:
    now = look(30, 4.0, hours=(0, 7))
    assert renewed(look(20, 4.0), now) is now


def test_at_a_less_telling_look_the_surge_stays_as_it_was_at_its_height_and_the_curve_goes_on() -> None:
    before, now = look(20, 4.0, customers=20), look(40, 25.0, hours=(-40, 8), customers=40)
    shown = renewed(before, now)
    assert (shown.window, shown.curve, shown.customers) == (before.window, now.curve, 40)
    assert shown.onset == START - timedelta(hours=40)


def test_a_look_at_none_of_what_was_shown_is_another_surge_and_is_shown() -> None:
    now = look(10, 4.0, hours=(6, 12))
    assert renewed(look(20, 4.0), now) is now


def test_complaints_that_are_no_sales_peak_any_more_are_shown() -> None:
    rate = Rate(None, 20.0, 14.0, 28.0, 1_000.0, 19.0, 5.0, 4.0, Pace.in_step)
    now = look(10, 4.0)
    assert renewed(replace(look(20, 4.0), rates=(rate,)), now) is now


@pytest.mark.parametrize("expected", [0.0, 74.8])
def test_how_telling_a_count_of_nothing_is_can_be_told(expected: float) -> None:
    assert look(0, expected).window.telling == pytest.approx(max(expected, 0.5), abs=0.5)
