"""Topics keep their ids whatever people do to them: rename, mute, merge, split, hold apart."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.constraints import ConstraintError
from models.embed import Centring, unit
from models.identity import (
    IdentityError,
    hold_apart,
    merge,
    mute,
    part,
    proposals,
    rename,
    split,
    unmute,
)
from models.lineage import Change, Event, Fate, LineageError, changes, fates, life_of
from models.message import RedactedText
from models.topic import Exemplar, Topic, TopicId, TopicState
from models.topics import TopicModel

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
AXES = np.eye(4, dtype=np.float32)
A, B, C, D = (TopicId(name) for name in "abcd")


def topic(name: str, centroid: Sequence[float] | np.ndarray, radius: float = 0.3) -> Topic:
    exemplars = (Exemplar(f"m-{name}", RedactedText(f"about {name}")),)
    return Topic(TopicId(name), np.asarray(centroid, np.float32), radius, 10, NOW, exemplars=exemplars)


def model(*topics: Topic) -> TopicModel:
    return TopicModel("test", Centring.none(4), topics)


THREE = model(topic("a", AXES[0]), topic("b", AXES[1]), topic("c", AXES[2]))


def test_after_a_merge_messages_of_both_places_are_counted_under_the_topic_that_stays() -> None:
    merged = merge(THREE, B, A, NOW)
    assert [one.topic for one in merged.assign(AXES[:3])] == ["a", "a", "c"]
    assert (merged.topic(B).state, merged.topic(B).into) == (TopicState.RETIRED, "a")
    assert merged.constraints.must(A, B)


def test_a_topic_that_took_others_in_is_as_sure_of_a_message_as_one_topic_would_be() -> None:
    wide = model(topic("a", AXES[0], 1.0), topic("b", AXES[1], 1.0))
    (between,) = merge(wide, B, A, NOW).assign(unit(np.array([[1, 1, 0, 0]])))
    assert between.strength > 0.9


def test_merges_are_followed_to_the_end() -> None:
    chained = merge(merge(THREE, A, B, NOW), B, C, NOW)
    assert [chained.heir(name) for name in (A, B, C)] == ["c", "c", "c"]
    assert chained.constraints.must(A, C)


def test_a_merge_can_be_taken_back_and_then_holds_the_two_apart() -> None:
    parted = part(merge(THREE, B, A, NOW), B, NOW)
    assert [one.topic for one in parted.assign(AXES[:3])] == ["a", "b", "c"]
    assert parted.constraints.cannot(A, B) and not parted.constraints.must(A, B)


def test_a_merge_overrules_what_held_the_two_apart() -> None:
    assert not merge(hold_apart(THREE, A, B, NOW), A, B, NOW).constraints.cannot(A, B)


def test_what_is_held_apart_from_a_topic_is_held_apart_from_all_that_is_merged_with_it() -> None:
    apart = hold_apart(merge(THREE, B, A, NOW), A, C, NOW)
    assert apart.constraints.cannot(B, C)


def test_topics_that_others_make_one_are_not_held_apart_by_a_word() -> None:
    chained = merge(merge(THREE, A, B, NOW), B, C, NOW)
    with pytest.raises(ConstraintError, match="by way of others"):
        part(replace(chained, topics=tuple(replace(t, into=C) if t.id == A else t for t in chained.topics)), A, NOW)


def test_a_split_gives_the_part_an_id_of_its_own_and_leaves_the_rest_the_old_one() -> None:
    parted = split(THREE, topic("a", AXES[0]), topic("d", AXES[3]), NOW)
    assert [one.topic for one in parted.assign(AXES)] == ["a", "b", "c", "d"]
    assert parted.topic(D).origin == "a"
    assert parted.constraints.cannot(A, D)


def test_what_was_merged_goes_with_the_part_that_it_is_nearer_to() -> None:
    merged = merge(THREE, B, A, NOW)
    near_b = topic("d", unit(np.array([[0, 1, 0, 0.1]]))[0])
    parted = split(merged, topic("a", AXES[0]), near_b, NOW)
    assert parted.heir(B) == "d"
    assert parted.constraints.must(B, D) and parted.constraints.cannot(A, B)


def test_a_rename_changes_what_it_is_called_and_nothing_else() -> None:
    named = rename(THREE, A, {"en": "won't charge"})
    assert named.topic(A).called == {"en": "won't charge"}
    assert rename(named, A, {}).topic(A).called == {}
    assert named.assign(AXES) == THREE.assign(AXES)


def test_nothing_is_done_to_a_topic_that_is_no_more() -> None:
    merged = merge(THREE, B, A, NOW)
    with pytest.raises(IdentityError, match="b was merged into a"):
        mute(merged, B)
    with pytest.raises(IdentityError, match="one topic already"):
        merge(THREE, A, A, NOW)
    with pytest.raises(IdentityError, match="merged into no other"):
        part(THREE, A, NOW)


def test_near_topics_are_proposed_the_nearest_first_until_somebody_says_no() -> None:
    near, nearer = unit(np.array([[1, 0.45, 0, 0], [1, 0.1, 0, 0]]))
    close = model(topic("a", AXES[0]), topic("b", near), topic("c", nearer), topic("d", AXES[3]))
    found = proposals(close, nearer=0.4)
    assert [(one.one, one.other) for one in found] == [("a", "c"), ("b", "c"), ("a", "b")]
    assert [one.apart for one in found] == sorted(one.apart for one in found)
    refused = proposals(hold_apart(close, A, C, NOW), nearer=0.4)
    assert ("a", "c") not in [(one.one, one.other) for one in refused]
    assert proposals(model(topic("a", AXES[0])), nearer=0.3) == []


def test_a_model_keeps_merges_names_and_constraints_through_a_file() -> None:
    before = split(
        merge(rename(THREE, A, {"zh": "充不进电"}), B, A, NOW), topic("a", AXES[0]), topic("d", AXES[3]), NOW
    )
    after = TopicModel.from_arrays(before.to_arrays())
    assert after.constraints == before.constraints
    assert [(t.id, t.into, t.origin, t.names) for t in after.topics] == [
        (t.id, t.into, t.origin, t.names) for t in before.topics
    ]


def test_the_log_tells_what_became_of_an_id() -> None:
    log = [*changes(None, THREE, at=NOW)]
    at, now = NOW, THREE
    for after in (rename(now, A, {"en": "heat"}), mute(THREE, A), unmute(THREE, A), merge(THREE, A, B, NOW)):
        at += timedelta(hours=1)
        log += changes(now, after, at=at, by="mei")
        now = after
    told = [(event.change, event.other) for event in life_of(A, log)]
    assert (Change.MERGED, "b") in told and told[0] == (Change.BORN, None)
    assert life_of(B, log)[-1].topic == "a"
    assert fates(log)[A] == Fate(TopicState.RETIRED, B)


def test_a_model_from_which_an_id_is_gone_is_refused() -> None:
    with pytest.raises(LineageError, match="a"):
        changes(THREE, model(*THREE.topics[1:]), at=NOW)


# ---------------------------------------------------------------- any order of deeds

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["born", "rename", "mute", "unmute", "merge", "part", "split", "apart", "retire"]),
        st.integers(0, 11),
        st.integers(0, 11),
    ),
    max_size=25,
)


def deed(now: TopicModel, what: str, one: Topic, other: Topic, number: int) -> TopicModel:
    """The model after one deed."""
    fresh = topic(f"n{number}", unit(np.random.default_rng(number).normal(size=(1, 4)))[0])
    match what:
        case "born":
            return now.add([fresh])
        case "rename":
            return rename(now, one.id, {"en": f"name {number}"})
        case "mute":
            return mute(now, one.id)
        case "unmute":
            return unmute(now, one.id)
        case "merge":
            return merge(now, one.id, other.id, NOW)
        case "part":
            return part(now, one.id, NOW)
        case "split":
            return split(now, one, fresh, NOW)
        case "apart":
            return hold_apart(now, one.id, other.id, NOW)
        case _:
            return now.retire(one.id)


@given(DEEDS)
def test_no_id_is_lost_or_given_twice_and_the_log_tells_where_each_stands(deeds: list[tuple[str, int, int]]) -> None:
    now, log = THREE, list[Event](changes(None, THREE, at=NOW))
    for number, (what, one, other) in enumerate(deeds):
        pick = [now.topics[place % len(now.topics)] for place in (one, other)]
        try:
            after = deed(now, what, *pick, number)
        except (IdentityError, ConstraintError):
            continue
        log += changes(now, after, at=NOW)
        assert {topic.id for topic in now.topics} <= {topic.id for topic in after.topics}
        now = after
    assert fates(log) == {topic.id: Fate(topic.state, topic.into) for topic in now.topics}
    born = [event.topic for event in log if event.change in (Change.BORN, Change.SPLIT)]
    assert sorted(born) == sorted(topic.id for topic in now.topics)
    for topic_ in now.topics:
        heir = now.heir(topic_.id)
        assert heir is None or now.topic(heir) in now.assignable
        if topic_.into is not None:
            assert now.constraints.must(topic_.id, topic_.into)
    for one in now.constraints.entries:
        assert not (one.link.value == "cannot" and now.constraints.must(one.one.topic, one.other.topic))
    told = {assignment.topic for assignment in now.assign(AXES)} - {None}
    assert told <= {topic.id for topic in now.assignable}
