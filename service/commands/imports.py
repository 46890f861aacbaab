"""`tocsin import`: a file of messages to a service that runs, with progress, at the pace that the service takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from models.tables import Broken, Row, fingerprint
from service.clock import sleep_until
from service.errors import Refused
from service.settings import load_settings
from service.tables import Columns, read_rows

_BATCH = 500
_SHOWN = 20
_TRIES = 20  # while the service is away or behind: with its pauses, some ten minutes
_LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class Tally:
    """What became of the rows."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def run(file: Path, columns: Columns, *, url: str | None, key: str | None) -> int:
    """Send every row; status 1 where some were refused."""
    settings = load_settings()
    key = key or (settings.admin_key.get_secret_value() if settings.admin_key else None)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    console, tally = Console(stderr=True), Tally()
    rows = read_rows(file, columns.needed(time=False))
    with file.open("rb") as body:
        prefix = fingerprint(body)
    bars = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with (
        httpx.Client(base_url=url or settings.public_url, headers=headers, timeout=60) as client,
        Progress(*bars, console=console, transient=True) as bar,
    ):
        task = bar.add_task(file.name, total=_count(file, columns))
        while batch := list(islice(rows, _BATCH)):
            _send(client, [_item(number, row, columns, prefix) for number, row in batch], tally, console)
            bar.update(task, advance=len(batch))
    for number, why in tally.refused[:_SHOWN]:
        console.print(f"row {number} not taken: {why}", style="yellow", markup=False, highlight=False)
    if len(tally.refused) > _SHOWN:
        console.print(f"... and {len(tally.refused) - _SHOWN} more rows not taken", style="yellow")
    print(f"{tally.accepted} accepted, {tally.duplicates} there already, {len(tally.refused)} not taken")
    return 1 if tally.refused else 0


def _send(client: httpx.Client, items: list[tuple[int, dict[str, Any] | str]], tally: Tally, console: Console) -> None:
    """Send one batch until it is taken; waits as long as the service asks for."""
    tally.refused += [(number, item) for number, item in items if isinstance(item, str)]
    sent = [(number, item) for number, item in items if not isinstance(item, str)]
    if not sent:
        return
    for attempt in range(_TRIES):
        wait, why = _try(client, sent, tally)
        if wait is None:
            return
        console.print(f"waiting: {why}", style="yellow", markup=False, highlight=False)
        sleep_until(lambda: False, seconds=wait or min(2.0**attempt, _LONGEST_PAUSE))
    raise Refused("the service did not take the rows; send the same file again, nothing is counted twice")


def _try(client: httpx.Client, sent: list[tuple[int, dict[str, Any]]], tally: Tally) -> tuple[float | None, str]:
    """Post one batch; (None, "") where it is settled, else how long the service asks to wait (0: it doesn't say) and why.

    Raises `Refused` where waiting doesn't help.
    """
    body = orjson.dumps([item for _, item in sent])
    try:
        answer = client.post("/v1/messages:batch", content=body, headers={"content-type": "application/json"})
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    except (httpx.TransportError, ValueError) as error:
        return 0.0, f"no answer ({type(error).__name__})"
    if answer.status_code in (202, 422) and "rejected" in said:
        tally.accepted += said["accepted"]
        tally.duplicates += said["duplicates"]
        tally.refused += [(sent[one["index"]][0], one["detail"]) for one in said["rejected"]]
        return None, ""
    if answer.status_code < 500 and answer.status_code != 429:
        raise Refused(f"the service answered {answer.status_code}: {said.get('detail', '')}")
    named = answer.headers.get("retry-after", "")
    return float(named) if named.isdigit() else 0.0, said.get("detail", f"status {answer.status_code}")


def _item(number: int, row: Row | Broken, columns: Columns, prefix: str) -> tuple[int, dict[str, Any] | str]:
    """A row as a message, or why it is none."""
    if isinstance(row, Broken):
        return number, row.reason
    return number, columns.fields(number, row, prefix)


def _count(file: Path, columns: Columns) -> int:
    """Rows of the file, for the bar: read once through, which is quick beside sending."""
    return sum(1 for _ in _numbers(file, columns))


def _numbers(file: Path, columns: Columns) -> Iterator[int]:
    for number, _ in read_rows(file, columns.needed(time=False)):
        yield number
