"""Identity documents and bank cards: long numbers told by their checksums, or by the word before them.

Nothing here cuts into a longer run of digits. Up to three spaces, hyphens or dots may stand between two digits.
"""

import re
from collections.abc import Iterator

from stdnum import luhn
from stdnum.cn import ric

from models.redact.rule import Span, any_of, find, value

GAP = r"[ \-._·]{0,3}"
ID_HINTS = (rf"\d(?:{GAP}\d){{13}}", r"\d{3}-\d\d-\d{4}", "护照|行证|胞证|乡证|passport")
CARD_HINTS = (rf"\d(?:{GAP}\d){{14}}",)
_IS = r"[是为:： ]{0,3}(?:is )?"
_NUMBER_WORD = r"(?: {0,2}(?:号码|号|(?i:number|no\.?|#)))?"

_ID_18 = re.compile(rf"(?<!\d)(?P<value>[1-9](?:{GAP}\d){{16}}{GAP}[\dXx])(?![\dXx])")
# Weaker, so not where more groups of digits stand beside it: it could be the tail of a card.
_ID_15 = re.compile(rf"(?<!\d)(?<!\d[ \-.])(?P<value>[1-9](?:{GAP}\d){{14}})(?![ \-.]?\d)")
_ID_CUED = re.compile(
    rf"{any_of('身份证 证件 居民证')}{_NUMBER_WORD}{_IS}(?P<value>[1-9](?:{GAP}\d){{13,16}}{GAP}[\dXx])(?![\dXx])"
)
_PASSPORT = re.compile(
    rf"(?:{any_of('护照 通行证 台胞证 回乡证')}|(?i:passport)){_NUMBER_WORD}{_IS}"
    r"(?P<value>[A-Za-z]{1,2}\d{7,9}|\d{9})(?![0-9A-Za-z])"
)
# Ranges that the Social Security Administration never issues are left out.
_SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?P<value>(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4})(?![\d-])")
# The first two digits of the province-level divisions, GB/T 2260; then any birthday.
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_OLD_ID = re.compile(rf"{_PROVINCE}\d{{4}}\d\d{_DAY}\d{{3}}")
_NEW_ID = re.compile(rf"{_PROVINCE}\d{{4}}(?:18|19|20)\d\d{_DAY}\d{{3}}[\dX]")


def identity_documents(line: str) -> Iterator[Span]:
    """Chinese identity cards (18 characters with their checksum, GB 11643; 15 digits with a place and a
    birthday), identity numbers and passports after a cue, United States social security numbers."""
    return find(
        line,
        (_ID_18, _checked_id),
        (_ID_CUED, value),
        (_ID_15, _old_id),
        (_PASSPORT, value),
        (_SOCIAL_SECURITY, value),
    )


def _checked_id(match: re.Match[str]) -> Span | None:
    """By place, birthday and check digit. `ric.is_valid` would also ask whether the county's code was in force
    in the year of birth, but people are registered later, and elsewhere."""
    number = compact(match[0]).upper()
    return match.span() if _NEW_ID.fullmatch(number) and ric.calc_check_digit(number) == number[-1] else None


def _old_id(match: re.Match[str]) -> Span | None:
    return match.span() if _OLD_ID.fullmatch(compact(match[0])) else None


# First digits 3 to 6 and 9: the major industry identifiers of travel, banking and national schemes.
_CARD = re.compile(rf"(?<!\d)(?<!\d\.)(?P<value>[3-69](?:{GAP}\d){{14,18}})(?!\d)")
_CARD_CUED = re.compile(
    rf"(?:{any_of('银行卡 信用卡 储蓄卡 借记卡 卡号 账号 账户')}|(?i:\b(?:card|account)))"
    rf"{_NUMBER_WORD}{_IS}(?P<value>\d(?:{GAP}\d){{14,18}})(?!\d)"
)


def bank_cards(line: str) -> Iterator[Span]:
    """Numbers of 16 to 19 digits (15 for American Express) that pass Luhn (ISO/IEC 7812-1) and start as cards
    do; after a cue, without these tests."""
    return find(line, (_CARD, _checked_card), (_CARD_CUED, value))


def _checked_card(match: re.Match[str]) -> Span | None:
    digits = compact(match[0])
    if (len(digits) == 15 and digits[:2] not in {"34", "37"}) or is_list(match[0]):
        return None
    return match.span() if luhn.is_valid(digits) else None


_DIGITS = re.compile(r"\d+")
_NOT_NUMBER = re.compile(r"[^0-9Xx+]")


def compact(number: str) -> str:
    """The number without what stands between its digits."""
    return _NOT_NUMBER.sub("", number)


def is_list(number: str) -> bool:
    """Whether the groups read as sizes or prices in a row rather than as one number cut up.

    >>> is_list("165 170 175 18"), is_list("19.9 29.90 39.90"), is_list("138 0013 8000")
    (True, True, False)
    """
    groups = _DIGITS.findall(number)
    sizes = len(groups) >= 4 and all(2 <= len(group) <= 3 for group in groups)
    return sizes or (" " in number and "." in number)
