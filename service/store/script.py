"""A script of the store: many changes in one step, on the keys of one partition or of the tenant."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import NoScriptError

from service.store.cluster import Command, NotReplicated, send

Call = tuple[Sequence[str], Sequence[Any]]
"""Keys (all of one hash slot) and arguments."""

_WITHIN = 1_000  # milliseconds that replicas have; one that is behind for longer is as good as away


class Script:
    """A Lua script by its digest; loaded once, and again after the store lost it.

    With ``replicas`` an answer comes only when so many replicas have what the script wrote: `NotReplicated` else.
    """

    def __init__(self, client: Any, name: str, *, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas
        self._body = (files("service.store") / "scripts" / f"{name}.lua").read_text()
        self._digest = hashlib.sha1(self._body.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], args: Sequence[Any]) -> Any:
        if self._replicas or isinstance(self._client, RedisCluster):
            return (await self.each([(keys, args)]))[0]
        try:
            return await self._client.evalsha(self._digest, len(keys), *keys, *args)
        except NoScriptError:
            return await self._client.eval(self._body, len(keys), *keys, *args)

    async def each(self, calls: Sequence[Call]) -> list[Any]:
        """Run it once for each call, all sent at once; answers in their order. Each is a step of its own."""
        answers = await self._send("EVALSHA", self._digest, calls)
        lost = [row for row, one in enumerate(answers) if isinstance(one, NoScriptError)]
        if lost:
            for row, one in zip(lost, await self._send("EVAL", self._body, [calls[row] for row in lost]), strict=True):
                answers[row] = one
        for one in answers:
            if isinstance(one, Exception):
                raise one
        return answers

    async def _send(self, word: str, what: str, calls: Sequence[Call]) -> list[Any]:
        words = [(word, what, len(keys), *keys, *args) for keys, args in calls]
        if isinstance(self._client, RedisCluster):
            commands = [Command(keys[0], one) for (keys, _), one in zip(calls, words, strict=True)]
            return await send(self._client, commands, replicas=self._replicas, within=_WITHIN)
        pipe = self._client.pipeline(transaction=False)
        for one in words:
            pipe.execute_command(*one)
        if self._replicas:
            pipe.execute_command("WAIT", self._replicas, _WITHIN)
        answers: list[Any] = await pipe.execute(raise_on_error=False)
        if self._replicas and answers.pop() < self._replicas:
            raise NotReplicated
        return answers
