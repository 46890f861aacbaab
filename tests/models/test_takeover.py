"""When one model takes over from another, places change and promises stay."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from models import identity
from models.bridge import moved, turn
from models.embed import Centring, Vectors, unit
from models.lineage import changes
from models.message import RedactedText
from models.takeover import named, take_over
from models.topic import Exemplar, Topic, TopicId, TopicState
from models.topics import TopicModel

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DIMENSION = 8
RNG = np.random.default_rng(5)
PLACES = unit(RNG.normal(size=(6, DIMENSION)))
ROTATION = np.linalg.qr(RNG.normal(size=(DIMENSION, DIMENSION)))[0].astype(np.float32)


def topic(number: int, place: NDArray[np.float32], radius: float = 0.3, *said: str) -> Topic:
    exemplars = tuple(Exemplar(f"m{row}", RedactedText(text)) for row, text in enumerate(said))
    return Topic(TopicId(f"t{number}"), place, radius, 10, NOW, exemplars=exemplars)


def model(embedder: str, *topics: Topic) -> TopicModel:
    return TopicModel(embedder, Centring.none(DIMENSION), topics)


OLD = model("old", *(topic(n, place, 0.3, f"issue {n}") for n, place in enumerate(PLACES)))
NEW = model("new", *(topic(n, place @ ROTATION, 0.6, f"issue {n}") for n, place in enumerate(PLACES[:4])))


def embed(texts: object) -> Vectors:
    """The new space: where issue n lies is where its place is turned to."""
    return np.stack([PLACES[int(str(text)[-1])] @ ROTATION for text in texts])  # type: ignore[attr-defined]


def test_the_turn_between_two_spaces_is_found_from_the_topics_they_share() -> None:
    many = unit(RNG.normal(size=(60, DIMENSION)))
    before = model("old", *(topic(n, place) for n, place in enumerate(many)))
    after = model("new", *(topic(n, place @ ROTATION) for n, place in enumerate(many)))
    found = turn(before, after)
    assert np.allclose(found @ found.T, np.eye(DIMENSION), atol=1e-5)
    assert (np.einsum("ij,ij->i", PLACES @ found, PLACES @ ROTATION) > 0.98).all()


def test_spaces_that_share_no_topic_are_taken_for_one() -> None:
    assert np.allclose(turn(OLD, model("new", topic(99, PLACES[0]))), np.eye(DIMENSION), atol=1e-6)


def test_a_topic_found_meanwhile_goes_where_its_exemplars_lie_in_the_new_space_and_its_radius_is_scaled() -> None:
    (there,) = moved([OLD.topic(TopicId("t5"))], OLD, NEW, embed)
    assert np.allclose(there.centroid, PLACES[5] @ ROTATION, atol=1e-5)
    assert abs(there.radius - 0.6) < 1e-6


def test_no_id_is_lost_and_names_and_muting_stay_as_people_left_them() -> None:
    present = identity.mute(identity.rename(OLD, TopicId("t1"), {"en": "Late"}), TopicId("t2"))
    after = take_over(present, NEW, embed)
    assert {one.id for one in after.topics} == {one.id for one in OLD.topics}
    assert after.topic(TopicId("t1")).names == {"en": "Late"}
    assert after.topic(TopicId("t2")).state is TopicState.MUTED
    assert after.topic(TopicId("t1")).radius == 0.6
    assert [event.topic for event in changes(present, after, at=NOW)] == []


def test_a_merge_and_a_word_held_apart_survive_a_new_model() -> None:
    present = identity.merge(OLD, TopicId("t3"), TopicId("t0"), NOW)
    present = identity.hold_apart(present, TopicId("t1"), TopicId("t2"), NOW)
    after = take_over(present, NEW, embed)
    assert after.heir(TopicId("t3")) == "t0"
    assert after.constraints.cannot(TopicId("t1"), TopicId("t2"))


def test_going_back_retires_what_the_bundle_brought_and_restores_what_it_merged() -> None:
    brought = topic(7, PLACES[5] @ ROTATION)
    live = identity.merge(take_over(OLD, NEW, embed), TopicId("t3"), TopicId("t0"), NOW).add([brought])
    back = take_over(live, OLD, embed, back={one.id for one in OLD.topics}, gone={"t7"})
    assert back.topic(TopicId("t7")).state is TopicState.RETIRED
    assert back.heir(TopicId("t3")) == "t3"
    assert back.embedder == "old"


def test_new_topics_get_their_ids_wherever_they_are_spoken_of() -> None:
    part = Topic(TopicId("new-1"), PLACES[0], 0.2, 5, NOW, origin=TopicId("t1"))
    gone = Topic(TopicId("t1"), PLACES[1], 0.2, 5, NOW, state=TopicState.RETIRED, into=TopicId("new-1"))
    after = named(model("new", part, gone), {"new-1": "t40"})
    assert [one.id for one in after.topics] == ["t40", "t1"]
    assert (after.topics[0].origin, after.topics[1].into) == ("t1", "t40")
