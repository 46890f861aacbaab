"""Which pieces of the vocabulary Chinese and English need.

A Unigram tokenizer takes the likeliest way to cut a text into pieces, and a piece that does not occur in the
text is no part of any way. So a text made of kept characters is cut exactly as before, and its vector is the
same to the bit, while two thirds of the file are word embeddings and more than half of those go.
"""

from collections.abc import Sequence

from models.encoder.weights import Vocabulary

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
"""The first pieces, in this order; other code counts on their ids 0 to 3."""

_KEPT = (
    (0x0000, 0x007F),  # ASCII
    (0x00A0, 0x00BF),  # Latin-1 signs: £ ° ½ …
    (0x00D7, 0x00D7),  # ×
    (0x00F7, 0x00F7),  # ÷
    (0x2000, 0x2BFF),  # punctuation, currency, arrows, mathematics, shapes; U+2581 marks a word's start
    (0x3000, 0x303F),  # CJK punctuation
    (0x3200, 0x33FF),  # enclosed CJK, CJK compatibility
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xFE00, 0xFE0F),  # variation selectors, for emoji
    (0xFF00, 0xFFEF),  # full-width forms
    (0x1F000, 0x1FAFF),  # emoji
    (0x20000, 0x2FFFF),  # Han, extensions B and beyond
)
"""Unicode blocks, first and last code point."""


def is_kept(piece: str) -> bool:
    """True for a special piece, or one made of kept characters alone.

    >>> [is_kept(piece) for piece in ("▁refund", "退款", "😡", "возврат", "<pad>")]
    [True, True, True, False, True]
    """
    return piece in SPECIALS or all(_in_kept_block(ord(character)) for character in piece)


def kept(pieces: Sequence[str]) -> list[int]:
    """Ids of the pieces to keep, ascending. Raises ValueError unless the specials come first."""
    if tuple(pieces[: len(SPECIALS)]) != SPECIALS:
        raise ValueError(f"a vocabulary that does not begin with {' '.join(SPECIALS)}")
    return [index for index, piece in enumerate(pieces) if is_kept(piece)]


def pruned(vocabulary: Vocabulary, ids: Sequence[int]) -> Vocabulary:
    """The vocabulary of these pieces alone; ids are counted anew, those of the specials stay."""
    return Vocabulary(
        tuple(vocabulary.pieces[index] for index in ids),
        tuple(vocabulary.scores[index] for index in ids),
        vocabulary.bos,
        vocabulary.eos,
        vocabulary.pad,
        vocabulary.unk,
    )


def _in_kept_block(point: int) -> bool:
    return any(first <= point <= last for first, last in _KEPT)
