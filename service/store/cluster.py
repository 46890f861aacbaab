"""A Redis or Valkey Cluster: its address, its client, and commands sent to the masters that hold their keys."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio.cluster import ClusterNode, PipelineCommand, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisClusterException,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.errors import Conflict

SCHEMES = {"redis+cluster": False, "rediss+cluster": True}
"""Schemes of a cluster's address, and whether it is reached by TLS."""
_PORT = 6379
_ROUNDS = 4  # tries to find the master of a key: a fail-over or a moving slot is told by the second
_PAUSE = 0.05  # seconds between them

_ELSEWHERE = (MovedError, ClusterDownError, RedisConnectionError, RedisTimeoutError)


@dataclass(frozen=True, slots=True)
class Command:
    """One command on keys of one hash slot; ``key`` is any of them."""

    key: str
    words: Sequence[Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    """For the reply's parser of the client."""


class ClusterAddressError(Conflict):
    """The address of a cluster cannot be read; says what to mend."""

    code = "cluster_address"


def is_cluster(url: str) -> bool:
    """Whether an address names a cluster.

    >>> is_cluster("redis+cluster://a:7000,b:7000"), is_cluster("redis://a:7000")
    (True, False)
    """
    return urlsplit(url).scheme in SCHEMES


def open_cluster(url: str, **options: Any) -> RedisCluster:
    """A client of the cluster at ``redis+cluster://[user:password@]host:port[,host:port…]`` (``rediss+cluster`` by TLS).

    Any node of it will do; the others are learnt from it. Nothing is sent before the first call. Raises
    `ClusterAddressError`.
    """
    parts = urlsplit(url)
    secret, _, places = parts.netloc.rpartition("@")
    if parts.path.strip("/") not in ("", "0"):
        raise ClusterAddressError("a cluster has no numbered databases: leave out what follows the hosts")
    user, _, password = secret.partition(":")
    return RedisCluster(
        startup_nodes=[_node(parts, place) for place in places.split(",")],
        username=unquote(user) or None,
        password=unquote(password) or None,
        ssl=SCHEMES[parts.scheme],
        retry=Retry(NoBackoff(), 2),
        **options,
    )


def _node(parts: SplitResult, place: str) -> ClusterNode:
    try:
        one = urlsplit(f"{parts.scheme}://{place}")
        host, port = one.hostname, one.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ClusterAddressError("name the cluster's hosts as redis+cluster://host:port,host:port")
    return ClusterNode(host, port or _PORT)


async def send(client: RedisCluster, commands: Sequence[Command], *, replicas: int = 0, within: int = 0) -> list[Any]:
    """Send each command to the master of its slot, those of one master together; answers in their order.

    With ``replicas`` each master is asked on the same connection to wait until so many of its replicas have what it
    wrote, ``within`` milliseconds: `NotReplicated` where they have not. What a server refuses (``ResponseError``)
    stands in the place of its answer. Commands may run twice where a connection breaks. Raises what the client
    raises where a master stays away.
    """
    answers: list[Any] = [None] * len(commands)
    left: dict[int, ClusterNode | None] = dict.fromkeys(range(len(commands)))
    for tries in range(_ROUNDS):
        await client.initialize()
        left = await _send(client, commands, answers, left, replicas=replicas, within=within, last=tries == _ROUNDS - 1)
        if not left:
            break
        await asyncio.sleep(_PAUSE)
    return answers


class NotReplicated(Exception):
    """Fewer replicas than were asked for have what was written; it is written all the same, for now."""


async def _send(
    client: RedisCluster,
    commands: Sequence[Command],
    answers: list[Any],
    left: Mapping[int, ClusterNode | None],
    *,
    replicas: int,
    within: int,
    last: bool,
) -> dict[int, ClusterNode | None]:
    """One round: fills ``answers``, and tells which commands are left, with the node to ask where one was named."""
    groups = _grouped(client, commands, left)
    for _, group in groups.values():
        if replicas:
            group.append((None, PipelineCommand(0, "WAIT", replicas, within)))
    broken = await asyncio.gather(
        *(node.execute_pipeline([one for _, one in group]) for node, group in groups.values()), return_exceptions=True
    )
    again: dict[int, ClusterNode | None] = {}
    short = moved = False
    for (_, group), error in zip(groups.values(), broken, strict=True):
        for row, sent in group:
            found = error if isinstance(error, BaseException) else sent.result
            if row is None:
                short = short or (sent.args[0] == "WAIT" and isinstance(found, int) and found < replicas)
            elif not isinstance(found, (*_ELSEWHERE, AskError, TryAgainError)):
                answers[row] = found
            elif last:
                raise found
            else:
                moved = moved or isinstance(found, _ELSEWHERE)
                ask = found if isinstance(found, AskError) and not isinstance(found, MovedError) else None
                again[row] = client.get_node(host=ask.host, port=ask.port) if ask else None
    if short:
        raise NotReplicated
    if moved:
        await client.aclose()  # so that the next round learns anew who holds what
    return again


Sent = tuple[int | None, PipelineCommand]
"""A command on its way, with its place among all; without one where it only goes along."""


def _grouped(
    client: RedisCluster, commands: Sequence[Command], left: Mapping[int, ClusterNode | None]
) -> dict[str, tuple[ClusterNode, list[Sent]]]:
    """Commands by the node that they are sent to."""
    groups: dict[str, tuple[ClusterNode, list[Sent]]] = {}
    for row, asked in left.items():
        command = commands[row]
        node = asked or client.get_node_from_key(command.key)
        if node is None:
            raise SlotNotCoveredError("nobody holds a slot")
        _, group = groups.setdefault(node.name, (node, []))
        if asked:
            group.append((None, PipelineCommand(0, "ASKING")))
        group.append((row, PipelineCommand(0, *command.words, **command.options)))
    return groups


async def whole(client: RedisCluster) -> bool:
    """Whether every slot has a master that answers."""
    await client.initialize()
    primaries = client.get_primaries()
    if not primaries:
        return False
    states = await asyncio.gather(*(node.execute_command("CLUSTER INFO") for node in primaries), return_exceptions=True)
    failed = [one for one in states if isinstance(one, BaseException)]
    if failed:
        await client.aclose()
    return not failed and all(one["cluster_state"] == "ok" for one in states if isinstance(one, dict))


AWAY = (RedisClusterException, NotReplicated, TryAgainError)
"""What a cluster raises, beside the errors of one server, while a part of it is away."""
