"""Webhooks out, after Standard Webhooks: one signed POST to one receiver, and what became of it."""

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta

from service.notify.address import AllowList, Resolve, resolve_by_system
from service.notify.outcome import Outcome
from service.notify.post import PATIENCE, Answer, Post, by_status
from service.notify.signature import Secret, sign


class WebhookNotifier:
    """Sends the payload as it is, signed, to one URL."""

    def __init__(
        self,
        url: str,
        secrets: Sequence[Secret],
        allow: AllowList,
        *,
        patience: timedelta = PATIENCE,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        if not secrets:
            raise ValueError("webhooks are signed: give a secret")
        self._post = Post(url, allow, patience=patience, tls=tls, resolve=resolve)
        self._secrets = tuple(secrets)

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        """Post the payload (JSON) signed as of ``at``; never raises for what the other side does.

        2xx is delivered. 410 is dead, and the deliverer sends this receiver nothing more; an address that may not
        be reached is dead. Everything else is for later: 3xx, 4xx, 5xx, no answer in time, no connection.
        """
        answer = await self._post(payload, sign(payload, self._secrets, id=id, at=at), at=at, read=False)
        return by_status(answer) if isinstance(answer, Answer) else answer
