"""Prometheus Alertmanager: alerts posted to its API v2 (prometheus.io, "Alerts API")."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from models.plain import one_line
from service.notify.card import Voice, card_of
from service.notify.outcome import Dead, Outcome
from service.notify.post import Answer, Post, by_status

PATH = "/api/v2/alerts"
_STANDS = timedelta(days=30)
"""Alertmanager ends an alert that is not posted again; ours is told on change only, so it is given an end far off."""
_GRADES = ("info", "warning", "critical")


class Alertmanager:
    """One Alertmanager, by its base URL. Posting the same alert again changes nothing there."""

    def __init__(self, post: Post, voice: Voice, token: str | None = None) -> None:
        self._post = post
        self._voice = voice
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        answer = await self._post(body_of(payload, self._voice, at), self._headers, at=at)
        if not isinstance(answer, Answer):
            return answer
        return Dead("bad_request") if answer.status == 400 else by_status(answer)


def body_of(payload: bytes, voice: Voice, at: datetime) -> bytes:
    body = orjson.loads(payload)
    if body["type"] == "test":
        return orjson.dumps([_test(body, at)])
    return orjson.dumps(_alerts(payload, body["data"], voice, at))


def _alerts(payload: bytes, view: Mapping[str, Any], voice: Voice, at: datetime) -> list[dict[str, Any]]:
    """The alert, and the end of its lower grades: severity is a label there, and labels are an alert's identity."""
    card = card_of(payload, voice)
    ends = view["resolved_at"] or _iso(at + _STANDS)
    told = {
        "labels": _labels(view, view["severity"]),
        "annotations": {
            "summary": card.title,
            "description": "\n".join(f"{name}: {value}" for name, value in card.lines),
            **{f"sample_{number}": quote for number, quote in enumerate(card.quotes, 1)},
        },
        "startsAt": view["fired_at"],
        "endsAt": ends,
    }
    if view["url"]:
        told["generatorURL"] = view["url"]
    lower = _GRADES[: _GRADES.index(view["severity"])]
    over = [{"labels": _labels(view, grade), "startsAt": view["fired_at"], "endsAt": _iso(at)} for grade in lower]
    return [told, *over]


def _labels(view: Mapping[str, Any], severity: str) -> dict[str, str]:
    """What an alert is known by there: nothing that changes while it lasts, but its severity."""
    return {
        "alertname": "TocsinSurge",
        "service": "tocsin",
        "alert_id": view["alert_id"],
        "topic": view["topic"]["id"],
        "severity": severity,
    }


def _test(body: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    labels = {"alertname": "TocsinTest", "service": "tocsin", "receiver": one_line(body["data"]["receiver"], 80)}
    return {"labels": labels, "startsAt": _iso(at), "endsAt": _iso(at + timedelta(minutes=1))}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
