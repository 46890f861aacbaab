"""The watch over crowds: places keep their number, the bar keeps to its budget, and it can stop and start anywhere."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.buckets import BUCKET, BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from models.crowds import Crowd
from models.embed import unit
from models.watch import FORMAT, Bars, Watch

DIMENSION = 16
SAME = 0.6
START = 50_000
DIRECTIONS = unit(np.eye(DIMENSION)[:8] + 0.05 * np.random.default_rng(0).normal(size=(8, DIMENSION)))


def crowd(place: int, score: float = 5.0, *, noise: int = 0) -> Crowd[int]:
    """A crowd near one of eight directions that are far from one another."""
    drawn = 0.08 * np.random.default_rng(noise).normal(size=DIMENSION)
    centroid = unit((DIRECTIONS[place] + drawn)[None])[0]
    return Crowd((noise,), centroid, timedelta(hours=6), 8, 1.0, 2.0, score)


def numbers(watch: Watch, crowds: Sequence[Crowd[int]], now: int) -> list[int]:
    return [place.number for place, _ in watch.follow(crowds, now, SAME)]


def again(watch: Watch) -> Watch:
    return Watch.unpack(watch.pack())


# ---------------------------------------------------------------------- places


def test_a_place_keeps_its_number_from_scan_to_scan_whatever_the_order() -> None:
    watch = Watch(1.0)
    assert numbers(watch, [crowd(0), crowd(1)], START) == [1, 2]
    for hour in range(1, 30):
        here = [crowd(0, noise=hour), crowd(1, noise=hour)]
        assert numbers(watch, here, START + 24 * hour) == [1, 2]
        assert numbers(watch, here[::-1], START + 24 * hour + 12) == [2, 1]


def test_a_place_that_is_away_for_a_day_keeps_its_number_and_after_that_gets_a_new_one() -> None:
    watch = Watch(1.0)
    assert numbers(watch, [crowd(0)], START) == [1]
    assert numbers(watch, [crowd(0, noise=1)], START + BUCKETS_PER_DAY) == [1]
    assert numbers(watch, [], START + BUCKETS_PER_DAY + 12) == []
    assert numbers(watch, [crowd(0, noise=2)], START + 2 * BUCKETS_PER_DAY + 1) == [2]


def test_a_place_remembers_its_first_its_last_and_its_highest_score() -> None:
    watch = Watch(1.0)
    for hour, score in enumerate((3.0, 7.0, 4.0)):
        watch.follow([crowd(0, score, noise=hour)], START + 12 * hour, SAME)
    (place,) = watch.places
    assert (place.first, place.last, place.peak) == (START, START + 24, 7.0)


def test_two_crowds_at_one_place_are_told_once_the_more_telling() -> None:
    watch = Watch(1.0)
    loud, faint = crowd(0, 6.0, noise=1), crowd(0, 4.0, noise=2)
    ((place, told),) = watch.follow([loud, faint], START, SAME)
    assert told is loud
    assert place.peak == 6.0


def test_a_place_told_of_is_known_for_two_days_more_and_others_are_not() -> None:
    watch = Watch(1.0)
    numbers(watch, [crowd(0), crowd(1)], START)
    watch.tell(1, ("batch", "A1-B1"))
    for watched in (watch, again(watch)):
        watched.follow([], START + 2 * BUCKETS_PER_DAY, SAME)
        told = watched.place(1)
        assert told is not None and told.told and told.cell == ("batch", "A1-B1")
        assert watched.place(2) is None
        assert numbers(again(watched), [crowd(0, noise=1)], START + 2 * BUCKETS_PER_DAY) == [3], "it is known, no more"
        watched.follow([], START + 2 * BUCKETS_PER_DAY + 1, SAME)
        assert watched.place(1) is None


def test_another_event_at_a_place_gets_a_place_of_its_own_and_is_followed_there() -> None:
    watch = Watch(1.0)
    first, second = (replace(crowd(0, noise=n), attribute="batch", value=f"A{n}-B1") for n in (1, 2))
    assert numbers(watch, [first], START) == [1]
    watch.tell(1, first.cell)
    assert numbers(watch, [second], START + 12) == [1]
    assert watch.part(second, START + 12).number == 2
    for hour in range(2, 5):
        watch = again(watch)
        assert numbers(watch, [second, first], START + 12 * hour) == [2, 1]
        assert numbers(watch, [crowd(0, noise=1)], START + 12 * hour + 6) == [1], "of no value: at the nearest"


def test_a_crowd_of_a_value_that_another_alert_names_is_not_taken_for_more_of_one_that_names_none() -> None:
    watch, value = Watch(1.0), {"attribute": "batch", "value": "A1-B2"}
    assert numbers(watch, [replace(crowd(0), **value), crowd(1)], START) == [1, 2]
    watch.tell(1, ("batch", "A1-B2"))
    watch.tell(2, None)
    later = [replace(crowd(1, 9.0), **value), crowd(1, noise=1)]
    assert numbers(watch, later, START + 12) == [3, 2]
    assert numbers(again(watch), later, START + 24) == [3, 2], "and is followed where it is"
    other = [replace(crowd(1, 9.0), attribute="batch", value="A7-B1")]
    assert numbers(watch, other, START + 24) == [2], "what nobody names is what is behind it"


def test_what_says_the_same_anywhere_is_followed_by_its_value_whatever_its_direction() -> None:
    watch, cell = Watch(1.0), {"attribute": "batch", "value": "A1-B1"}
    assert numbers(watch, [replace(crowd(0), anywhere=True, **cell), crowd(0)], START) == [1, 2]
    assert numbers(watch, [replace(crowd(3), anywhere=True, **cell), crowd(0, noise=1)], START + 12) == [1, 2]
    other = replace(crowd(3), anywhere=True, attribute="batch", value="A7-B1")
    assert numbers(again(watch), [other], START + 24) == [3]


def test_an_event_with_several_faces_counts_once_towards_the_bar_and_each_kind_has_its_own() -> None:
    day = BUCKETS_PER_DAY
    watch, merged = Watch(2.0), Watch(2.0)
    for at in range(10 * 6):
        now, rng = START + at * 4 * 12, np.random.default_rng(at)
        crowds = [crowd(int(rng.integers(8)), 1.5 + float(rng.exponential(0.5)), noise=at) for _ in range(4)]
        crowds += [replace(crowd(7, 9.0, noise=at), anywhere=True, attribute="batch", value=f"A{at}")]
        for one in (watch, merged):
            for place, seen in one.follow(sorted(crowds, key=lambda one: -one.score), now, 0.999):
                if one is merged and seen.anywhere:
                    one.face(place.number)
    bars, fewer = watch.calibrate(START + 10 * day), again(merged).calibrate(START + 10 * day)
    assert bars.place == fewer.place < 5
    assert bars.anywhere > fewer.anywhere + 1 and fewer.anywhere < 5
    assert watch.reached(Bars(100.0, 9.0), START) == 60 and merged.reached(Bars(100.0, 9.0), START) == 0


def test_places_that_are_gone_are_not_kept_for_ever() -> None:
    watch = Watch(1.0)
    sizes = []
    for day in range(60):
        for hour in range(0, 24, 8):
            watch.follow([crowd((day + hour) % 8, noise=day)], START + 288 * day + 12 * hour, SAME)
        sizes.append(len(watch.pack()))
    assert len(watch.places) <= 8
    assert max(sizes[20:]) <= 1.2 * sizes[20]


SCANS = st.lists(
    st.tuples(
        st.integers(1, 400),  # buckets since the scan before
        st.lists(st.tuples(st.integers(0, 7), st.floats(1.5, 12), st.integers(0, 5)), max_size=5),
    ),
    min_size=1,
    max_size=25,
)


def timed(scans: list) -> list[tuple[int, list[Crowd[int]]]]:  # type: ignore[type-arg]
    """The scans with their buckets, the most telling crowd first as a scan tells them."""
    now, found = START, []
    for passed, drawn in scans:
        now += passed
        crowds = [crowd(place, score, noise=noise) for place, score, noise in drawn]
        found.append((now, sorted(crowds, key=lambda one: -one.score)))
    return found


@settings(max_examples=60, deadline=None)
@given(SCANS, st.sets(st.integers(0, 24)))
def test_no_number_is_given_twice_and_stopping_anywhere_changes_nothing(scans: list, stops: set[int]) -> None:  # type: ignore[type-arg]
    steady, stopped = Watch(1.0), Watch(1.0)
    owners: dict[int, tuple[int, int]] = {}  # of each number: the direction, and when it was last seen
    for turn, (now, crowds) in enumerate(timed(scans)):
        if turn in stops:
            stopped = again(stopped)
        expected = steady.follow(crowds, now, SAME)
        answered = stopped.follow(crowds, now, SAME)
        assert [(one.number, one.first, one.last, one.peak) for one, _ in answered] == [
            (one.number, one.first, one.last, one.peak) for one, _ in expected
        ]
        assert [id(told) for _, told in answered] == [id(told) for _, told in expected]
        assert len({place.number for place, _ in answered}) == len(answered)
        for place, told in answered:
            direction = int((DIRECTIONS @ told.centroid).argmax())
            owner, seen = owners.get(place.number, (direction, now))
            assert owner == direction
            assert now - seen <= BUCKETS_PER_DAY
            owners[place.number] = direction, now
        assert stopped.calibrate(now) == steady.calibrate(now)
        assert (stopped.bars, stopped.begun) == (steady.bars, steady.begun)


# ---------------------------------------------------------------------- the bar


def test_the_first_bar_stands_until_four_days_were_watched() -> None:
    watch = Watch(1.0, first_bar=4.4)
    assert not watch.begun
    assert watch.calibrate(START) == Bars(4.4, 4.4)
    rng = np.random.default_rng(3)
    hours = 5 * 24
    for hour in range(hours):
        now = START + BUCKETS_PER_HOUR * hour
        watch.follow([crowd(int(rng.integers(8)), 1.5 + float(rng.exponential(0.5)), noise=hour)], now, same=0.999)
        if (now - START) * BUCKET < timedelta(days=4):
            assert watch.calibrate(now) == Bars(4.4, 4.4)
    assert watch.begun
    assert watch.calibrate(START + BUCKETS_PER_HOUR * hours).place != 4.4
    assert watch.bars == again(watch).bars


def test_only_the_last_two_weeks_set_the_bar() -> None:
    """Loud places of a month ago are forgotten."""
    rng = np.random.default_rng(4)
    calm, once_loud = Watch(1.0), Watch(1.0)
    for hour in range(0, 40 * 24, 2):
        now = START + BUCKETS_PER_HOUR * hour
        score = 1.5 + float(rng.exponential(0.4))
        place, noise = int(rng.integers(8)), hour
        calm.follow([crowd(place, score, noise=noise)], now, same=0.999)
        once_loud.follow([crowd(place, score + (4.0 if hour < 10 * 24 else 0.0), noise=noise)], now, same=0.999)
    last = START + 40 * BUCKETS_PER_DAY
    assert calm.calibrate(last).place == pytest.approx(once_loud.calibrate(last).place)


def test_a_watch_of_an_unknown_format_is_refused() -> None:
    with np.load(io.BytesIO(Watch(1.0).pack())) as arrays:
        held = dict(arrays.items())
    head = json.loads(held["head"].tobytes())
    assert head["format"] == FORMAT
    later = np.frombuffer(json.dumps(head | {"format": FORMAT + 1}).encode(), np.uint8)
    out = io.BytesIO()
    np.savez(out, head=later, centroids=held["centroids"])
    with pytest.raises(ValueError, match=f"format {FORMAT + 1}"):
        Watch.unpack(out.getvalue())


def test_what_was_told_does_not_raise_the_bar_and_is_remembered_so() -> None:
    """Twelve surges in two weeks, each told of; without their telling they are places like any other."""
    told, untold = Watch(2.0), Watch(2.0)
    for at in range(14 * 12):
        now, rng = START + at * 24, np.random.default_rng(at)
        crowds = [crowd(int(rng.integers(8)), 1.5 + float(rng.exponential(0.5)), noise=at)]
        crowds += [crowd(7, 9.0, noise=1_000 + at)] if at % 14 == 0 else []
        for one in (told, untold):
            for place, seen in one.follow(sorted(crowds, key=lambda one: -one.score), now, 0.999):
                if one is told and seen.score == 9.0:
                    one.tell(place.number, None)
    last = START + 14 * BUCKETS_PER_DAY
    bars = told.calibrate(last)
    assert bars.place < untold.calibrate(last).place - 0.2
    assert again(told).calibrate(last) == bars


@pytest.mark.parametrize("written", [1, 2])
def test_a_watch_packed_by_an_earlier_version_goes_on(written: int) -> None:
    watch = Watch(1.0)
    watch.follow([crowd(0)], 10, SAME)
    with np.load(io.BytesIO(watch.pack())) as arrays:
        held = dict(arrays.items())
    head = json.loads(held["head"].tobytes())
    rows = [[*row[:4], ["batch", "A1-B1"]] if written == 2 else row[:4] for row in head["places"]]
    head = {key: value for key, value in head.items() if key != "over"} | {"format": written, "places": rows}
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(json.dumps(head).encode(), np.uint8), centroids=held["centroids"])
    earlier = Watch.unpack(out.getvalue())
    (place,) = earlier.places
    assert (place.number, place.told, place.cell) == (1, False, None) and not earlier.begun


def test_peaks_of_other_scores_set_no_bar_and_what_was_told_stays_told() -> None:
    watch = Watch(1.0)
    for day in range(14):
        watch.follow([crowd(day % 8, 9.0, noise=day)], START + day * BUCKETS_PER_DAY, 0.999)
    watch.tell(watch.places[-1].number, ("batch", "A1-B1"))
    last = START + 14 * BUCKETS_PER_DAY
    with np.load(io.BytesIO(watch.pack())) as arrays:
        held = dict(arrays.items())
    head = json.loads(held["head"].tobytes()) | {"format": 4}
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(json.dumps(head).encode(), np.uint8), centroids=held["centroids"])
    earlier = Watch.unpack(out.getvalue())
    assert again(watch).begun and not earlier.begun
    assert [place.cell for place in earlier.places if place.told] == [("batch", "A1-B1")]
    assert earlier.reached(watch.bars, START) <= len(earlier.places) < again(watch).reached(watch.bars, START)
    earlier.follow([], last, 0.999)
    assert earlier.begun and earlier.calibrate(last) == earlier.bars


def test_what_was_told_goes_on_in_place_of_what_is_seen_there_when_the_past_is_looked_at_anew() -> None:
    watch = Watch(1.0)
    batch, other = ("batch", "A1-B1"), ("batch", "A1-B2")

    def of_value(cell: tuple[str, str]) -> Crowd[int]:
        return replace(crowd(1), attribute=cell[0], value=cell[1], anywhere=True)

    for seen, of in watch.follow([crowd(0), of_value(batch)], START, SAME):
        watch.tell(seen.number, of.cell)
    told, watch.places = watch.places, []
    watch.follow([crowd(0, noise=1), of_value(batch), of_value(other), crowd(3)], START + 1, SAME)
    watch.go_on(told, SAME)
    assert watch.places[:2] == told
    assert [(place.told, place.cell) for place in watch.places[2:]] == [(False, other), (False, None)]
    seen = watch.follow([crowd(0, noise=1)], START + 2, SAME)
    assert [place.number for place, _ in seen] == [told[0].number]
