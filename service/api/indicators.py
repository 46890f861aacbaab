"""`/v1/indicators`: service metrics in, and how they stand against their thresholds."""

import uuid
from datetime import UTC
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.buckets import start_of
from models.dial import Hour, Shown, curve, show
from models.gauge import LEARNING, Gauge
from models.indicator import BadIndicator, Indicator, observation
from service.api.auth import needs
from service.api.messages import Attributes, Time, Word, body_of, one_or_many
from service.api.parts import ApiParts
from service.api.problem import fix_of, problem, where
from service.errors import BadMessage, NotFound, TooLarge
from service.pipeline.gauge import unpack_gauge
from service.store.apikeys import Scope
from service.store.gauges import Observation
from service.store.inbox import Accepted
from service.views import iso

router = APIRouter(prefix="/v1/indicators", tags=["indicators"])


class ObservationIn(BaseModel):
    """One observation of an indicator; with a denominator ``value`` speaks for so many."""

    model_config = ConfigDict(extra="forbid")
    value: Annotated[float, Field(ge=0, le=1e12)]
    denominator: Annotated[float, Field(ge=0, le=1e12)] | None = None
    occurred_at: Time | None = None
    id: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    attributes: Attributes = Field(default_factory=dict)


_ONE: TypeAdapter[ObservationIn] = TypeAdapter(ObservationIn)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        ObservationIn.model_json_schema(),
                        {"type": "array", "description": "of such", "items": {"type": "object"}},
                    ]
                }
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post("/{name}", status_code=202, dependencies=[Depends(needs(Scope.ingest))], openapi_extra=_BODY)
async def observe(request: Request, name: str) -> Response:
    """Take observations: one, a JSON array, or NDJSON. Good ones are added up, bad ones listed; all bad is 422. An ``id``
    that came before adds nothing."""
    parts: ApiParts = request.app.state.parts
    indicator = _named(parts, name)
    items = one_or_many(await body_of(request, parts), request.headers.get("content-type", ""))
    if len(items) > parts.max_batch:
        raise TooLarge(f"{len(items)} observations; send at most {parts.max_batch} at once")
    taken: list[Observation] = []
    rejected = []
    for index, item in enumerate(items):
        try:
            taken.append(await _read(parts, indicator, item))
        except BadMessage as error:
            parts.metrics.rejected.labels(code=error.code).inc()
            rejected.append({"index": index, "code": error.code, "field": error.field, "detail": str(error)})
    outcomes = await parts.gauges.observe(taken, parts.clock()) if taken else []
    accepted = sum(one is Accepted.accepted for one in outcomes)
    parts.metrics.observed.inc(accepted)
    receipt: dict[str, Any] = {"accepted": accepted, "duplicates": len(outcomes) - accepted, "rejected": rejected}
    if not taken:
        return problem(422, "all_rejected", "No observation could be taken", "Every item has an error.", **receipt)
    return Response(orjson.dumps(receipt), 202, media_type="application/json")


@router.get("", dependencies=[Depends(needs(Scope.read))])
async def list_indicators(request: Request) -> dict[str, Any]:
    """Every indicator with its figure of the last hour, what is usual, and the thresholds in force."""
    parts: ApiParts = request.app.state.parts
    gauge = await _gauge(parts)
    return {"indicators": [_view(one, gauge) for one in parts.indicators.values()]}


@router.get("/{name}", dependencies=[Depends(needs(Scope.read))])
async def get_indicator(
    request: Request, name: str, hours: Annotated[int, Query(ge=1, le=168, description="length of the curve")] = 72
) -> dict[str, Any]:
    """One indicator with its curve, by the hour, and the band of the normal."""
    parts: ApiParts = request.app.state.parts
    indicator, gauge = _named(parts, name), await _gauge(parts)
    points = curve(gauge, name, hours) if gauge else ()
    return _view(indicator, gauge) | {"curve": [_point(one) for one in points]}


def _named(parts: ApiParts, name: str) -> Indicator:
    if name not in parts.indicators:
        raise NotFound(f"there is no indicator {name!r}; GET /v1/indicators lists them, TOCSIN_INDICATORS adds some")
    return parts.indicators[name]


async def _gauge(parts: ApiParts) -> Gauge | None:
    _, state = await parts.gauge.state()
    return unpack_gauge(state, tuple(parts.indicators.values()))


async def _read(parts: ApiParts, indicator: Indicator, item: Any) -> Observation:
    """An observation of JSON. Raises `BadMessage` with the first wrong field, without quoting it."""
    try:
        one = _ONE.validate_python(item)
        tally = observation(indicator, one.value, one.denominator)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise BadMessage(where(first["loc"]) or "body", fix_of(first), first["type"]) from None
    except BadIndicator as error:
        raise BadMessage("value", str(error), "bad_value") from None
    at = one.occurred_at or parts.clock()
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    parts.ingest.check_time(at)
    attributes = await parts.ingest.kept_with_groups(one.attributes)
    return Observation(indicator.name, one.id or uuid.uuid4().hex, at, tally, attributes)


def _view(indicator: Indicator, gauge: Gauge | None) -> dict[str, Any]:
    row = {one.name: n for n, one in enumerate(gauge.indicators)}[indicator.name] if gauge else 0
    begun = gauge is not None and gauge.born[row] >= 0
    born = start_of(int(gauge.born[row])) if gauge is not None and begun else None
    return {
        "name": indicator.name,
        "labels": dict(indicator.labels),
        "kind": indicator.kind.value,
        "direction": indicator.direction.value,
        "unit": indicator.unit,
        "limit": indicator.limit,
        "quantile": indicator.quantile,
        "least": indicator.least,
        "start": indicator.start,
        "ceiling": indicator.ceiling,
        "floor": indicator.floor,
        "since": iso(born),
        "learning_until": iso(born + LEARNING) if born and gauge and not gauge.learnt(_at(gauge))[row] else None,
        "now": _now(show(gauge, indicator.name)) if gauge is not None and begun else None,
    }


def _at(gauge: Gauge) -> int:
    return 0 if gauge.bucket is None else gauge.bucket


def _now(shown: Shown) -> dict[str, Any]:
    """The last hour; ``why`` is what hour, weekday, volume and a campaign that runs multiply the usual level by (the odds, of
    shares)."""
    return {
        "start": iso(start_of(shown.first)),
        "end": iso(start_of(shown.end)),
        "n": shown.n,
        "value": _figure(shown.value if shown.n else None),
        "usual": _figure(shown.usual if shown.n else None),
        "lower": _figure(shown.lower),
        "upper": _figure(shown.upper),
        "learnt": _figure(shown.learnt),
        "in_force": shown.in_force.value if shown.in_force else None,
        "why": {one.name: round(one.times, 3) for one in shown.why},
        "campaign_hours": shown.campaign_hours,
    }


def _figure(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _point(one: Hour) -> dict[str, Any]:
    return {
        "start": iso(start_of(one.first)),
        "n": one.n,
        "value": _figure(one.value),
        "usual": _figure(one.usual),
        "lower": _figure(one.lower),
        "upper": _figure(one.upper),
    }
