"""The gauge's judge: closed buckets of observations in, alerts on indicators out, into the same feed as those on topics."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

import orjson

from models.alert import Alert
from models.bar import extras
from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, bucket_of, end_of, start_of
from models.culprit import CellCounts, find_culprits
from models.dial import Shown, curve, show
from models.evidence import CulpritFigures, CurvePoint, Evidence, GaugeFigures, TopicName, WindowFigures
from models.gauge import WINDOWS, Gauge, GaugeTick
from models.gaugefile import pack, unpack
from models.habit import pull
from models.indicator import Indicator, Kind, Tally, middle
from models.limits import Cause
from models.severity import Grade, grade_gauge
from models.surge import Reading, Surge, SurgeRules, SurgeState, advance
from service.metrics import Metrics
from service.pipeline.bench import surges_of
from service.pipeline.docket import Case, Changes, Docket
from service.store.alerts import AlertBook
from service.store.campaigns import Campaign, Campaigns, running
from service.store.gauges import Gauges
from service.store.judgement import JudgeStore, Tick

_CHUNK = BUCKETS_PER_DAY
_PAST = 7 * BUCKETS_PER_DAY  # that tells which values an indicator's bad observations always had
_QUIET, _AT_MOST = timedelta(minutes=1), timedelta(minutes=10)
"""History that came late is learnt once nothing more of it came for so long, and no oftener than that: it takes seconds."""


@dataclass(frozen=True, slots=True)
class GaugeRules:
    indicators: tuple[Indicator, ...]
    false_alarms_per_week: float
    part: float
    keep: timedelta
    receivers: tuple[str, ...] = ()
    base_url: str = ""
    surge: SurgeRules = field(default_factory=SurgeRules)
    relearn: bool = True
    """Whether what comes late is learnt: not where time is what the newest observation says."""


@dataclass(slots=True)
class _Bench:
    """What the judge holds between ticks."""

    gauge: Gauge
    position: int | None
    first: int
    raise_from: int
    surges: dict[str, Surge] = field(default_factory=dict)
    learnt_at: float = 0.0
    """When all history was learnt, in seconds since 1970."""


class GaugeJudge:
    """Judge every closed bucket in order; ``token`` is that of the lease held."""

    def __init__(
        self,
        store: JudgeStore,
        gauges: Gauges,
        book: AlertBook,
        campaigns: Campaigns,
        rules: GaugeRules,
        metrics: Metrics,
        token: str,
    ) -> None:
        self._store = store
        self._gauges = gauges
        self._campaigns = campaigns
        self._book = book
        self._rules = rules
        self._docket = Docket(book, metrics, rules.receivers, rules.base_url)
        self._token = token
        self._bench: _Bench | None = None

    @property
    def _per_week(self) -> float:
        return self._rules.part * self._rules.false_alarms_per_week

    def forget(self) -> None:
        """Drop what is held in memory; the next call reads the store anew."""
        self._bench = None
        self._docket.forget()

    async def advance(self, watermark: datetime, now: datetime) -> list[Alert]:
        """Judge all buckets that closed before ``watermark``; answers the alerts that changed.

        Begins with the first observation. What comes after its bucket was judged (an export of last month, a nightly batch)
        is learnt by learning all history anew, without raising anything on it. Raises `NotInStep` where another judge has
        the lease; nothing was written then.
        """
        span = await self._gauges.span()
        if span is None:
            return []
        last, oldest = bucket_of(watermark) - 1, bucket_of(max(span[0], watermark - self._rules.keep))
        bench = self._bench = self._bench or await self._restore() or self._begun(None, oldest, last + 1)
        if bench.position is not None and self._rules.relearn and await self._history_came(bench, now):
            bench = self._bench = replace(
                self._begun(bench.position, oldest, bench.position + 1), surges=bench.surges, learnt_at=now.timestamp()
            )
        budget = await self._store.budget() or self._rules.false_alarms_per_week
        bench.gauge.per_week = self._rules.part * budget
        changed: dict[str, Alert] = {}
        begin = bench.first if bench.gauge.bucket is None else bench.gauge.bucket + 1
        for start in range(begin, last + 1, _CHUNK):
            chunk = range(start, min(start + _CHUNK, last + 1))
            bars, campaigns = await self._book.bars(), await self._campaigns.all()
            for bucket, tallies in zip(chunk, await self._gauges.buckets(chunk), strict=True):
                run = running(campaigns, start_of(bucket))
                changes = await self._judge(bench, bucket, tallies, extras(bars, end_of(bucket)), run, now)
                if changes.alerts or bucket == chunk[-1]:
                    await self._write(bench, bucket, changes)
                changed |= changes.alerts
                await asyncio.sleep(0)  # the lease is renewed beside a long catching-up
        return list(changed.values())

    async def _history_came(self, bench: _Bench, now: datetime) -> bool:
        """Whether all of it is to be learnt anew."""
        came, learnt = await self._gauges.came_late(), datetime.fromtimestamp(bench.learnt_at, tz=UTC)
        return came is not None and learnt < came <= now - _QUIET and now - learnt >= _AT_MOST

    def _begun(self, position: int | None, first: int, raise_from: int) -> _Bench:
        return _Bench(Gauge(self._rules.indicators, self._per_week), position, first, raise_from)

    async def _judge(
        self,
        bench: _Bench,
        bucket: int,
        tallies: Mapping[str, Tally],
        extra: Mapping[str, float],
        run: Sequence[Campaign],
        now: datetime,
    ) -> Changes:
        changes = Changes()
        tick = bench.gauge.step(bucket, tallies, extra, pull(one.multiplier for one in run))
        if (bucket + 1) % BUCKETS_PER_DAY == 0:
            bench.gauge.calibrate()
        if bucket < bench.raise_from:
            return changes
        for row, indicator in enumerate(bench.gauge.indicators):
            before = bench.surges.get(indicator.name)
            if tick.cause[row] is None and before is None:
                continue
            shown = show(bench.gauge, indicator.name, int(tick.window[row]))
            surge = advance(indicator.topic, before, _reading(tick, row, shown), self._rules.surge)
            if surge is None:
                bench.surges.pop(indicator.name, None)
                continue
            bench.surges[indicator.name] = surge
            if surge.state is not SurgeState.pending and (surge.open or surge != before):
                cause = tick.cause[row]
                case = Case(
                    surge,
                    before,
                    cause is not None,
                    shown.value,
                    lambda indicator=indicator, surge=surge, shown=shown, cause=cause: self._testify(  # type: ignore[misc]
                        bench.gauge, indicator, surge, shown, cause, run
                    ),
                    _grade,
                )
                await self._docket.record(case, bucket, now, changes)
        return changes

    async def _testify(
        self,
        gauge: Gauge,
        indicator: Indicator,
        surge: Surge,
        shown: Shown,
        cause: Cause | None,
        run: Sequence[Campaign],
    ) -> Evidence:
        """All that an alert on an indicator shows."""
        fallen = shown.value < shown.usual
        bound = shown.lower if fallen else shown.upper
        figures = WindowFigures(
            start_of(shown.first),
            start_of(shown.end),
            shown.value,
            shown.usual,
            shown.usual if bound is None else bound,
        )
        observed = round(shown.n)
        return Evidence(
            topic=indicator_name(indicator),
            window=figures,
            onset=start_of(surge.onset),
            customers=observed,
            messages=observed,
            windows=(figures,),
            culprits=await self._culprits(indicator, surge.onset, shown, fallen=fallen),
            curve=tuple(CurvePoint(start_of(one.first), one.value, one.usual, one.upper) for one in curve(gauge, indicator.name)),
            contributions={one.name: one.times for one in shown.why},
            gauge=GaugeFigures(
                indicator.name, indicator.kind, indicator.direction, indicator.unit, shown.n, cause or Cause.learnt,
                indicator.start, shown.learnt, shown.lower, shown.upper,
                tuple(one.name for one in run), shown.campaign_hours, indicator.cost,
            ),
        )  # fmt: skip

    async def _culprits(
        self, indicator: Indicator, onset: int, shown: Shown, *, fallen: bool
    ) -> tuple[CulpritFigures, ...]:
        """Attribute values over-represented among the bad observations since the onset, beside the good ones."""
        first = max(min(onset, shown.first), shown.end - _PAST)
        during = await self._gauges.cells(indicator.name, first, shown.end - 1)
        before = await self._gauges.cells(indicator.name, first - _PAST, first - BUCKETS_PER_HOUR)
        bad, good = parted(indicator, during, shown.usual, fallen=fallen)
        found = find_culprits(bad, good, *parted(indicator, before, shown.usual, fallen=fallen))
        return tuple(CulpritFigures(**asdict(one)) for one in found)

    async def _restore(self) -> _Bench | None:
        position, state = await self._store.state()
        if position is None:
            return None
        held = orjson.loads(state["bench"])
        gauge = unpack(state["gauge"], self._rules.indicators, self._per_week)
        learnt = held.get("learnt_at", 0.0)
        return _Bench(gauge, position, held["first"], held["raise_from"], surges_of(held["surges"]), learnt)

    async def _write(self, bench: _Bench, bucket: int, changes: Changes) -> None:
        held = {
            "surges": bench.surges,
            "first": bench.first,
            "raise_from": bench.raise_from,
            "learnt_at": bench.learnt_at,
        }
        tick = Tick(
            before=bench.position,
            after=bucket,
            state={"gauge": pack(bench.gauge), "bench": orjson.dumps(held)},
            alerts=list(changes.alerts.values()),
            events=changes.events,
            notifications=changes.notifications,
        )
        await self._store.commit(tick, self._token)
        bench.position = bucket


def indicator_name(indicator: Indicator) -> TopicName:
    """An indicator as alerts name what they are about."""
    labels = {str(language): label for language, label in indicator.labels.items()}
    label = labels.get("zh") or labels.get("en") or indicator.name
    return TopicName(indicator.topic, label, labels, ())


def parted(
    indicator: Indicator, cells: Mapping[tuple[str, str], Tally], usual: float, *, fallen: bool
) -> tuple[CellCounts, CellCounts]:
    """Bad and good observations by attribute and value: hits and the rest, or values beyond the usual and those short of
    it. Of a count, its sum and nothing."""
    bad: dict[str, dict[str, int]] = {}
    good: dict[str, dict[str, int]] = {}
    for (attribute, value), tally in cells.items():
        if indicator.kind.binned:
            beyond = sum(n for bin_, n in tally.bins.items() if (middle(bin_) < usual) == fallen)
        else:
            beyond = tally.n - tally.total if fallen and indicator.kind.counted else tally.total
        rest = 0.0 if indicator.kind is Kind.number else max(tally.n - beyond, 0.0)
        bad.setdefault(attribute, {})[value] = round(beyond)
        good.setdefault(attribute, {})[value] = round(rest)
    return bad, good


def unpack_gauge(state: Mapping[str, bytes], indicators: Sequence[Indicator]) -> Gauge | None:
    """The gauge in a judge's state, to be looked at; None before the first tick."""
    return unpack(state["gauge"], indicators, 1.0) if "gauge" in state else None


def _grade(evidence: Evidence) -> Grade:
    window, gauge = evidence.window, evidence.gauge
    limit = gauge is not None and gauge.cause is Cause.limit
    return grade_gauge(window.observed, window.expected, window.upper_bound, limit=limit)


def _reading(tick: GaugeTick, row: int, shown: Shown) -> Reading:
    loud = tick.cause[row] is not None
    onset = tick.bucket + 1 - int(WINDOWS[tick.window[row]]) if loud else tick.bucket
    return Reading(tick.bucket, loud, bool(tick.calm[row]), onset, shown.value, shown.usual)
