"""``tocsin-train backtest``: read counts, run the detector over them, write scores and alerts."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from models.detector import DetectorError
from training.backtest import Backtest, costs, report, run, settings_for, write_scores
from training.counts import CountsError, read_counts


def command(
    counts: Annotated[
        Path, typer.Argument(help="Parquet with topic, bucket and customers; rows of zero may be missing.")
    ],
    bucket_minutes: Annotated[
        float, typer.Option(help="Length of a bucket; it divides an hour, or is a day or a week.")
    ] = 5,
    score_from: Annotated[int | None, typer.Option(help="First bucket to score; by default the middle.")] = None,
    topics: Annotated[Path | None, typer.Option(help="Parquet with topic and first_seen_bucket.")] = None,
    season: Annotated[
        Literal["week", "year"] | None, typer.Option(help="By default week, and year where buckets are days or weeks.")
    ] = None,
    budget: Annotated[float, typer.Option(help="False alarms a week over all topics.")] = 2.0,
    utc_offset: Annotated[float, typer.Option(help="Hours by which the customers' time is ahead of UTC.")] = 0.0,
    scores: Annotated[Path | None, typer.Option(help="Parquet to write: topic, bucket, score.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="JSON to write: thresholds, alerts, budgets.")] = None,
) -> None:
    """Say what the detector would have raised on a table of counts, one bucket after the other.

    Buckets are whole numbers: since 1970 in UTC, or, where they are small, since any Monday at midnight.
    """
    try:
        table = read_counts(counts, topics)
        start = (table.first + table.last + 1) // 2 if score_from is None else score_from
        if not table.first <= start <= table.last:
            raise CountsError(
                f"--score-from {start} is outside the counts, which go from {table.first} to {table.last}"
            )
        settings = settings_for(
            table,
            timedelta(minutes=bucket_minutes),
            season=season,
            budget=budget,
            utc_offset=timedelta(hours=utc_offset),
        )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("judging", total=table.last - table.first + 1)
            result = run(table, settings, start, progress=lambda done: bar.advance(task, done))
    except (CountsError, DetectorError) as error:
        raise typer.BadParameter(str(error)) from error
    if scores is not None:
        write_scores(result, scores)
    if json_out is not None:
        json_out.write_text(json.dumps(report(result), ensure_ascii=False, indent=1), encoding="utf-8")
    _tell(result)


def _tell(result: Backtest) -> None:
    counts = result.counts
    typer.echo(
        f"{len(counts.topics)} topics, buckets {result.score_from} to {counts.last}: {len(result.alerts)} alerts "
        f"at threshold {result.thresholds[0].threshold:.2f}"
    )
    minutes = result.settings.bucket / timedelta(minutes=1)
    for cost in costs(result):
        typer.echo(
            f"  {cost.false_alarms_per_week:g} false alarms a week: {cost.alerts} alerts; of the widest budget's "
            f"{cost.missed} missed, the others {cost.median_delay_buckets * minutes / 60:.1f} h later (median)"
        )
