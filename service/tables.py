"""Files of messages: CSV, JSONL or Parquet, row by row; a broken row is told, never fatal and never silent."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from service.errors import Refused

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be used: its number (from 1, the header not counted) and why, without its content."""

    row: int
    reason: str


def read_rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    """Rows with their numbers. Raises `Refused` where the file is none we read, or lacks a needed column."""
    readers = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Refused(f"{path.name}: give a file that ends in {', '.join(readers)}")
    if not path.is_file():
        raise Refused(f"{path}: there is no such file")
    return reader(path, needed)


def _csv(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    csv.field_size_limit(16 * 1024 * 1024)
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", restkey="\0more")
        _need(path, tuple(reader.fieldnames or ()), needed)
        number = 0
        while True:
            number += 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, Broken(number, f"no CSV: {error}")
                continue
            if "\0more" in row:
                yield number, Broken(number, "has more cells than the header")
            else:
                yield number, row


def _jsonl(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield number, Broken(number, f"no JSON at column {error.colno}")
                continue
            yield number, row if isinstance(row, dict) else Broken(number, "is no JSON object")


def _parquet(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    _need(path, tuple(file.schema_arrow.names), needed)
    number = 0
    for batch in file.iter_batches(2_000):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _need(path: Path, columns: tuple[str, ...], needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise Refused(f"{path.name} has no column {missing[0]!r}; it has {', '.join(columns)}")
