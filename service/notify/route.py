"""Whom an alert concerns, and when they may be disturbed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from models.severity import Severity

View = Mapping[str, Any]
"""An alert as `service.views.alert_view` shows it."""
_MOSTLY = 0.5  # of the samples: what half of them carry, the alert is about


@dataclass(frozen=True, slots=True)
class Route:
    """What a receiver wants to hear of; empty parts let everything through."""

    severity: Severity = Severity.info
    """This grade or graver."""
    topics: tuple[str, ...] = ()
    """Ids, or words that stand in a label or among the terms."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each attribute named, the values of which one must be a culprit, or that of half the samples."""
    reasons: tuple[str, ...] = ()

    def wants(self, view: View) -> bool:
        return (
            Severity(view["severity"]).rank >= self.severity.rank
            and (not self.topics or any(_names(topic, view) for topic in self.topics))
            and all(_carries(name, values, view) for name, values in self.attributes.items())
            and (not self.reasons or view["reason"] in self.reasons)
        )


def _names(word: str, view: View) -> bool:
    topic = view["topic"]
    texts = [topic["label"], *topic["labels"].values(), *topic["terms"]]
    return word == topic["id"] or any(word.casefold() in text.casefold() for text in texts)


def _carries(name: str, values: tuple[str, ...], view: View) -> bool:
    if any(one["attribute"] == name and one["value"] in values for one in view["culprits"]):
        return True
    samples = view["samples"]
    carrying = sum(sample["attributes"].get(name) in values for sample in samples)
    return bool(samples) and carrying >= _MOSTLY * len(samples)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, in a zone, in which only alerts of ``unless`` or graver are told; others wait for their end.

    ``since`` after ``until`` goes over midnight. ``days`` are those on which the hours begin, Monday is 0.
    """

    since: time
    until: time
    zone: tzinfo
    unless: Severity | None = Severity.critical
    days: frozenset[int] = frozenset(range(7))

    def opens(self, now: datetime, severity: Severity | None = None) -> datetime:
        """When something may be told: ``now``, or the end of the quiet hours that ``now`` lies in."""
        if self.unless is not None and severity is not None and severity.rank >= self.unless.rank:
            return now
        local = now.astimezone(self.zone)
        for begins in (local.date(), local.date() - timedelta(days=1)):
            start = datetime.combine(begins, self.since, self.zone)
            ends = begins if self.until > self.since else begins + timedelta(days=1)
            end = datetime.combine(ends, self.until, self.zone)
            if begins.weekday() in self.days and start <= local < end:
                return end.astimezone(now.tzinfo)
        return now
