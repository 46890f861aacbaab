"""What is known of the cells: a day of hourly counts each, what is said of each value, and whom a topic belongs to.

All sums fade, so that memory is bounded and old days weigh less. A *value* is one attribute's value over all
topics; a *field* is one attribute of one topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from models.cellfile import CellFile
from models.celltable import Register, Table, Tables
from models.counted import Counted
from models.season import FloatArray

HOURS = 24
SAME_DAYS = 24.0  # half-life in hours of what the other messages say of a value: batches come and go by the day
AFFINITY = 24.0 * 7  # half-life of what belongs to a topic
# How many customers the guesses are worth: a value's share among the others, and how far topics differ in it.
SHARE_WEIGHT, TIES = 5.0, (0.3, 10.0)
WINSOR_SD, SETTLED = 3.0, 20.0  # customers due before a burst is held to what is usual
SHARE_HOURS, DAYS_WEIGHT = 3, 30.0  # hours of others that a share is read from; customers that their days are worth
MOST = 100_000  # cells that are kept over a day's end: some 40 MB
KIN_WEIGHT = 10.0  # customers that the affinity of a batch's product is worth to the batch


Kin = Mapping[tuple[str, str], tuple[str, str]]
"""The attribute and value that another attribute and value belongs to: a batch to its product."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A topic with one attribute value."""

    topic: str
    attribute: str
    value: str


class CellState:
    """See `models.cells.Cells`, which judges what is kept here."""

    def __init__(self, *, bucket_hours: float, most: int) -> None:
        self._bucket_hours, self._most = bucket_hours, most
        self._hour: int | None = None
        self._bucket: int | None = None
        self._tables = Tables(
            # A cell: hourly counts, hourly due by the others' share, sum counted, sum due, counted lately.
            cells=Table(2 * HOURS + 3),
            # A value, a field, an attribute: counted lately, in the long run, by hour. A field's last is its tie to values.
            values=Table(2 + HOURS),
            fields=Table(2 + HOURS + 1),
            attributes=Table(2 + HOURS),
            topics=Table(2),  # most of any attribute in a bucket, in the long run: as many as could name a value
        )
        self._cells, self._values, self._fields, self._attributes, self._topics = self._tables.all
        self._register = Register(self._tables)
        self._links: tuple[NDArray[np.int64], ...] | None = None
        self._parents: NDArray[np.int64] | None = None
        self._kin: dict[tuple[str, str], tuple[str, str]] = {}
        self._file = CellFile(HOURS)

    def cells(self, rows: Iterable[int]) -> dict[int, Cell]:
        """The cells of these rows, few of them: one is made for each."""
        names = list(self._cells.names)
        return {row: Cell(*names[row]) for row in rows}

    def topics(self) -> tuple[list[str], NDArray[np.int64]]:
        """Topics, and for each cell which of them it is of."""
        return [name for (name,) in self._topics.names], self._index()[3]

    def __len__(self) -> int:
        return len(self._cells.names)

    def _forget_index(self) -> None:
        self._links, self._parents = None, None

    # ------------------------------------------------------------------ count

    def take(self, bucket: int, counted: Counted) -> int:
        """See `models.cells.Cells.take`."""
        if self._bucket is not None and bucket <= self._bucket:
            raise ValueError(f"bucket {bucket} is not after {self._bucket}")
        self._bucket = bucket
        self._reach(int(bucket * self._bucket_hours + 1e-9))
        assert self._hour is not None
        before = len(self)
        self._register.take(counted, self._hour % HOURS)
        if len(self) > before:
            self._parents = None
        return len(self)

    def heard(self) -> set[tuple[str, str]]:
        """The attributes and values that were counted in this hour so far."""
        assert self._hour is not None
        names = list(self._values.names)
        of = np.nonzero(self._values.used[:, 2 + self._hour % HOURS] > 0)[0]
        return {(names[row][0], names[row][1]) for row in of.tolist()}

    def relate(self, kin: Kin) -> None:
        """Note what values belong to."""
        if any(self._kin.get(child) != parent for child, parent in kin.items()):
            self._kin |= kin
            self._parents = None

    def _reach(self, hour: int) -> None:
        """Let the hours pass up to ``hour``."""
        if self._hour is None:
            self._hour = hour
        for _ in range(min(hour - self._hour, 10 * HOURS)):
            self._pass_hour()
        self._hour = hour

    def _pass_hour(self) -> None:
        assert self._hour is not None
        cells, slot = self._cells.used, self._hour % HOURS
        if len(cells):
            share = self._other_share((SHARE_HOURS,))[0][0]
            fields = self._index()[1]
            said = np.bincount(fields, cells[:, slot], len(self._fields.names))
            cells[:, HOURS + slot] = share * said[fields]
        self._file.touch(slot)
        self._hour += 1
        slot = self._hour % HOURS
        if len(cells):
            due = cells[:, HOURS + slot]
            usual = self._affinity() * due
            most = np.where(cells[:, -2] > SETTLED, usual + WINSOR_SD * np.sqrt(usual + 1.0) + 1.0, np.inf)
            told = np.minimum(cells[:, slot], most)
            fade = 0.5 ** (1.0 / AFFINITY)
            cells[:, -3] = cells[:, -3] * fade + told
            cells[:, -2] = cells[:, -2] * fade + due
            cells[:, slot] = cells[:, HOURS + slot] = 0.0
            cells[:, -1] *= 0.5 ** (1.0 / SAME_DAYS)
        for table in (self._values, self._fields, self._attributes, self._topics):
            table.used[:, 0] *= 0.5 ** (1.0 / SAME_DAYS)
            table.used[:, 1] *= 0.5 ** (1.0 / AFFINITY)
            if table is not self._topics:
                table.used[:, 2 + slot] = 0.0
        if self._hour % HOURS == 0:
            self._forget_least()
            self._learn_ties()

    def _forget_least(self) -> None:
        """Forget cells and values that have faded, and the smallest beyond the most that is kept."""
        cells = self._cells.used
        weight = cells[:, -3] + cells[:, :HOURS].sum(1)
        alive = np.nonzero(weight > 0.05)[0]
        if len(alive) > self._most:
            alive = np.sort(alive[np.argsort(-weight[alive])[: self._most]])
        others = self._values, self._fields, self._topics
        kept = [np.nonzero(table.used[:, 1] > 0.05)[0] for table in others]
        if len(alive) == len(self) and all(len(rows) == len(of.names) for rows, of in zip(kept, others, strict=True)):
            return
        self._cells.keep(alive)
        for table, rows in zip(others, kept, strict=True):
            table.keep(rows)
        self._drop_orphans()
        self._kin = {child: parent for child, parent in self._kin.items() if child in self._values.names}
        self._forget_index()

    def _drop_orphans(self) -> None:
        """Forget cells whose value or topic was forgotten."""
        kept = [
            n
            for n, (topic, attribute, value) in enumerate(self._cells.names)
            if (attribute, value) in self._values.names
            and (topic, attribute) in self._fields.names
            and (topic,) in self._topics.names
        ]
        self._cells.keep(np.array(kept, np.int64))
        self._register = Register(self._tables)
        self._file.renew()

    def _learn_ties(self) -> None:
        """How far each topic's values stray from the others' shares: the fewer customers a guess is worth then."""
        cells = self._cells.used
        if not len(cells):
            return
        fields, count = self._index()[1], len(self._fields.names)
        told, due = cells[:, -3], cells[:, -2]
        excess = np.bincount(fields, (told - due) ** 2 - due, count)
        square = np.bincount(fields, due**2, count)
        spread = (excess + 1.0) / np.maximum(square + 1.0, 1e-9)
        self._fields.used[:, -1] = np.clip(1.0 / np.maximum(spread, 1e-3), *TIES)

    # ------------------------------------------------------------------ expect

    def _index(self) -> tuple[NDArray[np.int64], ...]:
        """Rows of each cell's value, field, attribute and topic; those of cells that came since are added."""
        links = self._links
        if links is None or len(links[0]) < len(self):
            names = list(islice(self._cells.names, 0 if links is None else len(links[0]), None))
            new = (
                np.array([self._values.names[a, v] for _, a, v in names], np.int64),
                np.array([self._fields.names[t, a] for t, a, _ in names], np.int64),
                np.array([self._attributes.names[(a,)] for _, a, _ in names], np.int64),
                np.array([self._topics.names[(t,)] for t, _, _ in names], np.int64),
            )
            links = self._links = new if links is None else tuple(map(np.concatenate, zip(links, new, strict=True)))
        return links

    def _other_share(self, windows: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Share (W, C) of each cell's value among the other messages of the last so many hours, and its variance.

        Few other messages lean on those of the same days, and these on the long run. The variance is relative.
        """
        values, fields, attributes, _ = self._index()
        cells = self._cells.used
        usual = self._values.values[values, 1] / np.maximum(self._attributes.values[attributes, 1], 1e-9)
        lately = np.maximum(self._values.values[values, 0] - cells[:, -1], 0.0) + SHARE_WEIGHT * usual
        others = self._attributes.values[attributes, 0] - self._fields.values[fields, 0] + SHARE_WEIGHT
        same_days = lately / np.maximum(others, 1e-9)
        hours = self._lately(max(windows))
        by_hour = np.maximum(self._values.used[:, 2 + hours].T[:, values] - cells[:, hours].T, 0.0)
        all_by_hour = (
            self._attributes.used[:, 2 + hours].T[:, attributes] - self._fields.used[:, 2 + hours].T[:, fields]
        )
        now = _sums(by_hour, windows) + DAYS_WEIGHT * same_days
        of = _sums(all_by_hour, windows) + DAYS_WEIGHT
        share: FloatArray = np.clip(now / np.maximum(of, 1e-9), 1e-6, 1.0)
        doubt: FloatArray = (1.0 - share) / np.maximum(now, 0.3)
        return share, doubt

    def shares(self, windows: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """The part (W, C) of a topic's customers expected in each cell, and the relative variance of that."""
        share, doubt = self._other_share(windows)
        fields, topics = self._index()[1], self._index()[3]
        tie, affinity = self._tie(), self._affinity()
        count = len(self._fields.names)
        stray = np.stack([np.bincount(fields, one * (affinity - 1.0), count) for one in share])
        whole: FloatArray = np.maximum(1.0 + stray, 0.2)[:, fields]
        named = self._fields.values[fields, 1] / np.maximum(self._topics.values[topics, 1], 1e-9)
        part: FloatArray = np.clip(share * affinity / whole, 1e-6, 1.0) * np.minimum(named, 1.0)
        unsure: FloatArray = doubt + 1.0 / (self._cells.used[:, -3] + tie)
        return part, unsure

    def _tie(self) -> FloatArray:
        """How many customers the guess of each cell's affinity is worth."""
        fields, parents = self._index()[1], self._kin_rows()
        tie = np.maximum(self._fields.values[fields, -1], TIES[0])
        held: FloatArray = np.where(parents >= 0, np.maximum(tie, KIN_WEIGHT), tie)
        return held

    def _affinity(self) -> FloatArray:
        """How much more than others each topic speaks of its cell's value; a new batch takes after its product."""
        cells, fields, parents = self._cells.used, self._index()[1], self._kin_rows()
        free = np.maximum(self._fields.values[fields, -1], TIES[0])
        alone = (cells[:, -3] + free) / (cells[:, -2] + free)
        guess = np.where(parents >= 0, alone[parents], 1.0)
        tie = self._tie()
        affinity: FloatArray = (cells[:, -3] + tie * guess) / (cells[:, -2] + tie)
        return affinity

    def _kin_rows(self) -> NDArray[np.int64]:
        """The cell of the same topic with the parent value, for each cell that has one; else -1."""
        if self._parents is None:
            found, parents = self._cells.names, np.full(len(self), -1, np.int64)
            children = [row for value, row in self._values.names.items() if value in self._kin]
            for row, cell in self.cells(np.nonzero(np.isin(self._index()[0], children))[0].tolist()).items():
                parents[row] = found.get((cell.topic, *self._kin[cell.attribute, cell.value]), -1)
            self._parents = parents
        return self._parents

    def parts_of(self, row: int) -> list[int]:
        """Cells of the same topic whose value belongs to that of cell ``row``."""
        found: list[int] = np.nonzero(self._kin_rows() == row)[0].tolist()
        return found

    def share(self, cell: Cell) -> float:
        """Of all that is said of an attribute in the long run, the part of one value."""
        value = self._values.names.get((cell.attribute, cell.value))
        attribute = self._attributes.names.get((cell.attribute,))
        if value is None or attribute is None:
            return 0.0
        return float(self._values.values[value, 1] / max(self._attributes.values[attribute, 1], 1e-9))

    def today(self) -> FloatArray:
        """Customers of each cell in the last day."""
        today: FloatArray = self._cells.used[:, :HOURS].sum(1)
        return today

    def window_counts(self, windows: Sequence[int]) -> FloatArray:
        """Customers (W, C) of the last so many hours each, the one that is filling among them."""
        return _sums(self._cells.used[:, self._lately(max(windows))].T, windows)

    def _lately(self, hours: int) -> NDArray[np.int64]:
        """The slots of the last hours, the newest first."""
        assert self._hour is not None
        slots: NDArray[np.int64] = (self._hour - np.arange(hours)) % HOURS
        return slots

    # ------------------------------------------------------------------ keep

    def pack(self) -> dict[str, bytes]:
        """All that is known where nothing was `written` yet, else what changed since."""
        if self._hour is not None:
            self._file.touch(self._hour % HOURS)
        head = {
            "bucket_hours": self._bucket_hours,
            "most": self._most,
            "hour": self._hour,
            "bucket": self._bucket,
            "kin": [[*child, *parent] for child, parent in self._kin.items()],
        }
        return self._file.pack(head, self._tables)

    def written(self) -> None:
        """What `pack` answered lies in the store."""
        self._file.written(self._tables)

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> CellState:
        file = CellFile(HOURS)
        head, tables = file.unpack(packed)
        state = cls(bucket_hours=head["bucket_hours"], most=max(head["most"], MOST))
        state._hour, state._bucket = head["hour"], head["bucket"]
        state._kin = {(a, v): (b, w) for a, v, b, w in head["kin"]}
        for table, (names, values) in zip(state._tables.all, tables, strict=True):
            table.names, table.values = {tuple(name): row for row, name in enumerate(names)}, values
        state._file = file
        return state


def _sums(by_hour: FloatArray, windows: Sequence[int]) -> FloatArray:
    """Over the first so many hours of what is by hour (H, C), the newest first."""
    sums: FloatArray = np.cumsum(by_hour, axis=0)[[hours - 1 for hours in windows]]
    return sums
