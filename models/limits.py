"""Lines that people draw: the starting threshold of an indicator, and the hard ones of a contract.

A line counts as crossed where the figure is beyond it even at the cautious end of what so few observations can say:
of shares Wilson's bound ("Probable inference", 1927), else that of a log-normal. 2 of 3 crosses no line of 20 %.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np

from models.indicator import Direction, Indicator
from models.measure import Mask, Measures, Sums
from models.season import FloatArray

_Z = 1.2816  # nine in ten, on one side


class Cause(StrEnum):
    """Which threshold was crossed: the one to begin with, the one learnt, or one of a contract."""

    starting = "starting"
    learnt = "learnt"
    limit = "limit"


class Lines:
    """The lines of a row of indicators; NaN where none is drawn.

    ``hard``: where it rings whatever was learnt; ``gate``: short of which it never does.
    """

    def __init__(self, indicators: Sequence[Indicator]) -> None:
        down = [one.direction is Direction.down for one in indicators]
        self._down = np.array(down, bool)
        self.start = _column(one.start for one in indicators)
        ceilings, floors = _column(one.ceiling for one in indicators), _column(one.floor for one in indicators)
        two_sided = np.array([one.direction is Direction.both for one in indicators], bool)
        self.hard = np.where(self._down, floors, ceilings)
        self.gate = np.where(two_sided, np.nan, np.where(self._down, ceilings, floors))
        self._other = np.where(two_sided, floors, np.nan)

    def starting(self, measures: Measures, sums: Sums, values: FloatArray) -> Mask:
        """Which are over their starting threshold in any of the windows; ``sums`` and ``values`` (windows, indicators)."""
        return self._crossed(measures, sums, values, self.start, self._down)

    def limits(self, measures: Measures, sums: Sums, values: FloatArray) -> Mask:
        """Which are over a hard line in any of the windows."""
        one = self._crossed(measures, sums, values, self.hard, self._down)
        return one | self._crossed(measures, sums, values, self._other, np.ones_like(self._down))

    def lets(self, values: FloatArray) -> Mask:
        """Which are not kept silent by a hard line; ``values`` of one window."""
        short = np.where(self._down, values > self.gate, values < self.gate)
        return ~short

    def held(self, row: int, side: Direction, bound: float | None) -> float | None:
        """A threshold on one side kept between the hard lines; the line itself where there is no threshold."""
        nearer, farther = (np.fmax, np.fmin) if side is Direction.down else (np.fmin, np.fmax)
        hard = self._other[row] if side is Direction.down and not self._down[row] else self.hard[row]
        found = hard if bound is None else nearer(farther(bound, self.gate[row]), hard)
        return None if np.isnan(found) else float(found)

    @staticmethod
    def _crossed(measures: Measures, sums: Sums, values: FloatArray, line: FloatArray, down: Mask) -> Mask:
        enough = (sums.n >= measures.least) & (sums.weight > 0)
        safe = cautious(measures, sums, values, down)
        return np.asarray((enough & np.where(down, safe <= line, safe >= line)).any(0), bool)


def cautious(measures: Measures, sums: Sums, values: FloatArray, down: Mask) -> FloatArray:
    """The figures at their harmless end: what nine in ten such samples would be beyond."""
    n, share = np.maximum(sums.n, 1e-9), np.clip(values, 0.0, 1.0)
    reach = np.where(down, 1.0, -1.0) * _Z
    wilson = share + _Z**2 / (2 * n) + reach * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    other = values * np.exp(np.clip(reach * np.sqrt(sums.doubt), -30.0, 30.0))
    found: FloatArray = np.where(measures.hits, wilson / (1 + _Z**2 / n), other)
    return found


def _column(values: Iterable[float | None]) -> FloatArray:
    return np.array([np.nan if one is None else one for one in values], np.float64)
