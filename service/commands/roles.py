"""`tocsin api | worker | judge | deliver | encoder`: one role in this process, until told to stop."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Literal

from service.clock import wall_clock
from service.errors import Conflict, EncoderAway
from service.logs import log, set_up_logs
from service.memory import settle
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
    build_pool,
    build_sweep,
    hash_key_of,
    hold_embedder,
    lay_out,
    open_rooms,
    process_name,
)

if TYPE_CHECKING:
    from fastapi import FastAPI

    from service.pipeline.remote import RemoteEmbedder

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


def run_encoder(**overrides: object) -> int:
    """Serve the encoder of this machine to workers; it needs no store."""
    settings = load_settings(**overrides)
    if settings.encoder_urls:
        raise Conflict("TOCSIN_ENCODER names a pool; an encoder of it runs the model itself: name a folder, or nothing")
    key = settings.encoder_key.get_secret_value() if settings.encoder_key else None
    if settings.auth_on and key is None:
        raise Conflict("set TOCSIN_ENCODER_KEY to the same random words here and where the workers run")
    set_up_logs(settings.log_level, "encoder")
    asyncio.run(_encoder(settings, key))
    return 0


async def _encoder(settings: Settings, key: str | None) -> None:
    from service.api.embed import EncoderParts, create_encoder_app

    embedder = build_embedder(settings)
    app = create_encoder_app(EncoderParts(embedder, settings.encoder_queue, key))
    log.info("encoding", embedder=embedder.name)
    await _serve(app, settings)


async def _api(settings: Settings, rooms: Rooms) -> None:
    from service.app import create_app

    await lay_out(rooms, settings)
    app = create_app(build_api_parts(settings, rooms, wall_clock, hash_key_of(settings)))
    await _serve(app, settings)


async def _serve(app: "FastAPI", settings: Settings) -> None:
    import uvicorn

    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=5, server_header=False,
    )  # fmt: skip
    settle()
    await uvicorn.Server(config).serve([_shared(settings.host, settings.port)] if settings.apis > 1 else None)


def _shared(host: str, port: int) -> socket.socket:
    """A place to listen that several processes have in common; the kernel spreads connections among them."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: without it asyncio leaves Nagle's algorithm on, and each answer waits 40 ms.
    place = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind((host, port))
    return place


async def _worker(settings: Settings, rooms: Rooms) -> None:
    from service.roles import run_worker
    from service.wiring import build_worker

    await lay_out(rooms, settings)
    pool = await _reached(settings)
    embedder = build_embedder(settings, pool=pool)
    await hold_embedder(rooms, embedder.name, embedder.dimension)
    stop = stop_signal()
    log.info("working", embedder=embedder.name)
    metrics = Metrics()
    async with shown(rooms, "worker", metrics):
        worker = build_worker(settings, rooms, embedder, metrics, pool.check if pool else None)
        settle()
        await run_worker(worker, settings, stop)
    await rooms.store.close()


async def _reached(settings: Settings) -> "RemoteEmbedder | None":
    """The pool that the settings name, waited for until an encoder of it answers."""
    while True:
        try:
            return await asyncio.to_thread(build_pool, settings)
        except EncoderAway as error:
            log.warning("waiting", detail=str(error))
            await asyncio.sleep(error.retry_after.total_seconds())


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
