"""How much a team is asked to bear: which alerts its budget lets through, and what a week was like.

Alerts that nobody heeds wear people out ("alarm fatigue": Cvach, "Monitor alarm fatigue", Biomedical Instrumentation and
Technology, 2012). So a team may be told of so many a week; what is least severe is held back first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from models.alert import Judgement
from models.quality import Quality
from models.severity import Severity

_INFO = 0.5
"""Of a budget, what information may use up: the rest is kept for warnings."""


def admits(severity: Severity, told: int, budget: int | None) -> bool:
    """Whether a team that was told of ``told`` alerts in the last seven days is told of one more. What is critical is always
    told; without a budget everything is.

    >>> [admits(severity, 3, 5) for severity in (Severity.info, Severity.warning, Severity.critical)]
    [False, True, True]
    >>> admits(Severity.warning, 5, 5), admits(Severity.critical, 9, 5), admits(Severity.info, 99, None)
    (False, True, True)
    """
    if budget is None or severity is Severity.critical:
        return True
    return told < (budget if severity is Severity.warning else _INFO * budget)


@dataclass(frozen=True, slots=True)
class Borne:
    """One alert that a team was told of, and what became of it."""

    told_at: datetime
    severity: Severity
    acknowledged_at: datetime | None = None
    judgement: Judgement | None = None
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a team. ``minutes``: the median from being told to somebody's having it in hand. ``busiest``: alerts on the
    day that had most; ``at_once``: the most that were open at a time and in nobody's hand."""

    start: datetime
    told: int
    held: int
    acknowledged: int
    minutes: float | None
    busiest: int
    at_once: int
    quality: Quality


def week_of(start: datetime, alerts: Sequence[Borne], held: int = 0) -> Week:
    """The week that begins at ``start``, from all alerts that a team was told of, those of other weeks among them.

    >>> from datetime import UTC
    >>> monday = datetime(2026, 3, 9, tzinfo=UTC)
    >>> hour = timedelta(hours=1)
    >>> one = Borne(monday, Severity.warning, monday + hour, Judgement.real, monday + 3 * hour)
    >>> week = week_of(monday, [one, Borne(monday + 0.5 * hour, Severity.info, None, Judgement.noise)], held=1)
    >>> week.told, week.held, week.acknowledged, week.minutes, week.busiest, week.at_once, week.quality.precision
    (2, 1, 1, 60.0, 2, 2, 0.5)
    """
    mine = [one for one in alerts if start <= one.told_at < start + timedelta(weeks=1)]
    waits = [(one.acknowledged_at - one.told_at) / timedelta(minutes=1) for one in mine if one.acknowledged_at]
    days: dict[date, int] = {}
    for one in mine:
        days[one.told_at.date()] = days.get(one.told_at.date(), 0) + 1
    return Week(
        start,
        len(mine),
        held,
        len(waits),
        round(max(median(waits), 0.0), 1) if waits else None,
        max(days.values(), default=0),
        _at_once(mine),
        Quality(
            len(mine),
            sum(one.judgement is Judgement.real for one in mine),
            sum(one.judgement is Judgement.noise for one in mine),
        ),
    )


def _at_once(alerts: Sequence[Borne]) -> int:
    """The most that waited for somebody at a time."""
    steps = [(one.told_at, 1) for one in alerts]
    for one in alerts:
        ends = [at for at in (one.acknowledged_at, one.over_at) if at is not None]
        steps += [(max(min(ends), one.told_at), -1)] if ends else []
    most = now = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def monday_of(at: datetime) -> datetime:
    """Midnight on which the week of a time began, in that time's own zone."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())
