"""How messages lie in the store: compact JSON for text and fields, half precision for vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import orjson
from numpy.typing import NDArray

from models.counted import SEPARATOR
from models.message import CustomerKey, Message, RedactedText

CELL_SEPARATOR = "\x1e"
FIELD_SEPARATOR = SEPARATOR


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in the inbox, with the marks that travel along.

    ``answer``: where the sender waits for the topic, the word to answer under. ``ask``: only a question of what
    the text is about; answered, and never counted.
    """

    message: Message
    answer: str | None = None
    ask: bool = False


def pack_entry(entry: Entry) -> bytes:
    """The bytes of an inbox entry; a `Message` only, so raw text cannot get here."""
    message = entry.message
    fields: dict[str, object] = {
        "i": message.id,
        "s": message.source,
        "t": message.text,
        "at": message.occurred_at.timestamp(),
        "c": message.customer,
    }
    if message.attributes:
        fields["a"] = dict(message.attributes)
    if message.order_id:
        fields["o"] = message.order_id
    if entry.answer:
        fields["w"] = entry.answer
    if entry.ask:
        fields["q"] = 1
    return orjson.dumps(fields)


def unpack_entry(body: bytes) -> Entry:
    """The entry of `pack_entry`. Raises ``ValueError`` on bytes that are none."""
    try:
        fields = orjson.loads(body)
        message = Message(
            id=fields["i"],
            source=fields["s"],
            text=RedactedText(fields["t"]),
            occurred_at=datetime.fromtimestamp(fields["at"], tz=UTC),
            customer=CustomerKey(fields["c"]),
            order_id=fields.get("o"),
            attributes=fields.get("a", {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("an entry of the inbox cannot be read") from error
    return Entry(message, fields.get("w"), bool(fields.get("q")))


def cells_of(attributes: Mapping[str, str]) -> str:
    """The cells a message counts in, beside its topic, as the counting script takes them."""
    return CELL_SEPARATOR.join(f"{name}{FIELD_SEPARATOR}{value}" for name, value in attributes.items())


def space_of(embedder: str) -> str:
    """A short name for the space of an embedder's vectors, kept beside each."""
    return sha256(embedder.encode()).hexdigest()[:8]


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """A unit vector in half precision: cosine error below 1e-3, half the memory."""
    return vector.astype(np.float16).tobytes()


def unpack_vectors(bodies: list[bytes], dimension: int) -> NDArray[np.float32]:
    """Rows of `pack_vector`, shape (n, dimension)."""
    if not bodies:
        return np.zeros((0, dimension), np.float32)
    return np.frombuffer(b"".join(bodies), np.float16).reshape(len(bodies), dimension).astype(np.float32)
