"""Examples for the OpenAPI document, made by the very views that make the answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from models.alert import Alert, Facts, Judgement, Reason, Sent
from models.evidence import CulpritFigures, CurvePoint, Evidence, Sample, TopicName, WindowFigures
from models.exposure import Pace, Rate
from models.fatigue import Week
from models.message import RedactedText
from models.quality import Quality
from models.severity import Grade, Severity
from models.surge import SurgeState
from service.views import alert_row, alert_view, iso, point_view, sample_view, topic_name_view, week_view, window_view

AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
BASE = "https://tocsin.example"
_ONSET = AT - timedelta(hours=3)
_WINDOW = WindowFigures(_ONSET, AT, 45, 5.24, 9)
_SAMPLE = Sample(
    "chat-118", "chatbot", RedactedText("充电宝充不进电了，才用三天"), AT,
    {"sku": "PB-20", "batch": "PB-20-B3", "region": "华东"}, "SO20260309881",
)  # fmt: skip
_TOPIC = TopicName("t7", "充不进电", {"zh": "充不进电", "en": "does not charge"}, ("充电", "充不进"))
_ALERT = Alert(
    id="20260310T0900-t7",
    state=SurgeState.firing,
    fired_at=AT,
    noticed_at=AT,
    updated_at=AT,
    grade=Grade(Severity.critical, ("size", "ratio")),
    evidence=Evidence(
        topic=_TOPIC,
        window=_WINDOW,
        onset=_ONSET,
        customers=45,
        messages=51,
        windows=(_WINDOW,),
        culprits=(CulpritFigures("batch", "PB-20-B3", 38, 4.1, 9.3, 0.001),),
        samples=(_SAMPLE,),
        curve=(CurvePoint(AT - timedelta(hours=1), 22, 1.7, 5.0),),
        contributions={"hour": 1.4, "weekday": 0.9},
        rates=(
            Rate(("batch", "PB-20-B3"), 41.2, 31.9, 53.1, 922.0, 3.1, 1.06, 4.0, Pace.steady),
            Rate(None, 9.4, 7.2, 12.1, 4_790.0, 2.9, 1.02, 4.0, Pace.steady),
        ),
    ),
    sent=Sent(Reason.fired, Severity.critical, 45, AT),
)

ALERT: dict[str, Any] = alert_view(_ALERT, Facts(), base_url=BASE)
ROW: dict[str, Any] = alert_row(_ALERT, Facts(), base_url=BASE)
_IN_HAND = replace(Facts(), acknowledged_at=AT, acknowledged_by="quality")
ACTED: dict[str, Any] = alert_view(_ALERT, _IN_HAND, base_url=BASE)
_NOISE = replace(_IN_HAND, judgement=Judgement.noise, judged_at=AT, bar=(3.2, 4.2))
JUDGED: dict[str, Any] = alert_view(_ALERT, _NOISE, base_url=BASE)
BAR: dict[str, Any] = {"threshold": 3.2, "extra": 0.84, "required": 4.04}
QUALITY: dict[str, Any] = {
    "alerts": 12, "real": 8, "noise": 2, "unjudged": 2, "precision": 0.8, "low": 0.49, "high": 0.943,
}  # fmt: skip
TEAM_WEEK: dict[str, Any] = week_view(
    "quality", 5, Week(AT - timedelta(days=1, hours=9), 4, 1, 3, 12.5, 2, 1, Quality(4, 2, 1))
)
TOPIC_NAME: dict[str, Any] = topic_name_view(_TOPIC)
TOPIC: dict[str, Any] = TOPIC_NAME | {
    "state": "live",
    "kind": "issue",
    "born": iso(_ONSET),
    "names": {},
    "into": None,
    "origin": None,
    "size": 412,
    "radius": 0.42,
    "exemplars": [{"message_id": "chat-7", "text": "充不上电"}],
}
TOPIC_PART: dict[str, Any] = {name: TOPIC[name] for name in ("labels", "terms", "size", "exemplars")}
LINEAGE_EVENT: dict[str, Any] = {
    "at": iso(AT),
    "topic": "t12",
    "change": "merged",
    "other": "t7",
    "by": "quality",
    "name": None,
}
TOPIC_ROW: dict[str, Any] = TOPIC | {"customers": 61, "customers_before": 19, "trend": [2, 3, 9], "bar": BAR}
POINT: dict[str, Any] = point_view(_ALERT.evidence.curve[0]) | {"orders": 80.2, "per_thousand": 274.31}
WHY: dict[str, Any] = {
    "score": 5.62,
    "required": 3.2,
    "onset": iso(_ALERT.evidence.onset),
    "window": window_view(_ALERT.evidence.window),
    "windows": [window_view(_ALERT.evidence.window)],
    "contributions": dict(_ALERT.evidence.contributions),
}
TOPIC_MESSAGE: dict[str, Any] = {k: v for k, v in sample_view(_SAMPLE).items() if k != "order_id"}
CAMPAIGN: dict[str, Any] = {
    "id": "5f0c1d2e3a4b",
    "name": "11.11",
    "start": "2026-11-10T16:00:00Z",
    "end": "2026-11-11T16:00:00Z",
    "multiplier": 3.0,
}
KEY: dict[str, Any] = {
    "id": "1f2e3d4c5b6a",
    "name": "chatbot",
    "scopes": ["ingest"],
    "created_at": iso(AT),
    "ends_at": None,
}
RECEIVER: dict[str, Any] = {
    "name": "quality",
    "kind": "dingtalk",
    "off": None,
    "off_at": None,
    "last_outcome": "delivered",
    "last_reason": None,
    "last_at": iso(AT),
    "delivered_at": iso(AT),
}
FAILURE: dict[str, Any] = {
    "entry": "1773133200000-0",
    "receiver": "quality",
    "reason": "signature_refused",
    "attempts": 1,
    "at": iso(AT),
    "type": "alert.fired",
    "alert_id": _ALERT.id,
}
MESSAGE: dict[str, Any] = {
    "id": "chat-118",
    "source": "chatbot",
    "text": _SAMPLE.text,
    "occurred_at": "2026-03-10T17:00:00+08:00",
    "customer_id": "c004750",
    "channel": "app",
    "attributes": dict(_SAMPLE.attributes),
}
KNOWN: dict[str, Any] = {
    "known": True,
    "topic": TOPIC_NAME,
    "strength": 0.91,
    "alert": {
        "alert_id": _ALERT.id,
        "severity": "critical",
        "onset": iso(_ONSET),
        "customers": 45,
        "in_hand": True,
    },
    "say": {"en": "This is a known issue and is being handled.", "zh": "这是已知问题，正在处理中。"},
}
_NOTICED = {
    "detector": {"hours": 1.5, "cost": 420.0},
    "mean + 3 sd": {"hours": 9.2, "cost": 1890.0},
    "weekly review": {"hours": 141.0, "cost": 5100.0},
}
HINDSIGHT: dict[str, Any] = {
    "currency": "yuan",
    "ticket": 30.0,
    "days": 30,
    "mean_3_sd_alarms": 41,
    "methods": {
        name: {"noticed": 1, "of": 1, "median_hours": one["hours"], "cost_until_noticed": one["cost"]}
        for name, one in _NOTICED.items()
    },
    "surges": [
        {"alert_id": _ALERT.id, "topic": TOPIC_NAME, "onset": iso(_ONSET), "fired_at": iso(AT), "excess": 170.0,
         "noticed": _NOTICED}
    ],
}  # fmt: skip
STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "now": iso(AT),
    "lag_seconds": 0.4,
    "waiting": 3,
    "dead": 0,
    "topics": 41,
    "embedder": "multilingual-e5-small",
    "without_topic": 1_904,
    "noise_share": 0.21,
    "learning_until": None,
    "judged_until": iso(AT),
    "threshold": 3.4,
    "outbox": {"waiting": 0, "dead": 0},
    "blind": [{"from": "2026-03-09T02:00:00Z", "to": "2026-03-09T02:40:00Z"}],
}
FEED: dict[str, Any] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Tocsin",
    "home_page_url": f"{BASE}/",
    "feed_url": f"{BASE}/v1/feed.json",
    "language": "en",
    "items": [
        {
            "id": f"urn:tocsin:alert:{_ALERT.id}",
            "url": ALERT["url"],
            "title": "[critical] New alert: does not charge",
            "content_text": "[critical] New alert: does not charge\nHow much: 45 customers in 3 h; 5.2 expected",
            "date_published": iso(AT),
            "date_modified": iso(AT),
            "tags": ["critical", "firing", "充不进电"],
            "_tocsin": {"alert_id": _ALERT.id, "severity": "critical", "state": "firing", "observed": 45},
        }
    ],
}
BUDGET: dict[str, Any] = {
    "false_alarms_per_week": 2.0,
    "setting": 2.0,
    "chosen": False,
    "from": "2026-02-10T09:00:00Z",
    "rang": 9,
    "noise": 2,
    "choices": [{"false_alarms_per_week": 2.0, "threshold": 3.4, "crowd_bar": 4.1, "alerts": 11}],
}

INDICATOR: dict[str, Any] = {
    "name": "waiting_time",
    "labels": {"en": "Waiting over 15 minutes", "zh": "等待超过 15 分钟"},
    "kind": "share",
    "direction": "up",
    "unit": "min",
    "limit": 15.0,
    "quantile": None,
    "least": 20.0,
    "start": 0.2,
    "ceiling": None,
    "floor": None,
    "since": "2026-02-10T00:00:00Z",
    "learning_until": None,
    "now": {
        "start": "2026-03-10T08:00:00Z",
        "end": "2026-03-10T09:00:00Z",
        "n": 120,
        "value": 0.34,
        "usual": 0.15,
        "lower": None,
        "upper": 0.27,
        "learnt": 0.27,
        "in_force": "learnt",
        "why": {"hour": 1.8, "weekday": 1.1, "volume": 1.2},
        "campaign_hours": 48.0,
    },
}
INDICATOR_POINT: dict[str, Any] = {
    "start": "2026-03-10T08:00:00Z", "n": 120, "value": 0.34, "usual": 0.15, "lower": 0.08, "upper": 0.25,
}  # fmt: skip

CONTEXT: dict[str, Any] = {
    "pieces": [
        {
            "kind": "order",
            "id": "O-1",
            "source": "erp",
            "at": "2026-03-08T10:00:00Z",
            "order": None,
            "tracking": "SF100",
            "fields": {"sku": "PB-20", "batch": "PB-20-B3"},
        }
    ],
    "messages": [
        {
            "message_id": "chat-90",
            "source": "chatbot",
            "text": "充电宝充不进电",
            "occurred_at": "2026-03-09T10:00:00Z",
        }
    ],
    "missing": [{"source": "crm", "reason": "timeout"}],
}
