import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fingerprint import customer_key, fingerprint, normalise, unnamed_key
from models.message import RedactedText

KEY = b"an invented key of thirty bytes"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退款还没到账", "退款還沒到賬！！！"),
        ("ｉＰｈｏｎｅ 充不进电", "iphone充不进电"),
        ("Where is my REFUND?", "where is my refund"),
        ("where  is\nmy refund", "where is my refund 😡😡"),
        ("订单 20240501123456 没到", "订单 77889900112233 没到"),
        ("order AB-12345678 never came", "order ZX-99887766 never came"),
        ("太差了啊啊啊啊啊", "太差了啊"),
    ],
)
def test_texts_that_say_the_same_share_a_fingerprint(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("能退款", "不能退款"),
        ("iphone15 充不进电", "iphone16 充不进电"),
        ("买的64g发来32g", "买的32g发来64g"),
        ("👍", "👎"),
        ("???", "!!!"),
        ("still", "stil"),
    ],
)
def test_texts_that_say_different_things_do_not(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


@given(st.text(alphabet=st.characters()))
def test_any_string_has_a_short_plain_fingerprint(text: str) -> None:
    assert len(fingerprint(text)) == 20
    assert set(fingerprint(text)) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_lone_surrogates_and_nothing_at_all_have_one_too() -> None:
    assert fingerprint("坏了\ud83d") != fingerprint("")


def test_a_fingerprint_stays_the_same_from_release_to_release() -> None:
    # Stored beside counts: if this changes, every duplicate in the store counts once more.
    assert normalise("屏幕 碎了。") == "屏幕碎了"
    assert fingerprint("屏幕 碎了。") == "nmbik5mtvqhwfrsz2i5a"


def test_a_customer_has_the_same_key_from_release_to_release() -> None:
    assert customer_key("c-1", key=b"an invented key of thirty bytes") == "c3q7e2yhppcrc5lz4rea"


@given(st.text(), st.text())
def test_two_customers_never_share_a_key(one: str, other: str) -> None:
    assert (customer_key(one, key=KEY) == customer_key(other, key=KEY)) == (one == other)


def test_the_key_of_a_customer_depends_on_the_secret() -> None:
    assert customer_key("c-1", key=KEY) != customer_key("c-1", key=KEY + b"!")
    assert customer_key("c-1", key=b"x" * 64) != customer_key("c-1", key=b"x" * 65)


def test_a_lone_surrogate_in_a_customer_id_is_hashed_like_any_other() -> None:
    assert customer_key("\ud800", key=KEY) != customer_key("\ud801", key=KEY)


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="16 bytes") as refusal:
        customer_key("c-1", key=b"hunter2")
    assert "hunter2" not in str(refusal.value)


def test_a_message_of_no_named_customer_counts_by_what_it_says() -> None:
    assert unnamed_key(RedactedText("坏了！")) == unnamed_key(RedactedText("坏了"))
    assert unnamed_key(RedactedText("坏了")) != customer_key("坏了", key=KEY)


@pytest.mark.parametrize("unit", ["a", "1", "a-", "1a", "啊", "！", " ", "ab1 ", "ﷺ", "電"])
def test_hostile_texts_end(unit: str) -> None:
    fingerprint(unit * (200_000 // len(unit)))
