"""Files of messages: CSV, JSONL or Parquet, row by row; a broken row is told, never fatal and never silent."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from models.embed import Language

Row = Mapping[str, Any]

_HEAD = 1 << 16  # bytes that tell how a file is written
_BROKEN = 0.2
"""Share of the characters beyond ASCII that may be none of an encoding in a file that is of it. Shop reviews in GB 18030 are
no UTF-8 by .77 and no GB 2312 by .00, in UTF-8 no GB 2312 by .69; a few that were cut or damaged are hardly any."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be used: its number (from 1, the header not counted) and why, without its content."""

    row: int
    reason: str
    chinese: str = ""
    """The reason in Chinese; empty where it was given in English alone."""

    def said(self, language: Language) -> str:
        return self.chinese if language == "zh" and self.chinese else self.reason


class TableError(ValueError):
    """A file that is none we read, or lacks a needed column."""


def fingerprint(file: BinaryIO) -> str:
    """A name for the content of a file, the same wherever it is read from."""
    digest = sha256()
    while part := file.read(1 << 20):
        digest.update(part)
    return digest.hexdigest()[:12]


def read_rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    """Rows with their numbers. Raises `TableError` where the file is none we read, or lacks a needed column."""
    kind = _ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise TableError(f"{path.name}: give a file that ends in {', '.join(_ENDINGS)}")
    if not path.is_file():
        raise TableError(f"{path}: there is no such file")
    return _opened(path, kind, needed)


def read_body(body: bytes, kind: str, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    """Rows of a file that was sent: ``kind`` is "csv", "tsv", "jsonl" or "parquet". Raises as `read_rows`."""
    return _READERS[kind](io.BytesIO(body), f"the {kind} file", needed)


def _opened(path: Path, kind: str, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    with path.open("rb") as file:
        yield from _READERS[kind](file, path.name, needed)


def _csv(file: BinaryIO, name: str, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    return _separated(file, name, needed, ",")


def _tsv(file: BinaryIO, name: str, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    return _separated(file, name, needed, "\t")


def _separated(
    file: BinaryIO, name: str, needed: tuple[str, ...], delimiter: str
) -> Iterator[tuple[int, Row | Broken]]:
    csv.field_size_limit(16 * 1024 * 1024)
    with io.TextIOWrapper(file, encoding=encoding_of(file), errors="replace", newline="") as text:
        reader = csv.DictReader(text, delimiter=delimiter, restkey="\0more")
        _need(name, tuple(reader.fieldnames or ()), needed)
        number = 0
        while True:
            number += 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, Broken(number, f"no CSV: {error}", f"不是 CSV：{error}")
                continue
            if "\0more" in row:
                yield number, Broken(number, "has more cells than the header", "单元格比表头多")
            else:
                yield number, row


def encoding_of(file: BinaryIO) -> str:
    """How a text file is written: UTF-8, UTF-16 where it says so, or GB 18030, which a Chinese Excel writes CSV in (told by
    the characters of GB 2312, which nearly all of such a text is made of, and which Latin letters with accents are not).

    >>> encoding_of(io.BytesIO("壳子碎了".encode("gbk"))), encoding_of(io.BytesIO("壳子碎了".encode()))
    ('gb18030', 'utf-8-sig')
    """
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "gb18030" if _damaged(head, "utf-8") > _BROKEN > _damaged(head, "gb2312") else "utf-8-sig"


def _damaged(head: bytes, encoding: str) -> float:
    """The share of characters beyond ASCII that are none in this encoding."""
    beyond = [character for character in head.decode(encoding, "replace") if not character.isascii()]
    return beyond.count("\ufffd") / len(beyond) if beyond else 0.0


def _jsonl(file: BinaryIO, name: str, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, Broken(number, f"no JSON at column {error.colno}", f"第 {error.colno} 个字符处不是 JSON")
            continue
        yield number, row if isinstance(row, dict) else Broken(number, "is no JSON object", "不是 JSON 对象")


def _parquet(file: BinaryIO, name: str, needed: tuple[str, ...]) -> Iterator[tuple[int, Row | Broken]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
    except pa.ArrowException:
        raise TableError(f"{name}: is no Parquet") from None
    _need(name, tuple(table.schema_arrow.names), needed)
    number = 0
    for batch in table.iter_batches(2_000):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _need(name: str, columns: tuple[str, ...], needed: tuple[str, ...]) -> None:
    missing = [column for column in needed if column not in columns]
    if missing:
        raise TableError(f"{name} has no column {missing[0]!r}; it has {', '.join(columns)}")


_READERS = {"csv": _csv, "tsv": _tsv, "jsonl": _jsonl, "parquet": _parquet}
_ENDINGS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
