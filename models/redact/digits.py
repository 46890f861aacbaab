"""What is told by its digits: identity documents, bank cards, telephone numbers.

A separator between digits is up to two spaces, hyphens, dots or the like. Nothing here cuts into a longer run
of digits: an order number of 22 digits holds no telephone number.
"""

import re
from collections.abc import Iterator

import phonenumbers
from stdnum import luhn
from stdnum.cn import ric

from models.redact.rule import Span, always, candidates

_GAP = r"[ \-._·]{0,2}"
_NOT_AFTER_DIGIT = r"(?<!\d)(?<!\d[.·])"
_NOT_BEFORE_DIGIT = r"(?!\d)"

# --- identity documents -----------------------------------------------------------------------------------

_IDENTITY_18 = re.compile(rf"(?<!\d)[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx](?![\dXx])")
_IDENTITY_15 = re.compile(rf"(?<!\d)[1-9](?:{_GAP}\d){{14}}{_NOT_BEFORE_DIGIT}")
_IDENTITY_CUED = re.compile(
    r"(?:身份证|证件)(?:号码|号)?[是为:：\s]{0,3}(?P<value>[1-9](?:[ \-.]{0,2}\d){13,16}[ \-.]{0,2}[\dXx])(?![\dXx])"
)
_PASSPORT = re.compile(
    r"(?:护照|通行证|台胞证|passport)\s{0,2}(?:号码|号|(?i:number|no\.?|#))?[是为:：\s]{0,3}(?:(?i:is)\s)?"
    r"(?P<value>[A-Za-z]{1,2}\d{7,9}|\d{9})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
# First two digits of the administrative divisions, GB/T 2260.
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65".split()
)
_OLD_BIRTHDAY = re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def identity_documents(line: str) -> Iterator[Span]:
    """Chinese identity cards (18 with their checksum, GB 11643; 15 with a place and a birthday), passports
    after a cue, United States social security numbers."""
    spans = [
        *candidates(_IDENTITY_18, line, _checked_identity),
        *candidates(_IDENTITY_CUED, line, always),
        *candidates(_IDENTITY_15, line, _old_identity),
        *candidates(_PASSPORT, line, always),
        *candidates(_SOCIAL_SECURITY, line, always),
    ]
    return disjoint(spans)


def _checked_identity(match: re.Match[str]) -> Span | None:
    return match.span() if ric.is_valid(_compact(match[0])) else None


def _old_identity(match: re.Match[str]) -> Span | None:
    digits = _compact(match[0])
    return match.span() if digits[:2] in _PROVINCES and _OLD_BIRTHDAY.fullmatch(digits[6:12]) else None


# --- bank cards -------------------------------------------------------------------------------------------

_CARD = re.compile(rf"{_NOT_AFTER_DIGIT}[3-69](?:{_GAP}\d){{14,18}}{_NOT_BEFORE_DIGIT}")
_CARD_CUED = re.compile(
    r"(?:银行卡|信用卡|储蓄卡|借记卡|卡号|尾号|账号|账户|(?i:card|account))(?:\s{0,2}(?:号码|号|(?i:number|no\.?|#)))?"
    r"[是为:：\s]{0,3}(?:(?i:is)\s)?(?P<value>\d(?:[ \-.]{0,2}\d){14,18})(?!\d)"
)


def bank_cards(line: str) -> Iterator[Span]:
    """Numbers of 16 to 19 digits (15 for American Express) that pass Luhn (ISO/IEC 7812-1) and start as cards
    do; after a cue, without these tests."""
    return disjoint([*candidates(_CARD, line, _checked_card), *candidates(_CARD_CUED, line, always)])


def _checked_card(match: re.Match[str]) -> Span | None:
    digits = _compact(match[0])
    if len(digits) == 15 and digits[:2] not in {"34", "37"}:
        return None
    return match.span() if luhn.is_valid(digits) and not _is_list(match[0]) else None


# --- telephones -------------------------------------------------------------------------------------------

_CHINA = r"(?:\(?(?:\+|(?<!\d)00) ?86\)?|(?<!\d)86)[ \-]{0,2}"
_MOBILE = re.compile(rf"(?:{_CHINA}|(?<!\d))\(?0?1[3-9 \-._·](?:[ \-._·()]{{0,2}}\d){{9,10}}{_NOT_BEFORE_DIGIT}")
_MOBILE_DIGITS = re.compile(r"(?:(?:\+|00)?86)?0?1[3-9]\d{9}")
_NUMERALS = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两"
_SPELLED = re.compile(
    rf"(?<![\d{_NUMERALS}])[1一幺壹]{_GAP}[3-9三四五六七八九叁肆伍陆柒捌玖]"
    rf"(?:{_GAP}[\d{_NUMERALS}]){{9}}(?![\d{_NUMERALS}])"
)
_LANDLINE = re.compile(
    rf"(?<!\d)\(?0(?:10|2[0-57-9]|[3-9]\d{{2}})\)?[ \-]{{0,2}}[2-9]\d{{2,3}}[ \-]?\d{{4}}{_NOT_BEFORE_DIGIT}"
    r"(?:\s?(?:-|转|(?i:ext)\.?)\s?\d{1,6}(?!\d))?"
)
_INTERNATIONAL = re.compile(rf"(?<![\d+])(?:\+|00)\s?[1-9](?:[ \-.()]{{0,3}}\d){{6,14}}{_NOT_BEFORE_DIGIT}")
_NORTH_AMERICAN = re.compile(
    rf"(?<![\d-])(?:1[ \-.]?)?\(?[2-9]\d{{2}}\)?[ \-.]{{1,2}}[2-9]\d{{2}}[ \-.]\d{{4}}{_NOT_BEFORE_DIGIT}(?!-)"
)
_NATIONAL = re.compile(
    rf"(?<![\d.-])\(?0\d{{1,4}}\)?(?:[ \-]\d{{2,4}}){{2,4}}{_NOT_BEFORE_DIGIT}(?!-)"
    rf"|(?<![\d.-])07\d{{3}} ?\d{{6}}{_NOT_BEFORE_DIGIT}"
)
_PHONE_CUED = re.compile(
    r"(?:电话|手机|座机|联系方式|致电|来电|手机号|(?i:\b(?:tel|telephone|phone|mobile|cell|whatsapp|call|text|reach)\b))"
    r"(?:号码|号|(?i: ?number| ?no\.?| me| us| at| on){1,3})?[是为:：\s.]{0,3}(?:(?i:is|at|on)\s)?"
    r"(?P<value>\+?\(?\d(?:[ \-.()]{0,2}\d){6,14})(?!\d)"
)
# Countries whose grouped national numbers are known without a country code.
_REGIONS = ("GB", "AU", "FR", "DE", "JP", "TW", "IT", "NZ", "IN")
_HOTLINE = re.compile(r"(?:[48]00\d{7}|1?8(?:00|88|77|66|55|44|33)\d{7})")
_DATE_LIKE = re.compile(r"(?:19|20)\d{6}(?:\d{4}|\d{6})?")


def telephones(line: str) -> Iterator[Span]:
    """Chinese mobiles in any grouping, with country code or in Chinese numerals; landlines; international
    and grouped national numbers; anything of 7 to 15 digits after a cue. Companies' hotlines are kept."""
    return disjoint(
        [
            *candidates(_MOBILE, line, _mobile),
            *candidates(_SPELLED, line, _spelled),
            *candidates(_LANDLINE, line, always),
            *candidates(_INTERNATIONAL, line, _international),
            *candidates(_NORTH_AMERICAN, line, _north_american),
            *candidates(_NATIONAL, line, _national),
            *candidates(_PHONE_CUED, line, _cued),
        ]
    )


def _mobile(match: re.Match[str]) -> Span | None:
    digits = _compact(match[0])
    return match.span() if _MOBILE_DIGITS.fullmatch(digits) and not _is_list(match[0]) else None


def _spelled(match: re.Match[str]) -> Span | None:
    return match.span() if any(char in _NUMERALS for char in match[0]) else None


def _international(match: re.Match[str]) -> Span | None:
    digits = _compact(match[0])
    number = _parsed("+" + digits.removeprefix("+") if digits[0] == "+" else "+" + digits[2:], None)
    if number is None:
        return None
    known = phonenumbers.is_possible_number if digits[0] == "+" else phonenumbers.is_valid_number
    return match.span() if known(number) else None


def _north_american(match: re.Match[str]) -> Span | None:
    return _valid(match, ("US",))


def _national(match: re.Match[str]) -> Span | None:
    if re.fullmatch(r"07\d{3} ?\d{6}", match[0]):
        return match.span()
    return _valid(match, _REGIONS)


def _valid(match: re.Match[str], regions: tuple[str, ...]) -> Span | None:
    digits = _compact(match[0])
    if _HOTLINE.fullmatch(digits) or _is_list(match[0]):
        return None
    numbers = (_parsed(digits, region) for region in regions)
    return match.span() if any(number and phonenumbers.is_valid_number(number) for number in numbers) else None


def _cued(match: re.Match[str]) -> Span | None:
    digits = _compact(match["value"]).removeprefix("+")
    return None if _HOTLINE.fullmatch(digits) or _DATE_LIKE.fullmatch(digits) else match.span("value")


def _parsed(digits: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None


# --- shared -----------------------------------------------------------------------------------------------

_GROUPS = re.compile(r"\d+")
_DECIMAL = re.compile(r"\d\.\d")


def _compact(value: str) -> str:
    return re.sub(r"[^\dXx+]", "", value).upper()


def _is_list(value: str) -> bool:
    """Whether the groups read as sizes or prices in a row rather than as one number cut up."""
    groups = _GROUPS.findall(value)
    sizes = len(groups) >= 4 and all(2 <= len(group) <= 3 for group in groups)
    return sizes or (len(_DECIMAL.findall(value)) >= 1 and " " in value)


def disjoint(spans: list[Span]) -> Iterator[Span]:
    """The union of spans, ascending; those that overlap become one."""
    current: Span | None = None
    for start, end in sorted(spans):
        if current and start < current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current:
            yield current
        current = (start, end)
    if current:
        yield current
