"""A rehearsal: the same past under several budgets of false alarms, and what a smaller one misses or tells later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from models.alert import Alert


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What one budget comes to: alerts raised and, of those that the widest budget raised, how many it misses and how
    much later it raises the others; None where there are none."""

    per_week: float
    alerts: int
    missed: int
    median_delay: timedelta | None


def rehearsed(runs: Mapping[float, Sequence[Alert]]) -> tuple[Rehearsed, ...]:
    """Each budget beside the widest, the smallest first. Alerts are of one event where they overlap in time and are on
    one topic or show one message."""
    if not runs:
        return ()
    every = runs[max(runs)]
    found = []
    for per_week, alerts in sorted(runs.items()):
        firsts = [min((one.fired_at for one in alerts if _same(one, wide)), default=None) for wide in every]
        delays = [max(at - wide.fired_at, timedelta(0)) for at, wide in zip(firsts, every, strict=True) if at]
        found.append(
            Rehearsed(per_week, len(alerts), len(every) - len(delays), _median(delays)),
        )
    return tuple(found)


def _median(delays: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(one.total_seconds() for one in delays)) if delays else None


def _same(one: Alert, other: Alert) -> bool:
    if one.evidence.onset > _end(other) or other.evidence.onset > _end(one):
        return False
    shown, known = ({(each.source, each.message_id) for each in alert.evidence.samples} for alert in (one, other))
    return one.evidence.topic.id == other.evidence.topic.id or bool(shown & known)


def _end(alert: Alert) -> datetime:
    return alert.resolved_at or alert.updated_at
