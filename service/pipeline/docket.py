"""The docket: alerts opened, renewed and told as their episodes go on, and what a tick has to write of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson

from models.alert import Alert, Facts, Former, Reason, alert_id, decide, mark_sent, open_alert, update_alert
from models.buckets import BUCKET, bucket_of, end_of
from models.evidence import Evidence, renewed
from models.severity import Grade
from models.surge import Surge, SurgeState
from service.logs import log
from service.metrics import Metrics
from service.store.alerts import AlertBook
from service.store.judgement import Notification
from service.store.outbox import pack_due
from service.views import alert_view

_GREW = 1.33  # times what an alert says, from which its evidence is renewed
_PARTS = 24  # of its window, after one of which it is renewed
_LEAST = timedelta(hours=1)  # between two renewals of what did not grow
_MOST_HELD = 256  # alerts, those first held let go first; any other is read again


@dataclass(slots=True)
class Changes:
    """What a tick has to write."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.alerts)


@dataclass(frozen=True, slots=True)
class Case:
    """One episode at one bucket: as it is and as it was, whether it is over its bar now, who testifies and who grades."""

    surge: Surge
    before: Surge | None
    loud: bool
    observed: float
    testify: Callable[[], Awaitable[Evidence]]
    grade: Callable[[Evidence], Grade]
    former: Callable[[Evidence], Awaitable[Former | None]] | None = None
    """Finds the alert on the same before, where that is looked for."""


class Docket:
    """Holds the alerts that one judge asked for lately; all lie in the book."""

    def __init__(self, book: AlertBook, metrics: Metrics, receivers: tuple[str, ...], base_url: str) -> None:
        self._book = book
        self._metrics = metrics
        self._receivers = receivers
        self._base_url = base_url
        self._held: dict[str, Alert] = {}

    def forget(self) -> None:
        """Read every alert from the book again."""
        self._held.clear()

    async def alert(self, surge: Surge) -> Alert | None:
        """The alert of an episode."""
        name = alert_id(surge)
        if name not in self._held:
            filed = await self._book.many([name])
            if not filed:
                return None
            self._hold(filed[0].alert)
        return self._held[name]

    def _hold(self, alert: Alert) -> None:
        self._held[alert.id] = alert
        if len(self._held) > _MOST_HELD:
            self._held.pop(next(iter(self._held)))

    async def record(self, case: Case, bucket: int, now: datetime, changes: Changes) -> Alert | None:
        """Open or renew the alert of an episode, and tell where it is worth telling; None where nothing changed."""
        surge, before = case.surge, case.before
        fresh = before is None or before.fired != surge.fired
        alert = None if fresh else await self.alert(surge)
        if alert is None:
            evidence = await case.testify()
            former = await case.former(evidence) if case.former else None
            alert = open_alert(surge, evidence, case.grade(evidence), now, former)
        elif surge.open and before is not None and before.open and not _stale(alert, case, bucket):
            return None
        else:
            seen = await case.testify() if case.loud else None
            # As it lies in the book: a customer may have been erased from it since.
            filed = (await self._book.get(alert.id)).alert
            shown = renewed(filed.evidence, seen) if seen else None
            alert = update_alert(filed, surge, shown, case.grade(seen) if seen else None, bucket)
        facts = Facts() if fresh else (await self._book.get(alert.id)).facts
        return self._tell(alert, facts, bucket, now, changes)

    async def accept(self, surge: Surge, topic: str, bucket: int, now: datetime, changes: Changes) -> None:
        """Say on the alert of an open episode, where it is on ``topic``, that the level there is the new normal."""
        name = alert_id(surge)
        alert = changes.alerts.get(name) or await self.alert(surge)
        if alert is None or alert.new_normal or alert.evidence.topic.id != topic:
            return
        filed = await self._book.many([name])
        known = changes.alerts.get(name) or (filed[0].alert if filed else alert)
        facts = filed[0].facts if filed else Facts()
        self._tell(replace(known, new_normal=True, updated_at=end_of(bucket)), facts, bucket, now, changes)

    async def end(self, surge: Surge | None, bucket: int, now: datetime, changes: Changes) -> Alert | None:
        """Resolve the open alert of what is not told any more: of a topic that was muted, merged or retired."""
        if surge is None or not surge.open or surge.fired is None:
            return None
        surge = replace(surge, state=SurgeState.resolved, resolved=bucket)
        alert = await self.alert(surge)
        if alert is None:
            return None
        filed = await self._book.get(alert.id)
        return self._tell(update_alert(filed.alert, surge, None, None, bucket), filed.facts, bucket, now, changes)

    def _tell(self, alert: Alert, facts: Facts, bucket: int, now: datetime, changes: Changes) -> Alert:
        """Write down an alert as it is now, and decide whether to tell."""
        told = decide(alert, facts, end_of(bucket))
        if told is not None:
            alert = mark_sent(alert, told, end_of(bucket))
            self._announce(alert, facts, told, now, changes)
        changes.alerts[alert.id] = alert
        changes.events.append((told.value if told else "updated", alert.id))
        self._hold(alert)
        return alert

    def _announce(self, alert: Alert, facts: Facts, told: Reason, now: datetime, changes: Changes) -> None:
        self._metrics.alerts.labels(reason=told.value, severity=alert.severity.value).inc()
        log.info("alert", alert=alert.id, reason=told.value, severity=alert.severity.value)
        view = alert_view(alert, facts, base_url=self._base_url, reason=told)
        body = orjson.dumps({"type": f"alert.{told.value}", "timestamp": now.isoformat(), "data": view})
        named = f"{alert.id}:{told.value}:{alert.updated_at:%Y%m%dT%H%M}"
        changes.notifications += [
            Notification(f"{named}:{number}", now, pack_due(receiver, body))
            for number, receiver in enumerate(self._receivers)
        ]


def _stale(alert: Alert, case: Case, bucket: int) -> bool:
    """Whether an open alert's evidence is worth renewing: while it is loud, every 24th of its window (an hour at
    the least) and whenever it grew by a third."""
    if not case.loud:
        return False
    window = alert.evidence.window
    age = (bucket + 1 - bucket_of(alert.updated_at)) * BUCKET
    return case.observed >= _GREW * max(window.observed, 1) or age >= max(_LEAST, (window.end - window.start) / _PARTS)
