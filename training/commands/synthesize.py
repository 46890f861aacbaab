"""``tocsin-train synthesize``: write the stream, and if asked its truth and its promotion calendar."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from training.plan import CHINA, Plan, Settings, SettingsError, plan
from training.planted import BATCH_FACTOR, SHOULD_RING, Planted
from training.rows import Row, SuffixError, write_rows, writer_for
from training.season import Promotion
from training.synthesize import draw


def command(
    out: Annotated[Path, typer.Argument(help="Where to write: .csv, .jsonl or .parquet.")],
    days: Annotated[int, typer.Option(help="Days in the stream.")] = 9,
    per_day: Annotated[float, typer.Option(help="Messages on an ordinary day.")] = 1500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same stream.")] = 7,
    start: Annotated[str, typer.Option(help="First day; without a zone, of UTC+8.")] = "2026-03-02",
    chinese: Annotated[float, typer.Option(help="Part of the customers who write Chinese.")] = 0.6,
    events: Annotated[str, typer.Option(help="What to hide, by comma: bad-batch, spike, …")] = "bad-batch",
    topic: Annotated[str, typer.Option(help="Issue of the bad batch.")] = "battery_no_charge",
    sku: Annotated[str, typer.Option(help="Product of the bad batch.")] = "PB20",
    factor: Annotated[float, typer.Option(help="What the bad batch multiplies its topic by.")] = BATCH_FACTOR,
    truth: Annotated[Path | None, typer.Option(help="Where to write what was hidden, as JSON.")] = None,
    calendar: Annotated[Path | None, typer.Option(help="Where to write the promotions, as CSV.")] = None,
) -> None:
    """Write an invented week of Chinese and English after-sales messages, with a bad batch near its end."""
    try:
        writer_for(out)
        kinds: Any = tuple(kind.strip() for kind in events.split(",") if kind.strip())
        planned = plan(Settings(seed, days, per_day, _midnight(start), chinese, kinds, topic, sku, factor))
    except (SettingsError, SuffixError) as error:
        raise typer.BadParameter(str(error)) from error
    labels: dict[str, list[str]] = {}
    rows = track(draw(planned), "Synthesising", planned.total, console=Console(stderr=True), transient=True)
    write_rows(_labelled(rows, labels), out)
    if truth is not None:
        truth.write_text(json.dumps(_truth(planned, labels), ensure_ascii=False, indent=1), encoding="utf-8")
    if calendar is not None:
        _write_calendar(planned.campaigns, calendar)
    typer.echo(f"{out}: {len(labels)} messages, {len(planned.issues)} issues, {len(planned.planted)} events")


def _midnight(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"start must be a date such as 2026-03-02, not {text}") from None
    return at if at.tzinfo else at.replace(tzinfo=CHINA)


def _labelled(rows: Iterable[Row], labels: dict[str, list[str]]) -> Iterator[Row]:
    for row in rows:
        labels[row.message_id] = [row.issue, row.event]
        yield row


def _truth(planned: Plan, labels: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "seed": planned.settings.seed,
        "start": planned.settings.start.isoformat(),
        "end": planned.settings.end.isoformat(),
        "events": [_event(event, planned) for event in planned.planted],
        "messages": labels,
    }


def _event(event: Planted, planned: Plan) -> dict[str, Any]:
    names = next((issue.names for issue in planned.issues if issue.key == event.topic), None)
    told = asdict(event) | {"onset": event.onset.isoformat(), "end": event.end.isoformat()}
    return told | {"topic_names": names, "should_ring": event.kind in SHOULD_RING}


def _write_calendar(campaigns: Iterable[Promotion], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["start", "end", "name"])
        table.writerows([c.start.isoformat(), c.end.isoformat(), c.name] for c in campaigns)
