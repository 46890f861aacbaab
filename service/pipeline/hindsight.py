"""The month in hindsight on a company's own messages: the alerts that were raised, beside what its counts by topic would have
told by mean + 3 sd, and on a Monday morning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from models.alert import Alert, Judgement
from models.buckets import BUCKET, BUCKETS_PER_HOUR, bucket_of
from models.cost import Rates
from models.hindsight import Episode, alarms_of_three_sd, episode
from service.store.alerts import AlertBook
from service.store.counts import Counts

_PAGE = 200
_WEEK = timedelta(days=8)  # of counts before an onset: seven days of hours, and the last one
_MOST = timedelta(days=7)  # an episode is followed at most so long
_TOPIC = "t"  # what the ids of topics begin with; crowds are filed under the topic that they are of


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One alert and its episode, in buckets from the first that is known of it."""

    alert: Alert
    episode: Episode


class Hindsight:
    """Review the alerts of a span that are on topics; what was called noise, or sales excuse, is left out."""

    def __init__(self, book: AlertBook, counts: Counts, rates: Rates) -> None:
        self._book = book
        self._counts = counts
        self._rates = rates

    async def review(self, since: datetime, now: datetime) -> list[Reviewed]:
        """Oldest first. Times are those that the messages speak of."""
        found: list[Reviewed] = []
        place: tuple[float, str] | None = None
        while page := await self._book.newest(_PAGE, place):
            for one in page:
                evidence = one.alert.evidence
                if one.alert.fired_at < since:
                    return found[::-1]
                counted = evidence.gauge is None and evidence.window.observed > 0 and evidence.topic.id[:1] == _TOPIC
                if counted and not evidence.excused and one.facts.judgement is not Judgement.noise:
                    found.append(Reviewed(one.alert, await self._episode(one.alert, now)))
            place = (page[-1].alert.fired_at.timestamp(), page[-1].alert.id)
        return found[::-1]

    async def alarms(self, reviewed: Sequence[Reviewed], since: datetime, now: datetime) -> int:
        """How often mean + 3 sd would have rung on the topics that are reviewed, in the whole span."""
        topics = sorted({one.alert.evidence.topic.id for one in reviewed})
        first, last = bucket_of(since - _WEEK) // BUCKETS_PER_HOUR, bucket_of(now) // BUCKETS_PER_HOUR
        history = await self._counts.history(topics, first * BUCKETS_PER_HOUR, last * BUCKETS_PER_HOUR - 1)
        rung = 0
        for counted in history.values():
            hours = np.zeros(last - first)
            for bucket, count in counted.items():
                hours[bucket // BUCKETS_PER_HOUR - first] += count
            known = int(np.flatnonzero(hours)[0]) if hours.any() else len(hours)
            begin = max(_WEEK // timedelta(hours=1) - known, 0)
            rung += alarms_of_three_sd(hours[known:], begin)
        return rung

    async def _episode(self, alert: Alert, now: datetime) -> Episode:
        evidence = alert.evidence
        onset = bucket_of(evidence.onset)
        end = bucket_of(min(alert.resolved_at or now, evidence.onset + _MOST))
        first = bucket_of(evidence.onset - _WEEK)
        last = max(end, bucket_of(alert.fired_at))
        history = (await self._counts.history([evidence.topic.id], first, last))[evidence.topic.id]
        y = np.array([float(history.get(bucket, 0)) for bucket in range(first, last + 1)])
        hours = max((evidence.window.end - evidence.window.start) / BUCKET, 1.0)
        return episode(
            evidence.topic.id,
            y,
            onset - first,
            last - first,
            max(bucket_of(alert.fired_at) - 1, onset) - first,
            expected=evidence.window.expected / hours,
            at=onset * BUCKET,
            bucket=BUCKET,
            rates=self._rates,
        )
