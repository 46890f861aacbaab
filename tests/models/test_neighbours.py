"""Exact neighbours by blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import neighbours
from models.embed import unit
from models.neighbours import nearest, nearest_within


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 60), k=st.integers(1, 12))
def test_neighbours_are_those_of_a_full_sort(seed: int, rows: int, k: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(rows, 6)))
    found = nearest(vectors, k)
    apart = 1 - vectors.astype(np.float64) @ vectors.T
    np.fill_diagonal(apart, -1)
    assert found.indices[:, 0].tolist() == list(range(rows))
    np.testing.assert_allclose(found.distances, np.sort(apart, axis=1)[:, :k].clip(0), atol=1e-5)


def test_a_row_comes_before_its_own_copies() -> None:
    found = nearest(np.ones((3, 1), dtype=np.float32), 2)
    assert found.indices[:, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_blocks_change_nothing(rows: int) -> None:
    rng = np.random.default_rng(0)
    vectors, centroids = unit(rng.normal(size=(rows, 6))), unit(rng.normal(size=(5, 6)))
    radii = np.full(5, 0.6, dtype=np.float32)
    whole = nearest_within(vectors, centroids, radii)
    single = np.concatenate([nearest_within(vectors[[row]], centroids, radii) for row in range(rows)])
    assert whole.tolist() == single.tolist()


def test_rows_at_once_never_falls_below_one() -> None:
    assert neighbours.rows_at_once(10**9) == 1


def test_without_centroids_nothing_is_near() -> None:
    nothing = np.empty((0, 3), dtype=np.float32)
    assert nearest_within(unit(np.ones((2, 3))), nothing, np.empty(0, dtype=np.float32)).tolist() == [-1, -1]
