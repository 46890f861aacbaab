"""Words of a message that can name an issue, in Chinese and English."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from models.embed import Language
from models.stopwords import NEGATIONS_EN, NEGATIONS_ZH, STOP_EN, STOP_ZH, TRADE_ZH

_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,40}\]")
_ENGLISH = re.compile(r"[a-z]+(?:['’][a-z]+)?")
_HAN = re.compile(r"^[\u3400-\u4dbf\u4e00-\u9fff]+$")
_PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[^\u3400-\u4dbf\u4e00-\u9fff]+")
_TRADE_FREQUENCY = 100_000  # beside 没到 with some hundreds in the segmenter's own dictionary
_NUMERAL = re.compile(
    r"^[第每近约]?[零〇一二三四五六七八九十百千万两几半多]+[个只次天号日月年周分秒点元块家件台部条张双层楼岁倍]?"
)


def fold(text: str) -> str:
    """Width, case and Traditional script folded; placeholders of redaction taken out."""
    folded: str = _simplifier().convert(unicodedata.normalize("NFKC", _PLACEHOLDER.sub(" ", text)).casefold())
    return folded


def tokens(text: str) -> Iterator[tuple[Language, str]]:
    """The content words of a text in order, each with its language; digits and stop words left out.

    A word of negation is bound to the word after it, so that opposites stay apart.

    >>> [word for _, word in tokens("手机不能充电 [手机号] 12345")]
    ['手机', '不能充电']
    >>> [word for _, word in tokens("My parcel has never arrived!")]
    ['parcel', 'never arrived']
    """
    for piece in _PIECE.findall(fold(text)):
        if _HAN.match(piece):
            yield from (("zh", word) for word in _bound(_segmented(piece), NEGATIONS_ZH, _content_zh, ""))
        else:
            yield from (("en", word) for word in _bound(_words(piece), NEGATIONS_EN, _content_en, " "))


def stem(language: Language, word: str) -> str:
    """What the inflections of an English word share, for counting them together; Chinese words as they are.

    >>> stem("en", "refunds"), stem("en", "charging"), stem("en", "charged"), stem("en", "delivery")
    ('refund', 'charg', 'charg', 'deliveri')
    """
    if language == "zh":
        return word
    return " ".join(_stem_word(part) for part in word.split(" "))


def _stem_word(word: str) -> str:
    """Plural, -ing, -ed and a last e or y: the safe half of Porter's first step (Porter 1980)."""
    for ending, instead, shortest in (("'s", "", 2), ("sses", "ss", 2), ("ies", "i", 2), ("ing", "", 4), ("ed", "", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            word = word.removesuffix(ending) + instead
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
            word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]  # shipp-ed
    if len(word) > 3 and word[-1] in "ey":
        word = word[:-1] + ("i" if word[-1] == "y" else "")
    return word


def _bound(
    words: Iterable[str], negations: frozenset[str], is_content: Callable[[str], bool], joint: str
) -> Iterator[str]:
    held = ""
    for word in words:
        if word in negations:
            held = word
        elif is_content(word):
            yield f"{held}{joint}{word}" if held else word
            held = ""
        else:
            held = ""


def _words(piece: str) -> list[str]:
    return [word.replace("’", "'") for word in _ENGLISH.findall(piece)]


def _content_en(word: str) -> bool:
    return len(word) > 2 and word not in STOP_EN


def _segmented(piece: str) -> list[str]:
    return list(_segmenter().cut(piece))


def _content_zh(word: str) -> bool:
    return len(word) > 1 and word not in STOP_ZH and not _NUMERAL.match(word)


@cache
def _segmenter() -> Any:
    import rjieba

    segmenter = rjieba.Jieba()
    for word in TRADE_ZH:
        segmenter.add_word(word, _TRADE_FREQUENCY, "n")
    return segmenter


@cache
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")
