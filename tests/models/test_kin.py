"""Kin: one event is one alert, and another event is another."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embed import unit
from models.kin import is_another, is_beside, is_kin
from models.watch import Place

NEAR, FAR = 0.9, 0.5
HERE, THERE = (unit(np.array([row], np.float32))[0] for row in ([1, 0, 0], [0, 1, 0]))
BESIDE = unit(np.array([[0.7, 0.7, 0]], np.float32))[0]  # cosine .71 to either


def crowd(*directions: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack(directions)


def place(cell: tuple[str, str] | None = None) -> Place:
    return Place(1, HERE, 0, 0, 5.0, True, cell)


def kin(
    at: NDArray[np.float32],
    told: Place,
    cell: tuple[str, str] | None = None,
    batch: str = "A1-B1",
    share: float = 0.3,
    expected: float = 0.0,
) -> bool:
    rows = [{"batch": batch, "sku": batch.split("-")[0]}] * len(at)
    return is_kin(at, rows, expected, cell, told, near=NEAR, far=FAR, share=share)


def test_a_crowd_half_of_whose_messages_lie_at_a_place_told_of_is_told() -> None:
    assert kin(crowd(HERE, HERE, THERE, THERE), place())
    assert not kin(crowd(HERE, THERE, THERE, THERE), place())


def test_what_a_crowd_expects_is_of_no_event() -> None:
    assert kin(crowd(HERE, THERE, THERE, THERE), place(), expected=2.0)
    assert not kin(crowd(HERE, THERE, THERE, THERE), place(), expected=1.0)


def test_a_crowd_of_any_value_made_up_of_a_rare_one_that_was_told_is_told() -> None:
    assert kin(crowd(THERE, THERE), place(("batch", "A1-B1")), batch="A1-B1", share=0.02)
    assert not kin(crowd(THERE, THERE), place(("batch", "A1-B1")), batch="A1-B1", share=0.3)
    assert not kin(crowd(THERE, THERE), place(("batch", "A1-B1")), batch="A7-B1", share=0.02)


def test_crowds_of_no_value_that_speak_of_nearly_the_same_are_one_event() -> None:
    assert kin(crowd(BESIDE, BESIDE), place())
    assert not kin(crowd(BESIDE, BESIDE), place(("batch", "A2-B7")))
    assert not kin(crowd(THERE, THERE), place())


def test_only_another_rare_value_is_another_event_at_the_place_of_a_told_one() -> None:
    rows = [{"batch": "A1-B1"}] * 3
    assert is_another(("batch", "A1-B1"), rows, place(("batch", "A2-B7")), share=0.02)
    assert not is_another(("batch", "A1-B1"), rows, place(("batch", "A2-B7")), share=0.3)
    assert not is_another(("batch", "A1-B1"), rows, place(("sku", "A1")), share=0.02)
    assert not is_another(("batch", "A1-B1"), rows, place(), share=0.02)
    assert not is_another(None, rows, place(("batch", "A2-B7")), share=0.02)
    mostly = [{"batch": "A2-B7", "region": "north"}] * 2 + rows[:1]
    assert not is_another(("region", "north"), mostly, place(("batch", "A2-B7")), share=0.02)


@pytest.mark.parametrize(
    ("told", "expected", "share", "beside"),
    [
        ({"A1": 2, "A4": 8}, 1.0, 0.02, True),
        ({"A1": 2, "A4": 8}, 1.0, 0.3, False),  # a value that many messages have
        ({"A1": 5, "A4": 5}, 1.0, 0.02, False),
        ({"A1": 4, "A4": 16}, 13.0, 0.02, False),  # of a busy place most is as usual
        ({"A4": 3, "": 9}, 1.0, 0.02, False),  # too few say what they have
        ({"A4": 4, "": 9}, 1.0, 0.02, True),
    ],
)
def test_a_value_is_beside_an_alert_that_names_none_where_that_is_hardly_of_it(
    told: dict[str, int], expected: float, share: float, beside: bool
) -> None:
    rows = [{"sku": sku} if sku else {} for sku, count in told.items() for _ in range(count)]
    assert is_beside(("sku", "A1"), rows, expected, share=share) is beside
    assert not is_beside(None, rows, expected, share=share)


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
