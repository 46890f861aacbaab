"""Accord: a batch's messages that say the same, or are of one field, are told wherever they lie; what is always said is not."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from models.accord import accords
from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from models.crowds import Crowd, scan
from models.due import Past
from models.embed import unit
from models.neighbourhood import View
from models.space import Space

DIMENSION, PRODUCTS, A_DAY, DAYS = 64, 30, 250, 16
START = 60_000
NOW = START + DAYS * BUCKETS_PER_DAY
SOME = 0.45  # of a message's direction what is at stake, else anything: pairs lie within the widest radius one time in three

Row = tuple[int, str, np.ndarray, str]  # type: ignore[type-arg]


def usual(rng: np.random.Generator, batch: Callable[[int, int], int] = lambda bucket, product: 1) -> list[Row]:
    """Days of messages of anything, products equally often; ``batch`` says which of a product's batches is sold when."""
    rows = []
    for number in range(A_DAY * DAYS):
        bucket, product = int(rng.integers(START, NOW)), int(rng.integers(PRODUCTS))
        said = rng.normal(size=DIMENSION)
        rows.append((bucket, f"P{product}-B{batch(bucket, product)}", said / np.linalg.norm(said), f"c{number}"))
    return rows


def surge(
    rng: np.random.Generator, count: int, name: str, hours: int = 24, *, share: float = SOME, customer: str = ""
) -> list[Row]:
    """Messages of one batch in the last hours, of whose direction the square root of 1 - ``share``² is anything."""
    stake, rows = np.eye(DIMENSION)[0], []
    for number in range(count):
        noise = rng.normal(size=DIMENSION)
        noise /= np.linalg.norm(noise)
        bucket = NOW - 1 - int(rng.integers(hours * BUCKETS_PER_HOUR))
        said = share * stake + np.sqrt(1 - share**2) * noise
        rows.append((bucket, name, said, customer or f"n{number}"))
    return rows


def space_of(rows: list[Row]) -> Space[int]:
    space: Space[int] = Space(DIMENSION)
    space.extend(
        list(range(len(rows))),
        unit(np.array([said for _, _, said, _ in rows], np.float32)),
        [bucket for bucket, *_ in rows],
        [customer for *_, customer in rows],
        [f"text {number}" for number in range(len(rows))],
        [{"sku": name.split("-")[0], "batch": name, "channel": "app"} for _, name, _, _ in rows],
    )
    return space


def telling(rows: list[Row]) -> dict[str, Crowd[int]]:
    """The crowds anywhere, by value."""
    return {crowd.value or "": crowd for crowd in scan(space_of(rows), NOW) if crowd.anywhere}


def best(rows: list[Row]) -> float:
    return max((crowd.score for crowd in telling(rows).values()), default=0.0)


@pytest.mark.parametrize("seed", range(3))
def test_messages_of_a_batch_that_say_the_same_are_told_where_no_place_crowds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = usual(rng)
    rows = before + surge(rng, 12, "P3-B1")
    crowd = max(telling(rows).values(), key=lambda one: one.score)
    assert crowd.value in ("P3-B1", "P3") and crowd.score > 6
    assert crowd.score > 1.2 * max((one.score for one in scan(space_of(rows), NOW) if not one.anywhere), default=0.0)
    new = sum(member >= len(before) for member in crowd.members)
    assert new >= 0.6 * len(crowd.members) and new >= 6
    assert crowd.observed + 1 >= new > 2 * crowd.expected


@pytest.mark.parametrize("seed", range(3))
def test_as_many_that_say_anything_and_a_day_on_which_nothing_happens_are_told_faintly_if_at_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = usual(rng)
    assert best(before) < 4
    assert best(before + surge(rng, 12, "P3-B1", share=0.0)) < 4


def test_what_a_product_is_always_told_of_is_no_news() -> None:
    rng = np.random.default_rng(0)
    before = [
        (bucket, name, surge(rng, 1, name)[0][2] if name.startswith("P3-") else said, customer)
        for bucket, name, said, customer in usual(rng)
    ]
    assert "P3" not in {value.split("-")[0] for value, crowd in telling(before).items() if crowd.score > 3.5}


def test_a_new_batch_in_the_place_of_its_products_last_is_no_news() -> None:
    rng = np.random.default_rng(1)
    launched = NOW - 2 * BUCKETS_PER_DAY
    rows = usual(rng, lambda bucket, product: 2 if product == 3 and bucket >= launched else 1)
    told = telling(rows)
    assert "P3-B2" not in told or told["P3-B2"].score < 3


def named(rng: np.random.Generator, launched: float) -> list[Row]:
    """Messages that name their product, one of which is a busy one's, whose next batch was ``launched`` so many hours ago."""
    products = unit(np.random.default_rng(9).normal(size=(PRODUCTS, DIMENSION)))
    rows = []
    for bucket, name, said, customer in usual(rng):
        product = int(name[1:].split("-")[0])
        product = min(product, PRODUCTS - 5)
        batch = 2 if product == PRODUCTS - 5 and bucket >= NOW - launched * BUCKETS_PER_HOUR else 1
        rows.append((bucket, f"P{product}-B{batch}", 0.6 * products[product] + 0.8 * said, customer))
    return rows


@pytest.mark.parametrize("hours", [6, 12, 24, 60])
def test_a_new_batch_is_no_news_where_messages_name_their_product_but_what_surges_in_it_is(hours: float) -> None:
    rng = np.random.default_rng(2)
    rows = named(rng, hours)
    new = f"P{PRODUCTS - 5}-B2"
    assert max((one.score for one in scan(space_of(rows), NOW) if one.value == new), default=0.0) < 3.5
    rows += surge(rng, 15, new, hours=6, share=0.6)
    assert max(one.score for one in scan(space_of(rows), NOW) if one.value == new) > 6


def test_one_customer_alone_is_no_accord() -> None:
    rng = np.random.default_rng(2)
    assert best(usual(rng) + surge(rng, 30, "P3-B1", customer="loud")) < 4


def test_what_all_messages_have_is_nobodys_accord() -> None:
    rng = np.random.default_rng(3)
    rows = usual(rng) + surge(rng, 40, "P3-B1")
    assert "app" not in telling(rows)


def test_the_most_telling_window_is_the_one_that_holds_the_surge() -> None:
    rng = np.random.default_rng(4)
    rows = usual(rng) + surge(rng, 12, "P3-B1", hours=20)
    space = space_of(rows)
    view = View.of(space, NOW)
    assert view is not None
    found = max(
        accords(space, view, NOW, {name: Past(space, name, NOW) for name in space.values}), key=lambda one: one.score
    )
    assert space.settings.windows[found.window] == timedelta(hours=24)


FIELDS, PLACES = 12, 4


def spread(rng: np.random.Generator, field: int) -> np.ndarray:  # type: ignore[type-arg]
    """A message of a field, at any of its places: those of a field are nearer to one another than to others, and not near."""
    place = FIELDS + PLACES * field + int(rng.integers(PLACES))
    said = (
        0.5 * np.eye(DIMENSION)[field]
        + 0.75 * np.eye(DIMENSION)[place]
        + 0.43 * unit(rng.normal(size=(1, DIMENSION)))[0]
    )
    return said / np.linalg.norm(said)  # type: ignore[no-any-return]


def spoken(rng: np.random.Generator, fields: Callable[[int], int]) -> list[Row]:
    """`usual` messages, each at some place of the field that its product speaks of."""
    rows = []
    for bucket, name, _, customer in usual(rng):
        rows.append((bucket, name, spread(rng, fields(int(name[1:].split("-")[0]))), customer))
    return rows


def of_field(rng: np.random.Generator, count: int, name: str, field: int) -> list[Row]:
    return [(bucket, name, spread(rng, field), customer) for bucket, _, _, customer in surge(rng, count, name)]


def anything(rng: np.random.Generator) -> Callable[[int], int]:
    return lambda product: int(rng.integers(FIELDS))


@pytest.mark.parametrize("seed", range(3))
def test_messages_of_a_batch_in_one_field_are_told_though_few_are_near_one_another(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = spoken(rng, anything(rng))
    rows = before + of_field(rng, 14, "P3-B1", 2)
    crowd = max(telling(rows).values(), key=lambda one: one.score)
    assert crowd.value in ("P3-B1", "P3") and crowd.score > 5
    new = sum(member >= len(before) for member in crowd.members)
    assert new >= 8 and new >= 0.6 * len(crowd.members)
    assert (
        best(before) < 4
        and best(before + of_field(rng, 7, "P3-B1", 2) + of_field(rng, 7, "P3-B1", 3)) < crowd.score - 1
    )


def test_the_field_that_a_product_is_always_told_of_is_no_news() -> None:
    def score(fields: Callable[[int], int]) -> float:
        rng = np.random.default_rng(4)
        told = telling(spoken(rng, fields) + of_field(rng, 8, "P3-B1", 2))
        return max((crowd.score for value, crowd in told.items() if value in ("P3-B1", "P3")), default=0.0)

    rng = np.random.default_rng(5)
    assert score(lambda product: 2 if product == 3 else int(rng.integers(FIELDS))) < 3 < score(anything(rng)) - 1
