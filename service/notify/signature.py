"""Signatures of outgoing webhooks: Standard Webhooks 1.0, symmetric (standardwebhooks.com, "Signature scheme")."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"
_LEAST_BYTES = 24
_MOST_BYTES = 64
"""Both from the specification."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A receiver's secret; never shown."""

    key: bytes

    @classmethod
    def parse(cls, text: str) -> "Secret":
        """From ``whsec_`` and base64 of 24 to 64 bytes; ``ValueError`` that does not repeat the text otherwise."""
        try:
            key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not text.startswith(PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
            raise ValueError(f"a webhook secret is {PREFIX} and base64 of {_LEAST_BYTES} to {_MOST_BYTES} bytes")
        return cls(key)

    def __repr__(self) -> str:
        return "Secret(…)"


def parse_secrets(text: str) -> tuple[Secret, ...]:
    """One secret, or while it is being replaced two, the new one first, with a comma or space between."""
    return tuple(Secret.parse(part) for part in text.replace(",", " ").split())


def sign(body: bytes, secrets: Sequence[Secret], *, id: str, at: datetime) -> dict[str, str]:  # noqa: A002
    """The headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` of one attempt.

    One signature for each secret, so that a receiver who knows either accepts the message: HMAC-SHA256 over
    ``id.timestamp.body``, in base64, after ``v1,``. ``at`` is the time of this attempt, since receivers refuse
    old ones; ``id`` stays the same from one attempt to the next, so that they can drop repeats.
    """
    if "." in id:
        raise ValueError("an id with a dot in it could be signed as another one")
    timestamp = str(int(at.timestamp()))
    signed = b".".join((id.encode(), timestamp.encode(), body))
    signatures = (base64.b64encode(hmac.digest(secret.key, signed, sha256)).decode() for secret in secrets)
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
