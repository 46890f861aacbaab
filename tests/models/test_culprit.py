"""Which attribute value is over-represented. Shops, batches and counts are invented."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.culprit import Culprit, CulpritSettings, expected_shares, find_culprits, narrowed, pair_of

REGIONS = {"north": 40, "south": 30, "east": 20, "west": 10}
BATCHES = {"kettle-1": 30, "kettle-2": 20, "lamp-1": 30, "lamp-2": 20}
PRODUCTS = {"kettle": 50, "lamp": 50}


def times(counts: dict[str, int], factor: int) -> dict[str, int]:
    return {value: count * factor for value, count in counts.items()}


def test_the_value_behind_a_surge_is_found_with_its_figures() -> None:
    now = {"region": {"north": 4, "south": 3, "west": 12}}
    (culprit,) = find_culprits(now, {"region": REGIONS}, {}, {"region": times(REGIONS, 7)})
    assert (culprit.attribute, culprit.value, culprit.observed) == ("region", "west", 12)
    assert culprit.expected == pytest.approx(1.9, abs=0.3)
    assert culprit.lift == pytest.approx(12 / culprit.expected)
    assert culprit.p <= 0.01


def test_a_popular_value_is_no_culprit_for_being_popular() -> None:
    now = {"region": {"north": 10, "south": 6, "east": 3, "west": 1}}
    assert find_culprits(now, {"region": REGIONS}, {}, {}) == ()


def test_a_popular_value_that_takes_nearly_all_is_a_culprit() -> None:
    now = {"region": {"north": 29, "south": 1}}
    (culprit,) = find_culprits(now, {"region": REGIONS}, {}, {})
    assert culprit.value == "north" and culprit.lift < 2.6


def test_a_new_batch_that_everything_is_about_is_no_culprit() -> None:
    old = {"batch": {"kettle-1": 300}}
    now, others = {"batch": {"kettle-2": 20}}, {"batch": {"kettle-2": 200, "kettle-1": 10}}
    assert find_culprits(now, others, old, old) == ()


def test_a_product_that_a_topic_was_always_about_is_no_culprit() -> None:
    before = {"product": {"kettle": 90, "lamp": 4}}
    now = {"product": {"kettle": 19, "lamp": 1}}
    assert find_culprits(now, {"product": PRODUCTS}, before, {"product": times(PRODUCTS, 20)}) == ()
    (culprit,) = find_culprits(now, {"product": PRODUCTS}, {}, {"product": times(PRODUCTS, 20)})
    assert culprit.value == "kettle"


def test_a_batch_is_named_before_its_product_where_it_explains_all() -> None:
    now = {"batch": {"kettle-2": 14, "lamp-1": 2, "lamp-2": 1}, "product": {"kettle": 14, "lamp": 3}}
    found = find_culprits(now, {"batch": BATCHES, "product": PRODUCTS}, {}, {})
    assert [culprit.value for culprit in found] == ["kettle-2"]


def test_a_product_is_named_where_all_its_batches_are_in_it() -> None:
    many = {f"lamp-{number}": 10 for number in range(8)} | {f"pan-{number}": 10 for number in range(8)}
    others = {"batch": many | {"kettle-1": 5, "kettle-2": 5}, "product": {"lamp": 80, "pan": 80, "kettle": 10}}
    now = {"batch": {"kettle-1": 8, "kettle-2": 7, "lamp-0": 2}, "product": {"kettle": 15, "lamp": 2}}
    assert find_culprits(now, others, {}, {})[0].value == "kettle"


def test_two_independent_facts_are_both_named() -> None:
    now = {"region": {"west": 15, "north": 2}, "product": {"kettle": 17}}
    others = {"region": REGIONS, "product": {"lamp": 90, "kettle": 10}}
    assert {culprit.value for culprit in find_culprits(now, others, {}, {})} == {"west", "kettle"}


def test_too_few_messages_have_no_culprit() -> None:
    assert find_culprits({"region": {"west": 2}}, {"region": REGIONS}, {}, {}) == ()
    assert find_culprits({}, {}, {}, {}) == ()


def test_without_other_messages_nothing_is_sure() -> None:
    assert find_culprits({"region": {"west": 3, "north": 2}}, {}, {}, {}) == ()


def lamps(seed: int, *surged: tuple[str, str]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Attributes of the customers of a surge, and of four hundred others."""
    rng = np.random.default_rng(seed)
    others = [
        {"region": str(rng.choice(["north", "west", "east"])), "product": str(rng.choice(["lamp", "kettle", "pan"]))}
        for _ in range(400)
    ]
    return [{"region": region, "product": product} for region, product in surged], others


def counted(rows: list[dict[str, str]]) -> dict[str, dict[str, int]]:
    return {name: dict(Counter(row[name] for row in rows)) for name in ("region", "product")}


def test_two_values_that_go_together_are_one_culprit_too() -> None:
    here, others = lamps(4, *[("west", "lamp")] * 20, ("north", "lamp"), ("west", "kettle"), ("north", "kettle"))
    found = find_culprits(counted(here), counted(others), {}, {})
    assert {one.value for one in found} == {"west", "lamp"}
    pair = pair_of(found, here, others)
    assert pair is not None
    assert (pair.attribute, pair.value, pair.observed) == ("product + region", "lamp + west", 20)
    assert pair.lift > max(one.lift for one in found)


def test_two_values_that_surged_each_for_itself_are_no_pair() -> None:
    here, others = lamps(4, *[("west", "pan")] * 14, *[("north", "lamp"), ("east", "lamp")] * 7)
    west, lamp = Culprit("region", "west", 14, 9.0, 1.6, 0.01), Culprit("product", "lamp", 14, 9.0, 1.6, 0.01)
    assert pair_of([west, lamp], here, others) is None


def test_one_culprit_alone_is_no_pair_and_neither_is_a_batch_with_its_product() -> None:
    here, others = lamps(4, *[("west", "lamp")] * 20)
    product, batch = Culprit("product", "lamp", 20, 7.0, 3.0, 0.001), Culprit("batch", "lamp-3", 9, 1.0, 9.0, 0.001)
    assert pair_of([product], here, others) is None
    assert pair_of([batch, product], here, others) is None


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 30), min_size=1), st.integers(0, 99))
def test_the_same_counts_and_seed_give_the_same_culprits(counts: dict[str, int], seed: int) -> None:
    now, others = {"region": counts}, {"region": {"a": 50, "b": 30, "c": 20}}
    found = find_culprits(now, others, {}, {}, CulpritSettings(draws=99, max_p=0.05), seed=seed)
    assert found == find_culprits(now, others, {}, {}, CulpritSettings(draws=99, max_p=0.05), seed=seed)
    assert all(one.observed > one.expected and one.lift >= 1.5 and 0 < one.p <= 0.05 for one in found)


def test_surges_without_a_culprit_rarely_get_one() -> None:
    rng = np.random.default_rng(7)
    share = 1 / np.arange(1, 41)
    claimed = 0
    for _ in range(200):
        others = {"batch": {f"v{v}": int(c) for v, c in enumerate(rng.multinomial(150, share / share.sum())) if c}}
        now = {"batch": {f"v{v}": int(c) for v, c in enumerate(rng.multinomial(20, share / share.sum())) if c}}
        claimed += bool(find_culprits(now, others, {}, {}, CulpritSettings(max_p=0.05, draws=199)))
    assert claimed <= 20  # one in twenty, and as many again for chance


def test_the_culprit_of_ten_in_thirty_is_found() -> None:
    rng = np.random.default_rng(8)
    share = 1 / np.arange(1, 61)
    share /= share.sum()
    right = 0
    for _ in range(100):
        others = {"batch": {f"v{v}": int(c) for v, c in enumerate(rng.multinomial(400, share)) if c}}
        counts = rng.multinomial(20, share)
        culprit = int(rng.integers(5, 60))
        counts[culprit] += 10
        found = find_culprits({"batch": {f"v{v}": int(c) for v, c in enumerate(counts) if c}}, others, {}, {})
        right += bool(found) and found[0].value == f"v{culprit}"
    assert right >= 85


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50)),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50)),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50)),
)
def test_expected_shares_are_shares(now: dict[str, int], own: dict[str, int], before: dict[str, int]) -> None:
    shares = expected_shares(list("abcd"), now, own, before)
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()


def test_a_product_is_narrowed_to_the_batch_that_nearly_all_of_it_is_of_and_to_no_other_attribute() -> None:
    rows = [{"sku": "A1", "batch": "A1-B2", "region": "A1-land"}] * 4 + [
        {"sku": "A1", "batch": "A1-B1", "region": "north"}
    ]
    assert narrowed(("sku", "A1"), rows) == ("batch", "A1-B2")
    assert narrowed(("sku", "A1"), [*rows, rows[-1]]) == ("sku", "A1")
    assert narrowed(("sku", "A1"), [*rows, rows[-1]], due=1.0) == ("batch", "A1-B2")
    many = [*rows[:4], *({"sku": "A1", "batch": f"A1-B{number}"} for number in range(3, 8))]
    assert narrowed(("sku", "A1"), many, due=9.0) == ("sku", "A1")  # whatever was due, less than half is behind nothing
    assert narrowed(("batch", "A1-B2"), rows) == ("batch", "A1-B2")
    assert narrowed(("region", "north"), rows) == ("region", "north")
    assert narrowed(("sku", "A1"), [{"sku": "A1"}] * 3) == ("sku", "A1")
