"""English addresses: a house number, a street, and the town behind it."""

import re
from collections.abc import Iterator

from models.redact.rule import Span, any_of, find, value

HINTS = (r"\d[a-z]? [a-z\d'’.]", r"box \d")

_ROAD = any_of(
    "Street St Avenue Ave Road Rd Boulevard Blvd Lane Ln Drive Dr Court Ct Place Pl Terrace Square Sq Highway Hwy "
    "Parkway Pkwy Crescent Close Way"
)
_FLAT = rf"(?:,? ?(?i:{any_of('apartment apt suite ste unit flat floor room #')})\.? ?#?[0-9A-Za-z\-]{{1,6}}\b)"
_POSTCODE = r"(?:,? ?\d{5}(?:-\d{4})?\b|,? [A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b)"
# "Springfield, IL 62704", "London SW1A 1AA"
_TOWN = rf"(?:,? [A-Z][A-Za-z.]{{1,20}}(?: [A-Z][A-Za-z.]{{1,20}}){{0,2}}(?:,? [A-Z]{{2}}\b)?{_POSTCODE})"
_HOUSE = r"(?<![\w.,$£€#-])(?:Flat \w{1,4},? )?\d{1,5}[A-Za-z]?(?:-\d{1,4})?"
_STREET = re.compile(
    rf"(?P<value>{_HOUSE} (?P<street>(?:[A-Za-z0-9'’.]{{1,20}} ){{1,4}}?(?i:{_ROAD}))\b\.?{_FLAT}?{_TOWN}?{_FLAT}?)"
)
_PO_BOX = re.compile(r"\b(?P<value>P\.? ?O\.? ?Box \d{1,6})\b", re.IGNORECASE)
_CUE = re.compile(
    r"(?:address(?: is| to|:)|(?:ship|shipped|deliver|delivered|send|sent)(?: it| them)? to|(?:live|lives|living) at"
    r"|moved to) ?:? ?$",
    re.IGNORECASE,
)
_CUE_LENGTH = 24
_NAMED = re.compile(r"(?:(?:[A-Z][A-Za-z'’.]*|\d{1,3}(?:st|nd|rd|th)) )*[A-Z][a-z]+")


def english_addresses(line: str) -> Iterator[Span]:
    """House number and street, with flat, town and postcode; in small letters only after a cue ("ship to", "I
    live at"), for "2 days on the road" is none."""
    return find(line, (_STREET, _street), (_PO_BOX, value))


def _street(match: re.Match[str]) -> Span | None:
    before = match.string[max(0, match.start() - _CUE_LENGTH) : match.start()]
    return match.span("value") if _NAMED.fullmatch(match["street"]) or _CUE.search(before) else None
