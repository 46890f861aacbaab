"""The HTTP application: resources, problems, the page; made anew for each process, nothing happens on import."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI

from service import web
from service.api import (
    alerts,
    budget,
    campaigns,
    context,
    cost,
    docs,
    feeds,
    health,
    identity,
    imports,
    indicators,
    ingest,
    keys,
    known,
    messages,
    privacy,
    quality,
    receivers,
    shipped,
    topics,
)
from service.api.openapi import describe
from service.api.parts import ApiParts
from service.api.problem import add_problem_handlers

_DESCRIPTION = (
    "Tocsin listens to what customers say and rings when one complaint suddenly grows. "
    "Post messages, read alerts. Errors are application/problem+json."
)


def create_app(parts: ApiParts) -> FastAPI:
    """The application over wired parts. It closes the store when it ends."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(parts.answers.listen()), asyncio.create_task(parts.pulse.beat())]
        tasks.append(asyncio.create_task(parts.board.keep(parts.process, parts.metrics)))
        tasks.append(asyncio.create_task(parts.vigil.keep(parts.clock)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await parts.context.close()
            await parts.store.close()

    app = FastAPI(
        title="Tocsin",
        version=version("tocsin"),
        description=_DESCRIPTION,
        docs_url=None,  # its script would come from a foreign host
        redoc_url=None,
        lifespan=life,
    )
    app.state.parts = parts
    add_problem_handlers(app)
    app.add_middleware(messages.QuickWay, parts=parts)
    rooms = (
        messages,
        imports,
        ingest,
        known,
        alerts,
        feeds,
        identity,
        indicators,
        shipped,
        context,
        privacy,
        cost,
        topics,
        quality,
        budget,
        campaigns,
        receivers,
        keys,
        health,
    )
    for room in rooms:
        app.include_router(room.router)
    describe(app, [room.router for room in rooms])
    app.include_router(docs.router)
    web.mount(app)
    return app
