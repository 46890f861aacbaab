"""One POST to one address outside, guarded, and the answer to it."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from service.notify.address import AddressRefused, AllowList, GuardedTransport, Resolve, resolve_by_system
from service.notify.outcome import Dead, Delivered, Later, Outcome

PATIENCE = timedelta(seconds=15)
"""For name, connection and answer together; Standard Webhooks advises 15 to 30 seconds."""
LONGEST_RETRY_AFTER = timedelta(hours=24)
"""The longest wait of the schedule: no receiver puts a notification off for longer."""
_MOST_ANSWER = 64 * 1024  # bytes of an answer that are read: a bot's are under one KB
_GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: status, the head of its body, and when to come again where it named a time."""

    status: int
    body: bytes = b""
    retry_after: timedelta | None = None
    redirect: bool = False

    def json(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}


class Post:
    """Posts to one URL. Follows no redirect, keeps no connection, uses no proxy, and never shows the URL."""

    def __init__(
        self,
        url: str,
        allow: AllowList,
        *,
        patience: timedelta = PATIENCE,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._url = httpx.URL(checked_url(url))
        self._allow = allow
        self._patience = patience
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve

    async def __call__(
        self,
        content: bytes,
        headers: Mapping[str, str],
        *,
        at: datetime,
        query: Mapping[str, str] | None = None,
        read: bool = True,
    ) -> Answer | Dead | Later:
        """Post as of ``at``; never raises for what the other side does. The body is only read where it is asked for.

        An address that may not be reached is dead; no answer in time and no connection are for later.
        """
        url = self._url.copy_merge_params(dict(query)) if query else self._url
        headers = {"content-type": "application/json", "user-agent": "tocsin", **headers}
        try:
            async with (
                asyncio.timeout(self._patience.total_seconds()),
                self._client() as client,
                client.stream("POST", url, content=content, headers=headers) as response,
            ):
                wait = retry_after(response.headers.get("retry-after", ""), at)
                body = await _head(response) if read else b""
                return Answer(response.status_code, body, wait, response.has_redirect_location)
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


def by_status(answer: Answer) -> Outcome:
    """What a status alone says: 2xx is delivered, 410 is dead, everything else is for later."""
    if 200 <= answer.status < 300:
        return Delivered()
    if answer.status == _GONE:
        return Dead("receiver_gone")
    if answer.redirect:
        return Later("redirected")
    return Later(f"status_{answer.status}", answer.retry_after)


async def _head(response: httpx.Response) -> bytes:
    """The first bytes of a body; of an answer whose status is known, a body that breaks off takes nothing back."""
    found = b""
    try:
        async for chunk in response.aiter_bytes(4_096):
            found += chunk
            if len(found) >= _MOST_ANSWER:
                break
    except httpx.HTTPError:
        pass
    return found[:_MOST_ANSWER]


def checked_url(url: str) -> str:
    """The URL, where it can be posted to. ``ValueError`` that does not repeat it otherwise: it may hold a secret."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("a webhook's URL cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("a webhook's URL starts with https:// or http:// and names a host")
    if parsed.userinfo:
        raise ValueError("a webhook's URL holds no user name or password: they would stand in logs")
    return url


def retry_after(header: str, at: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3), from ``at``; ``None`` where it is neither, past or missing."""
    if header.isascii() and header.isdigit():
        wait = timedelta(seconds=min(int(header[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    else:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - at
    return min(wait, LONGEST_RETRY_AFTER) if wait > timedelta(0) else None
