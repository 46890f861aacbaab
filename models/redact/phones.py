"""Telephone numbers: Chinese mobiles and landlines, international and grouped national numbers."""

import re
from collections.abc import Iterator

import phonenumbers

from models.redact.identity import GAP, compact, is_list
from models.redact.rule import Span, any_of, find, value

_NUMERALS = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两"
HINTS = (rf"[\d{_NUMERALS}](?:[ \-._·()]{{0,3}}[\d{_NUMERALS}]){{6}}",)

_CHINA = r"(?:\(?(?:\+|(?<!\d)00) ?86\)?|(?<!\d)86)[ \-]{0,2}"
_MOBILE = re.compile(rf"(?P<value>(?:{_CHINA}|(?<!\d)(?<!0\.))\(?0?1[3-9 \-._·](?:[ \-._·)]{{0,3}}\d){{9,10}})(?!\d)")
_MOBILE_DIGITS = re.compile(r"(?:(?:\+|00)?86)?0?1[3-9]\d{9}")
# "1-800-555-0100" is North American, "1-3001408092" some reference.
_NOT_CHINESE = re.compile(r"1[ \-._·](?:\d{3}[ \-._·)]{1,2}\d{3}[ \-._·]\d{4}|\d{10})")
_SPELLED = re.compile(
    rf"(?<![\d{_NUMERALS}])[1一幺壹]{GAP}[3-9三四五六七八九叁肆伍陆柒捌玖](?:{GAP}[\d{_NUMERALS}]){{9}}"
    rf"(?![\d{_NUMERALS}])"
)
# Area codes of two digits after the 0, and of three; numbers of seven or eight digits; an extension.
_LANDLINE = re.compile(
    r"(?<!\d)(?P<value>\(?0(?:10|2[0-57-9]|[3-9]\d{2})\)?[ \-]{0,2}[2-9]\d{2,3}[ \-]?\d{4}"
    r"(?:(?: ?(?:转|分机|(?i:ext)\.?) ?|-)\d{1,6})?)(?!\d)"
)
_INTERNATIONAL = re.compile(r"(?<![\d+])(?P<value>(?:\+|00) ?[1-9](?:[ \-.()]{0,3}\d){6,14})(?!\d)")
_NORTH_AMERICAN = re.compile(
    r"(?<![\d-])(?P<value>(?:\+?1[ \-.]?)?\(?[2-9]\d{2}\)?[ \-.]{1,2}[2-9]\d{2}[ \-.]\d{4})(?![\d-])"
)
_NATIONAL = re.compile(r"(?<![\d.-])(?P<value>\(?0\d{1,4}\)?(?:[ \-]\d{2,4}){2,4})(?![\d-])")
_BRITISH_MOBILE = re.compile(r"(?<![\d.-])(?P<value>07\d{3} ?\d{3} ?\d{3})(?![\d-])")
_CUED = re.compile(
    rf"(?:{any_of('电话 手机 座机 联系方式 致电 来电 联系我 打给我 回电')}"
    rf"|(?i:\b{any_of('tel telephone phone mobile cell whatsapp call text reach contact my_number')}\b))"
    rf"(?:号码|号|(?i: (?:number|no\.?|me|us|at|on|back)){{1,3}})?[是为:： .]{{0,3}}(?:(?i:is|at|on) )?"
    r"(?P<value>\+?\(?\d(?:[ \-.()]{0,2}\d){6,14})(?!\d)"
)
# Countries whose grouped national numbers are known without their code.
_REGIONS = ("GB", "AU", "FR", "DE", "JP", "TW", "IT", "NZ", "IN")
# A company's own: 400 and 800 in China, toll-free in North America. Complaints name them, and nobody is behind.
_HOTLINE = re.compile(r"[48]00\d{7}|1?8(?:00|88|77|66|55|44|33)\d{7}")
_MOMENT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{0,6}")
_LEAST_DIGITS = 9
"""Of a grouped national number, with its 0: shorter ones are dates and part numbers."""


def telephones(line: str) -> Iterator[Span]:
    """Chinese mobiles in any grouping, with a country code or in Chinese numerals; landlines; international
    and grouped national numbers; 7 to 15 digits after a cue. Companies' hotlines are kept."""
    return find(
        line,
        (_MOBILE, _mobile),
        (_SPELLED, _spelled),
        (_LANDLINE, value),
        (_INTERNATIONAL, _international),
        (_NORTH_AMERICAN, _north_american),
        (_NATIONAL, _national),
        (_BRITISH_MOBILE, value),
        (_CUED, _cued),
    )


def _mobile(match: re.Match[str]) -> Span | None:
    number = match["value"]
    if is_list(number) or _NOT_CHINESE.fullmatch(number) or not _MOBILE_DIGITS.fullmatch(compact(number)):
        return None
    return match.span("value")


def _spelled(match: re.Match[str]) -> Span | None:
    return match.span() if any(char in _NUMERALS for char in match[0]) else None


def _international(match: re.Match[str]) -> Span | None:
    """With a plus any possible number; with 00, which order numbers start with too, only a valid one."""
    digits = compact(match["value"])
    if digits.startswith("+"):
        return match.span("value") if _is_number(digits, None, phonenumbers.is_possible_number) else None
    return match.span("value") if _is_number(f"+{digits[2:]}", None, phonenumbers.is_valid_number) else None


def _north_american(match: re.Match[str]) -> Span | None:
    digits = compact(match["value"])
    personal = not _HOTLINE.fullmatch(digits.removeprefix("+"))
    return match.span("value") if personal and _is_number(digits, "US", phonenumbers.is_valid_number) else None


def _national(match: re.Match[str]) -> Span | None:
    digits = compact(match["value"])
    if len(digits) < _LEAST_DIGITS or is_list(match["value"]):
        return None
    known = any(_is_number(digits, region, phonenumbers.is_valid_number) for region in _REGIONS)
    return match.span("value") if known else None


def _cued(match: re.Match[str]) -> Span | None:
    digits = compact(match["value"]).removeprefix("+")
    return None if _HOTLINE.fullmatch(digits) or _MOMENT.fullmatch(digits) else match.span("value")


def _is_number(digits: str, region: str | None, test) -> bool:  # type: ignore[no-untyped-def]
    try:
        return bool(test(phonenumbers.parse(digits, region)))
    except phonenumbers.NumberParseException:
        return False
