"""Topics gathered into themes."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.embed import Centring, unit
from models.themes import themes, total
from models.topic import Topic, TopicId, TopicKind, TopicState
from models.topics import TopicModel

BORN = datetime(2025, 3, 3, tzinfo=UTC)


def drawn(count: int, seed: int = 0) -> tuple[Topic, ...]:
    rng = np.random.default_rng(seed)
    return tuple(
        Topic(TopicId(f"t{place:03d}"), centroid, 0.5, int(rng.integers(5, 90)), BORN)
        for place, centroid in enumerate(unit(rng.normal(size=(count, 6))))
    )


def model(topics: tuple[Topic, ...]) -> TopicModel:
    return TopicModel("test", Centring.none(6), topics)


def test_topics_that_lie_together_share_a_theme() -> None:
    axes = np.eye(6, dtype=np.float32)
    near = unit(np.concatenate([axes[:2], axes[:2] + 0.1, axes[:2] - 0.1]))
    topics = tuple(Topic(TopicId(f"t{place}"), centroid, 0.5, 10, BORN) for place, centroid in enumerate(near))
    assert {frozenset(theme.topics) for theme in themes(model(topics))} == {
        frozenset({"t0", "t2", "t4"}),
        frozenset({"t1", "t3", "t5"}),
    }


@given(count=st.integers(0, 40), seed=st.integers(0, 99))
def test_every_issue_is_in_exactly_one_theme(count: int, seed: int) -> None:
    topics = drawn(count, seed)
    found = themes(model(topics))
    assert sorted(topic for theme in found for topic in theme.topics) == [topic.id for topic in topics]
    assert all(theme.leader in theme.topics for theme in found)
    assert len(found) <= max(count, 1)


def test_the_order_of_topics_in_the_model_changes_nothing() -> None:
    topics = drawn(20)
    assert themes(model(topics)) == themes(model(topics[::-1]))


def test_the_largest_topic_leads() -> None:
    topics = drawn(9)
    size = {topic.id: topic.size for topic in topics}
    for theme in themes(model(topics)):
        assert size[theme.leader] == max(size[topic] for topic in theme.topics)


def test_retired_topics_and_chatter_are_in_no_theme() -> None:
    first, second, *rest = drawn(8)
    gone, chatter = replace(first, state=TopicState.RETIRED), replace(second, kind=TopicKind.CHATTER)
    found = themes(model((gone, chatter, *rest)))
    assert {topic for theme in found for topic in theme.topics} == {topic.id for topic in rest}


def test_a_theme_counts_what_its_topics_count() -> None:
    topics = drawn(12)
    counts = {topic.id: topic.size for topic in topics}
    assert sum(total(theme, counts) for theme in themes(model(topics))) == sum(counts.values())
    assert total(themes(model(topics))[0], {}) == 0
