"""`/v1/context`, `/v1/customers`, `/v1/orders`: the customer's whole picture, and what agents see of one message."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from models.context import Join, Picture, Piece, PieceKind
from models.message import CustomerKey
from service.api.auth import needs
from service.api.known import Question, answer
from service.api.messages import Attributes, Time, Word
from service.api.parts import ApiParts
from service.errors import TryLater
from service.store.access import Access
from service.store.apikeys import Scope
from service.store.context import PUSHED
from service.views import iso

router = APIRouter(tags=["context"])

LOOK = Depends(needs(Scope.context))


class PieceIn(BaseModel):
    """One fact about a customer, pushed by the system that knows it."""

    model_config = ConfigDict(extra="forbid")
    customer_id: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    order_id: Annotated[Word, Field(max_length=200)] | None = None
    tracking: Annotated[Word, Field(max_length=200)] | None = None
    at: Time | None = None
    fields: Attributes = Field(default_factory=dict)


class Asked(Question):
    """What a customer wrote, and who it is."""

    customer_id: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    order_id: Annotated[Word, Field(max_length=200)] | None = None


@router.put("/v1/context/{kind}/{piece_id}", dependencies=[Depends(needs(Scope.ingest))])
async def put_piece(request: Request, kind: PieceKind, piece_id: str, body: PieceIn) -> dict[str, str]:
    """Push one order, shipment, purchase, return or complaint; the same kind and id again replaces it."""
    parts: ApiParts = request.app.state.parts
    at = body.at if body.at is None or body.at.tzinfo else body.at.replace(tzinfo=UTC)
    fields = await parts.ingest.kept_with_groups(body.fields)
    piece = Piece(kind, piece_id[:200], PUSHED, at, body.order_id, body.tracking, fields)
    hashed = parts.ingest.customer(body.customer_id) if body.customer_id else None
    await parts.pushed.put(piece, hashed)
    return {"kind": kind.value, "id": piece.id}


@router.get("/v1/customers/{customer_id}/context", dependencies=[LOOK])
async def customer_context(
    request: Request,
    customer_id: str,
    order: Annotated[list[str] | None, Query(max_length=20, description="also by these orders")] = None,
    tracking: Annotated[list[str] | None, Query(max_length=20, description="also by these tracking numbers")] = None,
) -> dict[str, Any]:
    """Orders, shipments, purchases, returns and earlier complaints of a customer, looked up now. A source that does not
    answer in time is listed as missing. Every look is written into the access log."""
    known = {Join.customer: [customer_id], Join.order: order or [], Join.tracking: tracking or []}
    return await _picture(request, "context", known, customer_id)


@router.get("/v1/orders/{order_id}/context", dependencies=[LOOK])
async def order_context(request: Request, order_id: str) -> dict[str, Any]:
    """The same by an order, as a sample of an alert names one."""
    return await _picture(request, "context", {Join.order: [order_id]}, None)


@router.post("/v1/assist", dependencies=[LOOK])
async def assist(request: Request, body: Asked) -> dict[str, Any]:
    """For one message that came in: the known issue, and the customer's whole picture, in one answer, so that nobody is
    asked twice. ``issue`` is null where no worker answers in time. The text is redacted, and neither kept nor counted."""
    parts: ApiParts = request.app.state.parts
    known = {
        Join.customer: [body.customer_id] if body.customer_id else [],
        Join.order: [body.order_id] if body.order_id else [],
    }
    picture, issue = await asyncio.gather(
        _picture(request, "assist", known, body.customer_id), _issue(parts, body.text, body.timeout)
    )
    return {"issue": issue, "context": picture}


async def _issue(parts: ApiParts, text: str, seconds: float) -> dict[str, Any] | None:
    try:
        return await answer(parts, text, seconds)
    except TryLater:
        return None


async def _picture(
    request: Request, what: str, known: Mapping[Join, Sequence[str]], customer_id: str | None
) -> dict[str, Any]:
    parts: ApiParts = request.app.state.parts
    hashed = parts.ingest.customer(customer_id) if customer_id else None
    about = hashed or " ".join(f"order {one}" for one in known.get(Join.order, ()))
    await parts.access.note(Access(parts.clock(), await who(request), what, about))
    found, earlier = await asyncio.gather(parts.context.picture(known, hashed=hashed), _earlier(parts, hashed))
    return _view(found, earlier)


async def who(request: Request) -> str:
    """Who asks, for the access log."""
    name: str = await request.app.state.parts.gate.who(request.headers.get("authorization"))
    return name


async def _earlier(parts: ApiParts, hashed: str | None) -> list[dict[str, Any]]:
    """What the customer wrote lately, as it was kept."""
    if hashed is None:
        return []
    held = await parts.customers.earlier(CustomerKey(hashed))
    return [
        {"message_id": one.id, "source": one.source, "text": one.text, "occurred_at": iso(one.occurred_at)}
        for one in held
    ]


def _view(found: Picture, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "pieces": [
            {
                "kind": one.kind.value,
                "id": one.id,
                "source": one.source,
                "at": iso(one.at),
                "order": one.order,
                "tracking": one.tracking,
                "fields": dict(one.fields),
            }
            for one in found.pieces
        ],
        "messages": earlier,
        "missing": [{"source": one.source, "reason": one.reason} for one in found.missing],
    }
