import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.plain import clip, clip_bytes, one_line, plain

FAMILY = "👩‍👩‍👧‍👦"
OBEYED = {"Cc", "Cf", "Zl", "Zp", "Cs"}
JOINERS = {"\u200c", "\u200d"}


@given(st.text())
def test_nothing_that_is_obeyed_or_unseen_is_left(text: str) -> None:
    left = {one for one in plain(text) if unicodedata.category(one) in OBEYED} - JOINERS - {"\n", "\t"}
    # Format characters of scripts (Arabic number signs, musical and Egyptian joins) are seen, and stay.
    assert {one for one in left if unicodedata.category(one) != "Cf"} == set()
    assert left.isdisjoint("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff\xad")


@given(st.text(), st.integers(2, 60))
def test_one_line_is_one_line_of_so_many_characters(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert not set(line) & set("\n\r\t\v\f\x85\u2028\u2029")


@given(st.text(max_size=40), st.integers(3, 80))
def test_what_is_clipped_fits_and_what_fits_is_not_clipped(text: str, most: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return
    clipped = clip_bytes(text, most)
    assert len(clipped.encode()) <= most
    assert clipped == text or size > most


@pytest.mark.parametrize("most", range(2, 30))
def test_no_emoji_is_cut_in_two(most: int) -> None:
    cut = clip(FAMILY * 10, most).removesuffix("…")
    assert cut.replace(FAMILY, "") == "" or most <= len(FAMILY)


def test_ordinary_words_of_any_script_stay_as_they_are() -> None:
    for text in ("充电宝充不进电", "naïve café", "می‌خواهم", "👍🏽 ok", "ไม่ได้", FAMILY):
        assert plain(text) == text


def test_stacked_marks_are_cut_so_that_they_stay_in_their_line() -> None:
    assert len(plain("Z" + "\u0335\u0336\u0337\u0338" * 500)) <= 5
