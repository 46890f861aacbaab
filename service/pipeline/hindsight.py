"""The month in hindsight on a company's own messages and indicators: the alerts that were raised, beside what its counts by
topic, and its figures, would have told by mean + 3 sd, and on a Monday morning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from models.alert import Alert, Judgement
from models.buckets import BUCKET, BUCKETS_PER_HOUR, bucket_of
from models.cost import Rates, price_of
from models.evidence import Evidence
from models.hindsight import Episode, alarms_of_three_sd, episode, figures, hours_of
from models.indicator import Indicator, Kind, Tally
from models.season import FloatArray
from service.store.alerts import AlertBook
from service.store.counts import Counts
from service.store.gauges import Gauges

_PAGE = 200
_WEEK = timedelta(days=8)  # of counts before an onset: seven days of hours, and the last one
_MOST = timedelta(days=7)  # an episode is followed at most so long
_NOTHING = Tally()
_TOPIC = "t"  # what the ids of topics begin with; crowds are filed under the topic that they are of


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One alert and its episode, in buckets from the first that is known of it."""

    alert: Alert
    episode: Episode


@dataclass(frozen=True, slots=True)
class _Series:
    """An indicator by bucket: what was observed, and the figure of the hour that ends with each."""

    first: int
    n: FloatArray
    total: FloatArray
    hourly: FloatArray


class Hindsight:
    """Review the alerts of a span that are on topics or indicators; what was called noise, or sales excuse, is left out."""

    def __init__(
        self, book: AlertBook, counts: Counts, gauges: Gauges, indicators: Mapping[str, Indicator], rates: Rates
    ) -> None:
        self._book = book
        self._counts = counts
        self._gauges = gauges
        self._indicators = indicators
        self._rates = rates
        self._series: dict[str, _Series] = {}

    async def review(self, since: datetime, now: datetime) -> list[Reviewed]:
        """Oldest first. Times are those that the messages speak of."""
        alerts = await self._alerts(since)
        named = {gauge.indicator for one in alerts if (gauge := one.evidence.gauge) is not None}
        self._series = await self._read(sorted(named), since - _WEEK, now)
        return [
            Reviewed(one, await self._episode(one, now) if one.evidence.gauge is None else self._told(one, now))
            for one in alerts
        ]

    async def alarms(self, reviewed: Sequence[Reviewed], since: datetime, now: datetime) -> int:
        """How often mean + 3 sd would have rung on the topics and indicators that were just reviewed, in the whole span."""
        topics = sorted({one.alert.evidence.topic.id for one in reviewed if one.alert.evidence.gauge is None})
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
        begin = _WEEK // timedelta(hours=1)
        return rung + sum(
            alarms_of_three_sd(one.hourly[BUCKETS_PER_HOUR - 1 :: BUCKETS_PER_HOUR], begin)
            for one in self._series.values()
        )

    async def _alerts(self, since: datetime) -> list[Alert]:
        """Those that are reviewed, oldest first."""
        found: list[Alert] = []
        place: tuple[float, str] | None = None
        while page := await self._book.newest(_PAGE, place):
            for one in page:
                if one.alert.fired_at < since:
                    return found[::-1]
                if self._counts_here(one.alert.evidence) and one.facts.judgement is not Judgement.noise:
                    found.append(one.alert)
            place = (page[-1].alert.fired_at.timestamp(), page[-1].alert.id)
        return found[::-1]

    def _counts_here(self, evidence: Evidence) -> bool:
        if evidence.gauge is not None:
            return evidence.gauge.indicator in self._indicators
        return evidence.window.observed > 0 and evidence.topic.id[:1] == _TOPIC and not evidence.excused

    async def _read(self, names: Sequence[str], since: datetime, now: datetime) -> dict[str, _Series]:
        if not names:
            return {}
        first = bucket_of(since) // BUCKETS_PER_HOUR * BUCKETS_PER_HOUR
        buckets = await self._gauges.buckets(range(first, bucket_of(now) + 1))
        found = {}
        for name in names:
            tallies = [one.get(name, _NOTHING) for one in buckets]
            n, total = np.array([one.n for one in tallies]), np.array([one.total for one in tallies])
            found[name] = _Series(first, n, total, figures(self._indicators[name], tallies, BUCKETS_PER_HOUR))
        return found

    def _told(self, alert: Alert, now: datetime) -> Episode:
        """The episode of an alert on an indicator."""
        evidence, gauge = alert.evidence, alert.evidence.gauge
        assert gauge is not None
        series, window = self._series[gauge.indicator], evidence.window
        onset, end, fired = self._span(alert, now, series.first)
        span = slice(onset, end + 1)
        usual = series.n[span] * window.expected
        if gauge.kind is Kind.number:
            usual = np.full(len(usual), window.expected / BUCKETS_PER_HOUR)
        price = price_of(gauge.cost, gauge.unit, self._rates)[1] if gauge.cost else 0.0
        return episode(
            evidence.topic.id, series.hourly, series.total[span] - usual, onset, end, fired,
            at=bucket_of(evidence.onset) * BUCKET, bucket=BUCKET, price=price,
        )  # fmt: skip

    async def _episode(self, alert: Alert, now: datetime) -> Episode:
        evidence = alert.evidence
        first = bucket_of(evidence.onset - _WEEK)
        onset, end, fired = self._span(alert, now, first)
        history = (await self._counts.history([evidence.topic.id], first, first + end))[evidence.topic.id]
        y = np.array([float(history.get(bucket, 0)) for bucket in range(first, first + end + 1)])
        hours = max((evidence.window.end - evidence.window.start) / BUCKET, 1.0)
        return episode(
            evidence.topic.id, hours_of(y, BUCKETS_PER_HOUR), y[onset:] - evidence.window.expected / hours, onset, end, fired,
            at=bucket_of(evidence.onset) * BUCKET, bucket=BUCKET, price=self._rates.ticket,
        )  # fmt: skip

    @staticmethod
    def _span(alert: Alert, now: datetime, first: int) -> tuple[int, int, int]:
        """Onset, end, and the bucket at whose end was told, from ``first`` on."""
        onset, told = bucket_of(alert.evidence.onset), bucket_of(alert.fired_at)
        end = max(bucket_of(min(alert.resolved_at or now, alert.evidence.onset + _MOST)), told)
        return onset - first, end - first, max(told - 1, onset) - first
