"""A map learnt from labels: what it draws together and apart, what it leaves where it was, and when it is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embed import Centring, Vectors, unit
from models.topic import Topic, TopicId
from models.topics import TopicModel
from training.stretch import Settled, Subject, fit, learn, packed, subject_of, unpacked

WIDE = 48
MANY = 20  # texts a label or topic


def around(places: Vectors, chance: np.random.Generator, loud: NDArray[np.float64]) -> tuple[Vectors, NDArray[np.intp]]:
    """Texts of some places, blurred by ``loud`` in each direction."""
    rows = np.repeat(np.arange(len(places)), MANY)
    return unit(places[rows] + chance.normal(size=(len(rows), WIDE)) * loud), rows


@pytest.fixture(scope="module")
def subject() -> Subject:
    """Twelve labels that a few loud directions blur, and five topics elsewhere."""
    chance = np.random.default_rng(5)
    loud = np.where(np.arange(WIDE) < 6, 1.0, 0.1)
    quiet = np.where(np.arange(WIDE) < 6, 0.0, 1.0)
    labels, topics = (unit(chance.normal(size=(count, WIDE)) * quiet) for count in (12, 5))
    named, of = around(labels, chance, loud)
    known, at = around(topics, chance, np.full(WIDE, 0.05))
    return Subject(named, of, known, at, topics)


def told_apart(vectors: Vectors, labels: NDArray[np.intp]) -> float:
    """How much nearer texts are to those of their own label than to others."""
    near, same = vectors @ vectors.T, labels[:, None] == labels
    return float(near[same].mean() - near[~same].mean())


def test_labels_come_apart_and_known_texts_stay_nearest_to_their_topics(subject: Subject) -> None:
    stretch = fit(subject)
    before, after = (told_apart(x, subject.labels) for x in (subject.named, stretch.of(subject.named)))
    assert after > before + 0.1
    stay = (stretch.of(subject.known) @ stretch.places.T).argmax(axis=1) == subject.topics
    assert stay.mean() > 0.95


def test_the_same_seed_learns_the_same(subject: Subject) -> None:
    assert np.array_equal(fit(subject, seed=3).matrix, fit(subject, seed=3).matrix)


def test_what_helps_on_texts_it_did_not_see_is_kept(subject: Subject) -> None:
    stretch, told = learn(subject)
    assert stretch is not None and told.share > 0
    assert told.after.rank is not None and told.before.rank is not None and told.after.rank > told.before.rank


def test_labels_that_mean_nothing_are_not_learnt(subject: Subject) -> None:
    chance = np.random.default_rng(1)
    blank = replace(subject, named=unit(chance.normal(size=subject.named.shape)))
    told = [learn(blank, seed=seed)[1] for seed in range(3)]
    assert all(one.share == 0 or (one.after.stays or 0) >= 0.95 for one in told)


def test_where_all_labels_are_found_already_it_is_kept_for_how_far_apart_they_are() -> None:
    chance = np.random.default_rng(3)
    near = unit(np.eye(WIDE)[:3] + 0.7 * np.eye(WIDE)[3])  # apart, and much alike
    named, of = around(near, chance, np.full(WIDE, 0.04))
    none = np.empty((0, WIDE), np.float32)
    stretch, told = learn(Subject(named, of, none, np.empty(0, np.intp), none))
    assert told.before.rank == told.after.rank == 1.0
    assert stretch is not None and told.before.margin is not None and told.after.margin is not None
    assert told.after.margin > told.before.margin > 0


def test_texts_that_lie_elsewhere_than_their_labels_teach_nothing(subject: Subject) -> None:
    """Shuffled labels: the named are told from the known all the same, so that their rank rises."""
    chance = np.random.default_rng(0)
    of = replace(subject, labels=chance.permutation(subject.labels))
    stretch, told = learn(of)
    assert stretch is None and told.share == 0
    assert told.before.margin is not None and told.before.margin < 0


def test_no_share_of_it_is_no_change(subject: Subject) -> None:
    still = fit(subject).share(0.0, subject.places)
    assert np.allclose(still.of(subject.named), subject.named, atol=1e-6)
    assert np.allclose(still.places, subject.places, atol=1e-6)


def test_one_label_or_labels_of_one_text_teach_nothing() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(4, WIDE)))
    none = np.empty((0, WIDE), np.float32)
    assert subject_of(vectors, ["a", "a", None, None], [None] * 4, none) is None
    assert subject_of(vectors, ["a", "b", "c", "d"], [None] * 4, none) is None
    found = subject_of(vectors, ["b", "a", "a", "b"], [None] * 4, none)
    assert found is not None and found.labels.tolist() == [1, 0, 0, 1]


def test_without_anything_known_labels_are_learnt_all_the_same(subject: Subject) -> None:
    none = np.empty((0, WIDE), np.float32)
    alone = Subject(subject.named, subject.labels, none, np.empty(0, np.intp), none)
    assert told_apart(fit(alone).of(alone.named), alone.labels) > told_apart(alone.named, alone.labels) + 0.1


def test_a_stretch_is_written_and_read() -> None:
    matrix, place = np.eye(3, dtype=np.float32) * 2, np.array([0, 1, 0], np.float32)
    settled = Settled(matrix, {TopicId("t1"): place}, {TopicId("t1"): 1.5})
    found, told = unpacked(packed(settled, None))
    assert found is not None and told is None
    assert np.array_equal(found.matrix, matrix) and np.array_equal(found.places[TopicId("t1")], place)
    assert found.widened == {"t1": 1.5}
    assert unpacked(packed(None, None)) == (None, None)


def test_a_topic_goes_where_it_was_learnt_to_be_or_else_where_the_map_puts_it() -> None:
    born = datetime(2026, 3, 1, tzinfo=UTC)
    turned = np.array([[0, 1], [1, 0]], np.float32)
    topic = Topic(TopicId("t1"), np.array([1, 0], np.float32), 0.2, 9, born)
    learnt = Settled(turned, {topic.id: np.array([0.6, 0.8], np.float32)}, {topic.id: 2.0})
    assert learnt.of(topic).centroid.tolist() == pytest.approx([0.6, 0.8]) and learnt.of(topic).radius == 0.4
    assert learnt.of(replace(topic, id=TopicId("t2"))).centroid.tolist() == [0, 1]


def test_a_stretched_model_reads_as_it_was_written_and_is_another_space() -> None:
    plain = TopicModel("fake", Centring.none(2))
    stretched = replace(
        plain, centring=plain.centring.stretched(np.array([[2, 0], [0, 1]], np.float32), unit(np.eye(2)))
    )
    again = TopicModel.from_arrays(stretched.to_arrays())
    vectors = unit(np.array([[1.0, 1.0]]))
    assert np.allclose(again.centring.apply(vectors, ["en"]), unit(np.array([[2.0, 1.0]])))
    assert again.space == stretched.space != plain.space == "fake"
    twice = stretched.centring.stretched(np.array([[1, 0], [0, 2]], np.float32), unit(np.eye(2)))
    assert np.allclose(twice.apply(vectors, ["en"]), vectors)
