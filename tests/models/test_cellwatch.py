"""The bar of hidden cells: as many pass it as were asked for, and surges in the past hardly move it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cellwatch import bar_for


def peaks_of(weeks: int, a_week: int, fall: float, seed: int) -> list[float]:
    """Peaks over the floor of 1.5 that fall off exponentially, as those of false cells do."""
    return (1.5 + np.random.default_rng(seed).exponential(1 / fall, weeks * a_week)).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_as_many_peaks_pass_the_bar_as_were_asked_for(seed: int) -> None:
    """The next ten weeks' peaks, of a tail known from two weeks."""
    bar = bar_for(peaks_of(2, 150, 2.0, seed), 2.0, per_week=1.0, first=4.0)
    passed = sum(peak > bar for peak in peaks_of(100, 150, 2.0, 100 + seed)) / 100
    assert 0.25 <= passed <= 3.0


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(1.5, 15), max_size=200),
    st.floats(0.5, 4),
    st.lists(st.floats(0.05, 50), min_size=2, max_size=8),
)
def test_a_bar_is_finite_and_within_its_bounds(peaks: list[float], weeks: float, budgets: list[float]) -> None:
    bars = [bar_for(peaks, weeks, per_week=budget, first=4.0) for budget in sorted(budgets)]
    assert all(2.0 <= bar <= 12.0 for bar in bars)
    assert bar_for(peaks[::-1], weeks, per_week=budgets[0], first=4.0) == bar_for(
        peaks, weeks, per_week=budgets[0], first=4.0
    )


@pytest.mark.parametrize("seed", range(5))
def test_more_false_alarms_allowed_never_raise_the_bar(seed: int) -> None:
    peaks = peaks_of(2, 300, 1.5, seed)
    budgets = np.geomspace(0.1, 20, 30)
    bars = [bar_for(peaks, 2.0, per_week=float(budget), first=4.0) for budget in budgets]
    for lower, higher in zip(bars[1:], bars[:-1], strict=True):
        assert lower <= higher + 0.15, "a rank more or less in the tail"
    assert bars[0] > bars[-1] + 0.5


def test_true_surges_in_the_past_hardly_move_the_bar() -> None:
    """One a week, at any height: by a quarter in the middle, never by as much as one."""
    moved = []
    for seed in range(20):
        calm = peaks_of(2, 150, 2.0, seed)
        without = bar_for(calm, 2.0, per_week=1.0, first=4.0)
        surged = bar_for([*calm, 9.0, 14.0], 2.0, per_week=1.0, first=4.0)
        assert surged == bar_for([*calm, 30.0, 300.0], 2.0, per_week=1.0, first=4.0)
        moved.append(surged - without)
    assert np.median(moved) < 0.4
    assert max(moved) < 1.0


def test_the_first_bar_stands_while_there_are_too_few_peaks() -> None:
    assert bar_for([5.0] * 9, 2.0, per_week=0.1, first=4.4) == 4.4
    assert bar_for([], 2.0, per_week=1.0, first=4.4) == 4.4
