"""`POST /v1/ingest/{mapping}`: events of other programs, in their own shape."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from service.api.auth import needs
from service.api.messages import body_of, count, parsed, read
from service.api.parts import ApiParts
from service.api.problem import problem
from service.errors import BadMessage
from service.pipeline.mapping import Ignored, choose
from service.store.apikeys import Scope

_BY_KEY = needs(Scope.ingest, in_address=True)


async def signature_or_key(request: Request) -> None:
    """Lets a sender through that signs its bodies (checked with the body), or one with a key; the key may stand in
    the address where it can do nothing but this, since many platforms can be given no header."""
    parts: ApiParts = request.app.state.parts
    mapping = parts.mappings.get(request.path_params["mapping"])
    if mapping is None or mapping.proof is None:
        await _BY_KEY(request)


signature_or_key.scope = Scope.ingest  # type: ignore[attr-defined]
signature_or_key.in_address = True  # type: ignore[attr-defined]

router = APIRouter(tags=["messages"], dependencies=[Depends(signature_or_key)])


@router.post("/v1/ingest/{mapping}", status_code=202, openapi_extra={
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}
})  # fmt: skip
async def ingest(
    request: Request,
    mapping: Annotated[str, Path(max_length=64, description="chatwoot, zendesk, rasa, rasa-rest, or one of your own")],
    key: Annotated[str | None, Query(description="a key with the scope 'ingest' alone")] = None,
) -> Response:
    """Take an event as the platform sends it. What is no message of a customer is ignored, and says why."""
    parts: ApiParts = request.app.state.parts
    chosen = choose(parts.mappings, mapping)
    body = await body_of(request, parts)
    if chosen.proof is not None:
        chosen.proof.check({name.lower(): value for name, value in request.headers.items()}, body, parts.clock())
    raws, ignored, rejected = [], [], []
    for index, found in enumerate(chosen.apply(parsed(body))):
        if isinstance(found, Ignored):
            ignored.append({"index": index, "reason": found.reason})
            continue
        try:
            raw = read(found, parts.clock())
            parts.ingest.check(raw)
            raws.append(raw)
        except BadMessage as error:
            parts.metrics.rejected.labels(code=error.code).inc()
            rejected.append({"index": index, "code": error.code, "field": error.field, "detail": str(error)})
    outcomes = await parts.ingest.take(raws) if raws else []
    count(parts, outcomes)
    accepted = sum(outcome.value == "accepted" for outcome in outcomes)
    receipt: dict[str, Any] = {
        "accepted": accepted,
        "duplicates": len(outcomes) - accepted,
        "ignored": ignored,
        "rejected": rejected,
    }
    if rejected and not raws:
        return problem(
            422, "all_rejected", "No message could be taken", "Every event has an error; see rejected.", **receipt
        )
    return Response(orjson.dumps(receipt), 202, media_type="application/json")
