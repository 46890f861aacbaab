"""The connection: one client, of a server or of a cluster; its scripts; every failure of the store one error."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis.asyncio as aioredis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import ClusterError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.errors import StoreAway
from service.store.cluster import AWAY, Command, NotReplicated, is_cluster, open_cluster, send, whole
from service.store.script import Script

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
    "act",
    "together",
    "ship",
    "redraw",
)
_HUNG = 5  # seconds, after which another node of a cluster is asked; longer than any command waits (`Pulse`)
LASTING = ("accept", "observe", "commit", "model", "act", "fanout")
"""What is answered for: where replicas are asked for, it is theirs before it is said to be done."""

_AWAY = (
    *(RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError, ClusterError),
    *(ConnectionError, OSError, *AWAY),
)


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn whatever the client raises while the store is away, full or read-only into `StoreAway`."""
    try:
        yield
    except NotReplicated as error:
        raise StoreAway("the store's replicas do not have it yet; send it again, nothing is doubled") from error
    except _AWAY as error:
        raise StoreAway(f"the store does not answer ({type(error).__name__}); nothing was taken, try again") from error
    except ResponseError as error:
        word = str(error).split(" ", 1)[0]
        if word in ("LOADING", "MISCONF", "OOM", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "BUSY"):
            raise StoreAway(f"the store refuses for now ({word}); nothing was taken, try again") from error
        raise


def text_of(value: bytes | str) -> str:
    """A reply as text; replies are bytes here, the client's types allow both."""
    return value.decode() if isinstance(value, bytes) else value


def bytes_of(value: bytes | str) -> bytes:
    """A reply as bytes."""
    return value if isinstance(value, bytes) else value.encode()


class Store:
    """The client and its scripts; the rooms of the store (inbox, counts, alerts, ...) are built on it.

    With ``replicas``, what is answered for (`LASTING`) is held by so many replicas of its master first, so that it
    outlives the master; without, the last second of a master that dies may be lost.
    """

    def __init__(self, client: aioredis.Redis | RedisCluster, *, url: str, replicas: int = 0) -> None:
        self._url, self._replicas = url, replicas
        # The client's types allow for text or bytes, now or later; here replies are bytes and awaited.
        self.client: Any = client
        self.clustered = isinstance(client, RedisCluster)
        self.scripts = {name: Script(client, name, replicas=replicas if name in LASTING else 0) for name in SCRIPTS}

    @classmethod
    def connect(cls, url: str, *, replicas: int = 0) -> "Store":
        """A store at ``url`` (redis://, rediss://, unix://, or a cluster's, see `open_cluster`); nothing is sent before
        the first call."""
        options: dict[str, Any] = {"socket_connect_timeout": 5, "health_check_interval": 30, "decode_responses": False}
        if is_cluster(url):
            return cls(open_cluster(url, socket_timeout=_HUNG, **options), url=url, replicas=replicas)
        return cls(aioredis.Redis.from_url(url, socket_timeout=30, **options), url=url, replicas=replicas)

    def again(self) -> "Store":
        """Another connection to the same, for another thread."""
        return Store.connect(self._url, replicas=self._replicas)

    async def ping(self) -> None:
        """Raises `StoreAway` where the store, or a part of the cluster, does not answer."""
        with store_errors():
            if not self.clustered:
                await self.client.ping()
            elif not await whole(self.client):
                raise ClusterError("a part is away")

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """Each command at the server that holds its key, at once; answers in their order, errors among them."""
        if self.clustered:
            return await send(self.client, commands)
        pipe = self.client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command.words, **command.options)
        return list(await pipe.execute(raise_on_error=False))

    async def together(self, *commands: tuple[Any, ...]) -> None:
        """Commands on keys of one hash tag, each ``(word, key, ...)``, in one step."""
        if not commands:
            return
        args = [word for command in commands for word in (len(command), *command)]
        await self.scripts["together"](list(dict.fromkeys(command[1] for command in commands)), args)

    async def names(self, pattern: str) -> AsyncIterator[str]:
        """All keys of a pattern, on whatever server."""
        async for name in self.client.scan_iter(match=pattern, count=1_000):
            yield text_of(name)

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
