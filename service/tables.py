"""Files of messages as the service takes them: which column holds what, and what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models import tables
from models.tables import Broken, Row, TableError
from service.errors import Refused

Rows = Iterator[tuple[int, Row | Broken]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a file holds what of a message."""

    text: str
    time: str
    id: str | None = None
    customer: str | None = None
    channel: str | None = None
    order: str | None = None
    attributes: tuple[str, ...] = ()
    source: str = "import"

    def needed(self, *, time: bool) -> tuple[str, ...]:
        """The columns that the file must have; ``time``: whether a row must tell when, or else occurs now."""
        when = self.time if time else None
        named = (self.text, when, self.id, self.customer, self.channel, self.order, *self.attributes)
        return tuple(name for name in named if name)

    def fields(self, number: int, row: Row, prefix: str) -> dict[str, Any]:
        """A row as the fields of a message. Without an id of its own it has that of its place in this very file,
        which ``prefix`` names: sent again, it is known."""
        columns = {
            "text": self.text, "occurred_at": self.time, "id": self.id, "customer_id": self.customer,
            "channel": self.channel, "order_id": self.order,
        }  # fmt: skip
        known = {field: value for field, column in columns.items() if (value := _cell(row, column)) is not None}
        attributes = {name: value for name in self.attributes if (value := _cell(row, name)) is not None}
        made = {"text": "", "id": f"{prefix}-{number}", "source": self.source}
        return made | known | {"attributes": attributes}


def _cell(row: Row, name: str | None) -> str | None:
    value = row.get(name) if name else None
    if value is None or value == "":
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def read_rows(path: Path, needed: tuple[str, ...]) -> Rows:
    """Rows with their numbers. Raises `Refused` where the file is none we read, or lacks a needed column."""
    with _refusing():
        rows = tables.read_rows(path, needed)
    return _told(rows)


def read_body(body: bytes, kind: str, needed: tuple[str, ...]) -> Rows:
    """Rows of a file that was sent: ``kind`` is "csv", "tsv", "jsonl" or "parquet". Raises as `read_rows`."""
    return _told(tables.read_body(body, kind, needed))


def _told(rows: Rows) -> Rows:
    with _refusing():
        yield from rows


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except TableError as error:
        raise Refused(str(error)) from error
