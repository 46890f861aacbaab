"""Which messages are shown for a surge."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embed import unit
from models.message import CustomerKey, Message, RedactedText
from models.samples import choose_samples, same_wording

START = datetime(2025, 3, 3, tzinfo=UTC)
TEXTS = [
    "手机充电的时候后盖发烫",
    "充电半小时烫得拿不住",
    "一插上电源就很热，正常吗",
    "the phone gets hot while charging",
    "burned my hand on the back cover",
    "昨晚充着电闻到糊味",
    "overheating after the last update",
    "发热严重，屏幕自动变暗",
]


def message(
    row: int, text: str, *, customer: str | None = None, hours: float | None = None, attributes: Mapping[str, str] = {}
) -> Message:
    at = START + timedelta(hours=row if hours is None else hours)
    who = CustomerKey(customer or f"c{row}")
    return Message(f"m{row}", "test", RedactedText(text), at, who, attributes=attributes)


def test_what_lies_closest_together_is_shown_first() -> None:
    vectors = unit(np.array([[1.0, row / 4] for row in range(8)]))
    chosen = choose_samples([message(row, text) for row, text in enumerate(TEXTS)], vectors, most=3)
    assert set(chosen) == {3, 4, 5}, "angles grow closer, and the last has neighbours on one side alone"


def test_what_is_new_at_the_place_is_shown_before_what_was_always_said_there() -> None:
    rng = np.random.default_rng(0)
    usual, new = (unit(np.array([at]) + 0.1 * rng.normal(size=(40, 3))) for at in ([1.0, 0, 0], [0.8, 0.6, 0]))
    vectors = np.concatenate([usual[:4], new[:4]])
    said = [message(row, text) for row, text in enumerate(TEXTS)]
    assert set(choose_samples(said, vectors, usual[4:], most=4)) == {4, 5, 6, 7}
    assert set(choose_samples(said, vectors, new[4:], most=4)) == {0, 1, 2, 3}


def test_copies_are_shown_once() -> None:
    copies = [message(row, f"你好，{TEXTS[0]}") for row in range(10)] + [message(10, TEXTS[3])]
    assert len(choose_samples(copies)) == 2


def test_a_customer_is_shown_once_while_there_are_others() -> None:
    said = [message(row, text, customer="loud" if row < 5 else None) for row, text in enumerate(TEXTS)]
    first = choose_samples(said, most=4)
    assert len({said[row].customer for row in first}) == 4
    alone = choose_samples([message(row, text, customer="loud") for row, text in enumerate(TEXTS)], most=4)
    assert len(alone) == 4


def test_messages_of_the_culprit_come_first_and_not_alone() -> None:
    said = [
        message(row, text, attributes={"batch": "B2" if row in (1, 3, 5) else "B1"}) for row, text in enumerate(TEXTS)
    ]
    chosen = choose_samples(said, prefer=("batch", "B2"), most=5)
    assert set(chosen[:3]) == {1, 3, 5}
    assert len(chosen) == 5


def test_where_nearly_all_are_the_culprits_some_others_still_show() -> None:
    said = [message(row, text, attributes={"batch": "B1" if row == 2 else "B2"}) for row, text in enumerate(TEXTS)]
    assert 2 in choose_samples(said, prefer=("batch", "B2"), most=5)


def test_where_all_are_the_culprits_they_fill_the_list() -> None:
    said = [message(row, text, attributes={"batch": "B2"}) for row, text in enumerate(TEXTS)]
    assert len(choose_samples(said, prefer=("batch", "B2"), most=6)) == 6


def test_without_messages_nothing_is_shown() -> None:
    assert choose_samples([]) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("订单 12345678 还没发货，请尽快", "订单 87654321 还没发货，请尽快！！", True),
        ("My parcel has not arrived yet", "Hi, my parcel has not arrived yet", True),
        ("不能充电", "能充电", False),
        ("👍", "👎", False),
    ],
)
def test_one_wording_is_what_people_would_call_a_copy(one: str, other: str, same: bool) -> None:
    assert same_wording(one, other) is same


@given(
    st.lists(st.tuples(st.sampled_from([*TEXTS, "!", ""]), st.sampled_from("abc")), max_size=12),
    st.integers(1, 10),
)
def test_never_more_than_asked_and_no_two_of_one_wording(said: list[tuple[str, str]], most: int) -> None:
    messages = [message(row, text, customer=who) for row, (text, who) in enumerate(said)]
    chosen = choose_samples(messages, prefer=("batch", "B2"), most=most)
    assert len(chosen) <= most
    assert len(set(chosen)) == len(chosen)
    texts = [messages[row].text for row in chosen]
    assert not any(same_wording(one, other) for place, one in enumerate(texts) for other in texts[:place])
    assert bool(chosen) == bool(messages)
