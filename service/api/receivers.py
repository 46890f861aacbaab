"""`/v1/receivers` and `/v1/failures`: who is told, whether it works, and what could not be told."""

import asyncio
import uuid
from datetime import timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import NotFound
from service.store.apikeys import Scope
from service.store.outbox import Due, GivenUp
from service.store.receivers import ReceiverState
from service.views import iso

router = APIRouter(tags=["receivers"], dependencies=[Depends(needs(Scope.admin))])

_PATIENCE = timedelta(seconds=12)  # a round of delivery every two seconds, and a receiver's own time to answer
_LOOK_EVERY = timedelta(milliseconds=200)
Name = Annotated[str, Path(max_length=64)]


class ReplayIn(BaseModel):
    """Which failures to bring back: those of a receiver, or some by their ``entry``; all, where nothing is given."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"receiver": "quality"}]})
    receiver: Annotated[str | None, Field(max_length=64)] = None
    entries: Annotated[list[str], Field(max_length=1_000)] | None = None


@router.get("/v1/receivers")
async def list_receivers(request: Request) -> dict[str, Any]:
    """Everybody who is told, with how the last notification went; never an address or a secret."""
    parts: ApiParts = request.app.state.parts
    return {"receivers": [_view(state) for state in await parts.receivers.all()]}


@router.post("/v1/receivers/{name}/test")
async def test_receiver(request: Request, name: Name) -> dict[str, Any]:
    """Send a test, and wait for what becomes of it: ``delivered``, ``later`` or ``dead`` with the reason, or
    ``waiting`` where no delivery runs."""
    parts: ApiParts = request.app.state.parts
    await _known(parts, name)
    now = parts.clock()
    test = f"test:{uuid.uuid4().hex[:12]}"
    body = {"type": "test", "timestamp": now.isoformat(), "data": {"receiver": name}}
    await parts.outbox.put(Due(test, name, orjson.dumps(body), once=True), now)
    for _ in range(_PATIENCE // _LOOK_EVERY):
        state = await _known(parts, name)
        if state.tested == test:
            return {"outcome": state.last_outcome, "reason": state.last_reason}
        await asyncio.sleep(_LOOK_EVERY.total_seconds())
    return {"outcome": "waiting", "reason": None}


@router.post("/v1/receivers/{name}/enable")
async def enable_receiver(request: Request, name: Name) -> dict[str, Any]:
    """Send again to a receiver that was switched off because it answered 410 (gone)."""
    parts: ApiParts = request.app.state.parts
    await _known(parts, name)
    await parts.receivers.switch_on(name)
    return _view(await _known(parts, name))


@router.get("/v1/failures")
async def list_failures(request: Request, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> dict[str, Any]:
    """Notifications that were given up, newest first: which, to whom, and why."""
    parts: ApiParts = request.app.state.parts
    return {"failures": [_failure(one) for one in await parts.outbox.given_up(limit)]}


@router.post("/v1/failures:replay")
async def replay_failures(request: Request, body: ReplayIn | None = None) -> dict[str, int]:
    """Make notifications that were given up due again."""
    parts: ApiParts = request.app.state.parts
    chosen = body or ReplayIn()
    back = await parts.outbox.requeue(parts.clock(), receiver=chosen.receiver, entries=chosen.entries)
    return {"replayed": back}


async def _known(parts: ApiParts, name: str) -> ReceiverState:
    state = await parts.receivers.get(name)
    if state is None:
        raise NotFound(f"there is no receiver {name!r}; GET /v1/receivers lists them")
    return state


def _view(state: ReceiverState) -> dict[str, Any]:
    return {
        "name": state.name,
        "kind": state.kind,
        "off": state.off,
        "off_at": iso(state.off_at),
        "last_outcome": state.last_outcome,
        "last_reason": state.last_reason,
        "last_at": iso(state.last_at),
        "delivered_at": iso(state.delivered_at),
    }


def _failure(one: GivenUp) -> dict[str, Any]:
    payload = orjson.loads(one.payload)
    return {
        "entry": one.entry,
        "receiver": one.receiver,
        "reason": one.reason,
        "attempts": one.attempts,
        "at": iso(one.at),
        "type": payload["type"],
        "alert_id": payload["data"].get("alert_id"),
    }
