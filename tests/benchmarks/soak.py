"""What grows: ``python -m tests.benchmarks.soak [--minutes M] [--messages N]``, looped messages through the whole service.

API, worker, judge and deliverer run as `tocsin serve` runs them, on the embedded store. The texts are a few hundred
wordings again and again, so that after the first round each vector comes out of the cache: what is soaked is everything
but the encoder's arithmetic. Ids are new, customers are of 200,000, and a message comes a second of the messages' own
time, so that buckets close, are judged and forgotten. Prints a line a minute and at the end JSON: megabytes of each
role's resident memory that a million messages add, by least squares over the time after a third of the run.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
from rich.console import Console

from service.commands.serve import Group
from service.settings import TimeMode, load_settings
from service.store.embedded import running_url
from service.store.redis import Store

BATCH, AHEAD = 500, 4_000
LAG = timedelta(hours=6)
"""Of their time that the judge may be behind before messages wait for it: a day passes in less than a minute."""
EVERY = 30.0
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def batches() -> Iterator[bytes]:
    from training.corpus import load_issues

    pick = random.Random(0)
    texts = [text for issue in load_issues() for own in issue.wordings.values() for text in own]
    number = 0
    while True:
        batch = []
        for _ in range(BATCH):
            number += 1
            batch.append(
                {
                    "id": f"m-{number}",
                    "text": pick.choice(texts),
                    "customer_id": f"c{pick.randrange(200_000)}",
                    "occurred_at": (BEGIN + timedelta(seconds=number)).isoformat(),
                    "channel": pick.choice(("app", "web", "phone")),
                    "attributes": {"sku": f"PB-{pick.randrange(20)}", "batch": f"B{pick.randrange(60)}"},
                }
            )
        yield orjson.dumps(batch)


def behind(status: dict[str, Any], sent: int) -> timedelta:
    """By how much of the messages' time the judge is behind what was sent; nothing until it begins."""
    judged = status["judged_until"]
    return BEGIN + timedelta(seconds=sent) - datetime.fromisoformat(judged) if judged else timedelta(0)


def look(group: Group, counted: int, url: str) -> dict[str, float]:
    """Messages counted so far, and megabytes: resident of each role, and what the store says that it uses."""
    row: dict[str, float] = {"messages": counted}
    for role in ("api", "worker-0", "judge", "deliver"):
        status = Path(f"/proc/{group.pid(role)}/status").read_text()
        row[role] = int(status.split("VmRSS:")[1].split()[0]) / 1_024
    row["store"] = asyncio.run(used(url))
    return row


async def used(url: str) -> float:
    store = Store.connect(url)
    found = int((await store.client.info("memory"))["used_memory"]) / 2**20
    await store.close()
    return found


def growth(rows: list[dict[str, float]]) -> dict[str, float]:
    """Megabytes a million messages, over the rows after a third of the run."""
    late = rows[len(rows) // 3 :]
    x = np.array([row["messages"] / 1e6 for row in late])
    return {
        name: round(float(np.polyfit(x, [row[name] for row in late], 1)[0]), 1)
        for name in late[0]
        if name != "messages"
    }


def main(minutes: float, most: int) -> dict[str, Any]:
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="tocsin-soak-") as folder:
        data = Path(folder) / "store"
        settings = load_settings(data_dir=data, port=0, time=TimeMode.event, log_level="warning")
        with Group(settings, Console(stderr=True)) as group, httpx.Client(base_url=group.url, timeout=120) as client:
            url = running_url(data)
            assert url is not None
            begun, told, sent, counted = time.perf_counter(), 0.0, 0, 0
            for body in batches():
                status = client.get("/v1/status").json()
                while status["waiting"] > AHEAD or behind(status, sent) > LAG:
                    time.sleep(0.1)
                    status = client.get("/v1/status").json()
                waiting = status["waiting"]
                client.post("/v1/messages:batch", content=body).raise_for_status()
                sent += BATCH
                counted = sent - waiting
                spent = time.perf_counter() - begun
                if spent - told >= EVERY:
                    told = spent
                    rows.append(look(group, counted, url))
                    print({k: round(v, 1) for k, v in rows[-1].items()}, file=sys.stderr, flush=True)
                if spent > 60 * minutes or sent >= most:
                    break
            rows.append(look(group, counted, url))
    return {
        "messages": counted,
        "a_second": round(counted / (time.perf_counter() - begun)),
        "days_of_their_time": round(counted / 86_400, 1),
        "megabytes_at_the_end": {k: round(v, 1) for k, v in rows[-1].items() if k != "messages"},
        "megabytes_a_million_more": growth(rows),
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=25.0)
    arguments.add_argument("--messages", type=int, default=5_000_000)
    given = arguments.parse_args()
    print(json.dumps(main(given.minutes, given.messages), indent=1))
