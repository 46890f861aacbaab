"""Delivery: what is due in the outbox goes out, once; done, later, or dead with a reason."""

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from service.logs import log
from service.metrics import Metrics
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.schedule import next_attempt
from service.store.outbox import Due, Outbox


class Notifier(Protocol):
    """One channel out: ``send`` never raises for what the other side does."""

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        """Deliver a payload; ``id`` is the same on every try, so that a receiver can drop repeats."""


class Deliverer:
    """Sends what is due; ``receivers`` maps a receiver's name to its channel."""

    def __init__(self, outbox: Outbox, receivers: Mapping[str, Notifier], metrics: Metrics) -> None:
        self._outbox = outbox
        self._receivers = receivers
        self._metrics = metrics

    async def run_once(self, now: datetime) -> int:
        """Try everything that is due; answers how many were tried."""
        due = await self._outbox.due(now)
        for one in due:
            await self._settle(one, await self._send(one, now), now)
        waiting, _ = await self._outbox.count()
        self._metrics.outbox.set(waiting)
        return len(due)

    async def _send(self, due: Due, now: datetime) -> Outcome:
        receiver = self._receivers.get(due.receiver)
        if receiver is None:
            return Dead("receiver_unknown")
        return await receiver.send(due.payload, id=due.id, at=now)

    async def _settle(self, due: Due, outcome: Outcome, now: datetime) -> None:
        match outcome:
            case Delivered():
                await self._outbox.done(due)
                word = "delivered"
            case Later(reason, retry_after):
                wait = next_attempt(due.attempt + 1, random.random())  # noqa: S311
                if wait is None:
                    await self._outbox.dead(due, reason)
                    word = "dead"
                else:
                    await self._outbox.later(due, now + max(wait, retry_after or wait))
                    word = "later"
            case Dead(reason):
                await self._outbox.dead(due, reason)
                word = "dead"
        self._metrics.notified.labels(outcome=word).inc()
        log.info("notification", id=due.id, outcome=word, attempt=due.attempt)
