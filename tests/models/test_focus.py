"""The focus of a history."""

import numpy as np

from models.discovery import DiscoverySettings
from models.embed import Vectors, unit
from models.focus import focus
from models.groups import GroupSettings

SETTINGS = DiscoverySettings(grouping=GroupSettings(dimensions=12, least_groups=8))
ISSUES = 8


def of_issues(count: int, seed: int = 0) -> tuple[Vectors, np.ndarray]:
    """Messages of eight issues in 24 dimensions, all with a mood and a length of their own beside."""
    rng = np.random.default_rng(seed)
    issues = rng.integers(ISSUES, size=count)
    beside = rng.normal(size=(count, 2)) @ np.eye(24)[-2:]
    return unit(np.eye(24)[issues] + 0.6 * beside + 0.15 * rng.normal(size=(count, 24))), issues


def words(count: int) -> list[str]:
    return [f"{'abcdefghij'[row % 10]}{row}" for row in range(count)]


def of_one(vectors: Vectors, issues: np.ndarray) -> float:
    """Of the nearest eighth of all pairs, the share that is of one issue."""
    one, other = np.triu_indices(len(vectors), 1)
    cosines = (vectors @ vectors.T)[one, other]
    near = cosines > np.quantile(cosines, 1 - 1 / ISSUES)
    return float((issues[one] == issues[other])[near].mean())


def test_in_focus_issues_lie_apart_that_mood_and_length_had_mixed() -> None:
    found = focus(of_issues(900)[0], words(900), SETTINGS)
    assert found is not None
    np.testing.assert_allclose(found, found.T, atol=1e-5)
    later, issues = of_issues(600, seed=1)
    assert of_one(unit(later @ found), issues) > of_one(later, issues) + 0.05


def test_the_same_messages_give_the_same_focus_and_copies_count_once() -> None:
    vectors, _ = of_issues(300)
    once = focus(vectors, words(300), SETTINGS)
    twice = focus(np.concatenate([vectors, vectors[:50]]), [*words(300), *words(50)], SETTINGS)
    assert once is not None and twice is not None
    np.testing.assert_array_equal(once, twice)


def test_where_there_is_nothing_to_group_there_is_no_focus() -> None:
    vectors, _ = of_issues(60)
    assert focus(vectors[:6], words(6), SETTINGS) is None
    assert focus(vectors[:0], [], SETTINGS) is None
    assert focus(vectors, ["the very same text"] * 60, SETTINGS) is None
    assert focus(np.repeat(vectors[:1], 60, axis=0), words(60), SETTINGS) is None
