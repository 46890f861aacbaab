"""A topic divided in two by its own messages, and what each part looks like."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.division import halves
from models.embed import Vectors, unit
from models.message import CustomerKey, Message, RedactedText
from models.portrait import DivisionError, divide
from models.topic import Topic, TopicId

NOW = datetime(2026, 3, 10, tzinfo=UTC)
HOT, DEAD = "the charger gets hot", "它根本充不进电"


def message(number: int, text: str) -> Message:
    return Message(f"m{number}", "test", RedactedText(f"{text} {chr(97 + number)}"), NOW, CustomerKey(f"c{number}"))


def two_issues(of_first: int, of_second: int) -> tuple[list[Message], Vectors]:
    """Messages of two issues around two directions, the first ones first."""
    rng = np.random.default_rng(7)
    places = np.repeat(unit(rng.normal(size=(2, 12))), [of_first, of_second], axis=0)
    texts = [HOT] * of_first + [DEAD] * of_second
    return [message(n, text) for n, text in enumerate(texts)], unit(places + 0.08 * rng.normal(size=places.shape))


def test_two_issues_are_told_apart_and_the_smaller_is_the_part() -> None:
    messages, vectors = two_issues(14, 8)
    rest, part, side = divide(messages, vectors)
    assert side.tolist() == [False] * 14 + [True] * 8
    assert (rest.size, part.size) == (14, 8)
    assert "charger" in rest.words.labels["en"] and set(part.words.labels) == {"zh"}
    assert all(DEAD in one.text for one in part.exemplars)
    assert rest.centroid @ part.centroid < 0.8


def test_a_person_picks_the_part_by_one_of_its_messages() -> None:
    messages, vectors = two_issues(8, 14)
    _, part, side = divide(messages, vectors, picked=[2])
    assert side.tolist() == [True] * 8 + [False] * 14
    assert all(HOT in one.text for one in part.exemplars)


def test_a_portrait_changes_how_a_topic_looks_and_not_who_it_is() -> None:
    messages, vectors = two_issues(10, 10)
    rest, _, _ = divide(messages, vectors)
    named = Topic(TopicId("t7"), np.ones(12, np.float32), 0.4, 3, NOW, names={"en": "heat"})
    after = rest.of(named)
    assert (after.id, after.born, after.names, after.state) == (named.id, named.born, named.names, named.state)
    assert after.size == 10 and after.centroid is rest.centroid


@pytest.mark.parametrize("sizes", [(4, 3), (20, 3), (0, 0)])
def test_too_few_messages_are_not_divided(sizes: tuple[int, int]) -> None:
    with pytest.raises(DivisionError, match="each needs 5"):
        divide(*two_issues(*sizes))


@given(rows=st.integers(1, 40), seed=st.integers(0, 999), data=st.data())
def test_what_was_picked_is_always_in_the_part(rows: int, seed: int, data: st.DataObject) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(rows, 5)))
    picked: Sequence[int] = data.draw(st.lists(st.integers(0, rows - 1), max_size=5))
    side = halves(vectors, picked)
    assert side.shape == (rows,) and side[list(picked)].all()
    assert (halves(vectors, picked) == side).all()
    if not picked:
        assert side.sum() <= rows / 2
