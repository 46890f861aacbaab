"""Topics and the assignment of messages to them."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embed import Centring, unit
from models.message import RedactedText
from models.topic import Exemplar, Topic, TopicId, TopicKind, TopicState
from models.topics import TopicModel, UnknownTopicError, radius_of

BORN = datetime(2025, 3, 3, tzinfo=UTC)
AXES = np.eye(4, dtype=np.float32)


def topic(name: str, centroid: np.ndarray, radius: float = 0.3) -> Topic:
    return Topic(TopicId(name), np.asarray(centroid, np.float32), radius, 10, BORN)


def model(*topics: Topic, dimension: int = 4) -> TopicModel:
    return TopicModel("test", Centring.none(dimension), topics)


def test_a_message_goes_to_the_nearest_topic_within_its_radius() -> None:
    found = model(topic("a", AXES[0]), topic("b", AXES[1])).assign(unit(np.array([[1, 0.2, 0, 0], [0.1, 1, 0, 0]])))
    assert [assignment.topic for assignment in found] == ["a", "b"]
    assert all(0.5 < assignment.strength <= 1 for assignment in found)


def test_a_message_outside_every_radius_is_noise_and_still_tells_what_was_nearest() -> None:
    (found,) = model(topic("a", AXES[0]), topic("b", AXES[1])).assign(unit(np.array([[0.3, 0.1, 1, 0]])))
    assert found.topic is None
    assert found.nearest == "a"
    assert found.strength == 0


def test_a_narrow_topic_nearby_leaves_a_message_to_the_wide_topic_that_covers_it() -> None:
    narrow, wide = topic("narrow", AXES[0], radius=0.05), topic("wide", AXES[1], radius=0.9)
    (found,) = model(narrow, wide).assign(unit(np.array([[1, 0.6, 0, 0]])))
    assert found.topic == "wide"


def test_a_topic_takes_in_nothing_that_says_the_opposite_of_its_messages() -> None:
    complaints = replace(topic("a", AXES[0], radius=0.5), leaning=-0.9)
    praise = replace(topic("b", unit(np.array([[1, 0.5, 0, 0]]))[0], radius=0.5), leaning=0.9)
    here = np.repeat(AXES[:1], 3, axis=0)
    found = model(complaints, praise).assign(here, np.array([-1, 0, 1], np.int8))
    assert [one.topic for one in found] == ["a", "a", "b"]
    (alone,) = model(complaints).assign(here[:1], np.array([1], np.int8))
    assert (alone.topic, alone.strength, alone.nearest) == (None, 0, "a")


def test_a_topic_whose_messages_say_both_takes_in_either() -> None:
    mixed = model(replace(topic("a", AXES[0]), leaning=-0.2))
    assert [one.topic for one in mixed.assign(np.repeat(AXES[:1], 2, axis=0), np.array([-1, 1], np.int8))] == ["a", "a"]


def test_strength_tells_how_far_a_message_is_from_other_topics() -> None:
    two = model(topic("a", AXES[0], radius=1.0), topic("b", AXES[1], radius=1.0))
    centre, near, midway, outside = two.assign(
        unit(np.array([[1, 0, 0, 0], [1, 0.6, 0, 0], [1, 1, 0, 0], [0, 0, -1, 0]]))
    )
    assert centre.strength > 0.95
    assert centre.strength > near.strength > midway.strength > outside.strength > 0
    assert midway.strength < 0.5
    assert two.assign(unit(np.array([[-1, -1, 0, 0]])))[0].strength == 0


def test_a_model_without_topics_finds_only_noise() -> None:
    assert [assignment.topic for assignment in model().assign(AXES)] == [None] * 4


def test_nothing_is_assigned_to_a_retired_topic() -> None:
    retired = model(topic("a", AXES[0]), topic("b", AXES[1])).retire(TopicId("a"))
    assert retired.assign(AXES[:1])[0].topic is None
    assert retired.topic(TopicId("a")).state is TopicState.RETIRED


def test_a_muted_topic_still_takes_its_messages() -> None:
    muted = model(replace(topic("a", AXES[0]), state=TopicState.MUTED))
    assert muted.assign(AXES[:1])[0].topic == "a"


def test_the_id_of_a_retired_topic_is_never_given_again() -> None:
    retired = model(topic("a", AXES[0])).retire(TopicId("a"))
    with pytest.raises(ValueError, match="twice"):
        retired.add([topic("a", AXES[1])])


def test_adding_topics_changes_no_id_that_was_given() -> None:
    before = model(topic("a", AXES[0]))
    after = before.add([topic("b", AXES[1])])
    assert [known.id for known in after.topics] == ["a", "b"]
    assert after.assign(AXES[:1]) == before.assign(AXES[:1])


def test_an_unknown_topic_can_neither_be_read_nor_replaced() -> None:
    with pytest.raises(UnknownTopicError):
        model().topic(TopicId("a"))
    with pytest.raises(UnknownTopicError):
        model().put(topic("a", AXES[0]))


def test_a_centroid_of_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="dimension"):
        model(topic("a", AXES[0]), dimension=5)


def test_a_model_survives_a_file_without_pickle() -> None:
    full = replace(
        topic("a", AXES[0]),
        terms=("充电", "发烫"),
        labels={"zh": "充电 发烫", "en": "charging heat"},
        exemplars=(Exemplar("m1", RedactedText("充电的时候发烫")),),
        state=TopicState.MUTED,
        kind=TopicKind.CHATTER,
    )
    before = model(full, topic("b", AXES[1], radius=0.7))
    file = io.BytesIO()
    np.savez(file, **before.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        after = TopicModel.from_arrays(arrays)
    assert after.embedder == "test"
    first = after.topic(TopicId("a"))
    assert (first.terms, first.labels, first.exemplars) == (full.terms, full.labels, full.exemplars)
    assert (first.state, first.kind, first.born, first.size) == (full.state, full.kind, BORN, 10)
    assert after.assign(AXES) == before.assign(AXES)


def test_models_of_another_focus_are_of_another_space() -> None:
    plain = model(topic("a", AXES[0]))
    sharp = replace(plain, centring=plain.centring.focused(np.eye(4, dtype=np.float32) * 2))
    assert plain.space == "test" != sharp.space
    assert TopicModel.from_arrays(sharp.to_arrays()).space == sharp.space


def test_a_model_is_of_the_newest_format_only_where_it_has_a_focus() -> None:
    plain = model(topic("a", AXES[0]))
    sharp = replace(plain, centring=plain.centring.focused(np.eye(4, dtype=np.float32) * 2))
    formats = [json.loads(bytes(one.to_arrays()["words"]))["format"] for one in (plain, sharp)]
    assert formats == [2, 3]


def test_a_model_without_topics_survives_a_file_too() -> None:
    assert TopicModel.from_arrays(model().to_arrays()).topics == ()


def test_a_file_of_an_unknown_format_is_refused() -> None:
    arrays = model().to_arrays()
    arrays["words"] = np.frombuffer(b'{"format": 99}', dtype=np.uint8)
    with pytest.raises(ValueError, match="format 99"):
        TopicModel.from_arrays(arrays)


@given(seed=st.integers(0, 2**32 - 1), topics=st.integers(1, 12), rows=st.integers(0, 40))
def test_every_assignment_is_the_nearest_covering_topic(seed: int, topics: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    centroids, vectors = unit(rng.normal(size=(topics, 4))), unit(rng.normal(size=(rows, 4)))
    radii = rng.uniform(0.05, 1.2, topics)
    made = model(*(topic(f"t{i}", c, float(r)) for i, (c, r) in enumerate(zip(centroids, radii, strict=True))))
    for vector, found in zip(vectors, made.assign(vectors), strict=True):
        distances = {f"t{i}": 1 - float(vector @ c) for i, c in enumerate(centroids)}
        covering = [name for i, name in enumerate(distances) if distances[name] <= radii[i] - 1e-5]
        if found.topic is None:
            assert not covering
        else:
            assert all(distances[found.topic] <= distances[name] + 1e-5 for name in covering)
            assert found.distance == pytest.approx(distances[found.topic], abs=1e-5)


def test_the_radius_holds_the_asked_share_of_members() -> None:
    distances = np.linspace(0, 1, 101)
    assert (distances <= radius_of(distances, 0.9)).mean() == pytest.approx(0.9, abs=0.02)
