"""What a message says, as a short hash (`fingerprint`); who said it, as a keyed one (`customer_key`)."""

import re
import unicodedata
from functools import cache, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from models.message import CustomerKey, RedactedText

if TYPE_CHECKING:
    import opencc

_BYTES = 12
"""96 bits: among a thousand million customers two share a key with a chance of 6e-12 (birthday bound)."""
_KEY_BYTES = 16

_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"(?<![0-9a-z\-])(?=[a-z\-]*+[0-9])[0-9a-z\-]++")
_LONG_NUMBER = 6
"""Codes of so many digits are order numbers and dates; those of fewer are sizes, models and prices."""
_REPEATED = re.compile(r"(\D)\1{2,}")
_SILENT = re.compile(r"[\W_]+")
_BESIDE_HAN = re.compile(r" (?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff]) ")


def normalise(text: str) -> str:
    """What the text says, without how it was typed: for comparing texts, never for reading.

    Width and compatibility forms (NFKC), case and Traditional script are folded. Punctuation, emoji and space
    collapse to one space, to none beside a Chinese character. A letter three times or more in a row stands
    once. Codes of six digits or more become "0". A text of nothing but punctuation or emoji stays, folded.

    >>> normalise("ＯＲＤＥＲ  12345678 還沒到！！！")
    'order 0还没到'
    """
    folded = unicodedata.normalize("NFKC", _SURROGATE.sub("\ufffd", text)).casefold()
    folded = _simplifier().convert(folded)
    spoken = _SILENT.sub(" ", _REPEATED.sub(r"\1", _NUMBER.sub(_number, folded)))
    return _BESIDE_HAN.sub("", spoken).strip() or folded.strip()


def fingerprint(text: str) -> str:
    """A stable hash of the normalised text: 20 characters of a-z and 2-7.

    Equal for texts that say the same; not keyed, so give it redacted text. It serves to count messages that
    name no customer, to key caches and to find near-duplicates.
    """
    return _encoded(blake2b(normalise(text).encode(), digest_size=_BYTES, person=b"tocsin.text"))


def customer_key(customer_id: str, *, key: bytes) -> CustomerKey:
    """The customer under a keyed hash (BLAKE2b with a key, RFC 7693), 20 characters of a-z and 2-7.

    The same customer has the same key for as long as the secret stays; without the secret, ids cannot be tried
    out against it. ``ValueError`` for a secret under 16 bytes.
    """
    keyed = _keyed(key).copy()
    keyed.update(customer_id.encode("utf-8", "surrogatepass"))
    return CustomerKey(_encoded(keyed))


def unnamed_key(text: RedactedText) -> CustomerKey:
    """Who said it where the message names no customer: whoever says the same thing counts once."""
    return CustomerKey(f"~{fingerprint(text)}")


def _number(match: re.Match[str]) -> str:
    return "0" if sum(map(str.isdigit, match[0])) >= _LONG_NUMBER else match[0]


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> blake2b:
    """The hash after its key, to be copied: taking the key in costs as much as an id."""
    if len(key) < _KEY_BYTES:
        raise ValueError(f"the key for customer ids needs {_KEY_BYTES} bytes or more, got {len(key)}")
    secret = key if len(key) <= 64 else blake2b(key).digest()
    return blake2b(digest_size=_BYTES, key=secret, person=b"tocsin.customer")


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"  # base 32 of RFC 4648, in small letters
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]


def _encoded(digest: blake2b) -> str:
    """96 bits in base 32 without padding; two letters at a time, since every message is hashed."""
    bits, pairs = int.from_bytes(digest.digest()) << 4, _PAIRS
    high, low = bits >> 50, bits & 0x3FFFFFFFFFFFF
    return (
        pairs[high >> 40] + pairs[high >> 30 & 1023] + pairs[high >> 20 & 1023] + pairs[high >> 10 & 1023]
        + pairs[high & 1023] + pairs[low >> 40] + pairs[low >> 30 & 1023] + pairs[low >> 20 & 1023]
        + pairs[low >> 10 & 1023] + pairs[low & 1023]
    )  # fmt: skip


@cache
def _simplifier() -> "opencc.OpenCC":
    import opencc  # reads its dictionaries: only where a text is compared

    return opencc.OpenCC("t2s")
