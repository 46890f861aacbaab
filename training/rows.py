"""A row of a synthesised stream, and the files that hold it: CSV, JSONL or Parquet by the suffix."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

COLUMNS = (
    "message_id",
    "occurred_at",
    "customer_id",
    "text",
    "channel",
    "sku",
    "batch",
    "region",
    "order_id",
)
"""What a service may see. The issue and the event behind a row go to the truth file only."""

_PARQUET_ROWS = 10_000  # rows of one row group: a few MB


@dataclass(frozen=True, slots=True)
class Row:
    """One synthesised message; an empty string where a customer left something out."""

    message_id: str
    occurred_at: str
    """ISO 8601 in UTC, to the second."""
    customer_id: str
    text: str
    channel: str
    sku: str
    batch: str
    region: str
    order_id: str
    issue: str
    event: str


class SuffixError(ValueError):
    """A file name whose suffix names no format that can be written."""


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write the public columns of ``rows`` to ``path`` as its suffix says. `SuffixError` before a row is drawn."""
    writer_for(path)(rows, path)


def writer_for(path: Path) -> Callable[[Iterable[Row], Path], None]:
    """The writer for the suffix of ``path``. Raises `SuffixError` where there is none."""
    try:
        return _WRITERS[path.suffix.lower()]
    except KeyError:
        raise SuffixError(f"{path.name}: the suffix must be one of {', '.join(_WRITERS)}") from None


def _public(row: Row) -> dict[str, str]:
    return {column: getattr(row, column) for column in COLUMNS}


def _write_csv(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(map(_public, rows))


def _write_jsonl(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(_public(row), ensure_ascii=False) + "\n" for row in rows)


def _write_parquet(rows: Iterable[Row], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column, pa.string()) for column in COLUMNS])
    with pq.ParquetWriter(path, schema) as file:
        for group in _groups(map(_public, rows)):
            file.write_table(pa.Table.from_pylist(group, schema=schema))


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while group := list(islice(iterator, _PARQUET_ROWS)):
        yield group


_WRITERS: Mapping[str, Callable[[Iterable[Row], Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
