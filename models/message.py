"""One customer text on its way in (`RawMessage`) and after redaction (`Message`).

The two are different types so that storing raw text is a type error: every function that writes takes a
`Message`, and only `models.redact` makes a `RedactedText`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

RedactedText = NewType("RedactedText", str)
CustomerKey = NewType("CustomerKey", str)
"""Keyed hash of a customer id, or of the normalised text where no customer is named."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it was posted. Never stored, logged or shown."""

    id: str
    source: str
    text: str
    occurred_at: datetime
    customer_id: str | None = None
    channel: str | None = None
    order_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is kept: redacted text, hashed customer, attributes with the channel among them."""

    id: str
    source: str
    text: RedactedText
    occurred_at: datetime
    customer: CustomerKey
    order_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def channel(self) -> str | None:
        return self.attributes.get("channel")
