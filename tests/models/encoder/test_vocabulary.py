"""The tokenizer, and the vocabulary cut down to Chinese and English."""

from typing import Any

import pytest

from models.encoder import weights
from models.encoder.prune import SPECIALS, is_kept, kept, pruned
from models.encoder.tokenizer import build

MIXED = [
    "退款申请三天了还没到账，客服也不回",
    "My parcel says delivered but nothing came!!",
    "iPhone 15 Pro Max 充电发烫😡😡，能换吗？",
    "尺码偏小～XL码也穿不下…（已退）",
    "Paid £20.50 × 2, got 1 — where's the other?",
    "ＡＢＣ　１２３ 全角也要认得",
    "",
]


@pytest.fixture(scope="module")
def full(packed: weights.Packed) -> Any:
    return build(packed.vocabulary)


@pytest.fixture(scope="module")
def small(packed: weights.Packed) -> Any:
    return build(pruned(packed.vocabulary, kept(packed.vocabulary.pieces)))


@pytest.mark.parametrize("text", MIXED)
def test_chinese_and_english_are_cut_as_with_the_whole_vocabulary(full: Any, small: Any, text: str) -> None:
    assert small.encode("query: " + text).tokens == full.encode("query: " + text).tokens


def test_less_than_half_of_the_vocabulary_is_kept(packed: weights.Packed) -> None:
    assert len(kept(packed.vocabulary.pieces)) == 101_516


def test_the_specials_keep_their_ids(small: Any) -> None:
    assert [small.token_to_id(piece) for piece in SPECIALS] == [0, 1, 2, 3]


def test_another_script_is_unknown_but_no_error(small: Any) -> None:
    assert 3 in small.encode("возврат").ids


def test_full_width_forms_are_the_same_as_plain_ones(small: Any) -> None:
    assert small.encode("ＡＢＣ　１２３").ids == small.encode("ABC 123").ids


def test_an_emoji_family_is_cut_at_its_joiners(small: Any) -> None:
    assert "\u200d" not in "".join(small.encode("👨\u200d👩\u200d👧").tokens)


def test_a_vocabulary_in_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="begin with <s> <pad>"):
        kept(["<pad>", "<s>", "</s>", "<unk>", "▁a"])


def test_accented_and_cyrillic_pieces_go() -> None:
    assert not is_kept("▁café")
    assert not is_kept("да")
