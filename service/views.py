"""Alerts and topics as other programs see them: plain values for JSON, one shape for API, feeds, webhooks, replay."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from models.alert import Alert, Facts, Former, Reason, headline
from models.buckets import start_of
from models.embed import LANGUAGES
from models.evidence import CurvePoint, GaugeFigures, Sample, TopicName, WindowFigures
from models.exposure import PER, Days, Rate
from models.fatigue import Week
from models.series import window_of
from models.topic import Topic
from models.verdict import Explanation

Json = dict[str, Any]


def iso(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def alert_view(alert: Alert, facts: Facts, *, base_url: str = "", reason: Reason | None = None) -> Json:
    """Everything of an alert. ``reason`` is why it is told now; without it, why it was told last."""
    evidence = alert.evidence
    told = reason or (alert.sent.reason if alert.sent else Reason.fired)
    return {
        "alert_id": alert.id,
        "headline": headline(alert),
        "headlines": {language: headline(alert, language) for language in LANGUAGES},
        "state": alert.state.value,
        "severity": alert.severity.value,
        "severity_reasons": list(alert.grade.reasons),
        "reason": told.value,
        "fired_at": iso(alert.fired_at),
        "onset": iso(evidence.onset),
        "updated_at": iso(alert.updated_at),
        "resolved_at": iso(alert.resolved_at),
        "noticed_at": iso(alert.noticed_at),
        "late": alert.late,
        "new_normal": alert.new_normal,
        "former": former_view(alert.former, base_url=base_url) if alert.former else None,
        "topic": topic_name_view(evidence.topic),
        "observed": evidence.window.observed,
        "expected": round(evidence.window.expected, 2 if evidence.gauge is None else 4),
        "upper_bound": evidence.window.upper_bound,
        "indicator": gauge_view(evidence.gauge) if evidence.gauge else None,
        "window": window_view(evidence.window),
        "windows": [window_view(window) for window in evidence.windows],
        "customers": evidence.customers,
        "messages": evidence.messages,
        "culprits": [
            {
                "attribute": culprit.attribute,
                "value": culprit.value,
                "observed": culprit.observed,
                "expected": round(culprit.expected, 2),
                "lift": round(culprit.lift, 2),
                "p": float(f"{culprit.p:.2g}"),
            }
            for culprit in evidence.culprits
        ],
        "excused": evidence.excused,
        "rates": [rate_view(rate) for rate in evidence.rates],
        "samples": [sample_view(sample) for sample in evidence.samples],
        "curve": [point_view(point) for point in evidence.curve],
        "contributions": {name: round(factor, 3) for name, factor in evidence.contributions.items()},
        "facts": facts_view(facts),
        "url": page_of(alert.id, base_url),
    }


def alert_row(alert: Alert, facts: Facts, *, base_url: str = "") -> Json:
    """An alert in a list: all but the long parts."""
    view = alert_view(alert, facts, base_url=base_url)
    view["samples"] = view["samples"][:1]
    for name in ("windows", "contributions", "curve"):
        del view[name]
    return view | {"spark": spark_view(alert.evidence.curve)}


def spark_view(curve: Sequence[CurvePoint]) -> Json | None:
    """An hourly curve in a tenth of the bytes: where it begins, and one figure an hour."""
    if not curve:
        return None
    return {
        "start": iso(curve[0].start),
        "observed": [point.observed for point in curve],
        "upper": [round(point.upper, 1 if point.upper >= 10 else 3) for point in curve],
    }


def page_of(alert_id: str, base_url: str) -> str | None:
    """Where people read an alert; None where no address is known."""
    return f"{base_url}/#/alerts/{alert_id}" if base_url else None


def former_view(former: Former, *, base_url: str = "") -> Json:
    return {
        "alert_id": former.alert_id,
        "resolved_at": iso(former.resolved_at),
        "judgement": former.judgement.value if former.judgement else None,
        "url": page_of(former.alert_id, base_url),
    }


def rate_view(rate: Rate) -> Json:
    """Complaints per 1,000 orders."""
    return {
        "attribute": rate.cell[0] if rate.cell else None,
        "value": rate.cell[1] if rate.cell else None,
        "now": round(rate.now, 2),
        "low": round(rate.low, 2),
        "high": round(rate.high, 2),
        "orders": round(rate.orders),
        "before": None if rate.before is None else round(rate.before, 2),
        "sales": None if rate.sales is None else round(rate.sales, 2),
        "lag_days": rate.lag,
        "pace": rate.pace.value,
    }


def hourly_rate(point: CurvePoint, due: Days) -> Json:
    """Orders that fall due in an hour of a curve, and customers per 1,000 of them; null where that is not known."""
    orders = due.get(int(point.start.timestamp() // 86_400), 0.0) / 24
    known = orders > 0
    return {
        "orders": round(orders, 2) if known else None,
        "per_thousand": round(PER * point.observed / orders, 2) if known else None,
    }


def week_view(team: str, budget: int | None, week: Week) -> Json:
    """A week of a team: how much it was told, how it bore it, and how much of it was real."""
    judged, interval = week.quality, week.quality.interval()
    return {
        "team": team,
        "alerts_per_week": budget,
        "start": iso(week.start),
        "told": week.told,
        "held": week.held,
        "acknowledged": week.acknowledged,
        "minutes_to_acknowledge": week.minutes,
        "busiest_day": week.busiest,
        "open_at_once": week.at_once,
        "real": judged.real,
        "noise": judged.noise,
        "precision": None if judged.precision is None else round(judged.precision, 3),
        "low": round(interval[0], 3) if interval else None,
        "high": round(interval[1], 3) if interval else None,
    }


def gauge_view(gauge: GaugeFigures) -> Json:
    """The indicator of an alert, and the thresholds about it."""
    return {
        "name": gauge.indicator,
        "kind": gauge.kind.value,
        "direction": gauge.direction.value,
        "unit": gauge.unit,
        "n": gauge.n,
        "cause": gauge.cause.value,
        "start": gauge.start,
        "learnt": gauge.learnt,
        "lower": gauge.lower,
        "upper": gauge.upper,
        "campaigns": list(gauge.campaigns),
        "campaign_hours": gauge.campaign_hours,
    }


def topic_name_view(topic: TopicName) -> Json:
    return {"id": topic.id, "label": topic.label, "labels": dict(topic.labels), "terms": list(topic.terms)}


def window_view(window: WindowFigures) -> Json:
    return {
        "start": iso(window.start),
        "end": iso(window.end),
        "minutes": window.minutes,
        "observed": window.observed,
        "expected": round(window.expected, 4),
        "upper_bound": window.upper_bound,
    }


def explanation_view(explanation: Explanation, required: float) -> Json:
    """Why a topic alarms or not, in the words of an alert; ``required`` is the score from which it does."""
    telling = explanation.telling
    return {
        "score": round(telling.score, 3),
        "required": round(required, 3),
        "onset": iso(start_of(explanation.onset)),
        "window": window_view(window_of(telling)),
        "windows": [window_view(window_of(one)) for one in explanation.spoke],
        "contributions": {factor.name: round(factor.times, 3) for factor in explanation.factors},
    }


def sample_view(sample: Sample) -> Json:
    return {
        "message_id": sample.message_id,
        "source": sample.source,
        "text": sample.text,
        "occurred_at": iso(sample.occurred_at),
        "attributes": dict(sample.attributes),
        "order_id": sample.order_id,
    }


def point_view(point: CurvePoint) -> Json:
    return {
        "start": iso(point.start),
        "observed": point.observed,
        "expected": round(point.expected, 4),
        "upper": round(point.upper, 4),
    }


def facts_view(facts: Facts) -> Json:
    return {
        "acknowledged_at": iso(facts.acknowledged_at),
        "acknowledged_by": facts.acknowledged_by,
        "snoozed_until": iso(facts.snoozed_until),
        "closed_at": iso(facts.closed_at),
        "judgement": facts.judgement.value if facts.judgement else None,
        "judged_at": iso(facts.judged_at),
        "bar": {"before": facts.bar[0], "after": facts.bar[1]} if facts.bar else None,
        "note": facts.note,
        "assigned_to": facts.assigned_to,
    }


def topic_label(topic: Topic) -> str:
    """The label people read: Chinese where there is one, else English, else the terms, else the id."""
    labels = topic.called
    return labels.get("zh") or labels.get("en") or " ".join(topic.terms[:3]) or topic.id


def _by_name(topic: Topic) -> dict[str, str]:
    return {str(language): label for language, label in topic.called.items()}


def topic_name(topic: Topic) -> TopicName:
    return TopicName(topic.id, topic_label(topic), _by_name(topic), topic.terms)


def topic_view(topic: Topic) -> Json:
    """A topic without its figures."""
    return {
        "id": topic.id,
        "label": topic_label(topic),
        "labels": dict(topic.called),
        "names": dict(topic.names),
        "terms": list(topic.terms),
        "into": topic.into,
        "origin": topic.origin,
        "state": topic.state.value,
        "kind": topic.kind.value,
        "born": iso(topic.born),
        "size": topic.size,
        "radius": round(topic.radius, 4),
        "exemplars": [{"message_id": one.message_id, "text": one.text} for one in topic.exemplars],
    }
