"""The OpenAPI document: what FastAPI knows, completed with answers, examples, errors and keys.

It is checked in as ``docs/openapi.json``; `tocsin openapi` prints it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.api import examples
from service.api.problem import MEDIA_TYPE
from service.api.shapes import alerts, base, cost, customers, indicators, messages, running, topics

REF = "#/components/schemas/"
_TAGS: Mapping[str, str] = {
    "messages": "What customers say, on its way in",
    "alerts": "What rings, and what people do about it",
    "feeds": "Alerts for feed readers",
    "topics": "The issues that messages are counted under",
    "indicators": "Service metrics under dynamic thresholds",
    "orders": "Orders shipped by day, so that complaints are also told per 1,000",
    "context": "The customer's whole picture, looked up when somebody looks",
    "privacy": "What is kept, how long, who looked",
    "cost": "What blind spots cost",
    "campaigns": "Announced promotions",
    "receivers": "Who is told, and what could not be told",
    "keys": "Who may do what",
    "health": "Is it alive, is it ready, how far behind",
}
_PROBLEM = {
    "type": "urn:tocsin:problem:not_found",
    "title": "There is no such thing",
    "status": 404,
    "code": "not_found",
    "detail": "there is no alert 'x'; GET /v1/alerts lists them",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What an operation answers: a shape with an example of it, or words of another kind."""

    shape: type[BaseModel] | None
    example: Any
    media: str = "application/json"


TOLD: Mapping[str, Told] = {
    "GET /v1/alerts": Told(alerts.AlertPage, {"alerts": [examples.ROW], "next": None}),
    "GET /v1/alerts/stream": Told(None, ": listening\nretry: 2000\n\nevent: fired\nid: 1773133200000-0\ndata: {…}\n\n",
                                  "text/event-stream"),
    "GET /v1/alerts/{alert_id}": Told(alerts.AlertShape, examples.ALERT),
    "POST /v1/alerts/{alert_id}/acknowledge": Told(alerts.AlertShape, examples.ACTED),
    "POST /v1/alerts/{alert_id}/assign": Told(alerts.AlertShape, examples.ACTED),
    "POST /v1/alerts/{alert_id}/comment": Told(alerts.AlertShape, examples.ACTED),
    "POST /v1/alerts/{alert_id}/snooze": Told(alerts.AlertShape, examples.ACTED),
    "POST /v1/alerts/{alert_id}/resolve": Told(alerts.AlertShape, examples.ACTED),
    "POST /v1/alerts/{alert_id}/feedback": Told(alerts.AlertShape, examples.JUDGED),
    "DELETE /v1/alerts/{alert_id}/feedback": Told(alerts.AlertShape, examples.ACTED),
    "GET /v1/alerts/{alert_id}/timeline": Told(
        alerts.Timeline,
        {
            "timeline": [
                {
                    "at": "2026-03-10T09:00:00Z",
                    "kind": "judged",
                    "by": "quality",
                    "note": "a price cut, not a defect",
                    "detail": {"judgement": "noise", "bar_before": 3.2, "bar_after": 4.2},
                }
            ]
        },
    ),
    "GET /v1/quality": Told(
        alerts.QualityPage,
        {
            "total": examples.QUALITY,
            "weeks": [
                examples.QUALITY
                | {"start": "2026-03-09T00:00:00Z", "acknowledged": 9, "minutes_to_acknowledge": 6.5}
            ],
            "severities": {"critical": examples.QUALITY},
            "topics": [examples.QUALITY | {"topic": examples.TOPIC_NAME, "bar": examples.BAR}],
        },
    ),
    "GET /v1/teams": Told(
        cost.TeamList,
        {
            "teams": [
                {"team": "quality", "alerts_per_week": 5, "told": 4, "held": ["20260310T0900-t7"],
                 "weeks": [examples.TEAM_WEEK]}
            ]
        },
    ),
    "GET /v1/budget": Told(alerts.BudgetPage, examples.BUDGET),
    "PUT /v1/budget": Told(alerts.BudgetPage, examples.BUDGET | {"chosen": True}),
    "DELETE /v1/budget": Told(alerts.BudgetPage, examples.BUDGET),
    "GET /v1/feed.json": Told(alerts.Feed, examples.FEED, "application/feed+json"),
    "GET /v1/feed.atom": Told(None, '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">…',
                              "application/atom+xml"),
    "GET /v1/topics": Told(topics.TopicPage, {"topics": [examples.TOPIC_ROW], "from": "2026-03-09T09:00:00Z",
                                              "to": "2026-03-10T09:00:00Z", "noise": 120, "counted": 900}),
    "GET /v1/topics/{topic_id}": Told(topics.TopicDetail, examples.TOPIC | {"messages": [examples.TOPIC_MESSAGE],
                                                                            "alert": examples.ROW}),
    "GET /v1/topics/{topic_id}/series": Told(
        topics.Series, {"topic": "t7", "points": [examples.POINT], "why": examples.WHY}
    ),
    "GET /v1/topics/map": Told(topics.TopicMap, {"topics": [{"id": "t7", "x": -0.31, "y": 0.52}]}),
    "GET /v1/topics/proposals": Told(
        topics.ProposalList, {"proposals": [{"topics": [examples.TOPIC, examples.TOPIC], "apart": 0.31}], "splits": []}
    ),
    "GET /v1/topics/{topic_id}/parts": Told(
        topics.TopicParts,
        {"topic": "t7", "parts": [examples.TOPIC_PART, examples.TOPIC_PART], "messages": ["chat-118"]},
    ),
    "GET /v1/topics/{topic_id}/lineage": Told(
        topics.Lineage, {"topic": "t7", "heir": "t7", "events": [examples.LINEAGE_EVENT]}
    ),
    "POST /v1/topics/{topic_id}/rename": Told(topics.TopicShape, examples.TOPIC),
    "POST /v1/topics/{topic_id}/mute": Told(topics.TopicShape, examples.TOPIC | {"state": "muted"}),
    "POST /v1/topics/{topic_id}/unmute": Told(topics.TopicShape, examples.TOPIC),
    "POST /v1/topics/{topic_id}/merge": Told(topics.TopicShape, examples.TOPIC | {"state": "retired", "into": "t3"}),
    "POST /v1/topics/{topic_id}/part": Told(topics.TopicShape, examples.TOPIC),
    "POST /v1/topics/{topic_id}/apart": Told(topics.TopicShape, examples.TOPIC),
    "POST /v1/topics/{topic_id}/split": Told(topics.TopicShape, examples.TOPIC | {"id": "t42", "origin": "t7"}),
    "POST /v1/indicators/{name}": Told(indicators.ObservationReceipt, {"accepted": 2, "duplicates": 0, "rejected": []}),
    "GET /v1/indicators": Told(indicators.IndicatorList, {"indicators": [examples.INDICATOR]}),
    "GET /v1/indicators/{name}": Told(
        indicators.IndicatorDetail, examples.INDICATOR | {"curve": [examples.INDICATOR_POINT]}
    ),
    "POST /v1/shipped": Told(
        indicators.ShippedReceipt, {"accepted": 2, "corrected": 1, "duplicates": 0, "rejected": []}
    ),
    "GET /v1/shipped": Told(
        indicators.ShippedDays,
        {"attribute": "batch", "value": "PB-20-B3", "days": [{"day": "2026-03-09", "orders": 412.0, "due": 380.5}]},
    ),
    "PUT /v1/context/{kind}/{piece_id}": Told(customers.PushedPiece, {"kind": "order", "id": "O-1"}),
    "DELETE /v1/customers/{customer_id}": Told(customers.Erasure, {"erased": {"messages": 3, "samples": 1, "context": 2}}),
    "GET /v1/customers/{customer_id}/context": Told(customers.CustomerContext, examples.CONTEXT),
    "GET /v1/orders/{order_id}/context": Told(customers.CustomerContext, examples.CONTEXT),
    "POST /v1/assist": Told(customers.Assist, {"issue": examples.KNOWN, "context": examples.CONTEXT}),
    "GET /v1/privacy": Told(
        customers.Privacy,
        {
            "kept": [{"what": {"en": "messages"}, "how": {"en": "redacted text"}, "days": 90, "most": 20000}],
            "agents": {"groups": [], "least": 5},
            "looks": 3,
            "last_look": "2026-03-10T09:00:00Z",
        },
    ),
    "GET /v1/access": Told(
        customers.LookList,
        {"looks": [{"at": "2026-03-10T09:00:00Z", "who": "desk (1f2e3d4c5b6a)", "what": "context",
                    "about": "k3v7q2m5x4b6n2d7w5ra"}]},
    ),
    "GET /v1/customers/{customer_id}/export": Told(
        customers.Export,
        {
            "customer": "k3v7q2m5x4b6n2d7w5ra",
            "messages": [examples.CONTEXT["messages"][0] | {"order_id": "O-1", "attributes": {"sku": "PB-20"}}],
            "context": [],
            "alerts": [],
        },
    ),
    "GET /v1/cost": Told(
        cost.CostShape,
        {"currency": "yuan", "tickets_a_day": 100.0, "minutes": 60.0, "hour": 30.0, "days": 30, "a_day": 3000.0,
         "in_all": 90000.0, "alerts": []},
    ),
    "GET /v1/hindsight": Told(cost.HindsightPage, examples.HINDSIGHT),
    "GET /v1/alerts/{alert_id}/cost": Told(
        cost.AlertCost,
        {
            "currency": "yuan",
            "cost": {"low": 930.0, "likely": 1200.0, "high": 1560.0, "assumptions": {"customers": 45.0, "ticket": 30.0}},
        },
    ),
    "GET /v1/campaigns": Told(running.CampaignList, {"campaigns": [examples.CAMPAIGN]}),
    "POST /v1/campaigns": Told(running.CampaignShape, examples.CAMPAIGN),
    "GET /v1/receivers": Told(running.ReceiverList, {"receivers": [examples.RECEIVER]}),
    "POST /v1/receivers/{name}/test": Told(running.Tried, {"outcome": "delivered", "reason": None}),
    "POST /v1/receivers/{name}/enable": Told(running.ReceiverShape, examples.RECEIVER),
    "GET /v1/failures": Told(running.FailureList, {"failures": [examples.FAILURE]}),
    "POST /v1/failures:replay": Told(messages.Replayed, {"replayed": 1}),
    "GET /v1/keys": Told(running.KeyList, {"keys": [examples.KEY]}),
    "POST /v1/keys": Told(running.NewKey, examples.KEY | {"key": "tocsin_…"}),
    "POST /v1/keys/{key_id}/end": Told(running.KeyEnd, {"id": "1f2e3d4c5b6a", "ends_at": "2026-03-10T09:00:00Z"}),
    "GET /v1/status": Told(running.Status, examples.STATUS),
    "GET /v1/dead": Told(messages.DeadList, {"dead": [{"message_id": "chat-9", "source": "chatbot",
                                                     "occurred_at": "2026-03-10T09:00:00Z", "reason": "unreadable"}]}),
    "POST /v1/dead:replay": Told(messages.Replayed, {"replayed": 1}),
    "GET /livez": Told(running.Alive, {"status": "alive"}),
    "GET /readyz": Told(running.Ready, {"status": "ready", "checks": {"store": "ready"}}),
    "GET /metrics": Told(None, 'tocsin_messages_accepted_total{role="api"} 12.0\n', "text/plain"),
    "POST /v1/messages": Told(messages.MessageReceipt, {"accepted": 1, "duplicates": 0, "rejected": [], "id": "chat-118",
                                     "topic": examples.TOPIC_NAME, "alert": None, "waited": True}),
    "POST /v1/messages:import": Told(
        messages.ImportReceipt,
        {
            "rows": 3,
            "accepted": 2,
            "duplicates": 0,
            "refused": 1,
            "rejected": [{"row": 3, "code": "text_empty", "field": "text", "detail": "text: is empty"}],
        },
    ),
    "POST /v1/ingest/{mapping}": Told(
        messages.IngestReceipt, {"accepted": 1, "duplicates": 0, "ignored": [], "rejected": []}
    ),
    "GET /v1/known-issues": Told(messages.KnownIssue, examples.KNOWN),
    "POST /v1/known-issues": Told(messages.KnownIssue, examples.KNOWN),
    "POST /v1/messages:batch": Told(None, {"accepted": 2, "duplicates": 0, "rejected": []}),
}  # fmt: skip
"""What each operation answers. An operation that is added gets its line here, which a test asks for."""

ASKED: Mapping[str, Any] = {
    "POST /v1/alerts/{alert_id}/acknowledge": {"by": "quality", "note": "asked the supplier"},
    "POST /v1/alerts/{alert_id}/assign": {"to": "Wang Min", "by": "Li Na"},
    "POST /v1/alerts/{alert_id}/comment": {"note": "the supplier answers tomorrow", "by": "Li Na"},
    "POST /v1/alerts/{alert_id}/snooze": {"minutes": 60},
    "POST /v1/alerts/{alert_id}/resolve": {"note": "batch recalled"},
    "POST /v1/alerts/{alert_id}/feedback": {"judgement": "real", "note": "bad soldering"},
    "POST /v1/topics/{topic_id}/rename": {"names": {"zh": "充不进电", "en": "does not charge"}, "by": "quality"},
    "POST /v1/topics/{topic_id}/mute": {"by": "quality"},
    "POST /v1/topics/{topic_id}/unmute": {"by": "quality"},
    "POST /v1/topics/{topic_id}/merge": {"into": "t3", "by": "quality"},
    "POST /v1/topics/{topic_id}/part": {"by": "quality"},
    "POST /v1/topics/{topic_id}/apart": {"other": "t3", "by": "quality"},
    "POST /v1/topics/{topic_id}/split": {"messages": ["chat-118"], "by": "quality"},
    "PUT /v1/budget": {"false_alarms_per_week": 1.0},
    "POST /v1/indicators/{name}": [
        {"value": 17.5, "id": "call-118", "attributes": {"queue": "returns"}},
        {"value": 12, "denominator": 80},
    ],
    "POST /v1/shipped": [
        {"day": "2026-03-09", "orders": 412, "sku": "PB-20", "batch": "PB-20-B3"},
        {"day": "2026-03-09", "orders": 1300, "sku": "PB-20", "batch": "PB-20-B2"},
    ],
    "PUT /v1/context/{kind}/{piece_id}": {"customer_id": "c004750", "tracking": "SF100", "fields": {"sku": "PB-20"}},
    "POST /v1/assist": {"text": "充电宝充不进电", "customer_id": "c004750"},
    "POST /v1/campaigns": {"name": "11.11", "start": "2026-11-11T00:00:00+08:00", "end": "2026-11-12T00:00:00+08:00"},
    "POST /v1/keys": {"name": "chatbot", "scopes": ["ingest"]},
    "POST /v1/keys/{key_id}/end": {},
    "POST /v1/failures:replay": {"receiver": "quality"},
    "POST /v1/messages": examples.MESSAGE,
    "POST /v1/ingest/{mapping}": {
        "event": "user",
        "text": "充电宝充不进电",
        "sender_id": "u-17",
        "timestamp": 1773133200.25,
    },
    "POST /v1/known-issues": {"text": "充电宝充不进电", "timeout": 2.0},
    "POST /v1/messages:batch": [examples.MESSAGE],
}
"""An example of what each operation is sent, where it takes a body."""


def describe(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let the application show the whole document at ``/openapi.json``."""
    routes = {_name(route): route for router in routers for route in router.routes if isinstance(route, APIRoute)}

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes,
                tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
            )  # fmt: skip
            app.openapi_schema = _completed(found, routes)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _name(route: APIRoute) -> str:
    return f"{min(route.methods or ())} {route.path}"


def _completed(document: dict[str, Any], routes: Mapping[str, APIRoute]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(_shapes())
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)  # errors of every kind are problems
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "a key made with POST /v1/keys"},
        "address": {"type": "apiKey", "in": "query", "name": "key", "description": "a key with this one scope alone"},
    }
    components["responses"] = {
        "Problem": {
            "description": "An error; 429 and 503 carry Retry-After",
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{REF}Problem"}, "example": _PROBLEM}},
        }
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, f"{method.upper()} {path}", routes)
    return document


def _complete(operation: dict[str, Any], name: str, routes: Mapping[str, APIRoute]) -> None:
    route = routes[name]
    operation["operationId"] = route.name
    operation["summary"] = _summary(operation["description"])
    gates = [one.dependency for one in route.dependencies if hasattr(one.dependency, "scope")]
    # The last gate is the route's own, and asks for more than that of its router.
    scopes = [gate.scope.value for gate in gates[-1:]]  # type: ignore[union-attr]
    operation["security"] = [{"bearer": scopes}] if scopes else [{}]
    if any(getattr(gate, "in_address", False) for gate in gates):
        operation["security"].append({"address": scopes})
        operation["parameters"] = [one for one in operation.get("parameters", []) if one["name"] != "key"]
    told, responses = TOLD.get(name), operation["responses"]
    responses.pop("422", None)
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    if told is not None:
        _tell(next(response for status, response in responses.items() if status.startswith("2")), told)
    if name in ASKED:
        for media, content in operation["requestBody"]["content"].items():
            if media == "application/json":
                content["example"] = ASKED[name]


def _summary(description: str) -> str:
    """The first clause of a description: what FastAPI makes of a function's name says nothing more than that.

    >>> _summary("Alerts, newest first; ``next`` is the cursor of the next page, or null.")
    'Alerts, newest first'
    """
    return re.split(r"[.:;](?:\s|$)", " ".join(description.split()), maxsplit=1)[0].replace("`", "")


def _tell(response: dict[str, Any], told: Told) -> None:
    shown = response.get("content", {}).get("application/json", {})
    if told.media != "application/json":
        response["content"] = {told.media: {"schema": {"type": "string"}}}
        shown = response["content"][told.media]
    if told.shape is not None:
        shown["schema"] = {"$ref": f"{REF}{told.shape.__name__}"}
    shown["example"] = told.example
    response.setdefault("content", {}).setdefault(told.media, shown)


def _shapes() -> dict[str, Any]:
    found = {told.shape for told in TOLD.values() if told.shape} | {base.Problem}
    wanted = [(shape, "serialization") for shape in sorted(found, key=lambda shape: shape.__name__)]
    _, definitions = models_json_schema(wanted, ref_template=f"{REF}{{model}}", by_alias=True)  # type: ignore[arg-type]
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas
