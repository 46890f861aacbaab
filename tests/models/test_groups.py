"""Vectors into groups."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.embed import unit
from models.groups import GroupSettings, dense_groups, even_groups

EASY = GroupSettings(dimensions=6, least_groups=2)


def drawn(rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(5, 16)))
    return unit(centres[rng.integers(5, size=rows)] + 0.2 * rng.normal(size=(rows, 16)))


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(0, 150), seed=st.integers(0, 99))
def test_an_even_division_leaves_nobody_out_and_no_group_too_small(rows: int, seed: int) -> None:
    groups = even_groups(drawn(rows, seed), EASY, seed)
    if rows < 2 * EASY.min_messages:
        assert (groups == -1).all()
    else:
        assert (groups >= 0).all()
        assert np.unique(groups, return_counts=True)[1].min() >= EASY.min_messages


def test_there_are_never_more_groups_than_messages_carry() -> None:
    groups = even_groups(drawn(120, 1), GroupSettings(least_groups=100), 0)
    assert len(np.unique(groups)) <= 120 // GroupSettings().messages_a_group


def test_dense_groups_mix_no_crowds() -> None:
    rng = np.random.default_rng(2)
    centres = unit(rng.normal(size=(3, 16)))
    crowds = unit(centres[np.arange(120) % 3] + 0.05 * rng.normal(size=(120, 16)))
    groups = dense_groups(crowds, EASY, 0)
    assert (groups >= 0).mean() > 0.8
    assert all(len(set(np.flatnonzero(groups == name) % 3)) == 1 for name in np.unique(groups) if name >= 0)
