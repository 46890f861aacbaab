"""What a topic is called."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.terms import UNNAMED, describe
from models.tokens import fold, stem, tokens

HEAT = ["手机充电的时候发烫", "充电半小时就发烫得厉害", "一充电后盖发烫", "充电发烫，不敢用了", "充电时手机发烫严重"]
REFUND = ["退款还没到账", "申请退款七天了没有到账", "退款一直不到账", "钱什么时候退款到账", "退款没到账，催一下"]
PARCEL = [
    "My parcel never arrived",
    "Parcel shows delivered but never arrived",
    "the parcels still have not arrived",
    "Where is my parcel? It has not arrived",
    "Parcel not arrived after two weeks",
]


def words(text: str) -> list[str]:
    return [word for _, word in tokens(text)]


def test_a_topic_is_named_by_what_sets_it_apart() -> None:
    heat, refund, parcel = describe([HEAT, REFUND, PARCEL])
    assert {"充电", "发烫"} <= set(heat.terms)
    assert "退款" in refund.terms and "到账" in "".join(refund.terms)
    assert "parcel" in parcel.terms


def test_a_word_of_every_topic_names_none_first() -> None:
    groups = [[f"order {word} again" for _ in range(5)] for word in ("broken", "stained", "missing")]
    assert [found.terms[0] for found in describe(groups)] == ["broken", "stained", "missing"]


def test_the_background_tells_common_words_from_telling_ones() -> None:
    (found,) = describe([["屏幕碎裂 快递"] * 4], background=["快递 慢", "快递 丢件", "快递 破损"] * 20)
    assert found.terms[0] == "屏幕" or found.terms[0] == "碎裂"


def test_labels_are_in_the_languages_of_the_messages() -> None:
    both, chinese, english = describe([HEAT + PARCEL, HEAT, PARCEL])
    assert set(both.labels) == {"zh", "en"}
    assert set(chinese.labels) == {"zh"}
    assert set(english.labels) == {"en"}
    assert "充电" in both.labels["zh"] and "parcel" in both.labels["en"]


def test_a_label_follows_the_order_in_which_messages_say_it() -> None:
    (found,) = describe([HEAT])
    assert found.labels["zh"].index("充电") < found.labels["zh"].index("发烫")


def test_a_label_is_a_few_words_and_never_a_sentence() -> None:
    for found in describe([HEAT, REFUND, PARCEL]):
        for label in found.labels.values():
            assert 1 <= len(label.split(" ")) <= 6  # three words, each with its negation
            assert label not in HEAT + REFUND + PARCEL


def test_negation_stays_with_its_word() -> None:
    assert words("手机不能充电") == ["手机", "不能充电"]
    assert words("手机能充电") == ["手机", "充电"]
    assert "not arrived" in words("it has not arrived")


def test_a_word_and_its_negation_do_not_both_stand_in_a_label() -> None:
    (found,) = describe([["不能充电", "充电坏了", "不能充电了", "无法充电"]])
    assert sum("充电" in term for term in found.terms) == 1


@pytest.mark.parametrize("text", ["[手机号] 打 13912345678", "[email] 12345 67", "订单２０２５０３０１"])
def test_digits_and_placeholders_are_no_words(text: str) -> None:
    assert not any(re.search(r"\d|\[|手机号|email", word) for word in words(text))


def test_traditional_script_and_wide_letters_count_with_the_usual_ones() -> None:
    assert words("退款還沒到賬") == words("退款还没到账")
    assert fold("ＲＥＦＵＮＤ") == "refund"


@pytest.mark.parametrize(
    ("one", "other"),
    [("refund", "refunds"), ("shipping", "shipped"), ("delivery", "deliveries"), ("charge", "charging")],
)
def test_inflections_count_together(one: str, other: str) -> None:
    assert stem("en", one) == stem("en", other)


@pytest.mark.parametrize(
    ("one", "other"), [("address", "adder"), ("status", "state"), ("glass", "glad"), ("ring", "red")]
)
def test_other_words_do_not(one: str, other: str) -> None:
    assert stem("en", one) != stem("en", other)


def test_the_word_shown_is_the_one_people_write_most() -> None:
    (found,) = describe([["refunds late", "refund late", "refund missing", "where refund"]])
    assert "refund" in found.terms and "refunds" not in found.terms


def test_one_ranting_message_does_not_name_a_topic() -> None:
    (found,) = describe([[*REFUND, "垃圾 " * 50]])
    assert not any("垃圾" in term for term in found.terms)


def test_of_words_that_are_said_as_often_every_run_takes_the_same() -> None:
    texts = ["市场租赁首届杨斌", "价格高速公路", "银行股票"]
    (found,) = describe([texts])
    assert found.labels == {"zh": min(word for text in texts for word in words(text))}


@pytest.mark.parametrize("texts", [[], ["👍"], ["！！！", "？"], ["12345"], ["的", "了"]])
def test_a_topic_without_words_is_called_unnamed_rather_than_nothing(texts: list[str]) -> None:
    (found,) = describe([texts])
    assert found.terms == ()
    assert set(found.labels.values()) <= set(UNNAMED.values())


@settings(max_examples=60)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_no_text_makes_a_blank_label(texts: list[str]) -> None:
    (found,) = describe([texts])
    assert found.labels
    assert all(label.strip() and not re.search(r"\d{2}", label) for label in found.labels.values())


def test_a_language_that_has_no_word_for_a_topic_gives_it_no_label() -> None:
    (found,) = describe([["charger broken again", "my charger is broken", "broken charger", "charger broke", "哦"]])
    assert found.labels.keys() == {"en"}
