"""Finding topics among messages that have none. Vectors are drawn around known directions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from models.discovery import (
    Candidate,
    DiscoverySettings,
    discover,
    held_out_assign,
    partition,
    same_topic,
    still_said,
    wordings_of,
)
from models.embed import Centring, Vectors, unit
from models.groups import GroupSettings
from models.identity import merge
from models.neighbours import nearest_within
from models.portrait import shape_of
from models.reduction import Reduction
from models.topic import Topic, TopicId
from models.topics import TopicModel

DIMENSION = 32
FEW = DiscoverySettings(grouping=GroupSettings(dimensions=5))


def issues(count: int, each: int, *, spread: float = 0.1, seed: int = 0) -> tuple[Vectors, np.ndarray]:
    """Messages around ``count`` directions, shuffled, and which direction each belongs to."""
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(count, DIMENSION)))
    truth = rng.permutation(np.repeat(np.arange(count), each))
    return unit(centres[truth] + spread * rng.normal(size=(len(truth), DIMENSION))), truth


def words(count: int) -> list[str]:
    """Different wordings: numbers alone would all have one normal form."""
    return ["".join(chr(97 + int(digit)) for digit in f"{number:05d}") for number in range(count)]


def people(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


@pytest.mark.parametrize("reduction", list(Reduction))
def test_every_issue_is_found_and_no_candidate_mixes_two(reduction: Reduction) -> None:
    vectors, truth = issues(4, 60)
    found = discover(
        vectors, people(240), words(240), DiscoverySettings(grouping=GroupSettings(reduction=reduction, dimensions=5))
    )
    assert [len(np.unique(truth[candidate.rows])) for candidate in found] == [1] * len(found)
    assert {int(truth[candidate.rows[0]]) for candidate in found} == {0, 1, 2, 3}
    assert sum(len(candidate.rows) for candidate in found) > 170


def test_a_partition_leaves_no_message_out() -> None:
    vectors, truth = issues(8, 50)
    found = partition(vectors, people(400), words(400))
    rows = np.concatenate([candidate.rows for candidate in found])
    assert len(rows) == len(set(rows.tolist())) > 390
    assert min(np.bincount(truth[candidate.rows]).max() / len(candidate.rows) for candidate in found) > 0.9


def test_a_partition_of_strangers_still_counts_customers() -> None:
    strangers = unit(np.random.default_rng(3).normal(size=(200, DIMENSION)))
    assert 1 <= len(partition(strangers, people(200), words(200))) <= 12
    assert partition(strangers, ["loud"] * 200, words(200)) == []
    assert partition(strangers[:0], [], []) == []


def test_the_same_messages_and_seed_give_the_same_candidates() -> None:
    vectors, _ = issues(3, 50, spread=0.15)
    one, other = (discover(vectors, people(150), words(150), FEW, seed=3) for _ in range(2))
    assert [candidate.rows.tolist() for candidate in one] == [candidate.rows.tolist() for candidate in other]


def test_what_too_few_customers_say_is_no_candidate() -> None:
    vectors, truth = issues(3, 60)
    customers = ["loud" if issue == 1 else f"c{row}" for row, issue in enumerate(truth)]
    found = discover(vectors, customers, words(180), FEW)
    assert {int(truth[candidate.rows[0]]) for candidate in found} == {0, 2}


def test_copies_of_one_text_by_many_customers_make_no_candidate_and_move_none() -> None:
    vectors, truth = issues(3, 60)
    texts = ["the very same text" if issue == 1 else word for issue, word in zip(truth, words(180), strict=True)]
    alone = discover(vectors[truth == 1], people(60), ["the very same text"] * 60, FEW)
    assert alone == []
    for candidate in discover(vectors, people(180), texts, FEW):
        others = candidate.rows[truth[candidate.rows] != 1]
        assert candidate.customers <= len(others) + 1
        assert float(candidate.centroid @ vectors[others].mean(axis=0)) > 0.7


def test_a_copy_goes_where_its_wording_goes() -> None:
    vectors, _ = issues(2, 40)
    texts = [*words(80), *words(80)]
    found = discover(np.concatenate([vectors, vectors]), people(160), texts, FEW)
    for candidate in found:
        members = set(candidate.rows.tolist())
        assert {row % 80 for row in members if row < 80} == {row % 80 for row in members if row >= 80}


def test_a_few_messages_are_not_searched() -> None:
    vectors, _ = issues(1, 12)
    assert discover(vectors, people(12), words(12)) == []
    assert discover(vectors[:0], [], []) == []


def test_above_the_limit_a_sample_is_grouped_and_the_rest_follows() -> None:
    vectors, truth = issues(3, 200)
    limited = replace(FEW, max_rows=150)
    found = discover(vectors, people(600), words(600), limited)
    assert {int(truth[candidate.rows[0]]) for candidate in found} == {0, 1, 2}
    assert min(np.bincount(truth[candidate.rows]).max() / len(candidate.rows) for candidate in found) > 0.95
    assert max(candidate.rows.max() for candidate in found) > 590


@pytest.mark.parametrize("look", [discover, partition])
def test_no_candidate_holds_a_thing_and_its_opposite(look: Callable[..., list[Candidate]]) -> None:
    vectors, _ = issues(3, 60)
    leanings = np.where(np.arange(180) % 3 == 0, 1, -1).astype(np.int8)
    settings = DiscoverySettings(grouping=GroupSettings(dimensions=5, least_groups=3))
    found = look(vectors, people(180), words(180), settings, leanings=leanings)
    assert {one.leaning for one in found} == {-1.0, 1.0}
    assert sum(len(one.rows) for one in found) > 90


def test_a_few_that_seem_to_say_the_opposite_are_left_out_and_make_no_candidate() -> None:
    vectors, _ = issues(1, 90)
    leanings = np.where(np.arange(90) < 2, 1, -1).astype(np.int8)
    found = partition(vectors, people(90), words(90), FEW, leanings=leanings)
    assert {one.leaning for one in found} == {-1.0}
    assert sum(len(one.rows) for one in found) == 88


def test_the_opposite_of_a_topic_at_its_place_is_another() -> None:
    ill = known(np.eye(3)[0], 0.4)
    ill = ill.put(replace(ill.topics[0], leaning=-0.9))
    assert same_topic(replace(candidate(np.array([1, 0.2, 0]), 0.4), leaning=-0.8), ill) == "t1"
    assert same_topic(replace(candidate(np.array([1, 0.2, 0]), 0.4), leaning=0.8), ill) is None


def test_a_candidate_that_nobody_adds_to_ages_out() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    one, other, small = (replace(candidate(np.eye(3)[0], 0.4), rows=rows) for rows in np.split(np.arange(26), [10, 20]))
    times = (
        [now - timedelta(days=60)] * 10
        + [now - timedelta(days=60)] * 5
        + [now] * 5
        + [now - timedelta(days=60)] * 4
        + [now] * 2
    )
    assert still_said([one, other, small], times, now - timedelta(days=28)) == [other, small]


def test_unequal_lengths_are_refused() -> None:
    vectors, _ = issues(1, 30)
    with pytest.raises(ValueError, match="29 customers"):
        discover(vectors, people(29), words(30))


def known(centroid: np.ndarray, radius: float) -> TopicModel:
    topic = Topic(TopicId("t1"), np.asarray(centroid, np.float32), radius, 50, datetime(2025, 1, 1, tzinfo=UTC))
    return TopicModel("test", Centring.none(len(centroid)), (topic,))


def candidate(centroid: np.ndarray, radius: float) -> Candidate:
    return Candidate(np.arange(10), unit(np.asarray([centroid], np.float32))[0], radius, 10)


def test_a_candidate_on_top_of_a_topic_is_that_topic() -> None:
    assert same_topic(candidate(np.array([1, 0.2, 0]), 0.4), known(np.eye(3)[0], 0.4)) == "t1"


def test_a_candidate_apart_from_every_topic_is_new() -> None:
    assert same_topic(candidate(np.array([1, 1, 0]), 0.4), known(np.eye(3)[0], 0.4)) is None
    nothing = TopicModel("test", Centring.none(3))
    assert same_topic(candidate(np.array([1, 0, 0]), 0.4), nothing) is None


def test_what_is_found_again_where_a_merged_topic_lies_is_its_heir_and_is_not_born_anew() -> None:
    two = known(np.eye(3)[0], 0.4).add([replace(known(np.eye(3)[1], 0.4).topics[0], id=TopicId("t2"))])
    merged = merge(two, TopicId("t2"), TopicId("t1"), two.topics[0].born)
    assert same_topic(candidate(np.array([0, 1, 0.1]), 0.4), two) == "t2"
    assert same_topic(candidate(np.array([0, 1, 0.1]), 0.4), merged) == "t1"


def test_a_narrow_candidate_at_the_rim_of_a_wide_topic_is_new() -> None:
    assert same_topic(candidate(np.array([1, 0.6, 0]), 0.05), known(np.eye(3)[0], 0.6)) is None


def grouped(vectors: Vectors, groups: NDArray[np.intp], share: float = 0.9) -> list[Candidate]:
    rows = [np.flatnonzero(groups == name) for name in np.unique(groups[groups >= 0])]
    return [Candidate(one, *shape_of(vectors[one], share), customers=len(one)) for one in rows]


def test_a_history_goes_where_it_would_have_gone_had_it_come_later() -> None:
    vectors, truth = issues(8, 80, spread=0.08)
    seen, later = np.arange(len(vectors)) % 2 == 0, np.arange(len(vectors)) % 2 == 1
    candidates = grouped(vectors[seen], truth[seen].astype(np.intp))
    placed = held_out_assign(vectors[seen], candidates, words(int(seen.sum())))
    assert (placed[placed >= 0] == truth[seen][placed >= 0]).all()
    centroids = np.stack([one.centroid for one in candidates])
    came = nearest_within(vectors[later], centroids, np.array([one.radius for one in candidates], np.float32))
    assert (placed >= 0).mean() == pytest.approx((came >= 0).mean(), abs=0.05)


@pytest.mark.parametrize("size", [4, 6, 10, 30])
def test_a_small_group_is_given_as_much_of_its_history_as_will_come(size: int) -> None:
    rng, centre = np.random.default_rng(size), np.eye(DIMENSION)[0]
    kept = came = 0
    for _ in range(40):
        vectors = unit(centre + 0.12 * rng.normal(size=(2 * size, DIMENSION)))
        (candidate,) = grouped(vectors[:size], np.zeros(size, np.intp), 0.98)
        kept += int((held_out_assign(vectors[:size], [candidate], words(size)) >= 0).sum())
        came += int((1 - vectors[size:] @ candidate.centroid <= candidate.radius).sum())
    assert kept == pytest.approx(came, rel=0.25)


def test_out_of_sample_a_group_of_strangers_keeps_few_of_its_members() -> None:
    rng = np.random.default_rng(5)
    strangers = unit(rng.normal(size=(200, DIMENSION)))
    groups = np.repeat(np.arange(20), 10)
    assert (held_out_assign(strangers, grouped(strangers, groups, 0.5), words(200)) == groups).mean() < 0.3


def test_copies_of_a_wording_do_not_stand_for_one_another() -> None:
    rng = np.random.default_rng(6)
    alone = unit(rng.normal(size=(1, DIMENSION)))
    vectors = np.concatenate([unit(np.eye(DIMENSION)[0] + 0.1 * rng.normal(size=(12, DIMENSION))), alone, alone])
    (candidate,) = grouped(vectors[:12], np.zeros(12, np.intp))
    candidate = replace(candidate, rows=np.arange(14))
    placed = held_out_assign(vectors, [candidate], [*words(12), "the same", "The same!"])
    assert (placed[:12] == 0).sum() >= 10 and (placed[12:] == -1).all()


def test_a_history_of_noise_stays_noise() -> None:
    vectors, _ = issues(2, 20)
    assert (held_out_assign(vectors, [], words(40)) == -1).all()
    (candidate,) = grouped(vectors, np.zeros(40, np.intp))
    assert len(held_out_assign(vectors[:0], [replace(candidate, rows=np.empty(0, np.intp))], [])) == 0
    assert held_out_assign(vectors[:1], [replace(candidate, rows=np.arange(1))], ["one"]).tolist() == [-1]


def test_wordings_are_numbered_by_first_appearance() -> None:
    assert wordings_of(["b", "a", "B!", "a"]).tolist() == [0, 1, 0, 1]
