"""Webhooks out: one signed POST to one receiver, and what became of it."""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from service.notify.address import AddressRefused, AllowList, GuardedTransport, Resolve, resolve_by_system
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.signature import Secret, parse_secrets, sign

PATIENCE = timedelta(seconds=15)
"""For name, connection and answer together; the specification advises 15 to 30 seconds."""
_LONGEST_RETRY_AFTER = timedelta(hours=24)
"""The longest wait of the schedule: no receiver puts a notification off for longer."""
_GONE = 410


class WebhookNotifier:
    """Sends to one URL. Follows no redirect, reads no body, keeps no connection and uses no proxy."""

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
        self._url = _checked_url(url)
        if not secrets:
            raise ValueError("webhooks are signed: give a secret")
        self._secrets = tuple(secrets)
        self._allow = allow
        self._patience = patience
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve
        self._gone = False

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        """Post the payload (JSON) signed as of ``at``; never raises for what the other side does.

        2xx is delivered. 410 is dead, and so is all that follows until the process starts anew; an address that
        may not be reached is dead. Everything else is for later: 3xx, 4xx, 5xx, no answer in time, no connection.
        """
        if self._gone:
            return Dead("receiver_gone")
        headers = {
            "content-type": "application/json",
            "user-agent": "tocsin",
            **sign(payload, self._secrets, id=id, at=at),
        }
        try:
            async with (
                asyncio.timeout(self._patience.total_seconds()),
                self._client() as client,
                client.stream("POST", self._url, content=payload, headers=headers) as response,
            ):
                return self._judged(response, at)
        except AddressRefused:
            return Dead("address_refused")
        except (TimeoutError, httpx.TimeoutException):
            return Later("no_answer_in_time")
        except httpx.ConnectError:
            return Later("no_connection")
        except httpx.HTTPError:
            return Later("broken_answer")

    def _client(self) -> httpx.AsyncClient:
        transport = GuardedTransport(self._allow, self._tls, self._resolve)
        patience = self._patience.total_seconds()
        timeout = httpx.Timeout(patience, connect=patience / 3)  # a name may have several addresses, some of them dead
        # The environment would name proxies, and a proxy would resolve the name again.
        return httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout, follow_redirects=False)

    def _judged(self, response: httpx.Response, at: datetime) -> Outcome:
        if response.is_success:
            return Delivered()
        if response.status_code == _GONE:
            self._gone = True
            return Dead("receiver_gone")
        if response.has_redirect_location:
            return Later("redirected")
        return Later(f"status_{response.status_code}", _retry_after(response.headers.get("retry-after", ""), at))


def build_webhooks(urls: Iterable[str], secret: str | None, allow_hosts: Iterable[str]) -> dict[str, WebhookNotifier]:
    """A notifier for each URL, under that URL.

    ``secret`` is one ``whsec_`` secret, or two while it is being replaced; ``allow_hosts`` the inside hosts and
    networks that may be reached. ``ValueError`` that names what is wrong, without showing secrets.
    """
    urls = tuple(urls)
    if not urls:
        return {}
    if not secret:
        raise ValueError("webhooks are signed: set TOCSIN_WEBHOOK_SECRET to whsec_ and base64 of 32 random bytes")
    secrets, allow = parse_secrets(secret), AllowList.parse(allow_hosts)
    return {url: WebhookNotifier(url, secrets, allow) for url in urls}


def _checked_url(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("a webhook's URL cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("a webhook's URL starts with https:// or http:// and names a host")
    if parsed.userinfo:
        raise ValueError("a webhook's URL holds no user name or password: they would stand in logs")
    return url


def _retry_after(header: str, at: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3), from ``at``; ``None`` where it is neither, past or missing."""
    if header.isascii() and header.isdigit():
        wait = timedelta(seconds=min(int(header[:9]), _LONGEST_RETRY_AFTER.total_seconds()))
    else:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - at
    return min(wait, _LONGEST_RETRY_AFTER) if wait > timedelta(0) else None
