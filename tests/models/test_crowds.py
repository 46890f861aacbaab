"""The scan for places where messages crowd. Vectors are drawn around known directions, times over three weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.buckets import BUCKET, BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from models.crowds import Crowd, in_campaigns, scan
from models.embed import Vectors, unit
from models.space import CrowdSettings, Silence, Space

DIMENSION = 32
NOW = 20_000
ISSUES = unit(np.random.default_rng(1).normal(size=(14, DIMENSION)))
USUAL, NEW = 12, 13  # issues people always speak of; one that nobody ever spoke of
PLAIN = CrowdSettings()
BAR = 4.0


@dataclass(frozen=True)
class Said:
    """One message; its handle is itself."""

    issue: int
    bucket: int
    customer: str
    text: str
    batch: str
    seed: int
    spread: float = 0.12

    @property
    def vector(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        return unit((ISSUES[self.issue] + self.spread * rng.normal(size=DIMENSION))[None])[0]


def letters(number: int) -> str:
    """A text of its own for each number, without digits."""
    return "".join(chr(97 + int(digit)) for digit in f"{number:07d}")


def usual(count: int, *, first: int, seed: int, batches: int = 40) -> list[Said]:
    """Messages on the usual issues, each in a bucket of its own."""
    rng = np.random.default_rng(seed)
    buckets = np.sort(rng.choice(np.arange(first, NOW), count, replace=False))
    return [
        Said(
            issue=int(rng.integers(USUAL)),
            bucket=int(bucket),
            customer=f"u{rng.integers(10**9)}",
            text=letters(int(rng.integers(10**7))),
            batch=f"B{rng.integers(batches)}",
            seed=int(rng.integers(2**31)),
        )
        for bucket in buckets
    ]


def crowd(count: int, *, issue: int = NEW, batch: str = "", hours: float = 5, seed: int = 50) -> list[Said]:
    """Messages of as many customers that say the same thing in words of their own."""
    rng = np.random.default_rng(seed)
    return [
        Said(issue, NOW - 1 - number * int(hours * 12) // count, f"x{seed}-{number}", letters(seed * 1000 + number),
             batch or f"B{rng.integers(40)}", seed * 1000 + number, 0.05)
        for number in range(count)
    ]  # fmt: skip


def extend(space: Space[Said], said: Sequence[Said]) -> Space[Said]:
    space.extend(
        said,
        np.array([one.vector for one in said], np.float32).reshape(len(said), DIMENSION),
        [one.bucket for one in said],
        [one.customer for one in said],
        [one.text for one in said],
        [{"batch": one.batch, "sku": one.batch.split("-")[0]} if one.batch else {} for one in said],
    )
    return space


def found(said: Sequence[Said], options: CrowdSettings = PLAIN, now: int = NOW) -> list[Crowd[Said]]:
    return scan(extend(Space(DIMENSION, options), said), now)


def beyond(crowds: Sequence[Crowd[Said]], bar: float = BAR) -> list[Crowd[Said]]:
    return [one for one in crowds if one.score >= bar]


PAST = usual(1500, first=NOW - 21 * BUCKETS_PER_DAY, seed=2)
BUSY = [replace(one, issue=0) for one in usual(700, first=NOW - 21 * BUCKETS_PER_DAY, seed=4)]


def hidden() -> list[Said]:
    """Messages on one batch, nearly as unlike one another as all on the busy issue."""
    return [replace(one, spread=0.1) for one in crowd(16, issue=0, batch="B7", hours=20)]


def test_a_crowd_is_found_with_its_members_its_window_and_its_count() -> None:
    planted = crowd(9)
    (one,) = beyond(found(PAST + planted))
    assert set(one.members) == set(planted)
    assert [said.bucket for said in one.members] == sorted(said.bucket for said in planted)
    assert one.window == timedelta(hours=6)
    assert one.observed == 8  # beside the customer in the centre
    assert one.expected < 1
    assert one.attribute is None
    assert float(one.centroid @ ISSUES[NEW]) > 0.95


def test_a_usual_day_has_nothing_beyond_the_bar() -> None:
    assert beyond(found(PAST)) == []


@pytest.mark.parametrize("seed", range(3))
def test_three_times_as_much_of_everything_is_no_crowd(seed: int) -> None:
    more = usual(300, first=NOW - 2 * BUCKETS_PER_DAY, seed=60 + seed)
    assert beyond(found(PAST + more)) == []


def test_while_a_campaign_runs_a_crowd_scores_less_by_how_many_times_as_much_comes() -> None:
    peak = [replace(one, bucket=NOW - 1 - n % 70) for n, one in enumerate(usual(600, first=15_000, seed=8))]
    space = extend(Space(DIMENSION, PLAIN), [*usual(1_500, first=14_000, seed=1), *peak, *crowd(12)])
    crowds = scan(space, NOW)
    length = crowds[0].window // BUCKET
    assert space.busier(NOW, length) > 4
    plain = in_campaigns(crowds, space, NOW, [range(NOW - 999, NOW - 600), range(NOW, NOW + 9)])
    assert [id(one.members) for one in plain] == [id(one.members) for one in crowds]
    assert [one.score for one in plain] == [one.score for one in crowds]
    less = in_campaigns(crowds, space, NOW, [range(NOW - 50, NOW + 200)])
    first = next(one for one in less if one.members == crowds[0].members)
    assert first.score == pytest.approx(crowds[0].score - np.log10(space.busier(NOW, length)))
    assert [one.score for one in less] == sorted((one.score for one in less), reverse=True)


def test_a_campaign_in_which_no_more_comes_than_usual_changes_no_score() -> None:
    space = extend(Space(DIMENSION, PLAIN), [*usual(1_500, first=14_000, seed=1), *crowd(12)])
    quiet, crowds = SimpleNamespace(busier=lambda *_: 0.5), scan(space, NOW)
    less = in_campaigns(crowds, quiet, NOW, [range(NOW + 9)])  # type: ignore[arg-type]
    assert [one.score for one in less] == [one.score for one in crowds]


def test_how_busy_a_window_is_counts_against_all_that_is_held_before() -> None:
    space: Space[Said] = Space(DIMENSION, PLAIN)
    assert space.busier(NOW, 36) == 0.0
    even = [replace(one, bucket=NOW - 1 - n) for n, one in enumerate(usual(1_000, first=15_000, seed=1))]
    assert extend(space, even).busier(NOW, 100) == pytest.approx(1.0)


def test_an_issue_that_grows_beyond_the_growth_of_everything_is_a_crowd() -> None:
    more = usual(300, first=NOW - 2 * BUCKETS_PER_DAY, seed=60)
    planted = crowd(12, issue=3)
    (one,) = beyond(found(PAST + more + planted))
    assert len(set(planted) & set(one.members)) >= 10
    assert one.expected > 0.1


def test_one_customer_alone_is_no_crowd_however_much_they_write() -> None:
    assert beyond(found(PAST + [replace(one, customer="loud") for one in crowd(20)])) == []


def test_copies_of_one_text_are_no_crowd() -> None:
    copied = [replace(one, text="the very same text", customer=f"c{i % 4}") for i, one in enumerate(crowd(40))]
    assert beyond(found(PAST + copied)) == []


def test_two_crowds_are_told_apart_the_more_telling_first() -> None:
    many, few = crowd(14), crowd(9, issue=12, seed=51)
    first, second = beyond(found(PAST + few + many))
    assert (set(first.members), set(second.members)) == (set(many), set(few))
    assert first.score > second.score


def test_a_batch_hidden_in_a_busy_direction_is_found_by_name() -> None:
    planted = hidden()
    named = [one for one in beyond(found(PAST + BUSY + planted)) if one.attribute]
    assert {(one.attribute, one.value) for one in named} == {("batch", "B7")}
    assert [one.anywhere for one in named].count(False) == 1
    assert {said.batch for said in named[0].members} == {"B7"}
    assert len(set(planted) & set(named[0].members)) >= 8


def test_a_batch_that_everything_is_said_of_is_no_news_in_one_place() -> None:
    planted = hidden()
    popular = [
        replace(one, batch="B7") if number % 2 and one.bucket >= NOW - 3 * BUCKETS_PER_DAY else one
        for number, one in enumerate(PAST + BUSY)
    ]
    assert [one for one in beyond(found(popular + planted)) if one.attribute] == []


def of_one_product(*, before: str, lately: str) -> list[Said]:
    """All that is said, where a busy issue is one product's: of one batch ``before``, and every other of another ``lately``."""
    new = {number for number, one in enumerate(BUSY) if number % 2 and one.bucket >= NOW - BUCKETS_PER_DAY}
    return PAST + [
        replace(one, spread=0.05, batch=lately if number in new else before) for number, one in enumerate(BUSY)
    ]


def test_a_product_that_a_place_always_speaks_of_is_no_news_there() -> None:
    assert [one for one in beyond(found(of_one_product(before="A1", lately="A1"))) if one.attribute] == []


def test_a_new_batch_is_no_news_where_its_product_was_always_spoken_of() -> None:
    assert [one for one in beyond(found(of_one_product(before="A1-B1", lately="A1-B2"))) if one.attribute] == []


def test_a_new_batch_of_another_product_is_news_there() -> None:
    named = [one for one in beyond(found(of_one_product(before="A1-B1", lately="A2-B2"))) if one.attribute]
    assert {one.value for one in named} <= {"A2", "A2-B2"}
    assert named


def test_nothing_is_told_before_there_is_a_past() -> None:
    planted = crowd(12)
    least = PLAIN.least_past
    young = usual(least - 1, first=NOW - 10 * BUCKETS_PER_DAY, seed=7)
    assert found(young + planted) == []
    assert found(PAST[: 2 * least] + planted) != []
    assert found([]) == []
    assert found(planted) == []


def test_messages_of_the_future_do_not_count() -> None:
    assert beyond(found(PAST + crowd(9), now=NOW - 6 * BUCKETS_PER_HOUR)) == []


def test_the_order_in_which_messages_come_does_not_matter() -> None:
    said = [*usual(900, first=NOW - 21 * BUCKETS_PER_DAY, seed=8), *(replace(one, bucket=NOW - 2 - 7 * i) for i, one in
             enumerate(crowd(9)))]  # fmt: skip
    whole = found(said)
    assert beyond(whole)
    for seed in range(3):
        mixed = [said[i] for i in np.random.default_rng(seed).permutation(len(said))]
        for one, other in zip(whole, found(mixed), strict=True):
            assert set(one.members) == set(other.members)
            assert (one.window, one.observed, one.attribute, one.value) == (
                other.window, other.observed, other.attribute, other.value,
            )  # fmt: skip


def test_messages_that_come_bit_by_bit_crowd_as_those_that_come_at_once() -> None:
    planted = crowd(9)
    said, space = sorted(PAST + planted, key=lambda one: one.bucket), Space[Said](DIMENSION)
    for start in range(0, len(said), 97):
        extend(space, said[start : start + 97])
    (one,) = beyond(scan(space, NOW))
    assert set(one.members) == set(planted)


def test_a_scan_changes_nothing() -> None:
    space = extend(Space(DIMENSION), PAST + crowd(9))
    first, again = scan(space, NOW), scan(space, NOW)
    assert [(one.members, one.score) for one in first] == [(one.members, one.score) for one in again]


def lengths_of(space: Space[Said]) -> set[int]:
    """Of everything that is held a row, whatever its name."""
    held: set[int] = set()
    for value in vars(space).values():
        parts = list(value.values()) if isinstance(value, dict) else [value]
        held |= {len(part) for part in parts if isinstance(part, list | np.ndarray)}
    return held


def test_no_more_rows_are_held_than_allowed_and_the_newest_stay() -> None:
    space = Space[Said](DIMENSION, replace(PLAIN, max_rows=400))
    for start in range(0, len(PAST), 100):
        extend(space, PAST[start : start + 100])
        assert len(space) <= 400
        assert lengths_of(space) == {len(space)}
    assert space.handles == PAST[-400:]


def test_messages_older_than_the_past_are_let_go() -> None:
    options = replace(PLAIN, past=timedelta(days=3))
    space = Space[Said](DIMENSION, options)
    for start in range(0, len(PAST), 100):
        extend(space, PAST[start : start + 100])
    kept = (options.past + options.windows[-1]) // BUCKET
    assert space.handles == [one for one in PAST if one.bucket >= PAST[-1].bucket - kept]
    assert lengths_of(space) == {len(space)}


def test_attributes_beyond_the_most_are_not_held() -> None:
    space = Space[int](DIMENSION, replace(PLAIN, max_attributes=2))
    for number in range(50):
        vector = PAST[number].vector[None]
        space.extend([number], vector, [NOW + number], ["c"], ["t"], [{f"name {number}": "v"}])
    assert len(space.values) == 2


def test_no_more_places_are_told_than_asked_for() -> None:
    options = replace(PLAIN, floor=0.1)
    assert len(found(PAST, options)) > 3
    assert len(found(PAST, replace(options, most=3))) == 3


def test_only_the_newest_are_centres_where_there_are_too_many() -> None:
    planted = crowd(9)
    after = [replace(one, bucket=NOW - 1) for one in usual(30, first=NOW - 100, seed=9)]
    said = PAST + [replace(one, bucket=one.bucket - 24) for one in planted] + after
    assert beyond(found(said))
    assert beyond(found(said, replace(PLAIN, max_centres=30))) == []


def test_what_is_around_a_direction_is_told_from_the_rest() -> None:
    planted = crowd(9)
    space = extend(Space(DIMENSION), PAST + planted)
    here, others = space.around(ISSUES[NEW], NOW - 60, NOW - 1)
    assert {space.handles[row] for row in here} == set(planted)
    inside = {said for said in PAST + planted if NOW - 60 <= said.bucket < NOW}
    assert {space.handles[row] for row in others} == inside - set(planted)


# ---------------------------------------------------------------------- silences


def channels(*, app_until: int = NOW, forum: int = 0, again: Sequence[int] = ()) -> Space[int]:
    """Three weeks of web, of an app that is heard until a bucket and ``again`` later, and of a rare forum."""
    rows = [(bucket, "web") for bucket in range(NOW - 6000, NOW, 10)]
    rows += [(bucket, "app") for bucket in range(NOW - 6000, app_until, 20)]
    rows += [(NOW - 6000 + 40 * number, "forum") for number in range(forum)]
    rows += [(bucket, "app") for bucket in again]
    space = Space[int](2)
    vectors: Vectors = unit(np.random.default_rng(0).normal(size=(len(rows), 2)))
    values: list[Mapping[str, str]] = [{"channel": value} for _, value in rows]
    numbers = [str(number) for number in range(len(rows))]
    space.extend(range(len(rows)), vectors, [bucket for bucket, _ in rows], numbers, numbers, values)
    return space


def test_a_channel_that_has_fallen_silent_is_told_with_its_last_bucket() -> None:
    (silence,) = channels(app_until=NOW - 600).silences(NOW, "channel")
    assert (silence.attribute, silence.value, silence.last) == ("channel", "app", NOW - 620)
    assert silence.expected == pytest.approx(31, abs=3)


def test_a_channel_that_is_heard_is_not_silent() -> None:
    assert channels().silences(NOW, "channel") == []


def test_a_short_pause_is_no_silence() -> None:
    assert channels(app_until=NOW - 100).silences(NOW, "channel") == []


def test_a_channel_that_was_rare_is_not_missed() -> None:
    assert channels(forum=30).silences(NOW, "channel") == []


def test_a_silence_ends_when_the_channel_speaks_again() -> None:
    assert channels(app_until=NOW - 600, again=[NOW - 3]).silences(NOW, "channel") == []


def test_a_silence_is_not_known_before_it_was() -> None:
    """What came after the bucket asked for does not count."""
    space = channels(app_until=NOW - 600, again=[NOW - 3])
    assert [one.value for one in space.silences(NOW - 3, "channel")] == ["app"]
    assert space.silences(NOW - 600, "channel") == []


def test_where_everything_is_silent_no_channel_is() -> None:
    space = channels()
    assert space.silences(NOW + 6000, "channel") == []
    assert space.silences(NOW, "another name") == []
    assert isinstance(channels(app_until=NOW - 600).silences(NOW, "channel")[0], Silence)


# ---------------------------------------------------------------------- any input

ANY = st.lists(
    st.tuples(
        st.integers(0, 3),  # direction
        st.integers(NOW - 900, NOW + 20),  # bucket
        st.integers(0, 6),  # customer
        st.integers(0, 12),  # text
        st.sampled_from(["", "B1", "B2", "批次三"]),
        st.integers(0, 40),  # noise
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY, max_size=4), st.integers(NOW - 1000, NOW + 700))
def test_a_scan_of_anything_tells_members_of_its_window_only(batches: list[list[tuple]], now: int) -> None:  # type: ignore[type-arg]
    options = replace(PLAIN, least_past=2, prior=0.1, min_others=1, floor=0.05, max_rows=50, near_shares=(0.05, 0.3))
    space = Space[Said](DIMENSION, options)
    for batch in batches:
        said = [
            Said(issue, bucket, f"c{customer}", f"text {letters(text)}", value, seed)
            for issue, bucket, customer, text, value, seed in batch
        ]
        extend(space, said)
    assert len(space) <= 50
    crowds = scan(space, now)
    assert [one.score for one in crowds] == sorted((one.score for one in crowds), reverse=True)
    for one in crowds:
        assert one.members
        assert all(now - one.window // BUCKET <= said.bucket < now for said in one.members)
        assert 1 <= one.observed < len({said.customer for said in one.members}) + 1
        assert one.observed > one.expected >= 0
        assert np.linalg.norm(one.centroid) == pytest.approx(1, abs=1e-4)
        if one.attribute:
            assert {said.batch for said in one.members} == {one.value}
    assert all(one.last < now for one in space.silences(now, "batch"))
