"""The bar of crowds: what is usual at first, the tenant's own with time, and neither moved by surges."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.crowdbar import ANYWHERE, AT_A_PLACE, FALL, FROM, HIGHEST, LOWEST, crowd_bar


def peaks_of(weeks: float, rate: float, fall: float, seed: int) -> list[float]:
    """Peaks over `FROM` of false crowds, so many a week, and twice as many below it."""
    rng = np.random.default_rng(seed)
    over = rng.exponential(1 / fall, rng.poisson(weeks * rate))
    return [*(FROM + over), *(FROM - rng.exponential(0.3, 2 * len(over)))]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rate", "fall"), [(10.0, 3.0), (4.0, 3.0), (30.0, 3.0), (10.0, 2.3)])
def test_about_as_many_pass_as_were_asked_for_whatever_the_tenant(rate: float, fall: float, seed: int) -> None:
    bar = crowd_bar(peaks_of(2, rate, fall, seed), 0, 2.0, per_week=1.0, usual=AT_A_PLACE)
    passed = sum(peak > bar for peak in peaks_of(200, rate, fall, 100 + seed)) / 200
    assert 0.35 <= passed <= 2.5


@pytest.mark.parametrize("usual", [AT_A_PLACE, ANYWHERE])
def test_without_a_past_the_bar_is_the_usual_one(usual: float) -> None:
    bar = crowd_bar([], 0, 0.0, per_week=1.0, usual=usual)
    assert bar == pytest.approx(FROM + np.log(usual) / FALL)


def test_two_weeks_of_chance_move_the_bar_by_little_and_half_a_year_settles_it() -> None:
    def bars(weeks: float) -> list[float]:
        return [crowd_bar(peaks_of(weeks, 20.0, 2.0, n), 0, weeks, per_week=1.0, usual=AT_A_PLACE) for n in range(40)]

    assert np.std(bars(2.0)) < 0.25
    assert np.mean(bars(26.0)) == pytest.approx(FROM + np.log(20) / 2, abs=0.15)


def test_surges_that_were_told_count_as_many_as_were_allowed_and_others_hardly_move_the_bar() -> None:
    calm = peaks_of(2, 10.0, 3.0, 1)

    def bar(told: int, *more: float) -> float:
        return crowd_bar([*calm, *more], told, 2.0, per_week=1.0, usual=AT_A_PLACE)

    assert bar(0) < bar(2) == bar(20) < bar(0) + 0.1
    assert bar(0, 9.0) == bar(0, 300.0) < bar(0) + 0.15


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(1.5, 300), max_size=200),
    st.integers(0, 50),
    st.floats(0, 4),
    st.lists(st.floats(0.01, 50), min_size=2, max_size=6),
)
def test_the_bar_is_within_its_bounds_and_never_higher_where_more_are_allowed(
    peaks: list[float], told: int, weeks: float, budgets: list[float]
) -> None:
    bars = [crowd_bar(peaks, told, weeks, per_week=one, usual=AT_A_PLACE) for one in sorted(budgets)]
    assert all(LOWEST <= bar <= HIGHEST for bar in bars)
    assert all(lower <= higher + 1e-9 for higher, lower in pairwise(bars))
