"""The connection: one client, the scripts loaded once, every failure of the store one error."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import redis.asyncio as aioredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.errors import StoreAway

PIPELINE = 500  # buckets asked for at a time
SCRIPTS = (
    "accept",
    "count",
    "inherit",
    "bury",
    "revive",
    "commit",
    "lease",
    "fanout",
    "requeue",
    "model",
    "carry",
    "observe",
)

_AWAY = (RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError, ConnectionError, OSError)


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn whatever the client raises while the store is away, full or read-only into `StoreAway`."""
    try:
        yield
    except _AWAY as error:
        raise StoreAway(f"the store does not answer ({type(error).__name__}); nothing was taken, try again") from error
    except ResponseError as error:
        word = str(error).split(" ", 1)[0]
        if word in ("LOADING", "MISCONF", "OOM", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "BUSY"):
            raise StoreAway(f"the store refuses for now ({word}); nothing was taken, try again") from error
        raise


class Script:
    """A Lua script by its digest; loaded once, and again after the store lost it."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._body = (files("service.store") / "scripts" / f"{name}.lua").read_text()
        self._digest = hashlib.sha1(self._body.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], args: Sequence[Any]) -> Any:
        try:
            return await self._client.evalsha(self._digest, len(keys), *keys, *args)
        except NoScriptError:
            return await self._client.eval(self._body, len(keys), *keys, *args)


def text_of(value: bytes | str) -> str:
    """A reply as text; replies are bytes here, the client's types allow both."""
    return value.decode() if isinstance(value, bytes) else value


def bytes_of(value: bytes | str) -> bytes:
    """A reply as bytes."""
    return value if isinstance(value, bytes) else value.encode()


class Store:
    """The client and its scripts; the rooms of the store (inbox, counts, alerts, ...) are built on it."""

    def __init__(self, client: aioredis.Redis) -> None:
        # The client's types allow for text or bytes, now or later; here replies are bytes and awaited.
        self.client: Any = client
        self.scripts = {name: Script(client, name) for name in SCRIPTS}

    @classmethod
    def connect(cls, url: str) -> "Store":
        """A store at ``url`` (redis://, rediss:// or unix://); nothing is sent before the first call."""
        return cls(
            aioredis.Redis.from_url(
                url, socket_connect_timeout=5, socket_timeout=30, health_check_interval=30, decode_responses=False
            )
        )

    async def ping(self) -> None:
        """Raises `StoreAway` where the store does not answer."""
        with store_errors():
            await self.client.ping()

    async def close(self) -> None:
        await self.client.aclose()


async def hashes_by_bucket(
    store: Store, key: Callable[[int, int], str], buckets: Sequence[int], partitions: int
) -> list[list[dict[bytes, bytes]]]:
    """For each bucket, in their order, the hashes at ``key(partition, bucket)``, one a partition."""
    found: list[list[dict[bytes, bytes]]] = []
    for start in range(0, len(buckets), PIPELINE):
        part = buckets[start : start + PIPELINE]
        with store_errors():
            pipe = store.client.pipeline(transaction=False)
            for bucket in part:
                for partition in range(partitions):
                    pipe.hgetall(key(partition, bucket))
            answer = await pipe.execute()
        found += [answer[i * partitions : (i + 1) * partitions] for i in range(len(part))]
    return found
