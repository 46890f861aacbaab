"""Hidden cells: a topic with one attribute value, judged by its own count where the topic's total says nothing yet.

A defect of one batch can hide in a busy topic. What a cell is expected to count is what its topic is expected to,
times the share of its value. That share is taken from the *other* messages of the same days, since products and
batches come and go by the day, times the topic's affinity to the value, since some issues belong to some products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.cellstate import MOST, Cell, CellState, Kin
from models.counted import Counted
from models.scan import nb_midp_log10, upper_bound
from models.season import FloatArray
from models.verdict import Outlook

LEAST_COUNT = 3  # customers in a window: DETECTION.md, hidden cells
# Windows in hours and their handicaps, set on the generator of tests/benchmarks/cells.py so that each window raises
# about as many false cells.
WINDOWS, HANDICAPS = (1, 3, 6, 12, 24), (1.2, 0.9, 0.6, 0.3, 0.0)
CARRIES, NEARLY = 0.7, 1.0  # part of a product's excess in one batch, and the score it may lack, to be named instead
FRESH = 2.0  # customers in a day from which a cell is worth a look


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """One cell whose count is beyond its bound: its most telling window, in hours, and how it compares."""

    cell: Cell
    hours: int
    observed: int
    expected: float
    upper_bound: int
    score: float

    @property
    def lift(self) -> float:
        return self.observed / max(self.expected, 0.1)


class Cells:
    """Counts and judges the cells of one tenant, at most ``most`` of them: the least heard of are forgotten first.

    Buckets come in order. Not safe for several threads.

    >>> cells = Cells(bucket_hours=1.0)
    >>> outlook = Outlook(["late"], np.full((24, 1), 10.0), np.array([1.2]), np.array([0.02]))
    >>> for hour in range(200):
    ...     said = [("late", "batch", b, 3) for b in "ABC"] + [("", "batch", b, 9) for b in "ABC"]
    ...     _ = cells.take(hour, Counted.of(said))
    >>> _ = cells.take(200, Counted.of([("late", "batch", "A", 20), ("late", "batch", "B", 3)]))
    >>> [(v.cell.value, v.hours, v.observed) for v in cells.judge(outlook, threshold=2.5)]
    [('A', 1, 20)]
    """

    def __init__(self, *, bucket_hours: float = 1 / 12, most: int = MOST) -> None:
        self._state = CellState(bucket_hours=bucket_hours, most=most)

    def take(self, bucket: int, counted: Counted) -> int:
        """Count the distinct customers of a closed bucket.

        Messages of no topic have the topic ``""``: they say what is being sold and spoken of. An attribute ``""``
        counts all customers of the topic, so that those who name no value are known; without it the attribute that
        is named most stands for all. Answers how many cells are kept. Raises `ValueError` where a bucket comes out of
        order.
        """
        return self._state.take(bucket, counted)

    def heard(self) -> set[tuple[str, str]]:
        """The attributes and values of the last bucket's hour."""
        return self._state.heard()

    def relate(self, kin: Kin) -> None:
        """Tell what values belong to, a batch to its product, so that a batch that goes on sale is expected where its
        product was."""
        self._state.relate(kin)

    def judge(self, outlook: Outlook, *, threshold: float) -> tuple[CellVerdict, ...]:
        """The cells that score ``threshold`` or more as of the last bucket, the most telling first."""
        score, best, seen, mean, variance = self._scores(outlook)

        def verdict(row: int, score: float) -> CellVerdict:
            w = int(best[row])
            due, spread = float(mean[w, row]), float(variance[w, row])
            bound = upper_bound(threshold + HANDICAPS[w], due, spread, least=LEAST_COUNT - 1)
            return CellVerdict(cells[row], WINDOWS[w], int(seen[w, row]), due, int(bound), score)

        told: dict[int, float] = {}
        for row in np.nonzero(score >= threshold)[0].tolist():
            meant = self._meant(row, score, best, seen - mean)
            told[meant] = max(told.get(meant, -np.inf), float(score[row]))
        cells = self._state.cells(told)
        return tuple(verdict(row, told[row]) for row in sorted(told, key=lambda row: -told[row]))

    def _meant(self, row: int, score: FloatArray, best: NDArray[np.int64], excess: FloatArray) -> int:
        """The cell itself or, where one part of it (a batch of the product) carries the surge, that part."""
        w = best[row]
        parts = [
            part
            for part in self._state.parts_of(row)
            if excess[w, part] >= CARRIES * excess[w, row] and score[part] >= score[row] - NEARLY
        ]
        return max(parts, key=lambda part: float(score[part]), default=row)

    def scores(self, outlook: Outlook) -> dict[Cell, float]:
        """The score of every cell that counted anybody in the last day; for calibration and for the curious."""
        score = self._scores(outlook)[0]
        cells = self._state.cells(np.nonzero(score > -np.inf)[0].tolist())
        return {cell: float(score[row]) for row, cell in cells.items()}

    def _scores(self, outlook: Outlook) -> tuple[FloatArray, NDArray[np.int64], FloatArray, FloatArray, FloatArray]:
        """Score and most telling window of each cell, and counts, means and variances (W, C)."""
        state = self._state
        count = len(state)
        score, best = np.full(count, -np.inf), np.zeros(count, np.int64)
        seen, mean, variance = (np.zeros((len(WINDOWS), count)) for _ in range(3))
        place = {topic: row for row, topic in enumerate(outlook.topics)}
        known, of = state.topics()
        topic = np.array([place.get(name, -1) for name in known], np.int64)[of]
        busy = (topic >= 0) & (state.today() >= FRESH)
        rows = np.nonzero(busy)[0]
        if not len(rows):
            return score, best, seen, mean, variance
        share, doubt = (one[:, rows] for one in state.shares(WINDOWS))
        j = topic[rows]
        due = np.cumsum(outlook.expected, axis=0)[[hours - 1 for hours in WINDOWS]]
        y = state.window_counts(WINDOWS)[:, rows]
        m = np.maximum(due[:, j] * share, 1e-6)
        v = outlook.phi[j] * m + (outlook.relative[j] + doubt) * m * m
        raw = np.zeros(y.shape)
        telling = (y >= LEAST_COUNT) & (y > m + 1.5 * np.sqrt(v))
        raw[telling] = nb_midp_log10(y[telling], m[telling], v[telling])
        raw -= np.array(HANDICAPS)[:, None]
        score[rows], best[rows] = raw.max(0), raw.argmax(0)
        seen[:, rows], mean[:, rows], variance[:, rows] = y, m, v
        return score, best, seen, mean, variance

    def share(self, cell: Cell) -> float:
        """Of all that is said of an attribute in the long run, the part of one value."""
        return self._state.share(cell)

    def pack(self) -> dict[str, bytes]:
        """All that is known of the cells where nothing was `written` yet, else what changed since."""
        return self._state.pack()

    def written(self) -> None:
        """What `pack` answered is kept, beside what it answered before."""
        self._state.written()

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Cells:
        """The cells that were packed. Raises `ValueError` on a format that this version does not know."""
        cells = cls.__new__(cls)
        cells._state = CellState.unpack(packed)
        return cells
