"""`/v1/shipped`: how many orders left the house, by day and attribute values, so that complaints are also told per 1,000."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.exposure import LAG, falling_due
from service.api.auth import needs
from service.api.messages import Attributes, Word, body_of, one_or_many
from service.api.parts import ApiParts
from service.api.problem import fix_of, problem, where
from service.errors import BadMessage, TooLarge
from service.store.apikeys import Scope
from service.store.shipped import Posted, Taken, date_of, day_of

router = APIRouter(prefix="/v1/shipped", tags=["orders"])

_EAST = timedelta(hours=14)  # by which the day of some zone is ahead of UTC
_REACH = 35  # days before a span whose orders may still fall due in it


class ShippedIn(BaseModel):
    """Orders shipped on a day. ``sku`` and ``batch`` are short for attributes of that name. The same day and attributes
    again replace the figure."""

    model_config = ConfigDict(extra="forbid")
    day: date
    orders: Annotated[int, Field(ge=0, le=10**9)]
    sku: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    batch: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    attributes: Attributes = Field(default_factory=dict)


_ONE: TypeAdapter[ShippedIn] = TypeAdapter(ShippedIn)
_ITEM = ShippedIn.model_json_schema()
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [_ITEM, {"type": "array", "description": "of such", "items": {"type": "object"}}]}
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post("", status_code=202, dependencies=[Depends(needs(Scope.ingest))], openapi_extra=_BODY)
async def ship(request: Request) -> Response:
    """Take orders shipped: one post, a JSON array, or NDJSON. Good ones are put down, each in the place of an earlier one of
    the same day and attributes; bad ones are listed; all bad is 422. The same post again changes nothing."""
    parts: ApiParts = request.app.state.parts
    items = one_or_many(await body_of(request, parts), request.headers.get("content-type", ""))
    if len(items) > parts.max_batch:
        raise TooLarge(f"{len(items)} posts; send at most {parts.max_batch} at once")
    taken: list[Posted] = []
    rejected = []
    for index, item in enumerate(items):
        try:
            taken.append(_read(parts, item))
        except BadMessage as error:
            parts.metrics.rejected.labels(code=error.code).inc()
            rejected.append({"index": index, "code": error.code, "field": error.field, "detail": str(error)})
    outcomes = await parts.shipped.put(taken)
    receipt: dict[str, Any] = {
        "accepted": outcomes.count(Taken.new),
        "corrected": outcomes.count(Taken.corrected),
        "duplicates": outcomes.count(Taken.unchanged),
        "rejected": rejected,
    }
    if not taken:
        return problem(422, "all_rejected", "No post could be taken", "Every item has an error.", **receipt)
    return Response(orjson.dumps(receipt), 202, media_type="application/json")


@router.get("", dependencies=[Depends(needs(Scope.read))])
async def list_shipped(
    request: Request,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
    attribute: Annotated[str | None, Query(description="name:value; without it, all orders", max_length=300)] = None,
) -> dict[str, Any]:
    """Orders shipped on each of the last days, and how many fall due on it at the usual lag. A day of which nothing was
    posted is left out."""
    parts: ApiParts = request.app.state.parts
    name, found, value = (attribute or "").partition(":")
    cell = (name, value) if found else None
    last = day_of(parts.clock().date())
    orders = await parts.shipped.days(last - days + 1 - _REACH, last, cell)
    due = falling_due(orders, LAG, last - days + 1, last)
    return {
        "attribute": cell[0] if cell else None,
        "value": cell[1] if cell else None,
        "days": [
            {"day": date_of(day).isoformat(), "orders": orders[day], "due": round(due[day], 1) if day in due else None}
            for day in range(last - days + 1, last + 1)
            if day in orders
        ],
    }


def _read(parts: ApiParts, item: Any) -> Posted:
    """A post of JSON. Raises `BadMessage` with the first wrong field, without quoting it."""
    try:
        one = _ONE.validate_python(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise BadMessage(where(first["loc"]) or "body", fix_of(first), first["type"]) from None
    try:
        parts.ingest.check_time(datetime.combine(one.day, time(), UTC) - _EAST)
    except BadMessage:
        raise BadMessage("day", "lies in the future; send the day on which the orders left", "day_ahead") from None
    named = {"sku": one.sku, "batch": one.batch}
    attributes = dict(one.attributes) | {name: value for name, value in named.items() if value}
    return Posted(day_of(one.day), one.orders, parts.ingest.kept(attributes))
