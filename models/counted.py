"""What an hour counted by topic and attribute value, as two columns: names are looked up, not taken apart, where known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.season import FloatArray

SEPARATOR = "\x1f"
NOISE = "-"
"""What messages of no topic are counted under."""
CHATTER = "~"
BETWEEN = b"\x1e"
"""Stands between cells, and in none."""
_MARK = SEPARATOR.encode()


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct customers by name: topic, attribute and value, joined. A name may stand there several times.

    >>> counted = Counted.of([("late", "batch", "A", 3), ("", "batch", "A", 9), ("late", "region", "north", 2)])
    >>> counted.names[1], spelt(counted.names[1])
    (b'-\\x1fbatch\\x1fA', ('', 'batch', 'A'))
    >>> counted.by_value("batch")
    Counter({'A': 12})
    """

    names: Sequence[bytes]
    counts: FloatArray

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, int]]) -> Counted:
        """Of rows of topic (empty: none), attribute, value and customers."""
        every = list(rows)
        names = [SEPARATOR.join((topic or NOISE, attribute, value)).encode() for topic, attribute, value, _ in every]
        return cls(names, np.array([count for *_, count in every], float))

    def by_value(self, attribute: str) -> Counter[str]:
        """Customers by value of one attribute, over all topics, chatter and none."""
        wanted = f"{SEPARATOR}{attribute}{SEPARATOR}".encode()
        found: Counter[str] = Counter()
        line = BETWEEN.join(self.names)  # to look at all names at once, since there are hundreds of thousands
        places = [match.start() for match in re.finditer(re.escape(wanted), line)]
        if not places:
            return found
        ends = np.cumsum(np.fromiter(map(len, self.names), np.int64, len(self.names)) + 1)
        for row in np.unique(np.searchsorted(ends, places, side="right")).tolist():
            _, own, value = self.names[row].split(_MARK, 2)
            if own == wanted[1:-1]:
                found[value.decode()] += int(self.counts[row])
        return found


def spelt(name: bytes) -> tuple[str, str, str] | None:
    """Topic (empty: none), attribute and value of a name; None for chatter, which says nothing of what is sold."""
    topic, attribute, value = name.decode().split(SEPARATOR, 2)
    return None if topic == CHATTER else ("" if topic == NOISE else topic, attribute, value)
