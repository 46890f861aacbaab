"""The scan for issues that have no topic yet. Vectors are drawn around known directions."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from models.embed import Vectors, unit
from models.emerging import EmergingSettings, near_cosine, scan

DIMENSION = 24
NOW = 10_000
RNG = np.random.default_rng(11)
ISSUES = unit(RNG.normal(size=(12, DIMENSION)))


def around(issue: np.ndarray, count: int, rng: np.random.Generator, spread: float = 0.12) -> Vectors:
    return unit(issue + spread * rng.normal(size=(count, DIMENSION)))


def background(count: int, seed: int) -> Vectors:
    rng = np.random.default_rng(seed)
    return unit(ISSUES[rng.integers(10, size=count)] + 0.12 * rng.normal(size=(count, DIMENSION)))


def words(count: int, start: int = 0) -> list[str]:
    return ["".join(chr(97 + int(digit)) for digit in f"{number:06d}") for number in range(start, start + count)]


def stream(extra: Vectors, *, hours: float = 3, customers: list[str] | None = None, texts: list[str] | None = None):  # type: ignore[no-untyped-def]
    """Two days of background with ``extra`` messages in the last ``hours``."""
    rng = np.random.default_rng(2)
    usual = background(300, seed=3)
    buckets = [
        *rng.integers(NOW - 576, NOW, 300).tolist(),
        *rng.integers(NOW - int(hours * 12), NOW, len(extra)).tolist(),
    ]
    return (
        np.concatenate([usual, extra]),
        buckets,
        [f"u{row}" for row in range(300)] + (customers or [f"x{row}" for row in range(len(extra))]),
        words(300) + (texts or words(len(extra), 1000)),
    )


PAST = background(3000, seed=5)
NEW = around(ISSUES[11], 8, np.random.default_rng(6), spread=0.06)
WIDE = EmergingSettings(near_share=0.05)


def test_an_issue_never_seen_is_found_from_a_few_messages() -> None:
    (found,) = scan(*stream(NEW), PAST, now=NOW, settings=WIDE)
    assert set(found.rows.tolist()) == set(range(300, 308))
    assert (found.customers, found.observed) == (8, 7)
    assert found.expected < 1
    assert float(found.centroid @ ISSUES[11]) > 0.9
    assert found.window <= timedelta(hours=12)


def test_a_usual_day_shows_nothing() -> None:
    assert scan(*stream(NEW[:0]), PAST, now=NOW, settings=WIDE) == []


def test_more_of_everything_shows_nothing() -> None:
    vectors = background(1500, seed=8)
    recent = (vectors, [NOW - 20] * 1500, [f"u{row}" for row in range(1500)], words(1500))
    assert scan(*recent, PAST, now=NOW, settings=WIDE) == []


def test_a_known_issue_that_grows_is_found_with_its_usual_level() -> None:
    grown = around(ISSUES[0], 25, np.random.default_rng(9), spread=0.06)
    (found,) = scan(*stream(grown), PAST, now=NOW, settings=WIDE)
    assert found.expected > 1
    assert len(set(found.rows.tolist()) & set(range(300, 325))) >= 23


def test_what_expects_too_much_is_left_to_topics() -> None:
    grown = around(ISSUES[0], 25, np.random.default_rng(9), spread=0.06)
    assert scan(*stream(grown), PAST, now=NOW, settings=replace(WIDE, max_expected=1)) == []


def test_one_customer_alone_is_no_issue() -> None:
    assert scan(*stream(NEW, customers=["loud"] * 8), PAST, now=NOW, settings=WIDE) == []


def test_copies_of_one_text_are_no_issue() -> None:
    assert scan(*stream(NEW, texts=["the very same text"] * 8), PAST, now=NOW, settings=WIDE) == []


def test_copies_are_among_the_rows_of_a_place_that_stands_without_them() -> None:
    doubled = np.concatenate([NEW, NEW[:1]])
    (found,) = scan(*stream(doubled, texts=[*words(8, 1000), words(1, 1000)[0]]), PAST, now=NOW, settings=WIDE)
    assert set(found.rows.tolist()) == set(range(300, 309))
    assert found.customers == 8


def test_messages_of_the_future_or_of_long_ago_do_not_count() -> None:
    vectors, buckets, customers, texts = stream(NEW)
    for shift in (100, -1000):
        moved = buckets[:300] + [NOW + shift] * 8
        assert scan(vectors, moved, customers, texts, PAST, now=NOW, settings=WIDE) == []


def test_two_places_are_told_apart_and_each_once() -> None:
    both = np.concatenate([NEW, around(ISSUES[10], 9, np.random.default_rng(12))])
    found = scan(*stream(both), PAST, now=NOW, settings=WIDE)
    assert len(found) == 2
    assert not set(found[0].rows.tolist()) & set(found[1].rows.tolist())
    assert found[0].score >= found[1].score


def test_without_a_past_or_recent_messages_there_is_nothing_to_tell() -> None:
    assert scan(*stream(NEW), PAST[:0], now=NOW) == []
    assert scan(PAST[:0], [], [], [], PAST, now=NOW) == []


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="7 buckets"):
        scan(NEW, [1] * 7, ["c"] * 8, words(8), PAST, now=NOW)


def test_the_radius_holds_the_asked_share_of_random_pairs() -> None:
    cosine = near_cosine(PAST, 0.1)
    rng = np.random.default_rng(0)
    one, other = rng.permutation(3000)[:1500], rng.permutation(3000)[:1500]
    apart = one != other
    near = np.einsum("ij,ij->i", PAST[one[apart]], PAST[other[apart]]) > cosine
    assert near.mean() == pytest.approx(0.1, abs=0.03)
