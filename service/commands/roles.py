"""`tocsin api | worker | judge | deliver`: one role in this process, until told to stop."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from service.clock import wall_clock
from service.errors import Conflict
from service.logs import log, set_up_logs
from service.metrics import Metrics
from service.settings import Settings, load_settings
from service.store.board import Board
from service.store.lease import LEADER_TERM, Lease
from service.wiring import (
    Rooms,
    build_api_parts,
    build_deliverer,
    build_discovery,
    build_embedder,
    build_gauge,
    build_judge,
    build_sweep,
    hash_key_of,
    hold_embedder,
    lay_out,
    open_rooms,
    process_name,
)

Role = Literal["api", "worker", "judge", "deliver"]


def run_role(role: Role, **overrides: object) -> int:
    """Run a role on the store that the settings name."""
    settings = load_settings(**overrides)
    if settings.store_url is None:
        raise Conflict("set TOCSIN_STORE_URL to the store's address; 'tocsin serve' runs all on the embedded store")
    set_up_logs(settings.log_level, role)
    run = {"api": _api, "worker": _worker, "judge": _judge, "deliver": _deliver}[role]
    asyncio.run(run(settings, open_rooms(settings, settings.store_url)))
    return 0


async def _api(settings: Settings, rooms: Rooms) -> None:
    import uvicorn

    from service.app import create_app

    await lay_out(rooms, settings)
    app = create_app(build_api_parts(settings, rooms, wall_clock, hash_key_of(settings)))
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=5, server_header=False,
    )  # fmt: skip
    await uvicorn.Server(config).serve()


async def _worker(settings: Settings, rooms: Rooms) -> None:
    from service.roles import run_worker
    from service.wiring import build_worker

    await lay_out(rooms, settings)
    embedder = build_embedder(settings)
    await hold_embedder(rooms, embedder.name, embedder.dimension)
    log.info("working", embedder=embedder.name)
    metrics = Metrics()
    async with shown(rooms, "worker", metrics):
        await run_worker(build_worker(settings, rooms, embedder, metrics), settings, stop_signal())
    await rooms.store.close()


async def _judge(settings: Settings, rooms: Rooms) -> None:
    from service.roles import JudgeRole, run_gauge, run_sweep

    await lay_out(rooms, settings)
    lease = Lease(rooms.store, "judge", LEADER_TERM)
    discovery = build_discovery(settings, rooms)
    metrics = Metrics()
    judge = build_judge(settings, rooms, lease, metrics)
    role = JudgeRole(judge, discovery, rooms.models, rooms.inbox, lease, settings, wall_clock)
    async with shown(rooms, "judge", metrics):
        gauge_lease, stop = Lease(rooms.store, "gauge", LEADER_TERM), stop_signal()
        gauge = build_gauge(settings, rooms, gauge_lease, metrics)
        await asyncio.gather(
            role.run(stop),
            run_gauge(gauge, rooms.gauges, gauge_lease, settings, wall_clock, stop),
            run_sweep(build_sweep(settings, rooms), wall_clock, stop),
        )
    await rooms.store.close()


async def _deliver(settings: Settings, rooms: Rooms) -> None:
    from service.roles import run_deliver

    metrics = Metrics()
    deliverer = build_deliverer(settings, rooms, metrics)
    async with shown(rooms, "deliver", metrics):
        await run_deliver(deliverer, Lease(rooms.store, "deliver"), wall_clock, stop_signal())
    await rooms.store.close()


@asynccontextmanager
async def shown(rooms: Rooms, role: str, metrics: Metrics) -> AsyncIterator[None]:
    """Keep this process's metrics on the board while it runs."""
    task = asyncio.create_task(Board(rooms.store).keep(process_name(role), metrics))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def stop_signal() -> asyncio.Event:
    """Set when the process is asked to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
