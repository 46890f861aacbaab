"""Kin: one event is one alert, and another event is another."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embed import unit
from models.kin import is_kin
from models.watch import Place

NEAR, FAR = 0.9, 0.5
HERE, THERE = (unit(np.array([row], np.float32))[0] for row in ([1, 0, 0], [0, 1, 0]))
BESIDE = unit(np.array([[0.7, 0.7, 0]], np.float32))[0]  # cosine .71 to either


def crowd(*directions: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack(directions)


def place(cell: tuple[str, str] | None = None) -> Place:
    return Place(1, HERE, 0, 0, 5.0, cell)


def kin(
    at: NDArray[np.float32], told: Place, cell: tuple[str, str] | None = None, batch: str = "A1-B1", share: float = 0.3
) -> bool:
    rows = [{"batch": batch, "sku": batch.split("-")[0]}] * len(at)
    centroid = unit(at.mean(axis=0)[None])[0]
    return is_kin(at, rows, centroid, cell, told, near=NEAR, far=FAR, share=share)


def test_a_crowd_half_of_whose_messages_lie_at_a_place_told_of_is_told() -> None:
    assert kin(crowd(HERE, HERE, THERE, THERE), place())
    assert not kin(crowd(HERE, THERE, THERE, THERE), place())


def test_a_part_of_what_was_told_is_told_whatever_its_value() -> None:
    assert kin(crowd(HERE, HERE), place(), ("batch", "A1-B1"))


def test_a_second_batch_at_the_place_of_a_first_is_news() -> None:
    assert not kin(crowd(HERE, HERE), place(("batch", "A2-B7")), ("batch", "A1-B1"))


@pytest.mark.parametrize("cell", [("batch", "A1-B1"), ("sku", "A1")])
def test_the_same_batch_or_its_product_said_in_other_words_is_told(cell: tuple[str, str]) -> None:
    assert kin(crowd(BESIDE, BESIDE), place(("batch", "A1-B1")), cell)


def test_a_common_value_with_another_complaint_is_news_and_a_rare_one_is_not() -> None:
    assert not kin(crowd(THERE, THERE), place(("batch", "A1-B1")), ("batch", "A1-B1"), share=0.3)
    assert kin(crowd(THERE, THERE), place(("batch", "A1-B1")), ("batch", "A1-B1"), share=0.02)
