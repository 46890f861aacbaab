"""The roles that run until they are told to stop: worker, judge, deliver. Each outlives an absence of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from models.buckets import bucket_of
from service.clock import Clock
from service.errors import StoreAway, Unavailable
from service.logs import log
from service.memory import give_back, settle
from service.pipeline.watermark import event_watermark, wall_watermark
from service.settings import Settings, TimeMode
from service.store.gauges import Gauges
from service.store.inbox import Inbox
from service.store.judgement import NotInStep
from service.store.lease import Held, Lease
from service.store.model import ModelStore
from service.store.sweep import Sweep
from service.wiring import SCAN_EVERY, TICK

if TYPE_CHECKING:
    from service.pipeline.deliver import Deliverer
    from service.pipeline.discover import Discovery
    from service.pipeline.gauge import GaugeJudge
    from service.pipeline.judge import Judge
    from service.pipeline.worker import Worker

_AWAY = timedelta(seconds=1)
_LANES = 2  # batches that a worker has in hand: one is taken and counted while the other is embedded
_SWEEP = timedelta(hours=1)
_TRIM = timedelta(minutes=1)  # between two times that the judge gives memory back, which takes it some milliseconds


async def run_worker(worker: Worker, settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop; the batches in hand are finished first.

    Several batches are under way at once, so that the encoder need not wait while one is counted. What a dead worker left
    is looked for while none is: a worker must not take its own for that.
    """
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        await _patiently(worker.take_over(), stop)
        until = loop.time() + settings.claim_after.total_seconds() / 2
        async with asyncio.TaskGroup() as lanes:
            for _ in range(_LANES):
                lanes.create_task(_take(worker, stop, until))


async def _take(worker: Worker, stop: asyncio.Event, until: float) -> None:
    while not stop.is_set() and asyncio.get_running_loop().time() < until:
        await _patiently(worker.run_once(wait=timedelta(seconds=1)), stop)


async def _patiently(work: Awaitable[int], stop: asyncio.Event) -> None:
    """Do it; where the store or the encoder is away, wait a little."""
    try:
        await work
    except Unavailable as error:
        log.warning("waiting", detail=str(error))
        await _pause(stop, _AWAY)


class JudgeRole:
    """Leads discovery and judging while it holds the lease; stands by while another does."""

    def __init__(
        self,
        judge: Judge,
        discovery: Discovery,
        models: ModelStore,
        inbox: Inbox,
        lease: Lease,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._judge = judge
        self._discovery = discovery
        self._models = models
        self._inbox = inbox
        self._lease = lease
        self._settings = settings
        self._clock = clock
        self._discovered: datetime | None = None
        self._raise_from: int | None = None
        self._scanned: datetime | None = None
        self._leads = False
        self._trimmed: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        with self._lease.renewed():
            while not stop.is_set():
                leads = Held.not_ours
                try:
                    leads = await self._lease.hold()
                    if leads is not Held.still:
                        self._judge.forget()
                    self._say(leads)
                    if leads:
                        await self.tick()
                except NotInStep as error:
                    log.warning("standing by", detail=str(error))
                    self._judge.forget()
                except StoreAway as error:
                    log.warning("store away", detail=str(error))
                    self._judge.forget()
                await _pause(stop, TICK if leads else self._lease.term / 3)
        with suppress(StoreAway):
            await self._lease.release()

    def _say(self, leads: Held) -> None:
        """Write it down where leadership changes."""
        if bool(leads) != self._leads:
            self._leads = bool(leads)
            log.info("leading" if leads else "standing by")

    async def tick(self) -> None:
        """Discover where it is time to, then judge what has closed."""
        now = self._clock()
        watermark = await self.watermark(now)
        if watermark is None:
            return
        if self._due(watermark) and await self._discovery.ready():
            await self.discover(watermark)
        elif self._scanned is None or watermark - self._scanned >= SCAN_EVERY:
            self._scanned = watermark
            await self._discovery.scan(watermark)
        await self._judge.advance(watermark, now)
        await self._judge.peek(now)
        if self._trimmed is None:
            settle()  # its state is read by now
        if self._trimmed is None or now - self._trimmed >= _TRIM:
            self._trimmed = now
            give_back()

    async def watermark(self, now: datetime) -> datetime | None:
        backlog = await self._inbox.backlog()
        if self._settings.time is TimeMode.event:
            return event_watermark(backlog)
        return wall_watermark(backlog, now, self._settings.grace)

    async def discover(self, at: datetime) -> None:
        """Find topics; after the first ones, begin to judge."""
        await self._discovery.run(at)
        first = await self._models.first_bucket()
        if first is not None and not await self._judge.begun():
            oldest = bucket_of(at - self._settings.keep_counts)
            # Of the first try: a lease lost on the way must not put off from when on alerts are raised.
            self._raise_from = self._raise_from or bucket_of(at)
            await self._judge.begin(max(first, oldest), raise_from=self._raise_from)
        self._discovered = at  # last: a lease lost on the way is no reason to begin only at the next discovery

    def _due(self, watermark: datetime) -> bool:
        return self._discovered is None or watermark - self._discovered >= self._settings.discover_every


async def run_gauge(
    judge: GaugeJudge, gauges: Gauges, lease: Lease, settings: Settings, clock: Clock, stop: asyncio.Event
) -> None:
    """Judge indicators while the lease is held, beside the judge of messages; observations wait in no queue, so that
    time has come as far as the clock, or the newest of them, says."""
    with lease.renewed():
        while settings.indicators_part and not stop.is_set():
            try:
                now, span = clock(), await gauges.span()
                leads = await lease.hold() if span is not None else Held.not_ours
                if leads is not Held.still:
                    judge.forget()
                if leads and span is not None:
                    by_event = settings.time is TimeMode.event
                    await judge.advance(span[1] if by_event else now - settings.grace, now)
            except (NotInStep, StoreAway) as error:
                log.warning("standing by", detail=str(error))
                judge.forget()
            await _pause(stop, TICK)
    with suppress(StoreAway):
        await lease.release()


async def run_sweep(sweep: Sweep, clock: Clock, stop: asyncio.Event) -> None:
    """Once an hour take out what is older than it may be kept. Two at once do no harm."""
    while not stop.is_set():
        try:
            gone = await sweep.sweep(clock())
            log.info("swept", gone=gone)
        except StoreAway as error:
            log.warning("store away", detail=str(error))
        await _pause(stop, _SWEEP)


async def run_deliver(deliverer: Deliverer, lease: Lease, clock: Clock, stop: asyncio.Event) -> None:
    """Deliver while the lease is held."""
    with lease.renewed():
        while not stop.is_set():
            try:
                if await lease.hold() and await deliverer.run_once(clock()):
                    continue
            except StoreAway as error:
                log.warning("store away", detail=str(error))
            await _pause(stop, TICK)


async def _pause(stop: asyncio.Event, span: timedelta) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), span.total_seconds())
