"""`/v1/alerts`: the list, one alert, the live stream, and what people do about them."""

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from models.alert import Alert, Facts, Judgement
from models.bar import raise_bar
from models.detector import DetectorSettings
from models.redact import redact
from models.severity import Severity
from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import Refused, StoreAway
from service.store.alerts import Deed, Filed, Judged
from service.store.apikeys import Scope
from service.views import alert_row, alert_view, iso

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], dependencies=[Depends(needs(Scope.read))])

ACT = Depends(needs(Scope.act))
_PING = timedelta(seconds=15)
_PAGES = 20  # pages looked through to fill one with what the filters let pass


class Acknowledge(BaseModel):
    model_config = ConfigDict(extra="forbid")
    by: str | None = Field(None, max_length=100, description="who took it in hand")
    note: str | None = Field(None, max_length=2_000)


class Snooze(BaseModel):
    model_config = ConfigDict(extra="forbid")
    until: AwareDatetime | None = None
    minutes: Annotated[int, Field(gt=0, le=60 * 24 * 30)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Snooze":
        if (self.until is None) == (self.minutes is None):
            raise ValueError("give either until or minutes")
        return self


class Assign(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: str | None = Field(None, max_length=100, description="who is to see to it; nobody, where nothing is given")
    by: str | None = Field(None, max_length=100, description="who says so")


class Comment(BaseModel):
    model_config = ConfigDict(extra="forbid")
    note: str = Field(min_length=1, max_length=2_000)
    by: str | None = Field(None, max_length=100, description="who writes it")


class Resolve(BaseModel):
    model_config = ConfigDict(extra="forbid")
    note: str | None = Field(None, max_length=2_000)


class Feedback(BaseModel):
    model_config = ConfigDict(extra="forbid")
    judgement: Judgement
    by: str | None = Field(None, max_length=100, description="who says so")
    note: str | None = Field(None, max_length=2_000)


@router.get("")
async def list_alerts(
    request: Request,
    state: Annotated[Literal["open", "resolved"] | None, Query()] = None,
    severity: Annotated[Severity | None, Query(description="this grade or graver")] = None,
    topic: Annotated[
        str | None, Query(max_length=64, description="id of a topic; what was merged into it counts")
    ] = None,
    since: Annotated[AwareDatetime | None, Query(description="fired at this time or later")] = None,
    until: Annotated[AwareDatetime | None, Query(description="fired before this time")] = None,
    attribute: Annotated[
        list[str] | None, Query(max_length=8, description="name=value of a culprit or a sample; may be repeated")
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="words in label, terms, culprits or samples")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """Alerts, newest first; ``next`` is the cursor of the next page, or null."""
    wanted = _Wanted(
        state,
        severity,
        await _kin(request, topic),
        until,
        tuple(_pair(one) for one in attribute or ()),
        (q or "").casefold(),
    )
    parts: ApiParts = request.app.state.parts
    place = _place(cursor) if cursor else None
    found: list[Filed] = []
    for _ in range(_PAGES):
        page = await parts.book.newest(limit, place)
        if not page:
            return _page(parts, found, None)
        for filed in page:
            place = (filed.alert.fired_at.timestamp(), filed.alert.id)
            if since is not None and filed.alert.fired_at < since:
                return _page(parts, found, None)
            if wanted.passes(filed):
                found.append(filed)
                if len(found) == limit:
                    return _page(parts, found, place)
    return _page(parts, found, place)


@router.get("/stream", response_class=StreamingResponse)
async def stream(
    request: Request,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d+-\d+$")] = None,
    since: Annotated[str | None, Query(pattern=r"^\d+-\d+$", description="as Last-Event-ID")] = None,
) -> StreamingResponse:
    """Server-sent events: every change of an alert. ``Last-Event-ID`` replays exactly what was missed."""
    parts: ApiParts = request.app.state.parts
    start = last_event_id or since
    events = _events(parts, start)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.get("/{alert_id}")
async def get_alert(request: Request, alert_id: str) -> dict[str, Any]:
    """One alert with all its evidence."""
    parts: ApiParts = request.app.state.parts
    filed = await parts.book.get(alert_id)
    return alert_view(filed.alert, filed.facts, base_url=parts.base_url)


@router.get("/{alert_id}/timeline")
async def get_timeline(request: Request, alert_id: str) -> dict[str, Any]:
    """What led to an alert and what was done about it, oldest first; a judgement says how far it moved the bar."""
    parts: ApiParts = request.app.state.parts
    alert = (await parts.book.get(alert_id)).alert
    happened = [("onset", alert.evidence.onset), ("fired", alert.fired_at), ("resolved", alert.resolved_at)]
    steps = [Deed(at, kind) for kind, at in happened if at is not None] + await parts.book.timeline(alert_id)
    return {"timeline": [_step(deed) for deed in sorted(steps, key=lambda deed: deed.at)]}


@router.post("/{alert_id}/acknowledge", dependencies=[ACT])
async def acknowledge(request: Request, alert_id: str, body: Acknowledge) -> dict[str, Any]:
    """Somebody has it in hand: from now on only worse news or the end is told."""
    deed = _deed(request, "acknowledged", by=body.by, note=body.note)
    return await _act(
        request,
        alert_id,
        deed,
        lambda _, facts: replace(facts, acknowledged_at=deed.at, acknowledged_by=deed.by, note=deed.note or facts.note),
    )


@router.post("/{alert_id}/assign", dependencies=[ACT])
async def assign(request: Request, alert_id: str, body: Assign) -> dict[str, Any]:
    """Say who is to see to it; whoever is told from now on reads the name."""
    to = redact(body.to).text if body.to else None
    deed = _deed(request, "assigned", by=body.by, to=to)
    return await _act(request, alert_id, deed, lambda _, facts: replace(facts, assigned_to=to))


@router.post("/{alert_id}/comment", dependencies=[ACT])
async def comment(request: Request, alert_id: str, body: Comment) -> dict[str, Any]:
    """Write something down; it stands in the timeline."""
    return await _act(
        request, alert_id, _deed(request, "commented", by=body.by, note=body.note), lambda _, facts: facts
    )


@router.post("/{alert_id}/snooze", dependencies=[ACT])
async def snooze(request: Request, alert_id: str, body: Snooze) -> dict[str, Any]:
    """Silence until a time."""
    until = body.until or _now(request) + timedelta(minutes=body.minutes or 0)
    deed = _deed(request, "snoozed", until=iso(until))
    return await _act(request, alert_id, deed, lambda _, facts: replace(facts, snoozed_until=until))


@router.post("/{alert_id}/resolve", dependencies=[ACT])
async def resolve(request: Request, alert_id: str, body: Resolve) -> dict[str, Any]:
    """People are done with it: nothing more is told of this episode."""
    deed = _deed(request, "closed", note=body.note)
    return await _act(
        request, alert_id, deed, lambda _, facts: replace(facts, closed_at=deed.at, note=deed.note or facts.note)
    )


@router.post("/{alert_id}/feedback", dependencies=[ACT])
async def feedback(request: Request, alert_id: str, body: Feedback) -> dict[str, Any]:
    """Real, or noise. Noise raises the bar: what this topic must score to ring again, by a step that fades over
    weeks; ``facts.bar`` says from where to where. Real takes the alert's own step away again."""
    parts: ApiParts = request.app.state.parts
    deed, judged = _deed(request, "judged", by=body.by, note=body.note, judgement=body.judgement.value), Judged(None)
    moved: tuple[float, float] | None = None
    if body.judgement is Judgement.noise:
        filed, detector = await parts.book.get(alert_id), await parts.detector()
        threshold = detector.threshold if detector else DetectorSettings().first_threshold
        topic = filed.alert.evidence.topic.id
        bar = raise_bar(await parts.book.bars(), alert=alert_id, topic=topic, threshold=threshold, at=deed.at)
        judged = Judged(bar)
        moved = (bar.before, bar.after)
        deed = replace(deed, detail={**deed.detail, "bar_before": bar.before, "bar_after": bar.after})
    return await _act(
        request,
        alert_id,
        deed,
        lambda _, facts: replace(
            facts, judgement=body.judgement, judged_at=deed.at, bar=moved, note=deed.note or facts.note
        ),
        judged,
    )


@router.delete("/{alert_id}/feedback", dependencies=[ACT])
async def undo_feedback(request: Request, alert_id: str) -> dict[str, Any]:
    """Take a judgement back, and with it what it added to the bar."""
    return await _act(
        request,
        alert_id,
        _deed(request, "unjudged"),
        lambda _, facts: replace(facts, judgement=None, judged_at=None, bar=None),
        Judged(None),
    )


async def _act(
    request: Request,
    alert_id: str,
    deed: Deed,
    change: Callable[[Alert, Facts], Facts],
    judged: Judged | None = None,
) -> dict[str, Any]:
    parts: ApiParts = request.app.state.parts
    filed = await parts.book.act(alert_id, deed.kind, change, deed=deed, judged=judged)
    return alert_view(filed.alert, filed.facts, base_url=parts.base_url)


def _deed(
    request: Request, kind: str, *, by: str | None = None, note: str | None = None, **detail: str | float | None
) -> Deed:
    """A step of the timeline; personal data in what people write is taken out as it is of messages."""
    return Deed(
        _now(request), kind, redact(by).text if by else None, redact(note).text if note else None, detail
    )  # fmt: skip


def _step(deed: Deed) -> dict[str, Any]:
    return {"at": iso(deed.at), "kind": deed.kind, "by": deed.by, "note": deed.note, "detail": dict(deed.detail)}


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.parts.clock()
    return now


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a list is asked for; empty parts let everything through."""

    state: str | None
    severity: Severity | None
    topics: frozenset[str]
    until: datetime | None
    attributes: tuple[tuple[str, str], ...]
    words: str

    def passes(self, filed: Filed) -> bool:
        alert: Alert = filed.alert
        is_open = alert.open and filed.facts.closed_at is None
        return (
            (self.state is None or (self.state == "open") == is_open)
            and (self.severity is None or alert.severity.rank >= self.severity.rank)
            and (not self.topics or alert.evidence.topic.id in self.topics)
            and (self.until is None or alert.fired_at < self.until)
            and all(_carries(alert, name, value) for name, value in self.attributes)
            and (not self.words or any(self.words in text.casefold() for text in _texts(alert)))
        )


async def _kin(request: Request, topic: str | None) -> frozenset[str]:
    """A topic and what was merged into it; nothing where none is asked for."""
    if topic is None:
        return frozenset()
    model = (await request.app.state.parts.models.current()).model
    merged = {one.id for one in model.topics if model.heir(one.id) == topic} if model else set()
    return frozenset({topic, *merged})


def _carries(alert: Alert, name: str, value: str) -> bool:
    evidence = alert.evidence
    return any((one.attribute, one.value) == (name, value) for one in evidence.culprits) or any(
        sample.attributes.get(name) == value for sample in evidence.samples
    )


def _texts(alert: Alert) -> Iterator[str]:
    """Everything of an alert that people search by."""
    topic = alert.evidence.topic
    yield from (alert.id, topic.id, topic.label, *topic.labels.values(), *topic.terms)
    yield from (f"{one.attribute} {one.value}" for one in alert.evidence.culprits)
    yield from (sample.text for sample in alert.evidence.samples)


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise Refused("attribute: write it as name=value")
    return name, value


def _page(parts: ApiParts, found: list[Filed], place: tuple[float, str] | None) -> dict[str, Any]:
    rows = [alert_row(filed.alert, filed.facts, base_url=parts.base_url) for filed in found]
    return {"alerts": rows, "next": _cursor(place) if place else None}


def _cursor(place: tuple[float, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _place(cursor: str) -> tuple[float, str]:
    try:
        at, name = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return float(at), str(name)
    except (ValueError, TypeError):
        raise Refused("cursor: is none that this list gave; leave it out to begin at the newest") from None


async def _events(parts: ApiParts, start: str | None) -> AsyncIterator[str]:
    """The stream: a comment at once, what was missed, what comes, and a ping while nothing does.

    Ends where the store goes away: the reader comes back with the last id it heard.
    """
    with suppress(StoreAway):
        async for part in _told(parts, start):
            yield part


async def _told(parts: ApiParts, start: str | None) -> AsyncIterator[str]:
    yield ": listening\nretry: 2000\n\n"
    last = start or await parts.book.last_event()
    if start is not None and await parts.book.missed(start):
        last = await parts.book.last_event()
        yield f"event: resync\nid: {last}\ndata: {{}}\n\n"
    while True:
        events = await parts.book.events_after(last)
        for event in events:
            last = event.id
            filed = await parts.book.many([event.alert_id])
            if filed:
                row = alert_row(filed[0].alert, filed[0].facts, base_url=parts.base_url)
                data = orjson.dumps({"event": event.kind, "alert": row}).decode()
                yield f"event: {event.kind}\nid: {event.id}\ndata: {data}\n\n"
        if not events and not await parts.pulse.wait(_PING):
            yield ": ping\n\n"
