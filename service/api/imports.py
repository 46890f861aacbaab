"""`POST /v1/messages:import`: a whole file of messages, CSV, JSONL or Parquet."""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from models.message import RawMessage
from models.tables import Broken, Row, fingerprint
from service.api.auth import needs
from service.api.messages import body_of, count, read
from service.api.parts import ApiParts
from service.api.problem import problem
from service.errors import BadMessage, Refused, TryLater
from service.store.apikeys import Scope
from service.tables import Columns, read_body

router = APIRouter(tags=["messages"], dependencies=[Depends(needs(Scope.ingest))])

_KINDS: Mapping[str, str] = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}
_AT_ONCE = 500  # messages put into the store at a time, as in a batch
_MOST_LISTED = 100
Column = Annotated[str | None, Query(max_length=200)]


@router.post("/v1/messages:import", status_code=202, openapi_extra={
    "requestBody": {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS}}
})  # fmt: skip
async def import_file(
    request: Request,
    text: Annotated[str, Query(max_length=200, description="column of the text")] = "text",
    time: Annotated[
        str, Query(max_length=200, description="column of the time; now, where a row has none")
    ] = "occurred_at",
    id: Column = None,  # noqa: A002
    customer: Column = None,
    channel: Column = None,
    order: Column = None,
    attribute: Annotated[list[str] | None, Query(max_length=32, description="column; may be repeated")] = None,
    source: Annotated[str, Query(min_length=1, max_length=64)] = "import",
) -> Response:
    """Take every row that can be taken, and list the others. The same file again doubles nothing, also after a 429
    or 503 in the middle: ``row`` then says how far it came."""
    parts: ApiParts = request.app.state.parts
    body = await body_of(request, parts, parts.max_import)
    columns = Columns(text, time, id, customer, channel, order, tuple(attribute or ()), source)
    return await _Import(parts, columns, fingerprint(io.BytesIO(body))).run(body, _kind(request))


class _Import:
    """One import: what was taken so far, and what was not."""

    def __init__(self, parts: ApiParts, columns: Columns, prefix: str) -> None:
        self._parts = parts
        self._columns = columns
        self._prefix = prefix
        self._receipt: dict[str, Any] = {"rows": 0, "accepted": 0, "duplicates": 0, "refused": 0, "rejected": []}

    async def run(self, body: bytes, kind: str) -> Response:
        now, held = self._parts.clock(), list[RawMessage]()
        try:
            for number, row in read_body(body, kind, self._columns.needed(time=False)):
                self._receipt["rows"] = number
                raw = self._read(number, row, now)
                if raw is not None:
                    held.append(raw)
                if len(held) >= _AT_ONCE:
                    await self._take(held)
                    held = []
            await self._take(held)
        except TryLater as error:
            wait = {"Retry-After": str(max(1, round(error.retry_after.total_seconds())))}
            return problem(error.status, error.code, error.title, str(error), wait, **self._receipt)
        if self._receipt["refused"] and not self._receipt["accepted"] + self._receipt["duplicates"]:
            return problem(422, "all_rejected", "No row could be taken", "Every row has an error.", **self._receipt)
        return Response(orjson.dumps(self._receipt), 202, media_type="application/json")

    def _read(self, number: int, row: Row | Broken, now: datetime) -> RawMessage | None:
        try:
            if isinstance(row, Broken):
                raise BadMessage("row", row.reason, "broken_row")
            raw = read(self._columns.fields(number, row, self._prefix), now)
            self._parts.ingest.check(raw)
            return raw
        except BadMessage as error:
            self._parts.metrics.rejected.labels(code=error.code).inc()
            self._receipt["refused"] += 1
            if len(self._receipt["rejected"]) < _MOST_LISTED:
                told = {"row": number, "code": error.code, "field": error.field, "detail": str(error)}
                self._receipt["rejected"].append(told)
            return None

    async def _take(self, raws: list[RawMessage]) -> None:
        if not raws:
            return
        outcomes = await self._parts.ingest.take(raws)
        count(self._parts, outcomes)
        accepted = sum(outcome.value == "accepted" for outcome in outcomes)
        self._receipt["accepted"] += accepted
        self._receipt["duplicates"] += len(outcomes) - accepted


def _kind(request: Request) -> str:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _KINDS:
        raise Refused(f"content-type: send one of {', '.join(_KINDS)}")
    return _KINDS[media]
