"""Named rows of numbers, and the places in them that the names of counted cells lead to."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.counted import Counted, spelt
from models.season import FloatArray

Rows = NDArray[np.int64]


class Table:
    """Named rows of numbers that grow: ``width`` values a row."""

    def __init__(self, width: int) -> None:
        self.names: dict[tuple[str, ...], int] = {}
        self.values = np.zeros((0, width))

    def row(self, *name: str) -> int:
        """The row of a name, made where there is none."""
        found = self.names.get(name)
        if found is None:
            found = self.names[name] = len(self.names)
            if found >= len(self.values):
                self.values = np.concatenate([self.values, np.zeros((max(64, found), self.values.shape[1]))])
        return found

    def add(self, sums: FloatArray, slot: int | None = None) -> None:
        """Add to the two sums of each row, of these days and of the long run, and to an hour."""
        self.used[:, :2] += sums[:, None]
        if slot is not None:
            self.used[:, 2 + slot] += sums

    @property
    def used(self) -> FloatArray:
        return self.values[: len(self.names)]

    def keep(self, rows: Rows) -> None:
        """Forget all rows but these, which keep their order."""
        names = list(self.names)
        self.values = self.values[rows].copy()
        self.names = {names[row]: n for n, row in enumerate(rows.tolist())}


@dataclass(slots=True)
class Tables:
    """The tables of the cells, by what their rows are of."""

    cells: Table
    values: Table
    fields: Table
    attributes: Table
    topics: Table

    @property
    def all(self) -> tuple[Table, ...]:
        return self.cells, self.values, self.fields, self.attributes, self.topics


@dataclass(slots=True)
class Register:
    """Takes each name apart once, and knows from then on which rows what is counted under it belongs to. Good until a
    table forgets rows."""

    tables: Tables
    _known: dict[bytes, int] = field(default_factory=dict)
    _rows: tuple[array[int], ...] = field(default_factory=lambda: tuple(array("q") for _ in range(5)))
    _pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    _topics: array[int] = field(default_factory=lambda: array("q"))

    def take(self, counted: Counted, slot: int) -> None:
        """Add what was counted to every table, at an hour's slot."""
        known, tables = self._known, self.tables
        found = list(map(known.get, counted.names))
        if None in found:
            found = [self._learn(name) if row is None else row for name, row in zip(counted.names, found, strict=True)]
        at = np.array(found, np.int64)
        told: FloatArray = np.bincount(at, counted.counts, len(known)).astype(float)
        cells, values, attributes, fields, pairs = (np.array(rows) for rows in self._rows)
        sums = _sums(cells, told, tables.cells)
        tables.cells.used[:, slot] += sums
        tables.cells.used[:, -1] += sums
        tables.values.add(_sums(values, told, tables.values), slot)
        tables.fields.add(_sums(fields, told, tables.fields), slot)
        tables.attributes.add(_sums(attributes, told, tables.attributes), slot)
        said = np.bincount(pairs[pairs >= 0], told[pairs >= 0], len(self._pairs))
        most = np.zeros(len(tables.topics.names))
        np.maximum.at(most, np.array(self._topics), said)
        tables.topics.add(most)

    def _learn(self, name: bytes) -> int:
        """The place of a name that may be new."""
        if name in self._known:
            return self._known[name]
        place = self._known[name] = len(self._known)
        rows, found, tables = [-1] * 5, spelt(name), self.tables
        if found is not None:
            topic, attribute, value = found
            if attribute:
                rows[1:4] = (
                    tables.values.row(attribute, value),
                    tables.attributes.row(attribute),
                    tables.fields.row(topic, attribute),
                )
            rows[4] = self._pair(topic, attribute)
            if topic and attribute:
                rows[0] = tables.cells.row(topic, attribute, value)
        for column, row in zip(self._rows, rows, strict=True):
            column.append(row)
        return place

    def _pair(self, topic: str, attribute: str) -> int:
        pair = self._pairs.get((topic, attribute))
        if pair is None:
            pair = self._pairs[topic, attribute] = len(self._pairs)
            self._topics.append(self.tables.topics.row(topic))
        return pair


def _sums(rows: Rows, told: FloatArray, table: Table) -> FloatArray:
    """What was told of each row of a table; row -1 is of none."""
    of = rows >= 0
    found: FloatArray = np.bincount(rows[of], told[of], len(table.names)).astype(float)
    return found
