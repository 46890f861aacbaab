"""Who may do what: Bearer keys with scopes."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from fastapi import Request

from service.clock import Clock
from service.errors import Forbidden, Unauthorised
from service.store.apikeys import ApiKey, ApiKeys, Scope

_REMEMBERED = timedelta(seconds=5)  # a revoked key works at most this long
_MOST_REMEMBERED = 10_000


class Gate:
    """Lets a request in or raises `Unauthorised` or `Forbidden`. ``on`` False lets everybody in."""

    def __init__(self, keys: ApiKeys, clock: Clock, *, on: bool, admin_key: str | None) -> None:
        self._keys = keys
        self._clock = clock
        self._on = on
        self._admin_key = admin_key
        self._known: dict[str, tuple[datetime, ApiKey | None]] = {}

    async def check(self, authorization: str | None, scope: Scope) -> None:
        """``authorization`` is the header as it came."""
        if not self._on:
            return
        kind, _, secret = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise Unauthorised("send the header 'Authorization: Bearer <key>'; 'tocsin keys make' makes one")
        secret = secret.strip()
        if self._admin_key and hmac.compare_digest(secret.encode(), self._admin_key.encode()):
            return
        key = await self._find(secret)
        now = self._clock()
        if key is None or not key.allows(scope, now):
            if key is not None and (key.ends_at is None or now < key.ends_at):
                raise Forbidden(f"this key has not the scope {scope.value!r}")
            raise Unauthorised("this key is unknown, or has ended")

    async def who(self, authorization: str | None) -> str:
        """The name of the key of a request that was let in, for the access log."""
        secret = (authorization or "").partition(" ")[2].strip()
        if not self._on:
            return "nobody asked"
        key = await self._find(secret)
        return f"{key.name} ({key.id})" if key else "admin key"

    async def check_address(self, secret: str, scope: Scope) -> None:
        """A key that stands in an address, where logs and neighbours may see it: it may have no scope but this."""
        if not self._on:
            return
        key = await self._find(secret)
        if key is None or not key.allows(scope, self._clock()):
            raise Unauthorised("this key is unknown, has ended, or is not for this")
        if key.scopes != {scope}:
            raise Forbidden(f"a key in an address may have the scope {scope.value!r} alone; make one for it")

    async def _find(self, secret: str) -> ApiKey | None:
        now = self._clock()
        known = self._known.get(secret)
        if known and now < known[0]:
            return known[1]
        key = await self._keys.find(secret)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[secret] = (now + _REMEMBERED, key)
        return key


def needs(scope: Scope, *, in_address: bool = False) -> Callable[[Request], Awaitable[None]]:
    """A dependency that lets only keys with ``scope`` through; with ``in_address`` also one given as ``?key=``,
    for programs that can be given an address but no header."""

    async def gate(request: Request) -> None:
        checks: Gate = request.app.state.parts.gate
        header, key = request.headers.get("authorization"), request.query_params.get("key")
        if in_address and header is None and key:
            await checks.check_address(key, scope)
        else:
            await checks.check(header, scope)

    gate.scope = scope  # type: ignore[attr-defined]
    gate.in_address = in_address  # type: ignore[attr-defined]
    return gate
