"""A small service for the page to talk to: hand-written alerts in the shapes of `service.views`, told live."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from models.alert import Alert, Facts, Judgement
from service.views import Json, alert_row, alert_view, iso, topic_view
from service.web import mount


@dataclass
class Stage:
    """What the service holds, and everything that was asked of it. Change it from the test's own thread."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    topics: list[Any] = field(default_factory=list)
    status: Json = field(default_factory=dict)
    key: str | None = None
    away: bool = False
    page: int = 200
    deeds: list[tuple[str, str, Json]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    resumed: list[str | None] = field(default_factory=list)
    cut: int = 0
    """Streams that began before this many were cut are ended."""

    def put(self, *alerts: Alert) -> None:
        """Hold these alerts without telling the live feed."""
        for alert in alerts:
            self.alerts[alert.id] = alert
            self.facts.setdefault(alert.id, Facts())

    def tell(self, alert: Alert, kind: str = "fired") -> None:
        """Hold an alert and tell the live feed."""
        self.put(alert)
        self.events.append((kind, alert.id))

    def row(self, alert_id: str) -> Json:
        return alert_row(self.alerts[alert_id], self.facts[alert_id])

    def view(self, alert_id: str) -> Json:
        return alert_view(self.alerts[alert_id], self.facts[alert_id])


class Theatre:
    """An app on a free port of the loopback, for as long as the `with` block lasts."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(app, port=0, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


def problem(status: int, code: str, title: str, detail: str) -> Response:
    body = {"type": f"urn:tocsin:problem:{code}", "title": title, "status": status, "code": code, "detail": detail}
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


def build(stage: Stage) -> FastAPI:
    """The app: the resources that the page uses, and the page itself."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def gate(request: Request, then: Any) -> Response:
        if stage.away and request.url.path.startswith("/v1"):
            return problem(503, "store_away", "The store cannot be reached", "Nothing was taken; try again soon.")
        wanted = f"Bearer {stage.key}"
        if stage.key and request.url.path.startswith("/v1") and request.headers.get("authorization") != wanted:
            return problem(401, "unauthorised", "A key is needed", "send the header 'Authorization: Bearer <key>'")
        answer: Response = await then(request)
        return answer

    @app.get("/v1/alerts")
    async def alerts(limit: int = 50, cursor: int = 0, state: str | None = None) -> Json:
        newest = sorted(stage.alerts.values(), key=lambda alert: alert.fired_at, reverse=True)
        if state == "open":
            newest = [one for one in newest if one.open and stage.facts[one.id].closed_at is None]
        size = min(limit, stage.page)
        more = cursor + size < len(newest)
        rows = [stage.row(alert.id) for alert in newest[cursor : cursor + size]]
        return {"alerts": rows, "next": str(cursor + size) if more else None}

    @app.get("/v1/alerts/stream")
    async def stream(request: Request) -> StreamingResponse:
        last = request.headers.get("last-event-id")
        stage.resumed.append(last)
        return StreamingResponse(_events(stage, request, last), media_type="text/event-stream")

    @app.get("/v1/alerts/{alert_id}")
    async def alert(alert_id: str) -> Any:
        if alert_id not in stage.alerts:
            return problem(404, "not_found", "There is no such thing", f"there is no alert {alert_id!r}")
        return stage.view(alert_id)

    @app.get("/v1/alerts/{alert_id}/timeline")
    async def timeline(alert_id: str) -> Any:
        if alert_id not in stage.alerts:
            return problem(404, "not_found", "There is no such thing", f"there is no alert {alert_id!r}")
        return {"timeline": _steps(stage, alert_id)}

    @app.post("/v1/alerts/{alert_id}/{deed}")
    async def act(alert_id: str, deed: str, request: Request) -> Json:
        body = await request.json()
        stage.deeds.append((deed, alert_id, body))
        stage.facts[alert_id] = _after(stage.facts[alert_id], deed, body)
        stage.events.append((f"{deed}d", alert_id))
        return stage.view(alert_id)

    @app.get("/v1/topics")
    async def topics(q: str = "") -> Json:
        figures = {"customers_before": 20, "trend": [1, 4, 2], "bar": None}
        rows = [topic_view(one) | {"customers": 40 - n} | figures for n, one in enumerate(stage.topics)]
        return {"topics": [row for row in rows if q in str(row)]}

    @app.get("/v1/topics/proposals")
    async def proposals() -> Json:
        return {"proposals": [], "splits": []}

    @app.get("/v1/topics/{topic_id}/lineage")
    async def lineage(topic_id: str) -> Json:
        return {"topic": topic_id, "heir": topic_id, "events": []}

    @app.get("/v1/topics/{topic_id}/series")
    async def series(topic_id: str) -> Json:
        held = next((alert for alert in stage.alerts.values() if alert.evidence.topic.id == topic_id), None)
        if held is None:
            return {"topic": topic_id, "points": [], "why": None}
        view = stage.view(held.id)
        told = {name: view[name] for name in ("onset", "window", "windows", "contributions")}
        return {"topic": topic_id, "points": view["curve"], "why": {"score": 5.0, "required": 3.2} | told}

    @app.get("/v1/status")
    async def status() -> Json:
        return stage.status

    @app.get("/v1/{what}")
    async def given_up(what: str) -> Json:
        one = {
            "at": iso(datetime.now(UTC)),
            "receiver": "quality",
            "type": "alert.fired",
            "reason": "signature_refused",
        }
        two = {"occurred_at": None, "source": None, "message_id": None, "reason": "unreadable"}
        return {"failures": [one], "dead": [two, two]}

    @app.post("/v1/{what}:replay")
    async def replay(what: str) -> Json:
        return {"replayed": {"failures": 1, "dead": 2}[what]}

    @app.get("/readyz")
    async def readyz() -> Response:
        state = "away" if stage.away else "ready"
        return Response(
            orjson.dumps({"status": state, "checks": {"store": state}}),
            503 if stage.away else 200,
            media_type="application/json",
        )

    mount(app)
    return app


def _steps(stage: Stage, alert_id: str) -> list[Json]:
    """As the service tells them: what led to the alert, and what was done."""
    alert, kinds = stage.alerts[alert_id], {"resolve": "closed", "feedback": "judged"}
    times = [("onset", alert.evidence.onset), ("fired", alert.fired_at), ("resolved", alert.resolved_at)]
    led = [{"at": iso(at), "kind": kind, "by": None, "note": None, "detail": {}} for kind, at in times if at]
    done = [
        {
            "at": iso(datetime.now(UTC)),
            "kind": kinds.get(
                deed, {"snooze": "snoozed", "assign": "assigned", "comment": "commented"}.get(deed, f"{deed}d")
            ),
            "by": body.get("by"),
            "note": body.get("note"),
            "detail": {name: body[name] for name in ("judgement", "to", "until") if name in body},
        }
        for deed, name, body in stage.deeds
        if name == alert_id
    ]
    return led + done


def _after(facts: Facts, deed: str, body: Json) -> Facts:
    now = datetime.now(UTC)
    if deed == "acknowledge":
        return replace(facts, acknowledged_at=now, acknowledged_by=body["by"])
    if deed == "assign":
        return replace(facts, assigned_to=body["to"])
    if deed == "comment":
        return facts
    if deed == "snooze":
        until = datetime.fromisoformat(body["until"]) if "until" in body else now + timedelta(minutes=body["minutes"])
        return replace(facts, snoozed_until=until)
    if deed == "resolve":
        return replace(facts, closed_at=now, note=body["note"] or facts.note)
    return replace(facts, judgement=Judgement(body["judgement"]), note=body["note"] or facts.note)


async def _events(stage: Stage, request: Request, last: str | None) -> AsyncIterator[str]:
    yield ": listening\n\n"
    at = len(stage.events) if last is None else int(last.partition("-")[0])
    cut = stage.cut
    while cut == stage.cut and not await request.is_disconnected():
        while at < len(stage.events) and cut == stage.cut:  # in this order: what is told after a cut comes anew
            kind, alert_id = stage.events[at]
            at += 1
            data = orjson.dumps({"event": kind, "alert": stage.row(alert_id)}).decode()
            yield f"event: {kind}\nid: {at}-0\ndata: {data}\n\n"
        await asyncio.sleep(0.02)
