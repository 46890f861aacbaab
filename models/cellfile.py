"""How the cells lie in the store: in parts, so that an hour writes what an hour changed.

Of the cells an hour changes one column of counts, one of what was due, and the sums; names only where new ones came.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.celltable import Tables
from models.season import FloatArray

FORMAT = 2
PARTS = ("cells", "names", "sums", "tables", *(f"hour{slot}" for slot in range(24)))
"""Names of all parts."""
_LEVEL = 1  # of compression: a tenth of the time of the usual 6, and half as much again in size
_COUNT, _DUE = np.dtype("<i4"), np.dtype("<f8")

Kept = tuple[list[list[str]], FloatArray]
"""The names of a table's rows, and their numbers."""


class CellFile:
    """Knows which parts changed since they were written."""

    def __init__(self, hours: int) -> None:
        self._hours = hours
        self._slots = set(range(hours))
        self._named: tuple[int, ...] | None = None

    def touch(self, slot: int) -> None:
        """The columns of this hour changed."""
        self._slots.add(slot)

    def renew(self) -> None:
        """Rows went: everything changed."""
        self._slots, self._named = set(range(self._hours)), None

    def written(self, tables: Tables) -> None:
        """What `pack` answered is kept."""
        self._slots, self._named = set(), _sizes(tables)

    def pack(self, head: Mapping[str, Any], tables: Tables) -> dict[str, bytes]:
        """The parts that changed."""
        cells = tables.cells.used
        parts = {
            "cells": orjson.dumps({"format": FORMAT, **head}),
            "sums": cells[:, 2 * self._hours :].astype(_DUE).tobytes(),
            "tables": b"".join(table.used.astype(_DUE).tobytes() for table in tables.all[1:]),
        }
        if self._named != _sizes(tables):
            names = orjson.dumps([list(table.names) for table in tables.all])
            parts["names"] = zlib.compress(names, _LEVEL)
        for slot in self._slots:
            counts, due = cells[:, slot].astype(_COUNT), cells[:, self._hours + slot].astype(_DUE)
            parts[f"hour{slot}"] = due.tobytes() + counts.tobytes()
        return parts

    def unpack(self, parts: Mapping[str, bytes]) -> tuple[dict[str, Any], list[Kept]]:
        """The head, and each table in the order of `Tables.all`. Raises `ValueError` on a format that is not known."""
        if not parts["cells"].startswith(b"{"):
            return _unpack_first(parts["cells"])
        head = orjson.loads(parts["cells"])
        if head["format"] != FORMAT:
            raise ValueError(f"cells of format {head['format']}, known is {FORMAT}")
        names = orjson.loads(zlib.decompress(parts["names"]))
        count, hours = len(names[0]), self._hours
        cells = np.zeros((count, 2 * hours + 3))
        cells[:, 2 * hours :] = np.frombuffer(parts["sums"], _DUE).reshape(-1, 3)
        for slot in range(hours):
            known = len(parts[f"hour{slot}"]) // (_DUE.itemsize + _COUNT.itemsize)  # cells that came since have none
            cells[:known, hours + slot] = np.frombuffer(parts[f"hour{slot}"], _DUE, known)
            cells[:known, slot] = np.frombuffer(parts[f"hour{slot}"], _COUNT, known, known * _DUE.itemsize)
        rest, kept, widths = np.frombuffer(parts["tables"], _DUE), [(names[0], cells)], self._widths()
        for own, width in zip(names[1:], widths, strict=True):
            kept.append((own, rest[: len(own) * width].reshape(-1, width).copy()))
            rest = rest[len(own) * width :]
        self._slots, self._named = set(), tuple(len(own) for own in names)
        return head, kept

    def _widths(self) -> tuple[int, ...]:
        """Of values, fields, attributes and topics."""
        return 2 + self._hours, 2 + self._hours + 1, 2 + self._hours, 2


def _sizes(tables: Tables) -> tuple[int, ...]:
    return tuple(len(table.names) for table in tables.all)


def _unpack_first(packed: bytes) -> tuple[dict[str, Any], list[Kept]]:
    """What was written as a whole, in the form before."""
    whole = packed if packed.startswith(b"PK") else zlib.decompress(packed)
    with np.load(io.BytesIO(whole), allow_pickle=False) as arrays:
        head = orjson.loads(arrays["head"].tobytes())
        if head["format"] != 1:
            raise ValueError(f"cells of format {head['format']}, known is {FORMAT}")
        tables: list[NDArray[np.float64]] = [arrays[f"table{n}"] for n in range(5)]
        return head, list(zip(head["names"], tables, strict=True))
