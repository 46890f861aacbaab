"""`tocsin demo`: a synthesised week over real HTTP at high speed, a bad batch in it, and the alert."""

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from service.commands.card import alert_card
from service.commands.serve import Group, _Stop
from service.settings import TimeMode, load_settings

_DAYS = 8
_PER_DAY = 1_000
_SEED = 7
_FACTOR = 6.0  # times the usual of its issue in the worst hours of the bad batch
_BATCH = 100
_LEARN_DAYS = 6  # the first days are history: topics and thresholds are learnt from them
_PATIENCE = 300.0  # seconds for the pipeline to take in what was posted


def run(*, once: bool = False, port: int | None = None) -> int:
    """Run the demo; with ``once`` it ends after the story, status 0 where the planted batch was found, else 1."""
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-demo-")))
        with console.status("writing a week of after-sales messages in Chinese and English"):
            stream, truth = _synthesize(folder)
        settings = load_settings(
            data_dir=folder / "store", time=TimeMode.event, port=port if port is not None else 0, store_url=None,
            discover_first=_PER_DAY * _LEARN_DAYS, log_level="warning",
        )  # fmt: skip
        group = stack.enter_context(Group(settings, console))
        console.print(f"Tocsin runs; its page is [bold]{group.url}[/bold]")
        with httpx.Client(base_url=group.url, timeout=30) as client:
            _announce(client, folder / "calendar.csv")
            _post_all(client, stream, console, group)
            found = _tell(list(_alerts(client)), truth, console)
        console.print(f"The page with all alerts: [bold]{group.url}[/bold]")
        if once:
            return 0 if found else 1
        console.print("It stays up until Ctrl-C.")
        stop = _Stop()
        while not stop.asked:
            time.sleep(0.2)
            group.mend()
    return 0


def _synthesize(folder: Path) -> tuple[Path, dict[str, Any]]:
    """A stream that ends today, and what is hidden in it. The two shells never import each other, so by command."""
    stream, truth = folder / "stream.csv", folder / "truth.json"
    start = (datetime.now(UTC) - timedelta(days=_DAYS)).date()
    command = [
        sys.executable, "-m", "training", "synthesize", str(stream), "--days", str(_DAYS), "--per-day", str(_PER_DAY),
        "--seed", str(_SEED), "--factor", str(_FACTOR), "--start", str(start),
        "--truth", str(truth), "--calendar", str(folder / "calendar.csv"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return stream, json.loads(truth.read_text(encoding="utf-8"))


def _announce(client: httpx.Client, calendar: Path) -> None:
    """Tell the service which promotions are coming."""
    with calendar.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            campaign = {"name": row["name"], "start": row["start"], "end": row["end"]}
            client.post("/v1/campaigns", json=campaign).raise_for_status()


def _post_all(client: httpx.Client, stream: Path, console: Console, group: Group) -> None:
    """Post every message in batches, in order of time, waiting where the service asks to."""
    with stream.open(newline="", encoding="utf-8") as file:
        messages = [_message(row) for row in csv.DictReader(file)]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        posting = bar.add_task("posting over HTTP", total=len(messages))
        for start in range(0, len(messages), _BATCH):
            batch = messages[start : start + _BATCH]
            while (answer := client.post("/v1/messages:batch", json=batch)).status_code in (429, 503):
                time.sleep(float(answer.headers.get("retry-after", "1")))
            answer.raise_for_status()
            bar.update(posting, advance=len(batch), description=f"posting {batch[-1]['occurred_at'][:10]}")
        _settle(client, bar, messages[-1]["occurred_at"], group)


def _message(row: dict[str, str]) -> dict[str, Any]:
    attributes = {name: row[name] for name in ("sku", "batch", "region") if row[name]}
    named = ("text", "occurred_at", "customer_id", "channel", "order_id")
    message: dict[str, Any] = {name: row[name] for name in named if row[name]}
    return message | {"id": row["message_id"], "source": "demo", "attributes": attributes}


def _settle(client: httpx.Client, bar: Progress, last: str, group: Group) -> None:
    """Wait until everything is counted and judged, as far as event time has come."""
    end = datetime.fromisoformat(last) - timedelta(minutes=10)
    began = time.monotonic()
    counting = bar.add_task("embedding, counting, judging", total=None)
    while time.monotonic() - began < _PATIENCE:
        status = client.get("/v1/status").json()
        bar.update(counting, description=f"{status['waiting']} to count; judged until {status['judged_until']}")
        judged = status["judged_until"]
        if status["waiting"] == 0 and judged and datetime.fromisoformat(judged) >= end:
            return
        time.sleep(0.5)
        group.mend()


def _alerts(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Every alert with its evidence, in order of time."""
    rows = client.get("/v1/alerts", params={"limit": 200}).json()["alerts"]
    for row in reversed(rows):
        yield client.get(f"/v1/alerts/{row['alert_id']}").json()


def _tell(alerts: list[dict[str, Any]], truth: dict[str, Any], console: Console) -> bool:
    """Print what was raised, and whether the planted batch is among it."""
    (event,) = truth["events"]
    found = next((alert for alert in alerts if _is_about(alert, event, truth["messages"])), None)
    console.rule("what was planted")
    onset = datetime.fromisoformat(event["onset"]).astimezone(UTC)
    console.print(
        f"{event['topic_names']['zh']} / {event['topic_names']['en']}: batch {event['batch']} goes bad "
        f"at {onset:%Y-%m-%d %H:%M} UTC, {event['excess']} customers more than usual"
    )
    console.rule(f"what Tocsin raised: {len(alerts)} alert{'' if len(alerts) == 1 else 's'}")
    for alert in alerts:
        console.print(alert_card(alert))
    if found is None:
        console.print("[bold red]The planted batch was not found.[/bold red]")
        return False
    delay = datetime.fromisoformat(found["fired_at"]) - onset
    named = found["culprits"] and found["culprits"][0]["value"] == event["batch"]
    console.print(
        f"[bold green]Found {delay} after its onset[/bold green]; the batch is "
        f"{'named as the culprit' if named else 'not named'}: {found['alert_id']}"
    )
    return True


def _is_about(alert: dict[str, Any], event: dict[str, Any], messages: dict[str, list[str]]) -> bool:
    """Whether an alert fired during the event, and more than half of its samples carry the event's issue."""
    labels = [messages.get(sample["message_id"], ["", ""])[0] for sample in alert["samples"]]
    fired = datetime.fromisoformat(alert["fired_at"])
    inside = datetime.fromisoformat(event["onset"]) <= fired < datetime.fromisoformat(event["end"]) + timedelta(hours=6)
    return inside and 2 * labels.count(event["topic"]) > len(labels)
