"""``tocsin-train retrain``: from messages to a bundle and its report, in steps that survive being killed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from models.bundle import BundleError, not_written
from models.embed import Language
from models.encoder.errors import EncoderError
from models.tables import TableError
from training.fates import fates
from training.kept import Columns
from training.memory import MemoryShort, is_exhausted
from training.order import Order
from training.report import Report, html, markdown, print_report
from training.retrain import Outcome, Retraining
from training.spread import ScaleError
from training.tuning import TUNING

DEFAULT_CACHE = Path("~/.cache/tocsin")


def command(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV, JSONL or Parquet with messages of the new category.", exists=True, dir_okay=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the bundle to write; reports go beside it.")] = Path("bundle"),
    live: Annotated[Path | None, typer.Option(help="What `tocsin bundles take` wrote: the present topics.")] = None,
    text: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    label: Annotated[str | None, typer.Option(help="Column of the issue, empty where nobody named it.")] = None,
    time: Annotated[str | None, typer.Option(help="Column of the time.")] = None,
    customer: Annotated[str | None, typer.Option(help="Column of the customer.")] = None,
    stretch: Annotated[bool, typer.Option(help="Learn a map of the vectors from the labels: seconds.")] = True,
    tune: Annotated[bool, typer.Option(help="Tune the encoder itself: minutes to hours, and a new space.")] = False,
    steps: Annotated[int, typer.Option(help="Batches to tune on.", min=1)] = TUNING.steps,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    most: Annotated[
        int,
        typer.Option(help="Messages at most: of the file (those with a label first), and of those kept.", min=1),
    ] = 50_000,
    workers: Annotated[int, typer.Option(help="Workers of Ray to embed and tune with; 0: without Ray.")] = 0,
    cluster: Annotated[str | None, typer.Option(help="Address of a Ray cluster; by default this machine.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the prepared encoder.")] = DEFAULT_CACHE,
) -> None:
    """Learn a new product category: topics and encoder as a bundle, with what would change.

    Killed anywhere, the same command goes on after the last finished step. Nothing that is live is touched.
    """
    if file is None and live is None:
        raise typer.BadParameter("name a file of messages, or with --live what the service keeps, or both")
    console = Console(stderr=True)
    order = Order(
        file=file,
        columns=Columns(text, label, time, customer),
        live=live,
        out=out,
        cache=cache.expanduser(),
        recipe=replace(TUNING, steps=steps, seed=seed) if tune else None,
        most=most,
        workers=workers,
        cluster=cluster,
        stretch=stretch,
    )
    try:
        run = Retraining(order, console, datetime.now(UTC))
        outcome = run.run()
        _report(outcome, out, console)
        run.end()
    except (TableError, BundleError, EncoderError, ScaleError, MemoryShort) as error:
        _give_up(console, str(error), error)
    except Exception as error:
        if is_exhausted(error):
            _give_up(console, f"the memory is used up; run it again with --most {most // 2}", error)
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            _give_up(console, str(not_written(out, error)), error)
        if isinstance(error, ValueError | FileNotFoundError):
            _give_up(console, str(error), error)
        raise


def _give_up(console: Console, told: str, error: BaseException) -> NoReturn:
    console.print(f"error: {told}", style="red", soft_wrap=True)
    raise typer.Exit(2) from error


_ENDINGS: Mapping[Language, str] = {"en": "", "zh": ".zh-CN"}  # as README.zh-CN.md is named


def _report(outcome: Outcome, out: Path, console: Console) -> None:
    told = fates(outcome.before, outcome.after, outcome.placed_before, outcome.placed_after)
    report = Report(out.name, outcome.scores, told, outcome.broken, outcome.exams)
    for language, ending in _ENDINGS.items():
        out.with_name(f"{out.name}{ending}.md").write_text(markdown(report, language), encoding="utf-8")
        out.with_name(f"{out.name}{ending}.html").write_text(html(report, language), encoding="utf-8")
    print_report(Console(), report)
    files = ", ".join(f"{out}{ending}.md and {out}{ending}.html" for ending in _ENDINGS.values())
    console.print(f"{out}, and the report in {files}; next: tocsin bundles promote {out}", soft_wrap=True)
