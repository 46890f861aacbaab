"""What is due of a value: by its own past, and of a batch by what its product lets expect beyond its other batches."""

from collections.abc import Callable

import numpy as np
import pytest

from models.buckets import BUCKETS_PER_DAY
from models.due import Past
from models.space import Space

START, DAYS, A_DAY = 60_000, 20, 240
NOW = START + DAYS * BUCKETS_PER_DAY
DAY_WINDOW = 3  # of 3, 6, 12, 24 and 48 hours

Batch = Callable[[int], str]


def space_of(batch: Batch, every: int = 4) -> Space[int]:
    """Messages evenly in time, every fourth of product P with the batch that is on sale then, the others of other products."""
    space: Space[int] = Space(4)
    buckets = np.linspace(START, NOW - 1, A_DAY * DAYS).astype(int)
    names = [batch(bucket) if row % every == 0 else f"Q{row % 8}-1" for row, bucket in enumerate(buckets.tolist())]
    space.extend(
        list(range(len(buckets))),
        np.eye(4, dtype=np.float32)[np.arange(len(buckets)) % 4],
        buckets.tolist(),
        [f"c{row}" for row in range(len(buckets))],
        ["text"] * len(buckets),
        [{"sku": name.split("-")[0], "batch": name, "channel": "app"} for name in names],
    )
    return space


def launched(days: float) -> Batch:
    """P-2 in the place of P-1, so many days before now."""
    return lambda bucket: "P-2" if bucket >= NOW - days * BUCKETS_PER_DAY else "P-1"


def past_of(batch: Batch, value: str = "P-2", name: str = "batch", every: int = 4) -> tuple[Past, int]:
    space = space_of(batch, every)
    row = next(row for row, one in enumerate(space.attributes) if one[name] == value)
    return Past(space, name, NOW), int(space.values[name][row])


def test_a_batch_is_held_by_its_product_and_a_product_by_nothing() -> None:
    past, value = past_of(launched(1))
    assert past.holder(value) == "sku"
    past, value = past_of(launched(1), "P", "sku")
    assert past.holder(value) is None, "though nearly all of it is of one batch, and all of one channel"
    assert past.level(value)[0][DAY_WINDOW] == pytest.approx(A_DAY / 4, rel=0.05)


def test_where_one_product_is_all_that_is_sold_its_new_batch_is_held_by_it() -> None:
    past, value = past_of(launched(1), every=1)
    assert past.holder(value) in ("sku", "channel")
    assert past.level(value)[0][DAY_WINDOW] == pytest.approx(A_DAY, rel=0.05)
    past, value = past_of(launched(15), every=1)
    assert past.holder(value) is None


def test_where_hundreds_of_batches_are_on_sale_none_takes_anothers_place() -> None:
    past, value = past_of(lambda bucket: f"P-{bucket % 100}")
    assert past.holder(value) is None


def test_of_a_batch_that_took_its_products_place_all_that_its_product_lets_expect_is_due() -> None:
    past, value = past_of(launched(1))
    due, doubt = past.level(value)
    assert due[DAY_WINDOW] == pytest.approx(A_DAY / 4, rel=0.05)
    assert doubt[DAY_WINDOW] > 1, "it has no past of its own"
    assert past.left(value) == pytest.approx([1, 1, 1, 1, 0.5], abs=0.1), (
        "in the longest window there is the one before, too"
    )


def test_beside_a_batch_that_sells_on_little_is_due_of_a_new_one() -> None:
    past, value = past_of(lambda bucket: "P-2" if bucket >= NOW - 6 else "P-1")
    assert past.left(value)[DAY_WINDOW:] == pytest.approx([0.15, 0.15])
    assert past.level(value)[0][DAY_WINDOW] == pytest.approx(0.15 * A_DAY / 4, rel=0.05)


def test_what_came_before_is_its_products() -> None:
    past, value = past_of(launched(1))
    assert len(past.before(value)) == pytest.approx((DAYS - 2) * A_DAY / 4, abs=2)


@pytest.mark.parametrize(("days", "new"), [(0.5, True), (2.9, True), (3.1, False), (15, False)])
def test_a_value_is_new_for_as_long_as_the_days_that_tell_shares_reach_back_before_it(days: float, new: bool) -> None:
    past, value = past_of(launched(days))
    assert past.is_new(value) is new


def test_a_share_is_that_of_what_was_usual() -> None:
    past, value = past_of(launched(15), "P-2")
    assert past.share(value) == pytest.approx(0.25, abs=0.01)
