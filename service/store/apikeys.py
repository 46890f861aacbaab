"""Keys of the API: only their hash is kept, with a name, scopes and an end."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from service.store import keys
from service.store.redis import Store, store_errors


class Scope(StrEnum):
    ingest = "ingest"
    read = "read"
    act = "act"
    context = "context"
    admin = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept; the key itself is shown once, when it is made."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    ends_at: datetime | None = None

    def allows(self, scope: Scope, now: datetime) -> bool:
        return (self.ends_at is None or now < self.ends_at) and (scope in self.scopes or Scope.admin in self.scopes)


def hash_key(secret: str) -> str:
    """SHA-256 of a key: keys are 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKeys:
    """Make, find, end and list keys."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def make(
        self, name: str, scopes: Iterable[Scope], now: datetime, ends_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """A new key and, this once, its secret."""
        secret = f"tocsin_{secrets.token_urlsafe(32)}"
        digest = hash_key(secret)
        key = ApiKey(digest[:12], name, frozenset(scopes), now, ends_at)
        await self._put(digest, key)
        return key, secret

    async def find(self, secret: str) -> ApiKey | None:
        """The key of a secret; found by its hash, so nothing is compared byte by byte."""
        with store_errors():
            body = await self._store.client.hget(keys.API_KEYS, hash_key(secret))
        return _load(body) if body else None

    async def all(self) -> list[ApiKey]:
        with store_errors():
            found = await self._store.client.hvals(keys.API_KEYS)
        return sorted((_load(body) for body in found), key=lambda key: key.created_at)

    async def end(self, key_id: str, at: datetime) -> bool:
        """Let a key end at ``at`` (rotation with overlap); False where there is none."""
        with store_errors():
            found = await self._store.client.hgetall(keys.API_KEYS)
        for digest, body in found.items():
            key = _load(body)
            if key.id == key_id:
                await self._put(digest.decode(), ApiKey(key.id, key.name, key.scopes, key.created_at, at))
                return True
        return False

    async def _put(self, digest: str, key: ApiKey) -> None:
        fields = {
            "id": key.id,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at,
            "ends_at": key.ends_at,
        }
        with store_errors():
            await self._store.client.hset(keys.API_KEYS, digest, orjson.dumps(fields, option=orjson.OPT_UTC_Z))


def _load(body: bytes) -> ApiKey:
    fields = orjson.loads(body)
    return ApiKey(
        id=fields["id"],
        name=fields["name"],
        scopes=frozenset(Scope(scope) for scope in fields["scopes"]),
        created_at=datetime.fromisoformat(fields["created_at"]),
        ends_at=datetime.fromisoformat(fields["ends_at"]) if fields["ends_at"] else None,
    )
