"""`tocsin replay`: a file of messages through the real pipeline, in event time, on an embedded store of its own."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, bucket_of, end_of, start_of
from models.cost import Rates
from models.embed import Embedder
from models.gist import gist
from models.hindsight import summary
from models.message import RawMessage
from models.rehearsal import rehearsed
from models.tables import Broken, Row
from models.times import EXAMPLE, parse_time
from service.commands.card import alert_card
from service.errors import BadMessage, Refused
from service.logs import set_up_logs
from service.metrics import Metrics
from service.pipeline.discover import Discovery
from service.pipeline.hindsight import Hindsight, Reviewed
from service.pipeline.ingest import Ingest
from service.pipeline.judge import Judge
from service.pipeline.worker import Worker
from service.settings import Settings, TimeMode, load_settings
from service.store.alerts import Filed
from service.store.campaigns import Campaign
from service.store.embedded import EmbeddedStore
from service.store.lease import Lease
from service.store.shipped import Posted, day_of
from service.tables import Columns, read_rows
from service.views import alert_view
from service.wiring import (
    SCAN_EVERY,
    Rooms,
    build_discovery,
    build_embedder,
    build_ingest,
    build_judge,
    build_rates,
    build_worker,
    hold_embedder,
    lay_out,
    open_rooms,
)

_MOST_CACHED = 200_000  # vectors held while budgets are compared: 300 MB
_PREFETCH = 2_048  # texts embedded at a time, so that the encoder sees full batches
_SHOWN_BROKEN = 20
_POSTS = 500  # orders put down at a time
_MOST_TEXT = 100_000  # characters of a message; the rest of a longer one is left out
_SLOW = 60.0  # messages a day
_HASH_KEY = b"a replay keeps nothing, so its hashes need no secret"


@dataclass(slots=True)
class Report:
    """What a replay did."""

    messages: int = 0
    broken: list[Broken] = field(default_factory=list)
    duplicates: int = 0
    topics: int = 0
    alerts: list[Filed] = field(default_factory=list)
    reviewed: list[Reviewed] = field(default_factory=list)
    rung: int = 0
    """How often mean + 3 sd would have rung on the topics that are reviewed."""


def run(
    file: Path,
    columns: Columns,
    *,
    campaigns: Path | None = None,
    orders: Path | None = None,
    budget: float = 2.0,
    start: str | None = None,
    json_out: Path | None = None,
    hindsight: bool = False,
    compare: Sequence[float] = (),
    compare_out: Path | None = None,
) -> int:
    """Replay ``file`` and print its alerts in order; ``start`` is when raising begins. With other budgets to ``compare``
    it is replayed under each, and what they raise, miss and tell later is printed beside."""
    console = Console(stderr=True)
    set_up_logs("warning", "replay")
    broken: list[Broken] = []
    raws = sorted(read_messages(file, columns, broken), key=lambda raw: raw.occurred_at)
    if not raws:
        raise Refused(
            f"{file.name}: no row can be used; the first problem is: {broken[0].reason if broken else 'none'}"
        )
    settings = load_settings(
        time=TimeMode.event, false_alarms_per_week=budget, indicators_part=0,
        waiting=max(20_000, len(raws)), max_backlog=1_000_000,
        keep_counts=timedelta(days=4_000), keep_cells=timedelta(days=4_000), keep_orders=timedelta(days=4_000),
        max_text=_MOST_TEXT,
    )  # fmt: skip
    from service.commands.prepare import ensure_encoder

    ensure_encoder(settings, console)
    calendar = read_campaigns(campaigns) if campaigns else []
    shipped = read_orders(orders) if orders else []
    raise_from = parse_time(start) if start else None
    cache = max(4 * _PREFETCH, min(2 * len(raws), _MOST_CACHED)) if compare else 4 * _PREFETCH
    embedder = build_embedder(settings.model_copy(update={"encoder_cache": cache}))

    def replayed(per_week: float) -> Report:
        chosen = settings.model_copy(update={"false_alarms_per_week": per_week})
        with (
            tempfile.TemporaryDirectory(prefix="tocsin-replay-") as folder,
            EmbeddedStore(Path(folder), durable=False) as at,
        ):
            return asyncio.run(Replay(chosen, at.url, embedder, console).run(raws, calendar, raise_from, shipped))

    report = replayed(budget)
    others = {per_week: replayed(per_week).alerts for per_week in sorted({*compare} - {budget})}
    report.broken = broken
    _tell(report, console, json_out)
    if hindsight:
        _tell_hindsight(report, build_rates(settings))
    if compare:
        _tell_budgets({**others, budget: report.alerts}, compare_out)
    return 0


class Replay:
    """One replay over one store; the same pipeline as live, driven bucket by bucket."""

    def __init__(self, settings: Settings, url: str, embedder: Embedder, console: Console) -> None:
        self._settings = settings
        self._rooms: Rooms = open_rooms(settings, url)
        self._now = datetime.fromtimestamp(0, UTC)
        self._embedder = embedder
        self._console = console
        self._lease = Lease(self._rooms.store, "judge", timedelta(days=7))
        metrics = Metrics()
        self._ingest: Ingest = build_ingest(settings, self._rooms, lambda: self._now, _HASH_KEY)
        self._worker: Worker = build_worker(
            settings.model_copy(update={"worker_batch": 512}), self._rooms, embedder, metrics
        )
        self._judge: Judge = build_judge(
            settings.model_copy(update={"webhooks": (), "base_url": ""}), self._rooms, self._lease, metrics
        )
        self._discovery: Discovery = build_discovery(settings, self._rooms)
        self._discovered: datetime | None = None
        self._scanned = self._now

    async def run(
        self,
        raws: Sequence[RawMessage],
        campaigns: Sequence[Campaign],
        raise_from: datetime | None,
        shipped: Sequence[Posted] = (),
    ) -> Report:
        """Put messages, in order of time, through door, worker, discovery and judge."""
        report = Report()
        await lay_out(self._rooms, self._settings)
        await hold_embedder(self._rooms, self._embedder.name, self._embedder.dimension)
        await self._lease.hold()
        await self._rooms.campaigns.put(campaigns)
        for start in range(0, len(shipped), _POSTS):
            await self._rooms.shipped.put(shipped[start : start + _POSTS])
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task("replaying", total=len(raws))
            for begin, group in self._spans(raws):
                await self._until(begin, raise_from)
                report.duplicates += await self._feed(group)
                report.messages += len(group)
                bar.update(task, advance=len(group), description=f"{begin:%Y-%m-%d}")
            await self._until(end_of(bucket_of(raws[-1].occurred_at)), raise_from)
        model = (await self._rooms.models.current()).model
        report.topics = len(model.topics) if model else 0
        report.alerts = await self._alerts()
        review = Hindsight(self._rooms.book, self._rooms.counts, self._rooms.gauges, {}, build_rates(self._settings))
        report.reviewed = await review.review(raws[0].occurred_at, self._now)
        report.rung = await review.alarms(report.reviewed, raws[0].occurred_at, self._now)
        await self._rooms.store.close()
        return report

    def _spans(self, raws: Sequence[RawMessage]) -> Iterator[tuple[datetime, list[RawMessage]]]:
        """Messages by hour, of slow streams by day; with the vectors of the next ones made in full batches beforehand.

        The judge goes through every bucket of a span all the same, and sees in each what had come by then.
        """
        done = 0
        days = (raws[-1].occurred_at - raws[0].occurred_at) / timedelta(days=1)
        span = BUCKETS_PER_DAY if len(raws) < _SLOW * days else BUCKETS_PER_HOUR
        for number, found in groupby(raws, key=lambda raw: bucket_of(raw.occurred_at) // span):
            group = list(found)
            if done <= 0:
                done = self._prefetch(raws, group)
            done -= len(group)
            yield start_of(number * span), group

    def _prefetch(self, raws: Sequence[RawMessage], group: Sequence[RawMessage]) -> int:
        begin = self._place
        end = max(begin + _PREFETCH, begin + len(group))
        texts = [gist(self._ingest.redacted(raw).text) for raw in raws[begin:end]]
        self._embedder.embed(texts)
        self._place = end
        return end - begin

    _place = 0

    async def _until(self, now: datetime, raise_from: datetime | None) -> None:
        """Let time come to ``now``: discover where it is due, and judge what has closed, a day at a time."""
        if self._now.timestamp() == 0:
            self._now = now
            return
        while self._now < now:
            step = min(now, end_of(bucket_of(self._now) // BUCKETS_PER_DAY * BUCKETS_PER_DAY + BUCKETS_PER_DAY - 1))
            if raise_from is not None and self._now < raise_from:
                step = min(step, raise_from)
            self._now = step
            if await self._time_to_discover(raise_from):
                await self._discover()
            elif self._discovered is not None and self._now - self._scanned >= SCAN_EVERY:
                self._scanned = self._now
                await self._discovery.scan(self._now)
            await self._judge.advance(self._now, self._now)

    async def _time_to_discover(self, raise_from: datetime | None) -> bool:
        if self._discovered is not None:
            return self._now - self._discovered >= self._settings.discover_every
        if raise_from is not None:
            return self._now >= raise_from
        return await self._discovery.ready()

    async def _discover(self) -> None:
        await self._discovery.run(self._now)
        first = await self._rooms.models.first_bucket()
        if first is None:
            return
        self._discovered = self._now
        if not await self._judge.begun():
            await self._judge.begin(first, raise_from=bucket_of(self._now))

    async def _feed(self, group: Sequence[RawMessage]) -> int:
        outcomes = await self._ingest.take(group)
        while await self._worker.run_once():
            pass
        return sum(outcome.value == "duplicate" for outcome in outcomes)

    async def _alerts(self) -> list[Filed]:
        found, place = [], None
        while page := await self._rooms.book.newest(200, place):
            found += page
            place = (page[-1].alert.fired_at.timestamp(), page[-1].alert.id)
        return sorted(found, key=lambda filed: (filed.alert.fired_at, filed.alert.id))


def read_messages(file: Path, columns: Columns, broken: list[Broken]) -> Iterator[RawMessage]:
    """The messages of a file; rows that cannot be used are added to ``broken``."""
    for number, row in read_rows(file, columns.needed(time=True)):
        if isinstance(row, Broken):
            broken.append(row)
            continue
        try:
            yield _message(number, row, columns)
        except BadMessage as error:
            broken.append(Broken(number, str(error)))


def _message(number: int, row: Row, columns: Columns) -> RawMessage:
    fields = columns.fields(number, row, "row")
    if not fields["text"].strip():
        raise BadMessage(columns.text, "is empty")
    try:
        at = parse_time(fields.get("occurred_at", ""))
    except (ValueError, OverflowError):
        raise BadMessage(columns.time, f"is no time that we can read; write it as {EXAMPLE}") from None
    return RawMessage(**fields | {"text": fields["text"][:_MOST_TEXT], "occurred_at": at})


def read_campaigns(file: Path) -> list[Campaign]:
    """Campaigns of a CSV with start, end, name (and multiplier, where known). Raises `Refused` on a bad row."""
    campaigns = []
    for number, row in read_rows(file, ("start", "end", "name")):
        try:
            if isinstance(row, Broken):
                raise ValueError(row.reason)
            factor = row.get("multiplier")
            start, end = parse_time(str(row["start"])), parse_time(str(row["end"]))
            campaigns.append(Campaign(f"c{number}", str(row["name"]), start, end, float(factor) if factor else None))
        except ValueError as error:
            raise Refused(f"{file.name}, row {number}: {error}") from None
    return campaigns


def read_orders(file: Path) -> list[Posted]:
    """Orders shipped, of a CSV with day and orders; every other column is an attribute. Raises `Refused` on a bad row."""
    posts = []
    for number, row in read_rows(file, ("day", "orders")):
        try:
            if isinstance(row, Broken):
                raise ValueError(row.reason)
            day, orders = date.fromisoformat(str(row["day"])), int(str(row["orders"]))
            if orders < 0:
                raise ValueError("orders: is below 0")
            values = {name: str(value) for name, value in row.items() if name not in ("day", "orders") and value}
            posts.append(Posted(day_of(day), orders, values))
        except ValueError as error:
            raise Refused(f"{file.name}, row {number}: {error}") from None
    return posts


def _tell_hindsight(report: Report, rates: Rates) -> None:
    """Print when each surge was noticed by whom, in hours after its onset, and what had been lost until then."""
    out = Console()
    for one in report.reviewed:
        told = ", ".join(
            f"{each.method} {'never' if each.hours is None else f'{each.hours:.1f} h'}" for each in one.episode.noticed
        )
        out.print(f"{one.alert.evidence.onset:%Y-%m-%d %H:%M} {one.alert.evidence.topic.label}: {told}", markup=False)
    for method, found in summary([one.episode for one in report.reviewed]).items():
        after = "never" if found["median_hours"] is None else f"{found['median_hours']:.1f} h after the onset (median)"
        out.print(
            f"{method}: {found['noticed']} of {found['of']} surges, {after}; "
            f"{found['cost_until_noticed']:,.0f} {rates.currency} of extra tickets until then"
        )
    out.print(
        f"on these topics alone mean + 3 sd would have rung {report.rung} times; told were {len(report.reviewed)}"
    )


def _tell_budgets(runs: Mapping[float, Sequence[Filed]], json_out: Path | None) -> None:
    """Print what each budget raises and, of the widest one's alerts, misses or tells later; write it as JSON."""
    out = Console()
    found = rehearsed({per_week: [one.alert for one in alerts] for per_week, alerts in runs.items()})
    for one in found:
        later = "none of them" if one.median_delay is None else f"the others {_hours(one.median_delay):.1f} h later"
        out.print(
            f"{one.per_week:g} false alarms a week: {one.alerts} alerts; "
            f"of the {found[-1].alerts} of the widest budget {one.missed} missed, {later} (median)"
        )
    if json_out is not None:
        rows = [
            {
                "false_alarms_per_week": one.per_week,
                "alerts": one.alerts,
                "missed": one.missed,
                "median_delay_hours": None if one.median_delay is None else round(_hours(one.median_delay), 2),
            }
            for one in found
        ]
        json_out.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)


def _tell(report: Report, console: Console, json_out: Path | None) -> None:
    """Print the alerts in order; list what was not used; write the JSON."""
    out = Console()
    views = [alert_view(filed.alert, filed.facts) for filed in report.alerts]
    for view in views:
        out.print(alert_card(view))
    for one in report.broken[:_SHOWN_BROKEN]:
        console.print(f"row {one.row} not used: {one.reason}", style="yellow", markup=False)
    if len(report.broken) > _SHOWN_BROKEN:
        console.print(f"... and {len(report.broken) - _SHOWN_BROKEN} more rows not used", style="yellow")
    out.print(
        f"{report.messages} messages, {report.duplicates} repeated ids, {len(report.broken)} rows not used; "
        f"{report.topics} topics; {len(views)} alerts"
    )
    if json_out is not None:
        json_out.write_bytes(orjson.dumps(views, option=orjson.OPT_INDENT_2))
        console.print(f"alerts written to {json_out}")
