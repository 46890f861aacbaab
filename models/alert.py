"""The alert: the one record of an episode that people act on, and the decision to tell somebody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from models.buckets import end_of
from models.embed import Language
from models.evidence import Evidence, GaugeFigures
from models.severity import Grade, Severity
from models.surge import Surge, SurgeState, ratio


class Judgement(StrEnum):
    """What people say of an alert."""

    real = "real"
    noise = "noise"


class Reason(StrEnum):
    """Why a notification is sent; the same word stands in the log, the metric and the payload."""

    fired = "fired"
    escalated = "escalated"
    grew = "grew"
    resolved = "resolved"
    reopened = "reopened"


@dataclass(frozen=True, slots=True)
class Facts:
    """What people did about an alert, beside its state."""

    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    judgement: Judgement | None = None
    judged_at: datetime | None = None
    bar: tuple[float, float] | None = None
    """What the topic must score to ring, before the judgement and after it; None where it did not move."""
    note: str | None = None
    assigned_to: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The last notification of an alert."""

    reason: Reason
    severity: Severity
    observed: float
    at: datetime
    per_hour: float | None = None
    """Customers beyond the expected, then; None of alerts from before this was kept."""


@dataclass(frozen=True, slots=True)
class Former:
    """The alert before, on a topic that comes back after it was over for long."""

    alert_id: str
    resolved_at: datetime
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert an episode, updated and never repeated. ``fired_at`` is the time it speaks of."""

    id: str
    state: SurgeState
    fired_at: datetime
    noticed_at: datetime
    updated_at: datetime
    grade: Grade
    evidence: Evidence
    resolved_at: datetime | None = None
    late: bool = False
    """Noticed more than an hour after the time it speaks of (a backlog, an import)."""
    sent: Sent | None = None
    new_normal: bool = False
    """The level stayed high so long that the detector took it as the new normal."""
    former: Former | None = None

    @property
    def severity(self) -> Severity:
        return self.grade.severity

    @property
    def open(self) -> bool:
        return self.state is SurgeState.firing

    @property
    def silent(self) -> bool:
        """Filed and told to nobody, since sales excuse it: it counts as no alarm."""
        return self.evidence.excused and self.sent is None


_LATE = timedelta(hours=1)
_COMES_BACK = timedelta(days=1)  # what rings again sooner is the same episode (`models.surge.SurgeRules.reopen`)
_DAYS = timedelta(days=1)
_GREW = 2.0  # a notified surge is told again at twice the customers, unless somebody has it in hand


def alert_id(surge: Surge) -> str:
    """The name of the alert of an episode: when it fired and on what, so the same episode names it the same.

    >>> alert_id(Surge("t7", SurgeState.firing, 8, 10, 1, 0, 2.0, fired=10))
    '19700101T0055-t7'
    """
    if surge.fired is None:
        raise ValueError("an episode that never fired has no alert")
    return f"{end_of(surge.fired):%Y%m%dT%H%M}-{surge.topic}"


def open_alert(surge: Surge, evidence: Evidence, grade: Grade, now: datetime, former: Former | None = None) -> Alert:
    """The alert of an episode that just fired."""
    assert surge.fired is not None
    fired_at = end_of(surge.fired)
    return Alert(
        id=alert_id(surge),
        state=SurgeState.firing,
        fired_at=fired_at,
        noticed_at=now,
        updated_at=fired_at,
        grade=grade,
        evidence=evidence,
        late=now - fired_at > _LATE,
        former=former,
    )


def former_of(alerts: Iterable[tuple["Alert", Facts]], onset: datetime) -> Former | None:
    """The last of these alerts that was over long before a surge began, or None."""
    over = [
        Former(alert.id, alert.resolved_at, facts.judgement)
        for alert, facts in alerts
        if alert.resolved_at is not None and onset - alert.resolved_at >= _COMES_BACK
    ]
    return max(over, key=lambda one: one.resolved_at, default=None)


def update_alert(alert: Alert, surge: Surge, evidence: Evidence | None, grade: Grade | None, bucket: int) -> Alert:
    """The alert after one more tick of its episode. Severity never falls while it is open."""
    if grade is not None and grade.severity.rank < alert.severity.rank:
        grade = alert.grade
    return replace(
        alert,
        state=surge.state,
        evidence=evidence or alert.evidence,
        grade=grade or alert.grade,
        updated_at=end_of(bucket),
        resolved_at=None if surge.resolved is None else end_of(surge.resolved),
    )


def decide(alert: Alert, facts: Facts, now: datetime) -> Reason | None:
    """Why to tell somebody now, or None. Pure: what was last sent, the alert as it is, the facts, the time.

    Snoozed and closed alerts are silent, and so is a sales peak until complaints outgrow it. An acknowledged one
    speaks only when it grows graver or ends.
    """
    if facts.snoozed_until is not None and now < facts.snoozed_until:
        return None
    if facts.closed_at is not None:
        return None
    sent = alert.sent
    if sent is None:
        return Reason.fired if alert.open and not alert.evidence.excused else None
    if not alert.open:
        return None if sent.reason is Reason.resolved else Reason.resolved
    if sent.reason is Reason.resolved:
        return Reason.reopened
    if alert.severity.rank > sent.severity.rank:
        return Reason.escalated
    grew = alert.evidence.window.observed >= _GREW * max(sent.observed, 1) or _anew(alert, sent, now)
    return Reason.grew if grew and facts.acknowledged_at is None else None


def _anew(alert: Alert, sent: Sent, now: datetime) -> bool:
    """Whether an alert that has been open for days speaks of another surge by now: all of it since the last telling, a
    day ago or more, at twice the pace, and half as many customers. The long window that was told would else hide it."""
    window = alert.evidence.window
    if sent.per_hour is None or window.start < sent.at or now - sent.at < _DAYS or alert.evidence.gauge is not None:
        return False
    return _pace(alert) >= _GREW * sent.per_hour > 0 and window.observed >= sent.observed / _GREW


def _pace(alert: Alert) -> float:
    """Customers beyond the expected by the hour."""
    window = alert.evidence.window
    return (window.observed - window.expected) / max((window.end - window.start) / timedelta(hours=1), 1.0)


def mark_sent(alert: Alert, reason: Reason, now: datetime) -> Alert:
    """The alert, remembering what was told."""
    return replace(alert, sent=Sent(reason, alert.severity, alert.evidence.window.observed, now, _pace(alert)))


_HEADLINES: Mapping[Language, str] = {
    "en": "{label}: {observed} customers in {span}, {expected:.1f} expected ({times:.1f} times), since {since} UTC",
    "zh": "{label}：{span}内有 {observed} 位顾客提及，预期 {expected:.1f} 位（{times:.1f} 倍），始于 {since} UTC",
}
_GAUGE_HEADLINES: Mapping[Language, str] = {
    "en": "{label}: {value} in {span}, usually {expected}, up to {bound} normal, since {since} UTC",
    "zh": "{label}：{span}内为 {value}，通常 {expected}，正常界限 {bound}，始于 {since} UTC",
}
_SPANS: Mapping[Language, tuple[str, str]] = {"en": ("{} min", "{:g} h"), "zh": ("{} 分钟", "{:g} 小时")}


def headline(alert: Alert, language: Language = "en") -> str:
    """One line in plain words: what, how much, since when; with the topic's label in that language if it has one."""
    evidence, window = alert.evidence, alert.evidence.window
    if evidence.gauge is not None:
        shown = (window.observed, window.expected, window.upper_bound)
        told = [figure_words(evidence.gauge, one, language) for one in shown]
        return _GAUGE_HEADLINES[language].format(
            label=evidence.topic.labels.get(language) or evidence.topic.label,
            value=told[0],
            expected=told[1],
            bound=told[2],
            span=span_words(window.minutes, language),
            since=f"{evidence.onset:%Y-%m-%d %H:%M}",
        )
    return _HEADLINES[language].format(
        label=evidence.topic.labels.get(language) or evidence.topic.label,
        observed=window.observed,
        span=span_words(window.minutes, language),
        expected=window.expected,
        times=ratio(window.observed, window.expected),
        since=f"{evidence.onset:%Y-%m-%d %H:%M}",
    )


_UNITS: Mapping[Language, Mapping[str, str]] = {
    "en": {},
    "zh": {"s": "秒", "min": "分钟", "h": "小时", "d": "天", "points": "分"},
}


def figure_words(gauge: GaugeFigures, value: float, language: Language = "en") -> str:
    """A figure of an indicator in its unit.

    >>> from models.indicator import Direction, Kind
    >>> from models.limits import Cause
    >>> figure_words(GaugeFigures("w", Kind.share, Direction.up, "min", 80.0, Cause.learnt), 0.274)
    '27.4%'
    >>> figure_words(GaugeFigures("h", Kind.mean, Direction.up, "min", 80.0, Cause.learnt), 27.1, "zh")
    '27.1 分钟'
    """
    unit = _UNITS[language].get(gauge.unit, gauge.unit)
    return f"{100 * value:.3g}%" if gauge.percent else f"{value:.3g} {unit}".rstrip()


def span_words(minutes: int, language: Language = "en") -> str:
    """A window's length as people say it.

    >>> span_words(45), span_words(100), span_words(180, "zh")
    ('45 min', '1.7 h', '3 小时')
    """
    short, long = _SPANS[language]
    return short.format(minutes) if minutes < 60 else long.format(round(minutes / 60, 1))
