"""What is known of the cells: a day of hourly counts each, what is said of each value, and whom a topic belongs to.

All sums fade, so that memory is bounded and old days weigh less. A *value* is one attribute's value over all
topics; a *field* is one attribute of one topic.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.season import FloatArray

_ZIP = b"PK"  # what states begin with that were packed before they were compressed as a whole
_LEVEL = 1  # of compression: a tenth of the time of the usual 6, and half as much again in size
HOURS = 24
SAME_DAYS = 24.0  # half-life in hours of what the other messages say of a value: batches come and go by the day
AFFINITY = 24.0 * 7  # half-life of what belongs to a topic
# How many customers the guesses are worth: a value's share among the others, and how far topics differ in it.
SHARE_WEIGHT, TIES = 5.0, (0.3, 10.0)
WINSOR_SD, SETTLED = 3.0, 20.0  # customers due before a burst is held to what is usual
SHARE_HOURS, DAYS_WEIGHT = 3, 30.0  # hours of others that a share is read from; customers that their days are worth
KIN_WEIGHT = 10.0  # customers that the affinity of a batch's product is worth to the batch
FORMAT = 1


Kin = Mapping[tuple[str, str], tuple[str, str]]
"""The attribute and value that another attribute and value belongs to: a batch to its product."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A topic with one attribute value."""

    topic: str
    attribute: str
    value: str


class _Table:
    """Named rows of numbers that grow: ``width`` values a row."""

    def __init__(self, width: int) -> None:
        self.names: dict[tuple[str, ...], int] = {}
        self.values = np.zeros((0, width))

    def row(self, name: tuple[str, ...]) -> int:
        found = self.names.get(name)
        if found is None:
            found = self.names[name] = len(self.names)
            if found >= len(self.values):
                self.values = np.concatenate([self.values, np.zeros((max(64, found), self.values.shape[1]))])
        return found

    def add(self, names: Sequence[tuple[str, ...]], counts: Sequence[float], slot: int | None = None) -> None:
        """Add to the two sums of each row named, of these days and of the long run, and to an hour."""
        sums: FloatArray = self.sums(names, counts)
        self.used[:, :2] += sums[:, None]
        if slot is not None:
            self.used[:, 2 + slot] += sums

    def sums(self, names: Sequence[tuple[str, ...]], counts: Sequence[float]) -> FloatArray:
        """What the counts come to for every row, those that are new among them; a name may stand there many times."""
        for name in names:
            if name not in self.names:
                self.row(name)
        rows = np.fromiter(map(self.names.__getitem__, names), np.int64, len(names))
        found: FloatArray = np.bincount(rows, counts, len(self.names)).astype(float)
        return found

    @property
    def used(self) -> FloatArray:
        return self.values[: len(self.names)]

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Forget all rows but these, which keep their order."""
        names = list(self.names)
        self.values = self.values[rows].copy()
        self.names = {names[row]: n for n, row in enumerate(rows.tolist())}


class CellState:
    """See `models.cells.Cells`, which judges what is kept here."""

    def __init__(self, *, bucket_hours: float, most: int) -> None:
        self._bucket_hours, self._most = bucket_hours, most
        self._hour: int | None = None
        self._bucket: int | None = None
        # A cell: hourly counts, hourly due by the others' share, sum counted, sum due, counted lately.
        self._cells = _Table(2 * HOURS + 3)
        # A value, a field, an attribute: counted lately, in the long run, by hour. A field's last is its tie to values.
        self._values = _Table(2 + HOURS)
        self._fields = _Table(2 + HOURS + 1)
        self._attributes = _Table(2 + HOURS)
        self._topics = _Table(2)  # most of any attribute in a bucket, in the long run: as many as could name a value
        self._listed: list[Cell] | None = None
        self._links: tuple[NDArray[np.int64], ...] | None = None
        self._parents: NDArray[np.int64] | None = None
        self._kin: dict[tuple[str, str], tuple[str, str]] = {}

    @property
    def cells(self) -> list[Cell]:
        if self._listed is None:
            self._listed = [Cell(*name) for name in self._cells.names]
        return self._listed

    def _forget_index(self) -> None:
        self._listed, self._links, self._parents = None, None, None

    # ------------------------------------------------------------------ count

    def take(self, bucket: int, counted: Iterable[tuple[str, str, str, int]], kin: Kin | None) -> int:
        """See `models.cells.Cells.take`."""
        if kin and any(self._kin.get(child) != parent for child, parent in kin.items()):
            self._kin |= kin
            self._parents = None
        if self._bucket is not None and bucket <= self._bucket:
            raise ValueError(f"bucket {bucket} is not after {self._bucket}")
        self._bucket = bucket
        self._reach(int(bucket * self._bucket_hours + 1e-9))
        assert self._hour is not None
        slot = self._hour % HOURS
        most: dict[tuple[str, str], float] = {}
        rows = list(counted)
        for topic, attribute, _, count in rows:
            most[topic, attribute] = most.get((topic, attribute), 0) + count
        named = [row for row in rows if row[1]]
        of_topics = [row for row in named if row[0]]
        before = len(self._cells.names)
        sums: FloatArray = self._cells.sums([row[:3] for row in of_topics], [row[3] for row in of_topics])
        self._cells.used[:, slot] += sums
        self._cells.used[:, -1] += sums
        if len(self._cells.names) > before:
            self._forget_index()
        counts = [row[3] for row in named]
        self._values.add([row[1:3] for row in named], counts, slot)
        by_field = {name: count for name, count in most.items() if name[1]}
        self._fields.add(list(by_field), list(by_field.values()), slot)
        self._attributes.add([(attribute,) for _, attribute in by_field], list(by_field.values()), slot)
        spoken: dict[str, float] = {}
        for (topic, _), said in most.items():
            spoken[topic] = max(spoken.get(topic, 0.0), said)
        self._topics.add([(topic,) for topic in spoken], list(spoken.values()))
        return len(self._cells.names)

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
        self._cells.keep(alive)
        for table in (self._values, self._fields, self._topics):
            table.keep(np.nonzero(table.used[:, 1] > 0.05)[0])
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
        """Rows of each cell's value, field, attribute and topic."""
        if self._links is None:
            names = list(self._cells.names)
            self._links = (
                np.array([self._values.names[a, v] for _, a, v in names], np.int64),
                np.array([self._fields.names[t, a] for t, a, _ in names], np.int64),
                np.array([self._attributes.names[(a,)] for _, a, _ in names], np.int64),
                np.array([self._topics.names[(t,)] for t, _, _ in names], np.int64),
            )
        return self._links

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
        by_hour = np.maximum(self._values.values[values, 2 : 2 + HOURS] - cells[:, :HOURS], 0.0)
        all_by_hour = self._attributes.values[attributes, 2 : 2 + HOURS] - self._fields.values[fields, 2 : 2 + HOURS]
        now = self._sums(by_hour, windows) + DAYS_WEIGHT * same_days
        of = self._sums(all_by_hour, windows) + DAYS_WEIGHT
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
            found = self._cells.names
            self._parents = np.array(
                [found.get((t, *self._kin[a, v]), -1) if (a, v) in self._kin else -1 for t, a, v in found], np.int64
            )
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
        return self._sums(self._cells.used[:, :HOURS], windows)

    def _sums(self, by_hour: FloatArray, windows: Sequence[int]) -> FloatArray:
        assert self._hour is not None
        order = (self._hour - np.arange(HOURS)) % HOURS
        sums: FloatArray = np.cumsum(by_hour[:, order], axis=1)
        picked: FloatArray = sums[:, [hours - 1 for hours in windows]].T
        return picked

    # ------------------------------------------------------------------ keep

    def pack(self) -> bytes:
        tables = (self._cells, self._values, self._fields, self._attributes, self._topics)
        head = {
            "format": FORMAT,
            "bucket_hours": self._bucket_hours,
            "most": self._most,
            "hour": self._hour,
            "bucket": self._bucket,
            "kin": [[*child, *parent] for child, parent in self._kin.items()],
            "names": [list(table.names) for table in tables],
        }
        out = io.BytesIO()
        np.savez(
            out,
            head=np.frombuffer(json.dumps(head).encode(), np.uint8),
            **{f"table{n}": table.used for n, table in enumerate(tables)},  # type: ignore[arg-type]  # arrays, no flags
        )
        return zlib.compress(out.getvalue(), _LEVEL)

    @classmethod
    def unpack(cls, packed: bytes) -> CellState:
        whole = packed if packed.startswith(_ZIP) else zlib.decompress(packed)
        with np.load(io.BytesIO(whole), allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            if head["format"] != FORMAT:
                raise ValueError(f"cells of format {head['format']}, known is {FORMAT}")
            state = cls(bucket_hours=head["bucket_hours"], most=head["most"])
            state._hour, state._bucket = head["hour"], head["bucket"]
            state._kin = {(a, v): (b, w) for a, v, b, w in head["kin"]}
            tables = (state._cells, state._values, state._fields, state._attributes, state._topics)
            for n, (table, names) in enumerate(zip(tables, head["names"], strict=True)):
                table.names = {tuple(name): row for row, name in enumerate(names)}
                table.values = arrays[f"table{n}"]
        return state
