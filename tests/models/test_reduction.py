"""Fewer dimensions for clustering, and how many places there are."""

import numpy as np
import pytest

from models.embed import Vectors, unit
from models.reduction import Reduction, places, reduce


def blobs(count: int, each: int, *, spread: float = 0.1, dimension: int = 32) -> tuple[Vectors, np.ndarray]:
    rng = np.random.default_rng(4)
    centres = unit(rng.normal(size=(count, dimension)))
    truth = rng.permutation(np.repeat(np.arange(count), each))
    return unit(centres[truth] + spread * rng.normal(size=(len(truth), dimension))), truth


@pytest.mark.parametrize("how", list(Reduction))
def test_the_same_rows_and_seed_give_the_same_result(how: Reduction) -> None:
    vectors, _ = blobs(4, 40)
    np.testing.assert_array_equal(reduce(vectors, how, 6, seed=1), reduce(vectors, how, 6, seed=1))


def test_a_diffusion_map_draws_each_blob_together() -> None:
    vectors, truth = blobs(5, 60, spread=0.2)
    reduced = reduce(vectors, Reduction.DIFFUSION, 8)
    same = truth[:, None] == truth
    before, after = vectors @ vectors.T, reduced @ reduced.T
    assert after[same].mean() - after[~same].mean() > before[same].mean() - before[~same].mean()


@pytest.mark.parametrize("rows", [1, 2, 5, 24, 25, 60])
def test_small_sets_get_fewer_dimensions_and_no_error(rows: int) -> None:
    vectors = unit(np.random.default_rng(rows).normal(size=(rows, 32)))
    reduced = reduce(vectors, Reduction.DIFFUSION, 60)
    assert len(reduced) == rows
    assert reduced.shape[1] <= max(2, rows // 4)
    assert np.isfinite(reduced).all()


def test_copies_do_no_harm() -> None:
    vectors = np.repeat(unit(np.random.default_rng(0).normal(size=(6, 16))), 20, axis=0)
    assert np.isfinite(reduce(vectors, Reduction.DIFFUSION, 10)).all()


@pytest.mark.parametrize("count", [3, 8, 20])
def test_places_are_about_as_many_as_there_are_blobs(count: int) -> None:
    vectors, _ = blobs(count, 30)
    assert count <= places(vectors) <= 2 * count


def test_a_handful_of_rows_is_one_place() -> None:
    assert places(unit(np.random.default_rng(0).normal(size=(10, 8)))) == 1
