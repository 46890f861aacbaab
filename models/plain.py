"""Text that strangers wrote, made safe to show: every character is seen or named, none is obeyed."""

import re
import unicodedata

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff\ufffe\uffff]"
)
"""Controls, direction marks and overrides, invisible spaces and tags, halves of pairs. Joiners (U+200C, U+200D)
stay: scripts and emoji need them."""
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_STACKED = re.compile("([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
                      "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip
"""Combining marks beyond the fourth on one letter, which would climb over the lines around."""
_JOINER = "\u200d"


def plain(text: str) -> str:
    """The text with unseen characters named, stacked marks cut and every kind of line end made one.

    >>> plain("a\\x1b[31mb\\u202ec\\r\\nd")
    'a‹U+001B›[31mb‹U+202E›c\\nd'
    """
    text = _LINE_END.sub("\n", text)
    text = _UNSEEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)
    return _STACKED.sub(r"\1", text)


def one_line(text: str, most: int) -> str:
    """The text on one line, plain, of at most ``most`` characters; … where more follows.

    >>> one_line("first\\n\\n second ", 40), one_line("abcdef", 4)
    ('first second', 'abc…')
    """
    # Of a long text only the head is looked at: a character is at most a dozen code points with its joiners.
    return clip(" ".join(plain(text[: most * 12]).split()), most)


def clip(text: str, most: int) -> str:
    """At most ``most`` code points of a text, cut between characters as people count them."""
    if len(text) <= most:
        return text
    end = most - 1
    while end > 0 and (_continues(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[: end or most - 1] + "…"


def clip_bytes(text: str, most: int) -> str:
    """As much of a text as fits ``most`` bytes of UTF-8.

    >>> clip_bytes("充电宝", 7), clip_bytes("充电宝", 9)
    ('充…', '充电宝')
    """
    if len(text.encode()) <= most:
        return text
    room = most - len("…".encode())
    head = text.encode()[: max(room, 0)].decode(errors="ignore")
    return clip(head + "  ", len(head) + 1) if head else "…"[: max(most, 0) // 3]


def _continues(one: str) -> bool:
    """Whether a code point belongs to the character before it: a joiner, a selector, a tone, a combining mark."""
    return (
        one == _JOINER
        or "\ufe00" <= one <= "\ufe0f"
        or "\U0001f3fb" <= one <= "\U0001f3ff"
        or bool(unicodedata.combining(one))
    )
