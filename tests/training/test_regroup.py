"""Ids live on: labels split, nearness merges, words of people stand, and no id is lost."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models import identity
from models.embed import Centring, Vectors, unit
from models.lineage import Change, changes
from models.message import RedactedText
from models.topic import Topic, TopicId, TopicState
from models.topics import TopicModel
from training.kept import Kept
from training.regroup import Ground, regroup

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DIMENSION = 24
PLACES = np.eye(DIMENSION, dtype=np.float32)
WORDS = ("parcel", "zipper", "refund", "colour", "coupon", "kibble", "collar", "litter")


def around(place: Vectors, count: int, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)
    return unit(place + 0.06 * rng.normal(size=(count, DIMENSION)))


def said(issue: int, count: int, *, old: bool, label: str | None = None) -> list[Kept]:
    return [
        Kept(
            RedactedText(f"the {WORDS[issue]} number {chr(97 + n % 26)}{n} {old}"),
            f"c{issue}-{n}-{old}",
            None,
            label,
            old,
        )
        for n in range(count)
    ]


def topic(number: int, place: Vectors, radius: float = 0.3) -> Topic:
    return Topic(TopicId(f"t{number}"), place, radius, 40, NOW)


def ground(parts: list[tuple[list[Kept], Vectors]], live: TopicModel) -> Ground:
    messages = [one for found, _ in parts for one in found]
    vectors = np.concatenate([vectors for _, vectors in parts])
    assigned = [one.topic for one in live.assign(vectors)]
    former = [name if one.old else None for one, name in zip(messages, assigned, strict=True)]
    return Ground(
        messages,
        vectors,
        live.centring,
        former,
        live.embedder,
        lambda texts: around(PLACES[0], len(texts)),
        np.zeros(len(messages), np.int8),
    )


def model(*topics: Topic) -> TopicModel:
    return TopicModel("e", Centring.none(DIMENSION), topics)


def test_new_issues_are_born_with_and_without_labels_and_old_ones_stay_as_they_were() -> None:
    live = model(topic(1, PLACES[0]), topic(2, PLACES[1]))
    parts = [
        (said(0, 40, old=True), around(PLACES[0], 40, 1)),
        (said(1, 40, old=True), around(PLACES[1], 40, 2)),
        (said(5, 12, old=False, label="mouldy kibble"), around(PLACES[5], 12, 3)),
        (said(6, 40, old=False), around(PLACES[6], 40, 4)),
    ]
    found = regroup(ground(parts, live), live, NOW).model
    assert [one.id for one in found.topics[:2]] == ["t1", "t2"]
    assert np.array_equal(found.topics[0].centroid, live.topics[0].centroid)
    born = found.topics[2:]
    assert {name for one in born for name in one.names.values()} == {"mouldy kibble"}
    assert all(max(float(one.centroid @ PLACES[at]) for at in (5, 6)) > 0.9 for one in born)
    assert len(born) >= 2


def test_labels_split_a_topic_that_held_two_issues() -> None:
    middle = unit((PLACES[0] + PLACES[1])[None])[0]
    live = model(topic(1, middle, 0.5))
    parts = [
        (said(0, 40, old=True), around(PLACES[0], 40, 1)),
        (said(1, 40, old=True), around(PLACES[1], 40, 2)),
        (said(0, 12, old=False, label="late"), around(PLACES[0], 12, 3)),
        (said(1, 12, old=False, label="broken"), around(PLACES[1], 12, 4)),
    ]
    found = regroup(ground(parts, live), live, NOW).model
    assert [event.change for event in changes(live, found, at=NOW)].count(Change.SPLIT) >= 1
    assert {one.origin for one in found.topics if one.id.startswith("new-")} == {"t1"}


def test_a_label_of_what_is_known_names_the_topic_and_keeps_its_id() -> None:
    live = model(topic(1, PLACES[0]), topic(2, PLACES[1]))
    parts = [
        (said(0, 40, old=True), around(PLACES[0], 40, 1)),
        (said(1, 40, old=True), around(PLACES[1], 40, 2)),
        (said(0, 15, old=False, label="late parcel"), around(PLACES[0], 15, 3)),
    ]
    found = regroup(ground(parts, live), live, NOW).model
    assert [one.id for one in found.topics] == ["t1", "t2"]
    assert found.topics[0].names == {"en": "late parcel"}


def test_topics_that_turn_out_the_same_become_one_unless_people_hold_them_apart() -> None:
    live = model(topic(1, PLACES[0]), topic(2, unit((PLACES[0] + 0.1 * PLACES[1])[None])[0]))
    parts = [(said(0, 60, old=True), around(PLACES[0], 60, 1))]
    found = regroup(ground(parts, live), live, NOW).model
    assert sorted(one.state for one in found.topics) == [TopicState.LIVE, TopicState.RETIRED]
    apart = identity.hold_apart(live, TopicId("t1"), TopicId("t2"), NOW)
    found = regroup(ground(parts, apart), apart, NOW).model
    assert {one.state for one in found.topics} == {TopicState.LIVE}
    assert found.constraints == apart.constraints


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.booleans()), min_size=1, max_size=8), st.integers(0, 4))
def test_no_id_is_lost_and_none_is_given_twice_whatever_comes(parts: list[tuple[int, bool, bool]], known: int) -> None:
    live = model(*(topic(number, PLACES[number]) for number in range(known)))
    heard = [
        (said(issue, 9, old=old, label=WORDS[issue] if named and not old else None), around(PLACES[issue], 9, row))
        for row, (issue, old, named) in enumerate(parts)
    ]
    found = regroup(ground(heard, live), live, NOW).model
    changes(live, found, at=NOW)  # raises where an id is lost
    ids = [one.id for one in found.topics]
    assert len(set(ids)) == len(ids)
    assert all(one.radius > 0 and np.isfinite(one.centroid).all() for one in found.topics)
