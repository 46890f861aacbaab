"""Is it alive, is it ready, how far behind: `/livez`, `/readyz`, `/metrics`, `/v1/status`, and dead messages."""

from datetime import timedelta
from importlib.metadata import version
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from models.buckets import bucket_of, end_of, start_of
from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import StoreAway
from service.metrics import shown
from service.store.apikeys import Scope
from service.views import iso

router = APIRouter(tags=["health"])

_DAY = 288
BLIND_TOLD = timedelta(days=28)
LEARNING = timedelta(days=14)
"""Until there is so much history, weekdays and the threshold are partly taken from experience elsewhere."""


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 where messages can be taken, else 503 with what is missing."""
    parts: ApiParts = request.app.state.parts
    checks: dict[str, str] = {}
    try:
        await parts.store.ping()
        checks["store"] = "ready"
    except StoreAway:
        checks["store"] = "away"
    ready = all(value == "ready" for value in checks.values())
    body = {"status": "ready" if ready else "not ready", "checks": checks}
    return Response(orjson.dumps(body), 200 if ready else 503, media_type="application/json")


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """The metrics of every process, labelled by role, in the Prometheus text format."""
    parts: ApiParts = request.app.state.parts
    backlog = await parts.inbox.backlog()
    parts.metrics.waiting.set(backlog.waiting)
    lag = (parts.clock() - backlog.oldest_received).total_seconds() if backlog.oldest_received else 0.0
    parts.metrics.lag.set(max(0.0, lag))
    snapshots = await parts.board.read() | {parts.process: parts.metrics.snapshot()}
    return Response(shown(snapshots), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/status", dependencies=[Depends(needs(Scope.read))])
async def status(request: Request) -> dict[str, Any]:
    """How things stand: lag, backlog, topics, the threshold, and how far has been judged."""
    parts: ApiParts = request.app.state.parts
    backlog = await parts.inbox.backlog()
    model = (await parts.models.current()).model
    position, _ = await parts.judge.state()
    outbox_waiting, outbox_dead = await parts.outbox.count()
    now = parts.clock()
    last = position if position is not None else bucket_of(now)
    day = await parts.counts.buckets(range(last - _DAY + 1, last + 1))
    noise = sum(one.noise for one in day)
    counted = noise + sum(sum(one.customers.values()) for one in day)
    detector = await parts.detector()
    first = await parts.models.first_bucket()
    learnt = start_of(first) + LEARNING if first is not None else None
    return {
        "version": version("tocsin"),
        "now": iso(now),
        "lag_seconds": max(0.0, (now - backlog.oldest_received).total_seconds()) if backlog.oldest_received else 0.0,
        "waiting": backlog.waiting,
        "dead": backlog.dead,
        "topics": sum(topic.state != "retired" for topic in model.topics) if model else 0,
        "embedder": model.embedder if model else None,
        "without_topic": await parts.pools.waiting_count(),
        "noise_share": round(noise / counted, 4) if counted else None,
        "learning_until": iso(learnt)
        if learnt is not None and position is not None and learnt > end_of(position)
        else None,
        "judged_until": iso(end_of(position)) if position is not None else None,
        "threshold": round(detector.threshold, 3) if detector else None,
        "outbox": {"waiting": outbox_waiting, "dead": outbox_dead},
        "blind": [{"from": iso(one.start), "to": iso(one.end)} for one in await parts.vigil.blind(now - BLIND_TOLD)],
    }


@router.get("/v1/dead", dependencies=[Depends(needs(Scope.admin))])
async def dead(request: Request) -> dict[str, Any]:
    """Messages that were put aside, newest first: which and why; never the text."""
    parts: ApiParts = request.app.state.parts
    found = await parts.inbox.dead()
    return {
        "dead": [
            {
                "message_id": one.message_id,
                "source": one.source,
                "occurred_at": iso(one.occurred_at),
                "reason": one.reason,
            }
            for one in found
        ]
    }


@router.post("/v1/dead:replay", dependencies=[Depends(needs(Scope.admin))])
async def replay_dead(request: Request) -> dict[str, int]:
    """Bring dead messages back into the inbox."""
    parts: ApiParts = request.app.state.parts
    return {"replayed": await parts.inbox.revive()}
