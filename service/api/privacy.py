"""What is kept, for how long, and who looked: in plain words, for everybody; and a customer's own data, out and gone."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from service.api.auth import needs
from service.api.context import LOOK, who
from service.api.parts import ApiParts
from service.store.access import Access
from service.store.apikeys import Scope
from service.views import iso

router = APIRouter(tags=["privacy"])


@router.get("/v1/privacy", dependencies=[Depends(needs(Scope.read))])
async def privacy(request: Request) -> dict[str, Any]:
    """What is kept, how, and how long; what is never kept; and how often people looked at customers' data."""
    parts: ApiParts = request.app.state.parts
    looks = await parts.access.newest(1_000)
    return {
        "kept": [
            {"what": one.what, "how": one.how, "days": None if one.span is None else one.span.days, "most": one.most}
            for one in parts.kept
        ],
        "agents": {"groups": sorted(parts.agents.fields), "least": parts.agents.least},
        "looks": len(looks),
        "last_look": iso(looks[0].at) if looks else None,
    }


@router.get("/v1/access", dependencies=[Depends(needs(Scope.admin))])
async def access(request: Request, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> dict[str, Any]:
    """Who looked at whose data, newest first: the name of the key, and the customer's keyed hash or the order."""
    parts: ApiParts = request.app.state.parts
    looks = await parts.access.newest(limit)
    return {"looks": [{"at": iso(one.at), "who": one.who, "what": one.what, "about": one.about} for one in looks]}


@router.get("/v1/customers/{customer_id}/export", dependencies=[LOOK])
async def export_customer(request: Request, customer_id: str) -> dict[str, Any]:
    """Everything that is kept of a customer: messages as they were kept, pushed context, and the alerts that show them."""
    parts: ApiParts = request.app.state.parts
    hashed = parts.ingest.customer(customer_id)
    await parts.access.note(Access(parts.clock(), await who(request), "export", hashed))
    kept = await parts.customers.kept(hashed)
    return {
        "customer": hashed,
        "messages": [
            {
                "message_id": one.id,
                "source": one.source,
                "text": one.text,
                "occurred_at": iso(one.occurred_at),
                "order_id": one.order_id,
                "attributes": dict(one.attributes),
            }
            for one in kept.messages
        ],
        "context": [
            {"kind": one.kind.value, "id": one.id, "at": iso(one.at), "fields": dict(one.fields)} for one in kept.pieces
        ],
        "alerts": list(kept.alerts),
    }


@router.delete("/v1/customers/{customer_id}", dependencies=[Depends(needs(Scope.admin))])
async def erase_customer(request: Request, customer_id: str) -> dict[str, Any]:
    """Take every trace of a customer out of every store and stream; answers how many entries went, by where they lay.
    Counts stay: they name nobody."""
    parts: ApiParts = request.app.state.parts
    hashed = parts.ingest.customer(customer_id)
    await parts.erasures.note(hashed, parts.clock())  # first: whoever holds the customer lets go, and looks once more
    erased = await parts.customers.erase(hashed)
    parts.context.forget()
    parts.ingest.forget()
    await parts.access.note(Access(parts.clock(), await who(request), "erase", hashed))
    return {"erased": erased.counts}
