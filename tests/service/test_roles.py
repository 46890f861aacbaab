"""The judge's role: what it does in turn, and what it does again after it was interrupted."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from service.pipeline.discover import Discovery
from service.pipeline.judge import Judge
from service.roles import JudgeRole
from service.settings import Settings
from service.store.inbox import Backlog, Inbox
from service.store.judgement import NotInStep
from service.store.lease import Lease
from service.store.model import ModelStore

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@dataclass
class Troubled:
    """Judge, discovery, models and inbox of a tenant whose first write after the first topics fails."""

    failures: int
    begun_at: list[int] = field(default_factory=list)
    looks: int = 0

    async def run(self, now: datetime) -> None:
        self.looks += 1

    async def ready(self) -> bool:
        return True

    async def scan(self, now: datetime) -> None: ...

    async def first_bucket(self) -> int:
        return 10**6

    async def backlog(self) -> Backlog:
        return Backlog(0, None, None, NOW, 0)

    async def begun(self) -> bool:
        return bool(self.begun_at)

    async def begin(self, first: int, raise_from: int) -> None:
        if self.failures:
            self.failures -= 1
            raise NotInStep("the lease was lost")
        self.begun_at.append(raise_from)

    async def advance(self, watermark: datetime, now: datetime) -> None: ...

    async def peek(self, now: datetime) -> None: ...


def role_of(tenant: Any) -> JudgeRole:
    parts = cast(Judge, tenant), cast(Discovery, tenant), cast(ModelStore, tenant), cast(Inbox, tenant)
    return JudgeRole(*parts, cast(Lease, None), Settings(), lambda: NOW)


async def test_a_lease_lost_after_the_first_topics_does_not_put_judging_off_to_the_next_discovery() -> None:
    tenant = Troubled(failures=1)
    role = role_of(tenant)
    with pytest.raises(NotInStep):
        await role.tick()
    await role.tick()
    assert len(tenant.begun_at) == 1


async def test_topics_are_looked_for_once_in_the_time_set() -> None:
    tenant = Troubled(failures=0)
    role = role_of(tenant)
    for _ in range(3):
        await role.tick()
    assert (tenant.looks, len(tenant.begun_at)) == (1, 1)
