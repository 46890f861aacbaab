"""The tree of the past: branches at every width, each within the next, and counts that add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.buckets import BUCKETS_PER_DAY
from models.embed import unit
from models.space import Space
from models.tree import Tree, grow, joined

DIMENSION = 24
START = 60_000 * BUCKETS_PER_DAY


def fields(rng: np.random.Generator, per_place: int = 60) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Messages of three fields of four places each, and the field of each: places of a field lie nearer to one another."""
    middles = np.eye(DIMENSION)[:3]
    vectors, field = [], []
    for number, middle in enumerate(middles):
        for place in range(4):
            centre = middle + 0.6 * np.eye(DIMENSION)[3 + 4 * number + place]
            vectors.append(centre + 0.05 * rng.normal(size=(per_place, DIMENSION)))
            field += [number] * per_place
    return unit(np.concatenate(vectors).astype(np.float32)), np.array(field)


def nested(tree: Tree) -> bool:
    """Whether every two branches lie one within the other or apart."""
    shared = tree.branches @ tree.branches.T
    sizes = tree.branches.sum(axis=1)
    return bool(((shared == 0) | (shared == np.minimum(sizes, sizes[:, None]))).all())


@pytest.mark.parametrize("seed", range(3))
def test_some_branch_holds_each_place_and_some_branch_each_field(seed: int) -> None:
    vectors, field = fields(np.random.default_rng(seed))
    tree = grow(vectors)
    leaves = tree.leaf(vectors)
    inside = tree.branches[:, leaves] > 0
    place = np.arange(len(field)) // 60
    for wanted in [*(field == number for number in range(3)), *(place == number for number in range(12))]:
        assert (inside == wanted).all(axis=1).any()


def test_a_tree_is_the_same_for_the_same_past_and_every_leaf_is_a_branch() -> None:
    vectors, _ = fields(np.random.default_rng(1))
    one, other = grow(vectors), grow(vectors)
    assert np.array_equal(one.leaves, other.leaves) and np.array_equal(one.branches, other.branches)
    assert np.array_equal(one.branches[: len(one.leaves)], np.eye(len(one.leaves)))
    assert len(one.branches) == 2 * len(one.leaves) - 2 and nested(one)
    assert np.linalg.norm(one.leaves, axis=1) == pytest.approx(1, abs=1e-5)


def test_copies_and_a_handful_make_a_tree_too() -> None:
    copies = np.tile(np.eye(DIMENSION, dtype=np.float32)[:1], (50, 1))
    for vectors in (copies, np.eye(DIMENSION, dtype=np.float32)[:3]):
        tree = grow(vectors)
        assert tree.held(tree.leaf(vectors)).max() <= len(vectors)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(1, 50)), min_size=2, max_size=12), st.data())
def test_counts_of_a_branch_are_those_of_its_leaves(clusters: list[tuple[float, int]], data: st.DataObject) -> None:
    centres = np.array([[at] for at, _ in clusters])
    tree = Tree(centres.astype(np.float32), joined(centres, np.array([float(size) for _, size in clusters])))
    assert nested(tree) and len(tree.branches) == max(2 * len(clusters) - 2, len(clusters))
    leaves = np.array(data.draw(st.lists(st.integers(0, len(clusters) - 1), max_size=30)), np.int64)
    held = tree.held(leaves)
    for branch, count in zip(tree.branches, held, strict=True):
        assert count == sum(branch[leaf] > 0 for leaf in leaves)
    if len(clusters) > 2:  # the last branch and what is joined to it in the end make the whole
        apart = [row for row, branch in enumerate(tree.branches) if not (branch * tree.branches[-1]).any()]
        assert held[-1] + max(held[apart]) == len(leaves)


def heard(vectors: np.ndarray, days: list[tuple[int, range]], *, at_once: int) -> Space[int]:  # type: ignore[type-arg]
    """A space of these rows of the vectors, each range of them on a day, read so many at a time."""
    space: Space[int] = Space(DIMENSION)
    rows = [(START + day * BUCKETS_PER_DAY + row % BUCKETS_PER_DAY, row) for day, some in days for row in some]
    for first in range(0, len(rows), at_once):
        read = rows[first : first + at_once]
        numbers = [row for _, row in read]
        space.extend(
            numbers,
            vectors[numbers],
            [bucket for bucket, _ in read],
            [f"c{row}" for row in numbers],
            [f"text {row}" for row in numbers],
            [{} for _ in read],
        )
    return space


def test_a_space_grows_its_tree_anew_with_the_day_from_what_lay_before_the_longest_window() -> None:
    rng = np.random.default_rng(2)
    vectors, _ = fields(rng)
    vectors = vectors[rng.permutation(len(vectors))]
    space = heard(vectors, [(0, range(500)), (5, range(500, 600))], at_once=1_000)
    first = space.tree_at(START + 5 * BUCKETS_PER_DAY)
    assert first is not None and space.tree_at(START + 6 * BUCKETS_PER_DAY - 1) is first
    assert np.array_equal(space.leaves, first.leaf(space.vectors))
    second = space.tree_at(START + 6 * BUCKETS_PER_DAY)
    assert second is not None and second is not first
    assert np.array_equal(second.leaves, first.leaves)  # the longest window holds the new ones
    third = space.tree_at(START + 9 * BUCKETS_PER_DAY)
    assert third is not None and not np.array_equal(third.leaves, first.leaves)
    assert np.array_equal(space.leaves, third.leaf(space.vectors))


def test_the_tree_of_a_day_is_the_same_whenever_and_in_whatever_order_messages_were_read() -> None:
    vectors, _ = fields(np.random.default_rng(3), per_place=90)
    old, new, late = range(300), range(300, 900), range(900, 1080)
    morning = heard(vectors, [(0, old), (20, new)], at_once=2_000)
    day = START + 23 * BUCKETS_PER_DAY
    before = morning.tree_at(day)
    evening = heard(
        vectors, [(23, late), (20, new[::-1]), (0, old)], at_once=70
    )  # what is 23 days old is no longer held
    after = evening.tree_at(day + BUCKETS_PER_DAY - 1)
    assert len(evening) < 1080 and before is not None and after is not None
    assert np.array_equal(before.leaves, after.leaves) and np.array_equal(before.branches, after.branches)


def test_a_handful_of_messages_makes_no_tree() -> None:
    vectors, _ = fields(np.random.default_rng(4))
    assert (
        heard(vectors, [(0, range(200)), (4, range(200, 400))], at_once=500).tree_at(START + 5 * BUCKETS_PER_DAY)
        is None
    )
