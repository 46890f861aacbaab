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
from models.redact.digits import bank_cards, identity_documents, telephones
from models.redact.fold import HIDDEN, KEPT, Shadow, fold
from models.redact.names import names
from models.redact.orders import carrier_numbers, order_numbers, tracking_numbers
from models.redact.places import addresses
from models.redact.rule import Placeholder, Rule, Span, fixed
from models.redact.words import accounts, emails, plates

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
    span: Span
    rule: Rule


_DEFAULT = RedactSettings()


def redact(text: str, settings: RedactSettings = _DEFAULT) -> Redaction:
    """The text with its personal data replaced by placeholders; all else exactly as it was written.

    Takes any string and raises nothing; linear in its length. Redacting twice changes nothing more:
    placeholders, whoever wrote them, are plain text that no rule matches and that hides nothing around it.

    >>> redact("我叫张三，电话１３８-0013-8000，充电器冒烟了")
    Redaction(text='我叫[name]，电话[phone]，充电器冒烟了', found=(Found(rule='phone', count=1), Found(rule='name', count=1)))
    """
    shadow = fold(text)
    line = _PLACEHOLDERS.sub(_covered, shadow.text)
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
    for rule in rules:
        spans = list(rule.find(line))
        if not spans:
            continue
        line = _cover(line, spans, HIDDEN if rule.placeholder else KEPT)
        if rule.placeholder:
            hits += (_Hit(span, rule) for span in spans)
    return hits


def _cover(line: str, spans: list[Span], mark: str) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        pieces += (line[done:start], mark * (end - start))
        done = end
    pieces.append(line[done:])
    return "".join(pieces)


def _rendered(text: str, shadow: Shadow, hits: list[_Hit]) -> RedactedText:
    if not hits:
        return RedactedText(text)
    pieces: list[str] = []
    done = 0
    for hit in sorted(hits, key=lambda hit: hit.span):
        start, end = shadow.original(*hit.span)
        assert hit.rule.placeholder is not None  # noqa: S101 - hits come from rules with one
        pieces += (text[done:start], hit.rule.placeholder(shadow.text[slice(*hit.span)]))
        done = end
    pieces.append(text[done:])
    return RedactedText("".join(pieces))


def _counted(hits: list[_Hit], rules: tuple[Rule, ...]) -> tuple[Found, ...]:
    counts = {rule.name: 0 for rule in rules}
    for hit in hits:
        counts[hit.rule.name] += 1
    return tuple(Found(name, count) for name, count in counts.items() if count)


def _covered(match: re.Match[str]) -> str:
    return HIDDEN * len(match[0])


# --- the rules, in order ----------------------------------------------------------------------------------

_KINDS = ("phone", "email", "id", "bank_card", "address", "name", "plate", "account", "order", "tracking", "withheld")
_PLACEHOLDERS = re.compile(rf"\[(?:{'|'.join(_KINDS)})\]|\[(?:order|tracking):[a-z2-7]{{8}}\]")


@lru_cache(maxsize=16)
def _rules(settings: RedactSettings) -> tuple[Rule, ...]:
    """E-mail first, for an address can hold a telephone number; numbers claimed as orders before any rule
    that goes by length; names last, for they are told by what stands beside them."""
    order = _numbers_placeholder("order", settings.orders, settings.hash_key)
    tracking = _numbers_placeholder("tracking", settings.tracking, settings.hash_key)
    return (
        Rule("email", emails, fixed("email")),
        Rule("tracking", tracking_numbers, tracking),
        Rule("tracking", carrier_numbers, tracking),
        Rule("order", order_numbers, order),
        Rule("id", identity_documents, fixed("id")),
        Rule("bank_card", bank_cards, fixed("bank_card")),
        Rule("account", accounts, fixed("account")),
        Rule("phone", telephones, fixed("phone")),
        Rule("plate", plates, fixed("plate")),
        Rule("address", addresses, fixed("address")),
        Rule("name", names, fixed("name")),
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
