"""`python tests/benchmarks/assist.py`: how long the agent's view takes over HTTP, every process of the service running.

`POST /v1/assist` asks for the known issue of a text never heard before and the customer's whole picture from what was pushed, a
SQLite file and two web services on loopback: with the sources warm (each customer was looked up within the minute before) and
cold. One asks after the other, as an agent opens one message after the other.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from service.commands.serve import Group
from service.settings import Settings
from tests.benchmarks.chat import new
from tests.benchmarks.context import QUERY, orders, web

_CUSTOMERS = 50
_GOAL = 300.0  # milliseconds, with warm sources


def written(folder: Path, port: int) -> Path:
    """The file of context sources."""
    lines = [f'[erp]\ntype = "sql"\nkind = "order"\nurl = "sqlite:///{orders(folder)}"\nquery = "{QUERY}"']
    for name, kind in (("returns", "return"), ("purchases", "purchase")):
        lines.append(f'[{name}]\ntype = "http"\nkind = "{kind}"\nurl = "http://127.0.0.1:{port}/{{customer}}"')
    path = folder / "sources.toml"
    path.write_text("\n".join(lines))
    return path


def asked(client: httpx.Client, texts: Sequence[str], first: int) -> tuple[list[float], int, int]:
    """Milliseconds an answer, how many came without the issue, and how many sources were missing."""
    spans, blind, missing = [], 0, 0
    for number, text in enumerate(texts):
        customer = f"c{first + number % _CUSTOMERS}"
        begun = time.perf_counter()
        answer = client.post("/v1/assist", json={"text": text, "customer_id": customer}).raise_for_status().json()
        spans.append(1_000 * (time.perf_counter() - begun))
        blind += answer["issue"] is None
        missing += len(answer["context"]["missing"])
    return sorted(spans), blind, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=300)
    looks = parser.parse_args().looks
    texts, server = new(2 * looks + _CUSTOMERS), web()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.model_validate(
            {"data_dir": folder / "data", "port": 0, "context": written(folder, server.server_port)}
        )
        with Group(settings, Console(quiet=True)) as group, httpx.Client(base_url=group.url, timeout=30) as client:
            for one in range(_CUSTOMERS):
                piece = {"customer_id": f"c{one}", "tracking": f"SF{one}", "fields": {"carrier": "SF"}}
                client.put(f"/v1/context/shipment/P{one}", json=piece).raise_for_status()
            asked(client, texts[:_CUSTOMERS], 0)  # opens connections, and warms what is to be warm
            table = Table("the agent's view", "p50 ms", "p99 ms", "without the issue", "sources missing")
            for title, place, first in (("sources warm", 0, 0), ("each customer new", 1, 100)):
                batch = texts[_CUSTOMERS + place * looks :][: looks if not place else _CUSTOMERS]
                spans, blind, missing = asked(client, batch, first)
                row = spans[len(spans) // 2], spans[int(0.99 * (len(spans) - 1))]
                table.add_row(title, *(f"{one:.0f}" for one in row), str(blind), str(missing))
    server.shutdown()
    Console().print(table, f"goal: under {_GOAL:.0f} ms with warm sources")


if __name__ == "__main__":
    main()
