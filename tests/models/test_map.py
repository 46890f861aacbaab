"""The map of topics: near in meaning is near on the map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embed import unit
from models.map import layout


def families(count: int, each: int, seed: int) -> np.ndarray:
    """Topics in families of near ones."""
    rng = np.random.default_rng(seed)
    return unit(np.repeat(rng.normal(size=(count, 32)), each, axis=0) + 0.3 * rng.normal(size=(count * each, 32)))


def test_the_nearest_on_the_map_is_of_the_same_family() -> None:
    places = layout(families(6, 5, 1))
    apart = np.linalg.norm(places[:, None] - places, axis=2) + np.eye(30) * 9
    same = (apart.argmin(axis=1) // 5) == np.arange(30) // 5
    assert same.mean() > 0.9


def test_the_same_topics_give_the_same_map() -> None:
    topics = families(5, 4, 2)
    assert (layout(topics) == layout(topics)).all()


@given(count=st.integers(0, 40), seed=st.integers(0, 1000))
def test_every_topic_has_a_place_on_the_map(count: int, seed: int) -> None:
    places = layout(unit(np.random.default_rng(seed).normal(size=(count, 8))))
    assert places.shape == (count, 2)
    assert np.isfinite(places).all() and np.abs(places).max(initial=0) <= 1 + 1e-9


@pytest.mark.parametrize("count", [2, 700])
def test_copies_of_one_topic_and_very_many_topics_have_places_too(count: int) -> None:
    assert np.isfinite(layout(np.tile(np.eye(1, 8, dtype=np.float32), (count, 1)))).all()
