"""Topics follow slowly what their messages become. Vectors are drawn around known directions."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from models.embed import Centring, Vectors, unit
from models.follow import follow, moved
from models.identity import merge
from models.topic import Topic, TopicId
from models.topics import TopicModel

NOW = datetime(2026, 3, 10, tzinfo=UTC)
A, B = TopicId("a"), TopicId("b")
AXES = np.eye(16, dtype=np.float32)


def model() -> TopicModel:
    topics = tuple(Topic(name, AXES[n], 0.5, 90, NOW) for n, name in enumerate((A, B)))
    return TopicModel("test", Centring.none(16), topics)


def said(centre: np.ndarray, count: int, seed: int = 0) -> Vectors:
    return unit(centre + 0.2 * np.random.default_rng(seed).normal(size=(count, 16)))


def later(start: TopicModel, days: list[Vectors]) -> TopicModel:
    for vectors in days:
        own = vectors[[one.topic == A for one in start.assign(vectors)]]
        start = moved(start, follow(start, A, own), start) or start
    return start


def test_a_topic_whose_messages_change_slowly_still_takes_them_in() -> None:
    turn = [unit((np.cos(angle) * AXES[0] + np.sin(angle) * AXES[5])[None])[0] for angle in np.linspace(0, 1.3, 60)]
    days = [said(centre, 100, seed) for seed, centre in enumerate(turn)]
    fixed, followed = model(), later(model(), days)
    last = said(turn[-1], 300, seed=99)
    taken = [np.mean([one.topic == A for one in which.assign(last)]) for which in (fixed, followed)]
    assert taken[0] < 0.1
    assert taken[1] > 0.8


def test_a_topic_whose_messages_stay_stays() -> None:
    after = later(model(), [said(AXES[0], 50, seed) for seed in range(60)])
    assert after.topic(A).centroid @ AXES[0] > 0.99


def test_a_day_moves_a_topic_little() -> None:
    after = later(model(), [said(unit((AXES[0] + 0.5 * AXES[5])[None])[0], 256)])
    assert 0.97 < after.topic(A).centroid @ AXES[0] < 1


def test_what_was_merged_follows_its_own_messages() -> None:
    merged = merge(model(), B, A, NOW)
    found = follow(merged, A, said(AXES[1], 100))
    assert found.keys() == {B}


def test_without_messages_nothing_moves() -> None:
    assert follow(model(), A, np.empty((0, 16), np.float32)) == {}
    assert moved(model(), {}, model()) is None


def test_a_model_that_was_changed_meanwhile_keeps_its_places() -> None:
    start, found = model(), follow(model(), A, said(AXES[0], 50))
    changed = start.put(replace(start.topic(A), centroid=AXES[7]))
    assert moved(changed, found, start) is None
    assert moved(replace(start, embedder="another"), found, start) is None
    renamed = start.put(replace(start.topic(A), names={"en": "late"}))
    after = moved(renamed, found, start)
    assert after is not None
    assert after.topic(A).names == {"en": "late"}
    assert np.array_equal(after.topic(A).centroid, found[A])
