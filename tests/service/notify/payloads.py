"""Notifications as the judge writes them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson

from models.alert import Alert, Facts, Reason
from models.evidence import CulpritFigures, Evidence, Sample, TopicName, WindowFigures
from models.message import RedactedText
from models.severity import Grade, Severity
from models.surge import SurgeState
from service.views import alert_view

AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
BASE = "https://tocsin.example"


def alert(
    number: int = 1,
    *,
    severity: Severity = Severity.critical,
    texts: tuple[str, ...] = ("用了三天就充不进电", "The power bank stopped charging"),
    label: str = "充不进电",
    culprit: tuple[str, str] = ("batch", "PB20-3"),
    over: bool = False,
) -> Alert:
    window = WindowFigures(AT - timedelta(hours=3), AT, 45, 5.24, 9)
    evidence = Evidence(
        topic=TopicName(f"t{number}", label, {"zh": label, "en": "does not charge"}, ("充电", "charge")),
        window=window,
        onset=AT - timedelta(hours=3),
        customers=45,
        messages=51,
        culprits=(CulpritFigures(*culprit, 19, 1.1, 17.3, 0.001),),
        samples=tuple(
            Sample(f"m{n}", "chat", RedactedText(text), AT, {"brand": "Acme", "region": "华东"})
            for n, text in enumerate(texts)
        ),
    )
    return Alert(
        id=f"20260310T0900-t{number}",
        state=SurgeState.resolved if over else SurgeState.firing,
        fired_at=AT,
        noticed_at=AT,
        updated_at=AT,
        grade=Grade(severity, ("size",)),
        evidence=evidence,
        resolved_at=AT + timedelta(hours=2) if over else None,
    )


def payload(one: Alert | None = None, reason: Reason = Reason.fired, **facts: object) -> bytes:
    """The body of one notification."""
    view = alert_view(one or alert(), replace(Facts(), **facts), base_url=BASE, reason=reason)  # type: ignore[arg-type]
    return orjson.dumps({"type": f"alert.{reason.value}", "timestamp": AT.isoformat(), "data": view})


def digest(*alerts: Alert) -> bytes:
    notifications = [orjson.loads(payload(one)) for one in alerts]
    return orjson.dumps({"type": "digest", "timestamp": AT.isoformat(), "data": {"notifications": notifications}})


def trial(receiver: str = "quality") -> bytes:
    return orjson.dumps({"type": "test", "timestamp": AT.isoformat(), "data": {"receiver": receiver}})
