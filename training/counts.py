"""A table of counts read from Parquet: topic, bucket, customers; a row that is missing means nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

COUNT_COLUMNS = ("topic", "bucket", "customers")
TOPIC_COLUMNS = ("topic", "first_seen_bucket")


class CountsError(ValueError):
    """A table that cannot be read as counts; says which column and what would mend it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by bucket and topic. ``row``, ``bucket`` and ``customers`` are parallel and sorted by bucket.

    ``topics`` keeps the values of the column, in order of their first bucket; ``born`` has that bucket, which is
    ``first`` for the topics that were there from the start.
    """

    topics: tuple[Any, ...]
    born: NDArray[np.int64]
    row: NDArray[np.int64]
    bucket: NDArray[np.int64]
    customers: NDArray[np.int64]
    first: int
    last: int

    def by_bucket(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Every bucket from the first to the last with the counts of all topics, those not born yet among them."""
        edges = np.searchsorted(self.bucket, np.arange(self.first, self.last + 2))
        for bucket, begin, end in zip(range(self.first, self.last + 1), edges, edges[1:], strict=False):
            y = np.zeros(len(self.topics))
            np.add.at(y, self.row[begin:end], self.customers[begin:end])
            yield bucket, y


def read_counts(path: Path, topics: Path | None = None) -> Counts:
    """Read the counts at ``path`` and, from ``topics``, since when each topic is known.

    A topic that ``topics`` does not name, or names with bucket 0 or less, is there from the start. Raises
    `CountsError`.
    """
    table = _read(path, COUNT_COLUMNS)
    names = table["topic"].combine_chunks()
    bucket, customers = _numbers(table, "bucket", path), _numbers(table, "customers", path)
    if not len(bucket):
        raise CountsError(f"{path.name}: no rows; at least one count is needed")
    if customers.min() < 0:
        raise CountsError(f"{path.name}: column 'customers' holds {customers.min()}; counts are 0 or more")
    first, last = int(bucket.min()), int(bucket.max())
    encoded = pc.dictionary_encode(names)
    known = encoded.dictionary.to_pylist()
    born = dict.fromkeys(known, first) | _first_seen(topics, first, type(known[0]))
    ordered = sorted(born, key=lambda topic: born[topic])
    place = {topic: row for row, topic in enumerate(ordered)}
    row = np.array([place[topic] for topic in known], np.int64)[encoded.indices.to_numpy()]
    early = bucket < np.array([born[topic] for topic in ordered])[row]
    if (customers[early] > 0).any():
        odd = ordered[int(row[early][0])]
        raise CountsError(f"topic {odd!r} has customers before its first_seen_bucket {born[odd]}; correct either file")
    by_time = np.argsort(bucket, kind="stable")
    return Counts(
        topics=tuple(ordered),
        born=np.array([born[topic] for topic in ordered], np.int64),
        row=row[by_time],
        bucket=bucket[by_time],
        customers=customers[by_time],
        first=first,
        last=last,
    )


def _first_seen(path: Path | None, first: int, kind: type) -> dict[Any, int]:
    if path is None:
        return {}
    table = _read(path, TOPIC_COLUMNS)
    seen = np.maximum(_numbers(table, "first_seen_bucket", path), first)
    names = table["topic"].to_pylist()
    if names and not isinstance(names[0], kind):
        raise CountsError(
            f"{path.name}: column 'topic' holds {type(names[0]).__name__}, the counts hold {kind.__name__}; "
            "give both files the same kind of topic"
        )
    return dict(zip(names, seen.tolist(), strict=True))


def _read(path: Path, columns: tuple[str, ...]) -> pa.Table:
    try:
        found = pq.read_schema(path).names
    except (OSError, pa.ArrowInvalid) as error:
        raise CountsError(f"{path}: cannot be read as Parquet ({error})") from error
    for column in columns:
        if column not in found:
            raise CountsError(
                f"{path.name}: column {column!r} is missing; there are {', '.join(found)}. "
                f"Rename the one that is meant: the columns read are {', '.join(columns)}"
            )
    table = pq.read_table(path, columns=list(columns))
    for column in columns:
        if table[column].null_count:
            raise CountsError(
                f"{path.name}: column {column!r} has {table[column].null_count} empty values; fill or drop them"
            )
    return table


def _numbers(table: pa.Table, column: str, path: Path) -> NDArray[np.int64]:
    try:
        return np.asarray(table[column].cast(pa.int64()).to_numpy(), np.int64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CountsError(
            f"{path.name}: column {column!r} is of type {table[column].type}; it must hold whole numbers"
        ) from error
