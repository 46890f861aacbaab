"""``tocsin-train hindsight``: a month of one's own counts, and when each surge would have been noticed by whom."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from models.cost import Rates
from models.detector import DetectorError
from models.hindsight import METHODS
from training.backtest import run, settings_for
from training.counts import CountsError, read_counts
from training.hindsight import months_review, report


def command(
    counts: Annotated[Path, typer.Argument(help="Parquet with topic, bucket and customers.")],
    bucket_minutes: Annotated[float, typer.Option(help="Length of a bucket.")] = 5,
    days: Annotated[int, typer.Option(help="Length of the month: the last days of the table.", min=1)] = 30,
    budget: Annotated[float, typer.Option(help="False alarms a week over all topics.")] = 2.0,
    hour: Annotated[float, typer.Option(help="Cost of an hour's work.", min=0)] = 30.0,
    minutes: Annotated[float, typer.Option(help="Minutes that a ticket takes.", min=0)] = 60.0,
    currency: Annotated[str, typer.Option(help="What money is called.")] = "yuan",
    json_out: Annotated[Path | None, typer.Option("--json", help="JSON to write.")] = None,
) -> None:
    """Say when each surge of the last month was noticed, beside mean + 3 sd and a weekly review, in hours and money."""
    try:
        table = read_counts(counts)
        settings = settings_for(table, timedelta(minutes=bucket_minutes), budget=budget)
        first = max(table.first, table.last + 1 - round(timedelta(days=days) / settings.bucket))
        result = run(table, settings, first)
    except (CountsError, DetectorError) as error:
        raise typer.BadParameter(str(error)) from error
    rates = Rates(hour=hour, handling=timedelta(minutes=minutes), currency=currency)
    found = report(months_review(result, rates, first, table.last), rates)
    if json_out is not None:
        json_out.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    for method in METHODS:
        one = found["methods"][method]
        after = "never" if one["median_hours"] is None else f"{one['median_hours']:.1f} h after the onset (median)"
        typer.echo(
            f"{method}: {one['noticed']} of {one['of']} surges, {after}; "
            f"{one['cost_until_noticed']:,.0f} {currency} of extra tickets until then"
        )
