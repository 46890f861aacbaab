"""`POST /v1/messages` and `/v1/messages:batch`: the door for what customers say."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from models.message import RawMessage
from models.times import parse_time
from service.api.auth import needs
from service.api.parts import ApiParts
from service.api.problem import fix_of, of_error, problem, where
from service.errors import BadMessage, TocsinError, TooLarge, TryLater
from service.store.apikeys import Scope
from service.store.inbox import Accepted
from service.views import topic_name, topic_name_view

router = APIRouter(tags=["messages"], dependencies=[Depends(needs(Scope.ingest))])

_PATH = "/v1/messages"
_MOST_WAIT = timedelta(seconds=10)


def _time(value: object) -> object:
    return parse_time(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _word(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _attributes(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {str(k): str(v) if isinstance(v, int | float | bool) else v for k, v in value.items() if v is not None}


Word = Annotated[str, BeforeValidator(_word)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Time = Annotated[datetime, BeforeValidator(_time)]
Attributes = Annotated[
    dict[Name, Annotated[str, Field(max_length=200)]], BeforeValidator(_attributes), Field(max_length=32)
]


class MessageIn(BaseModel):
    """One customer text, as it is posted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "chat-20250303-118",
                    "source": "chatbot",
                    "text": "充电宝充不进电了，才用三天",
                    "occurred_at": "2025-03-03T08:28:32+08:00",
                    "customer_id": "c004750",
                    "channel": "app",
                    "attributes": {"sku": "PB-20", "batch": "PB-20-B3", "region": "华东"},
                }
            ]
        },
    )

    text: str
    id: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    source: Name = "default"
    occurred_at: Time | None = None
    customer_id: Annotated[Word, Field(min_length=1, max_length=200)] | None = None
    channel: Name | None = None
    order_id: Annotated[Word, Field(max_length=200)] | None = None
    attributes: Attributes = Field(default_factory=dict)

    def raw(self, now: datetime) -> RawMessage:
        """The message for the pipeline; without a time it occurred now, without an id it gets a fresh one."""
        at = self.occurred_at or now
        return RawMessage(
            id=self.id or uuid.uuid4().hex,
            source=self.source,
            text=self.text,
            occurred_at=at if at.tzinfo else at.replace(tzinfo=UTC),
            customer_id=self.customer_id,
            channel=self.channel,
            order_id=self.order_id,
            attributes=self.attributes,
        )


_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Long = Annotated[str, msgspec.Meta(max_length=200)]


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    """A `MessageIn` whose fields have their types already, as nearly all do. It takes nothing that `MessageIn` does not;
    what it does not take, `MessageIn` converts or refuses with the reason."""

    text: str
    id: _Id | None = None
    source: _Name = "default"
    occurred_at: str | int | float | None = None
    customer_id: _Id | None = None
    channel: _Name | None = None
    order_id: _Long | None = None
    attributes: Annotated[dict[_Name, _Long], msgspec.Meta(max_length=32)] = {}


class RejectedItem(BaseModel):
    """An item of a batch that was not taken: which, why, and what to mend."""

    index: int
    id: str | None
    code: str
    field: str
    detail: str


class Receipt(BaseModel):
    """What became of the posted messages; accepted ones are in the store."""

    accepted: int
    duplicates: int
    rejected: list[RejectedItem] = []


class TopicReceipt(Receipt):
    """A receipt with the topic of the message and the alert that is open on it, where asked for in time."""

    id: str
    topic: dict[str, Any] | None = None
    alert: dict[str, Any] | None = None
    waited: bool = False
    """True where the topic was asked for and known in time."""


_MESSAGE: TypeAdapter[MessageIn] = TypeAdapter(MessageIn)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": MessageIn.model_json_schema()}}}}
_BATCH = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": MessageIn.model_json_schema()}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post(_PATH, status_code=202, response_model=TopicReceipt, openapi_extra=_BODY)
async def post_message(
    request: Request,
    wait: Annotated[Literal["topic"] | None, Query(description="'topic' waits for the message's topic")] = None,
    limit: Annotated[float, Query(alias="timeout", gt=0, le=10, description="seconds to wait at most")] = 2.0,
) -> Response:
    """Take one message; 202 once the store has it. Answers the topic and its open alert with ``?wait=topic``."""
    return await take_one(request, request.app.state.parts, timedelta(seconds=limit) if wait else None)


class QuickWay:
    """Takes a message that is posted without query past the router and its resolving of dependencies, which cost as
    much as the message itself. `post_message` describes it and does the same for all others."""

    def __init__(self, app: ASGIApp, parts: ApiParts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != _PATH or scope["method"] != "POST" or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await self._parts.gate.check(request.headers.get("authorization"), Scope.ingest)
            answer = await take_one(request, self._parts, None)
        except TocsinError as error:
            answer = of_error(error)
        await answer(scope, receive, send)


async def take_one(request: Request, parts: ApiParts, wait: timedelta | None) -> Response:
    """Take the message of a request that was let in; with ``wait`` also tell its topic, where it is known by then."""
    item = unwrapped(parsed(await body_of(request, parts)))
    try:
        raw = read(item, parts.clock())
        parts.ingest.check(raw)
    except BadMessage as error:
        parts.metrics.rejected.labels(code=error.code).inc()
        raise
    word = parts.answers.expect() if wait else None
    try:
        outcome = await parts.ingest.take_one(raw, word)
    except TryLater:
        if word:
            parts.answers.forget(word)
        raise
    count(parts, [outcome])
    new = outcome is Accepted.accepted
    answer: dict[str, Any] = {"accepted": int(new), "duplicates": int(not new), "rejected": [], "id": raw.id}
    if word is not None and wait is not None:
        answer |= await known(parts, word, wait if new else timedelta(0))
    return Response(orjson.dumps(answer), 202, media_type="application/json")


@router.post("/v1/messages:batch", status_code=202, response_model=Receipt, openapi_extra=_BATCH)
async def post_batch(request: Request) -> Response:
    """Take many messages (JSON array or NDJSON). Good ones are taken, bad ones listed; all bad is 422."""
    parts: ApiParts = request.app.state.parts
    items = list(items_of(await body_of(request, parts)))
    if len(items) > parts.max_batch:
        raise TooLarge(f"{len(items)} messages; send at most {parts.max_batch} in one batch")
    now = parts.clock()
    raws, rejected = [], []
    for index, item in enumerate(items):
        try:
            raw = read(unwrapped(item), now)
            parts.ingest.check(raw)
            raws.append(raw)
        except BadMessage as error:
            parts.metrics.rejected.labels(code=error.code).inc()
            name = str(item["id"])[:200] if isinstance(item, dict) and "id" in item else None
            rejected.append(
                {"index": index, "id": name, "code": error.code, "field": error.field, "detail": str(error)}
            )
    outcomes = await parts.ingest.take(raws) if raws else []
    count(parts, outcomes)
    accepted = sum(outcome is Accepted.accepted for outcome in outcomes)
    receipt: dict[str, Any] = {"accepted": accepted, "duplicates": len(outcomes) - accepted, "rejected": rejected}
    if items and not raws:
        return problem(
            422, "all_rejected", "No message could be taken", "Every item has an error; see rejected.", **receipt
        )
    return Response(orjson.dumps(receipt), 202, media_type="application/json")


async def body_of(request: Request, parts: ApiParts, most: int | None = None) -> bytes:
    """The body, up to ``most`` bytes or the usual limit. Raises `TooLarge` before more is read."""
    most = parts.max_body if most is None else most
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise TooLarge(f"send at most {most} bytes in one request")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge(f"send at most {most} bytes in one request")
        chunks.append(chunk)
    return b"".join(chunks)


def parsed(body: bytes) -> Any:
    """JSON of a body. Raises `BadMessage`, never quoting the body."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadMessage(
            "body", f"is no JSON in UTF-8 (line {error.lineno}, column {error.colno})", "not_json"
        ) from None


def items_of(body: bytes) -> Iterator[Any]:
    """The items of a batch: an array, or one JSON value a line. A broken line is an item that is refused later."""
    if body.lstrip()[:1] == b"[":
        found = parsed(body)
        yield from found
        return
    for line in body.splitlines():
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                yield None


def one_or_many(body: bytes, media: str) -> list[Any]:
    """The items of a body that may hold one: one value or an array in JSON, or one a line."""
    if media.partition(";")[0].strip() != "application/json":
        return list(items_of(body))
    found = parsed(body)
    return found if isinstance(found, list) else [found]


def unwrapped(item: Any) -> Any:
    """The message of a CloudEvent (structured mode, 1.0), its id, source and time filled in; others as they are."""
    if not (isinstance(item, dict) and "specversion" in item and isinstance(item.get("data"), dict)):
        return item
    event = {"id": item.get("id"), "source": str(item.get("source", ""))[:64] or None, "occurred_at": item.get("time")}
    return {name: value for name, value in event.items() if value is not None} | item["data"]


def read(item: Any, now: datetime) -> RawMessage:
    """A message of JSON. Raises `BadMessage` with the first wrong field, without quoting it."""
    return _read_plain(item, now) or _read_any(item, now)


def _read_plain(item: Any, now: datetime) -> RawMessage | None:
    """A message that needs no conversion, six times as fast as any other; None where `_read_any` must look."""
    try:
        plain = msgspec.convert(item, _Plain)
        at = now if plain.occurred_at is None else parse_time(str(plain.occurred_at))
    except ValueError:
        return None
    return RawMessage(
        plain.id or uuid.uuid4().hex,
        plain.source,
        plain.text,
        at,
        plain.customer_id,
        plain.channel,
        plain.order_id,
        plain.attributes,
    )


def _read_any(item: Any, now: datetime) -> RawMessage:
    try:
        return _MESSAGE.validate_python(item).raw(now)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise BadMessage(where(first["loc"]) or "body", fix_of(first), first["type"]) from None


def count(parts: ApiParts, outcomes: list[Accepted]) -> None:
    accepted = sum(outcome is Accepted.accepted for outcome in outcomes)
    parts.metrics.accepted.inc(accepted)
    parts.metrics.duplicates.inc(len(outcomes) - accepted)


async def known(parts: ApiParts, word: str, limit: timedelta) -> dict[str, Any]:
    """The topic and the open alert of a message whose sender waits."""
    answer = await parts.answers.wait(word, min(limit, _MOST_WAIT))
    if answer is None or answer.topic is None:
        return {"topic": None, "alert": None, "waited": answer is not None}
    model = (await parts.models.current()).model
    topic = next((one for one in model.topics if one.id == answer.topic), None) if model else None
    alert = await parts.open_alert(answer.topic)
    return {"topic": topic_name_view(topic_name(topic)) if topic else None, "alert": alert, "waited": True}
