"""Redaction: personal data leaves a text before anything keeps it.

The only maker of `RedactedText`. Each value found is replaced by a placeholder: the name of its kind in
square brackets, such as ``[phone]`` or ``[address]``. One ASCII style serves Chinese and English alike; it
reads as what it is, needs no legend, and no input method writes it by accident.
"""

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import blake2b

from models.message import RedactedText
from models.redact import accounts, identity, names, orders, phones, places, streets
from models.redact.fold import HIDDEN, KEPT, fold, origins
from models.redact.rule import Placeholder, Rule, Span, fixed

WITHHELD = RedactedText("[withheld]")
"""What is left of a text that keeps showing new personal data after every sweep."""
_SWEEPS = 6
"""Ordinary texts need two: one that finds, one that finds nothing more."""
_HASH_BYTES = 5
"""40 bits, 8 characters: enough to tell one shop's orders apart, too few to be taken for the number."""


class Numbers(StrEnum):
    """What becomes of order or tracking numbers."""

    KEEP = "keep"
    HASH = "hash"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class RedactSettings:
    """``hash_key`` is needed, 16 bytes or more, where numbers are hashed: without a key they could be tried out."""

    orders: Numbers = Numbers.KEEP
    tracking: Numbers = Numbers.KEEP
    hash_key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if Numbers.HASH in (self.orders, self.tracking) and len(self.hash_key) < 16:
            raise ValueError("hashing order numbers needs a key of 16 bytes or more")


@dataclass(frozen=True, slots=True)
class Found:
    """How often a rule found something; never what."""

    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text without its personal data, and what kinds were in it."""

    text: RedactedText
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: str
    span: Span
    placeholder: Placeholder


_DEFAULT = RedactSettings()


def redact(text: str, settings: RedactSettings = _DEFAULT) -> Redaction:
    """The text with its personal data replaced by placeholders; all else exactly as it was written.

    Takes any string and raises nothing; linear in its length. Redacting twice changes nothing more:
    placeholders, whoever wrote them, are plain text that no rule matches and that hides nothing around it.

    >>> redact("我叫张三，电话１３８-0013-8000，充电器冒烟了").text
    '我叫[name]，电话[phone]，充电器冒烟了'
    """
    shadow = fold(text)
    line = _PLACEHOLDERS.sub(_covered, shadow) if "[" in shadow else shadow
    rules = _rules(settings)
    hits: list[_Hit] = []
    for _ in range(_SWEEPS):
        fresh = _sweep(line, rules)
        if not fresh:
            return Redaction(_rendered(text, shadow, hits), _counted(hits, rules))
        hits += fresh
        line = _cover(line, [hit.span for hit in fresh], HIDDEN)
    return Redaction(WITHHELD, _counted(hits, rules))


def _sweep(line: str, rules: tuple[Rule, ...]) -> list[_Hit]:
    """What the rules find, each on what those before it left."""
    hits: list[_Hit] = []
    small = line.lower()
    has_digits = _DIGIT.search(small) is not None
    for rule in rules:
        if (rule.digits and not has_digits) or not rule.may_find(small):
            continue
        spans = list(rule.find(line))
        if not spans:
            continue
        line = _cover(line, spans, HIDDEN if rule.placeholder else KEPT)
        small = line.lower()
        if rule.placeholder:
            hits += (_Hit(rule.name, span, rule.placeholder) for span in spans)
    return hits


def _cover(line: str, spans: list[Span], mark: str) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        pieces += (line[done:start], mark * (end - start))
        done = end
    pieces.append(line[done:])
    return "".join(pieces)


def _rendered(text: str, shadow: str, hits: list[_Hit]) -> RedactedText:
    if not hits:
        return RedactedText(text)
    places_in_text = origins(text)
    pieces: list[str] = []
    done = 0
    for hit in sorted(hits, key=lambda hit: hit.span):
        start, end = hit.span
        pieces += (text[done : places_in_text[start]], hit.placeholder(shadow[start:end]))
        done = places_in_text[end]
    pieces.append(text[done:])
    return RedactedText("".join(pieces))


def _counted(hits: list[_Hit], rules: tuple[Rule, ...]) -> tuple[Found, ...]:
    counts = {rule.name: 0 for rule in rules}
    for hit in hits:
        counts[hit.rule] += 1
    return tuple(Found(name, count) for name, count in counts.items() if count)


def _covered(match: re.Match[str]) -> str:
    return HIDDEN * len(match[0])


# --- the rules, in order ----------------------------------------------------------------------------------

_DIGIT = re.compile("[0-9零〇一二三四五六七八九十百幺壹贰叁肆伍陆柒捌玖]")
_KINDS = ("phone", "email", "id", "bank_card", "address", "name", "plate", "account", "order", "tracking", "withheld")
_PLACEHOLDERS = re.compile(rf"\[(?:{'|'.join(_KINDS)})\]|\[(?:order|tracking):[a-z2-7]{{8}}\]")


@lru_cache(maxsize=16)
def _rules(settings: RedactSettings) -> tuple[Rule, ...]:
    """E-mail first, for an address can hold a telephone number; numbers claimed as orders before any rule
    that goes by length; names last, for they are told by what stands beside them."""
    order = _numbers_placeholder("order", settings.orders, settings.hash_key)
    tracking = _numbers_placeholder("tracking", settings.tracking, settings.hash_key)
    return (
        Rule("email", accounts.EMAIL_HINTS, accounts.emails, fixed("email"), digits=False),
        Rule("tracking", orders.TRACKING_HINTS, orders.tracking_numbers, tracking),
        Rule("order", orders.ORDER_HINTS, orders.order_numbers, order),
        Rule("id", identity.HINTS, identity.identity_documents, fixed("id")),
        Rule("bank_card", identity.HINTS, identity.bank_cards, fixed("bank_card")),
        Rule("account", accounts.ACCOUNT_HINTS, accounts.accounts, fixed("account"), digits=False),
        Rule("phone", phones.HINTS, phones.telephones, fixed("phone")),
        Rule("plate", accounts.PLATE_HINTS, accounts.plates, fixed("plate")),
        Rule("address", places.HINTS, places.addresses, fixed("address"), digits=False),
        Rule("address", streets.HINTS, streets.english_addresses, fixed("address")),
        Rule("name", names.CHINESE_HINTS, names.chinese_names, fixed("name"), digits=False),
        Rule("name", names.ENGLISH_HINTS, names.english_names, fixed("name"), digits=False),
        Rule("name", names.BESIDE_HINTS, names.names_beside, fixed("name"), digits=False),
    )


def _numbers_placeholder(name: str, mode: Numbers, key: bytes) -> Placeholder | None:
    forms: dict[Numbers, Placeholder | None] = {
        Numbers.KEEP: None,
        Numbers.HASH: partial(_hashed, name, key),
        Numbers.MASK: fixed(name),
    }
    return forms[mode]


def _hashed(name: str, key: bytes, value: str) -> str:
    data = value.upper().replace("-", "").encode()
    digest = blake2b(data, digest_size=_HASH_BYTES, key=key[:64], person=b"tocsin.order").digest()
    return f"[{name}:{base64.b32encode(digest).decode().lower()}]"
