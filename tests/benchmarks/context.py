"""`python tests/benchmarks/context.py`: how long the customer's whole picture takes, source by source; p50 and p99.

The sources are real: a SQLite file, a web service on loopback and the embedded store, with caches off (``fresh`` 0) and,
in one row, on. One is down (nothing listens), one slow (it answers after two seconds, and has a quarter of one).
"""

import argparse
import asyncio
import json
import logging
import sqlite3
import tempfile
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from models.context import Join, Piece, PieceKind
from models.message import CustomerKey
from service.pipeline.context import Asked, Context
from service.pipeline.sources import HttpSource, SqlSource
from service.store.context import PUSHED, PushedContext
from service.store.embedded import EmbeddedStore
from service.store.redis import Store

LIMIT = timedelta(milliseconds=250)
_SLOW = 2.0
_LISTED = [{"id": "R1", "order": "O1", "reason": "broken"}]


class _Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two small ones would wait 40 ms for each other (RFC 896)

    def do_GET(self) -> None:
        if self.path.startswith("/slow"):
            time.sleep(_SLOW)
        body = json.dumps(_LISTED).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


QUERY = "SELECT id, tracking, sku FROM orders WHERE customer = :customer"


def web() -> ThreadingHTTPServer:
    """A web service that knows every customer's returns, listening."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def orders(folder: Path) -> Path:
    """A database of 20,000 orders of 5,000 customers."""
    path = folder / "erp.db"
    if not path.exists():
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE orders (id TEXT, tracking TEXT, sku TEXT, customer TEXT)")
            database.execute("CREATE INDEX by_customer ON orders (customer)")
            rows = ((f"O{n}", f"SF{n}", "PB-20", f"c{n % 5_000}") for n in range(20_000))
            database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        database.close()
    return path


def sources(folder: Path, port: int, fresh: float = 0.0) -> dict[str, Asked]:
    path = orders(folder)
    base, customer = f"http://127.0.0.1:{port}", Join.customer
    found = {
        "sql": SqlSource("sql", PieceKind.order, customer, f"sqlite:///{path}", QUERY),
        "http": HttpSource("http", PieceKind.returned, customer, f"{base}/{{customer}}", None),
        "http2": HttpSource("http2", PieceKind.purchase, customer, f"{base}/{{customer}}", None),
        "down": HttpSource("down", PieceKind.order, customer, "http://127.0.0.1:9/{customer}", None),
        "slow": HttpSource("slow", PieceKind.order, customer, f"{base}/slow/{{customer}}", None),
    }
    return {name: Asked(name, customer, one, LIMIT, timedelta(seconds=fresh)) for name, one in found.items()}


CASES = {
    "pushed alone": (),
    "and 1 source (SQL)": ("sql",),
    "and 3 sources": ("sql", "http", "http2"),
    "3 sources, warm": ("sql", "http", "http2"),
    "3 sources, one down": ("sql", "http", "down"),
    "3 sources, one slow": ("sql", "http", "slow"),
}


async def measure(url: str, folder: Path, port: int, looks: int) -> dict[str, tuple[float, float, int]]:
    store = Store.connect(url)
    pushed = PushedContext(store, timedelta(days=1))
    for n in range(50):
        await pushed.put(Piece(PieceKind.shipment, f"P{n}", PUSHED, order=f"O{n}"), CustomerKey(f"h{n}"))
    found = {}
    for case, names in CASES.items():
        every = sources(folder, port, 3_600.0 if "warm" in case else 0.0)
        context = Context(pushed, [every[name] for name in names])
        spans, missing = [], 0
        count = min(looks, 20) if "slow" in case else looks
        for n in range(count + (5 if "slow" in case else 50)):
            begun = time.perf_counter()
            picture = await context.picture({Join.customer: [f"c{n % 50}"]}, hashed=f"h{n % 50}")
            if n >= (5 if "slow" in case else 50):  # the first ones open connections and fill what is warm
                spans.append(1_000 * (time.perf_counter() - begun))
                missing += len(picture.missing)
        spans.sort()
        found[case] = spans[len(spans) // 2], spans[int(0.99 * (len(spans) - 1))], missing
        for one in every.values():
            await one.source.close()
    await store.close()
    return found


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=500)
    looks = parser.parse_args().looks
    server = web()
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder) / "store", durable=False) as store:
        found = asyncio.run(measure(store.url, Path(folder), server.server_port, looks))
    server.shutdown()
    table = Table("customer's picture", "p50 ms", "p99 ms", "missing")
    for case, (middle, late, missing) in found.items():
        table.add_row(case, f"{middle:.1f}", f"{late:.1f}", str(missing))
    Console().print(table)


if __name__ == "__main__":
    main()
