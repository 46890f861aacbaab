"""The roles: what each does in turn, what at once, and what it does again after it was interrupted."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from models.buckets import bucket_of
from service.errors import StoreAway
from service.pipeline.discover import Discovery
from service.pipeline.judge import Judge
from service.pipeline.worker import Worker
from service.roles import JudgeRole, run_worker
from service.settings import Settings, TimeMode
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
    heard_upto: datetime = NOW
    each: timedelta = timedelta(0)
    """What messages go on by from one tick to the next."""

    async def run(self, now: datetime) -> None:
        self.looks += 1

    async def ready(self) -> bool:
        return True

    async def scan(self, now: datetime) -> None: ...

    async def first_bucket(self) -> int:
        return 10**6

    async def backlog(self) -> Backlog:
        self.heard_upto += self.each
        return Backlog(0, None, None, self.heard_upto, 0)

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
    return JudgeRole(*parts, cast(Lease, None), Settings(time=TimeMode.event), lambda: NOW)


async def test_a_lease_lost_after_the_first_topics_does_not_put_judging_off_to_the_next_discovery() -> None:
    tenant = Troubled(failures=1, each=timedelta(days=1))
    role = role_of(tenant)
    with pytest.raises(NotInStep):
        await role.tick()
    await role.tick()
    assert tenant.begun_at == [bucket_of(NOW + timedelta(days=1))]  # what surged meanwhile is raised all the same


async def test_topics_are_looked_for_once_in_the_time_set() -> None:
    tenant = Troubled(failures=0)
    role = role_of(tenant)
    for _ in range(3):
        await role.tick()
    assert (tenant.looks, len(tenant.begun_at)) == (1, 1)


@dataclass
class Busy:
    """A worker whose batches end when another is in hand, or after a while, and which stops after six."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    in_hand: int = 0
    most: int = 0
    batches: int = 0
    claimed_among: list[int] = field(default_factory=list)
    away: int = 0

    async def run_once(self, wait: timedelta | None = None) -> int:
        if self.away:
            self.away -= 1
            raise StoreAway("away")
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        await asyncio.sleep(0.02)
        self.in_hand -= 1
        self.batches += 1
        if self.batches >= 6:
            self.stop.set()
        return 1

    async def take_over(self) -> int:
        self.claimed_among.append(self.in_hand)
        await asyncio.sleep(0)
        return 0


async def worked(busy: Busy) -> Busy:
    settings = Settings(claim_after=timedelta(seconds=0.06))
    await asyncio.wait_for(run_worker(cast(Worker, busy), settings, busy.stop), 30)
    return busy


async def test_a_worker_has_two_batches_in_hand() -> None:
    busy = await worked(Busy())
    assert busy.most == 2
    assert busy.in_hand == 0


async def test_what_a_dead_worker_left_is_looked_for_again_and_again_and_never_beside_a_batch_in_hand() -> None:
    busy = await worked(Busy())
    assert len(busy.claimed_among) > 1
    assert set(busy.claimed_among) == {0}


async def test_a_worker_goes_on_after_the_store_was_away() -> None:
    assert (await worked(Busy(away=1))).batches >= 6
