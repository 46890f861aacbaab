"""Context from real sources: SQLite, PostgreSQL where its server is installed, and a web service; down, slow, refusing."""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import create_engine, text

from models.context import Join, Missing, PieceKind
from models.message import CustomerKey
from service.clock import sleep_until
from service.errors import Refused
from service.pipeline.context import Asked, Context
from service.pipeline.contextfile import read_sources
from service.pipeline.sources import HttpSource, SqlSource
from service.store.context import PushedContext
from service.store.embedded import EmbeddedStore
from service.store.redis import Store

ORDERS = "SELECT id, placed_at AS at, tracking, sku FROM orders WHERE customer = :customer"
INITDB = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
ROWS = [("O1", "2026-03-02T10:00:00Z", "SF1", "A", "c1"), ("O2", "2026-03-03T10:00:00Z", None, "B", "c2")]


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedStore(tmp_path_factory.mktemp("store"), durable=False) as store:
        yield store.url


@pytest.fixture
async def pushed(store_url: str) -> AsyncIterator[PushedContext]:
    store = Store.connect(store_url)
    yield PushedContext(store, timedelta(days=1))
    await store.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    path = tmp_path / "erp.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id TEXT, placed_at TEXT, tracking TEXT, sku TEXT, customer TEXT)")
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", ROWS)
    database.close()
    return f"sqlite:///{path}"


@pytest.fixture
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own; it will not run as root, and then runs as Debian's postgres."""
    if INITDB is None:
        pytest.skip("no PostgreSQL server here; apt-get install postgresql")
    user = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory() as made:
        if user is not None:
            shutil.chown(made, user)
        yield from _postgres(Path(made), user)


def _postgres(tmp_path: Path, user: str | None) -> Iterator[str]:
    assert INITDB is not None
    folder, binary = tmp_path / "data", Path(INITDB).resolve().parent
    made = subprocess.run(
        [INITDB, "-D", str(folder), "-A", "trust", "-U", "erp", "--no-sync"],
        capture_output=True,
        check=False,
        text=True,
        user=user,
    )
    if made.returncode:
        pytest.skip(f"PostgreSQL does not start here: {made.stderr.splitlines()[0]}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-D", str(folder), "-p", str(port), "-k", str(tmp_path), "-h", "127.0.0.1", "-F"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([str(binary / "postgres"), *options], stdout=log, stderr=log, user=user)
    url = f"postgresql+psycopg://erp@127.0.0.1:{port}/postgres"
    try:
        engine = create_engine(url)
        assert sleep_until(lambda: _fill(engine), seconds=60, every=0.1), (tmp_path / "log").read_text()
        engine.dispose()
        yield url
    finally:
        server.terminate()
        server.wait()


def _fill(engine: Any) -> bool:
    from sqlalchemy.exc import OperationalError

    try:
        with engine.begin() as connection:
            connection.execute(
                text("CREATE TABLE orders (id text, placed_at timestamptz, tracking text, sku text, customer text)")
            )
            for row in ROWS:
                values = dict(zip(("id", "at", "tracking", "sku", "customer"), row, strict=True))
                connection.execute(text("INSERT INTO orders VALUES (:id, :at, :tracking, :sku, :customer)"), values)
        return True
    except OperationalError:
        return False


@contextmanager
def web(
    answers: dict[str, tuple[int, Any]], seen: list[str | None], hold: threading.Event | None = None
) -> Iterator[str]:
    """A service that answers by path; one that holds does so until it is let go."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("authorization"))
            if hold is not None:
                hold.wait(10)
            status, body = answers.get(self.path, (404, None))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else orjson.dumps(body))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        if hold is not None:
            hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


def asked(name: str, source: SqlSource | HttpSource, by: Join = Join.customer, limit: float = 5.0) -> Asked:
    return Asked(name, by, source, timedelta(seconds=limit), timedelta(minutes=1))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_orders_are_read_from_a_database(
    database: str, request: pytest.FixtureRequest, pushed: PushedContext
) -> None:
    url = request.getfixturevalue(database)
    context = Context(pushed, [asked("erp", SqlSource("erp", PieceKind.order, Join.customer, url, ORDERS))])
    picture = await context.picture({Join.customer: ["c1"]})
    await context.close()
    (order,) = picture.pieces
    assert (order.id, order.tracking, order.fields) == ("O1", "SF1", {"sku": "A"})
    assert order.at is not None and order.at.isoformat() == "2026-03-02T10:00:00+00:00"
    assert picture.missing == ()


async def test_a_value_is_a_parameter_and_never_a_part_of_the_query(sqlite: str, pushed: PushedContext) -> None:
    context = Context(pushed, [asked("erp", SqlSource("erp", PieceKind.order, Join.customer, sqlite, ORDERS))])
    assert (await context.picture({Join.customer: ["' OR '1'='1"]})).pieces == ()
    await context.close()


async def test_orders_found_lead_to_their_shipments(sqlite: str, pushed: PushedContext) -> None:
    seen: list[str | None] = []
    with web({"/parcel/SF1": (200, [{"id": "P1", "tracking": "SF1", "state": "lost", "order": "O1"}])}, seen) as url:
        carrier = HttpSource("carrier", PieceKind.shipment, Join.tracking, f"{url}/parcel/{{tracking}}", "secret")
        erp = SqlSource("erp", PieceKind.order, Join.customer, sqlite, ORDERS)
        context = Context(pushed, [asked("erp", erp), asked("carrier", carrier, Join.tracking)])
        picture = await context.picture({Join.customer: ["c1"]})
        again = await context.picture({Join.customer: ["c1"]})
        await context.close()
    assert [(one.kind, one.id) for one in picture.pieces] == [("order", "O1"), ("shipment", "P1")]
    assert again == picture
    assert seen == ["Bearer secret"]  # the second time from memory


async def test_a_source_that_fails_is_missing_and_keeps_nobody_waiting(sqlite: str, pushed: PushedContext) -> None:
    seen: list[str | None] = []
    hold = threading.Event()
    with web({"/broken/c1": (500, None), "/odd/c1": (200, b"<html>")}, seen) as url, web({}, seen, hold) as slow:
        http = {
            "broken": f"{url}/broken/{{customer}}", "odd": f"{url}/odd/{{customer}}", "slow": f"{slow}/{{customer}}",
            "down": "http://127.0.0.1:9/{customer}",
        }  # fmt: skip
        sources = [
            asked(
                name, HttpSource(name, PieceKind.order, Join.customer, at, None), limit=0.2 if name == "slow" else 5.0
            )
            for name, at in http.items()
        ]
        nowhere = SqlSource("nowhere", PieceKind.order, Join.customer, "sqlite:////none/such.db", ORDERS)
        erp = SqlSource("erp", PieceKind.order, Join.customer, sqlite, ORDERS)
        context = Context(pushed, [*sources, asked("nowhere", nowhere), asked("erp", erp)])
        picture = await asyncio.wait_for(context.picture({Join.customer: ["c1"]}), 5)
        await context.close()
    assert [one.id for one in picture.pieces] == ["O1"]
    assert set(picture.missing) == {
        Missing("broken", "refused"), Missing("odd", "unreadable"), Missing("slow", "timeout"), Missing("down", "away"),
        Missing("nowhere", "away"),
    }  # fmt: skip


async def test_a_store_that_is_away_is_missing_too() -> None:
    store = Store.connect("unix:///none/such.sock")
    context = Context(PushedContext(store, timedelta(days=1)), [])
    picture = await context.picture({Join.customer: ["c1"]}, hashed=CustomerKey("h"))
    assert picture.missing == (Missing("pushed", "away"),)
    await store.close()


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ('type = "sql"\nkind = "order"\nurl = "sqlite://"\nquery = "SELECT 1"', ":customer"),
        ('type = "http"\nkind = "order"\nurl = "http://x/"', "{customer}"),
        ('type = "http"\nkind = "ordr"\nurl = "http://x/{customer}"', "kind"),
        ('type = "http"\nkind = "order"\nurl = "${NONE_SUCH}"', "NONE_SUCH"),
        ('type = "sql"\nkind = "order"\nurl = "nosuch://x"\nquery = "SELECT :customer"', "url"),
    ],
)
def test_a_wrong_file_says_what_to_mend(table: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "context.toml"
    path.write_text(f"[erp]\n{table}\n")
    with pytest.raises(Refused, match=r"TOCSIN_CONTEXT: erp") as error:
        read_sources(path, {})
    assert word in str(error.value)
