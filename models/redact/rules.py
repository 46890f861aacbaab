"""The rules in their order, and the settings that choose among them."""

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from hashlib import blake2b

from models.redact import accounts, identity, names, orders, phones, places, streets
from models.redact.fold import CALLED, HIDDEN, KEPT
from models.redact.hints import Hints
from models.redact.rule import Placeholder, Rule, fixed

_HASH_BYTES = 5
"""40 bits, 8 characters: enough to tell one shop's orders apart, too few to be taken for the number."""
_KEY_BYTES = 16


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
        if Numbers.HASH in (self.orders, self.tracking) and len(self.hash_key) < _KEY_BYTES:
            raise ValueError(f"hashing order numbers needs a key of {_KEY_BYTES} bytes or more")


DIGIT = "[0-9零〇一二三四五六七八九十百幺壹贰叁肆伍陆柒捌玖]"
_KINDS = ("phone", "email", "id", "bank_card", "address", "name", "plate", "account", "order", "tracking", "withheld")
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(_KINDS)})\]|\[(?:order|tracking):[a-z2-7]{{8}}\]")


def rules_of(settings: RedactSettings) -> tuple[tuple[Rule, ...], Hints]:
    """All rules, in the order in which they look, and what tells which of them need to.

    E-mail first, for an address can hold a telephone number; numbers claimed as orders before any rule
    that goes by length; names last, for they are told by what stands beside them.
    """
    order = _numbers_placeholder("order", settings.orders, settings.hash_key)
    tracking = _numbers_placeholder("tracking", settings.tracking, settings.hash_key)
    rules = (
        Rule("email", accounts.EMAIL_HINTS, accounts.emails, fixed("email"), digits=False),
        Rule("tracking", orders.TRACKING_HINTS, orders.tracking_numbers, tracking, mark=_mark(tracking)),
        Rule("order", orders.ORDER_HINTS, orders.order_numbers, order, mark=_mark(order)),
        Rule("id", identity.ID_HINTS, identity.identity_documents, fixed("id")),
        Rule("bank_card", identity.CARD_HINTS, identity.bank_cards, fixed("bank_card")),
        Rule("account", accounts.ACCOUNT_HINTS, accounts.accounts, fixed("account"), digits=False),
        Rule("phone", phones.HINTS, phones.telephones, fixed("phone"), mark=CALLED),
        Rule("plate", accounts.PLATE_HINTS, accounts.plates, fixed("plate")),
        Rule("address", places.HINTS, places.addresses, fixed("address"), digits=False),
        Rule("address", streets.HINTS, streets.english_addresses, fixed("address")),
        Rule("name", names.CHINESE_HINTS, names.chinese_names, fixed("name"), digits=False),
        Rule("name", names.ENGLISH_HINTS, names.english_names, fixed("name"), digits=False),
        Rule("name", names.BESIDE_HINTS, names.names_beside, fixed("name"), digits=False),
    )
    return rules, Hints(rules, DIGIT)


def _mark(placeholder: Placeholder | None) -> str:
    return HIDDEN if placeholder else KEPT


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
