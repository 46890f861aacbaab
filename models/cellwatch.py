"""The watch over hidden cells: how telling one must be to ring, set by the tenant's own past.

It stands in for crowds (`models.watch`) where messages are so many that those held reach back only hours: counts by
topic and value reach back weeks, however many messages they are of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from models.cells import Cells, CellVerdict
from models.cellstate import Cell
from models.counted import Counted
from models.culprit import goes_with
from models.verdict import Outlook

FLOOR = 1.5  # scores below are not looked at: as of crowds
FIRST_BAR = 4.5
"""Before there is a past. `tests/benchmarks/hidden.py` sets 3.0 for two false alarms a week of 40 topics; a tenant with
ten times the cells comes to about this for one."""
_STAYS = 24  # hours within which a cell that is over the floor again is in the same episode
_FIT, _LEAST_FIT, _KEPT = 14 * 24, 4 * 24, 28 * 24  # hours: what the bar is fitted on, at the least, and what is kept
_CARRIES = 1.3
"""Times the excess of more telling cells of a topic, up to which another attribute's cell shows the same customers."""
_RARE = (
    0.1  # of all messages: a value as rare that rings twice within a day is one batch with one defect (`models.kin`)
)
_BODY_FROM, _BODY_TO = 3, 12
"""Times the episodes allowed: the ranks of peaks that the tail is read from. Those above may be true surges, those
below say little of the tail."""
_LOWEST, _HIGHEST = 2.0, 12.0
FORMAT = 1


class CellWatch:
    """Follows the cells of one tenant by the hour. Not safe for several threads.

    >>> import numpy as np
    >>> watch = CellWatch(1.0)
    >>> outlook = Outlook(["late"], np.full((24, 1), 10.0), np.array([1.2]), np.array([0.02]))
    >>> for hour in range(200):
    ...     said = [("late", "batch", b, 3) for b in "ABC"] + [("", "batch", b, 9) for b in "ABC"]
    ...     watch.take(hour, Counted.of(said))
    ...     _ = watch.judge(outlook)
    >>> watch.take(200, Counted.of([("late", "batch", "A", 40), ("late", "batch", "B", 3)]))
    >>> [(one.cell.value, one.observed, one.score > watch.bar) for one in watch.judge(outlook)][:1]
    [('A', 40, True)]
    """

    def __init__(self, false_alarms_per_week: float) -> None:
        self.per_week, self.bar = false_alarms_per_week, FIRST_BAR
        self._cells = Cells(bucket_hours=1.0)
        self._hour: int | None = None
        self._begun: int | None = None
        self._going: dict[tuple[str, str, str], tuple[int, float]] = {}  # by cell: last hour over the floor, peak
        self._gone: list[tuple[int, float]] = []

    @property
    def hour(self) -> int | None:
        """The last hour that was counted."""
        return self._hour

    def take(self, hour: int, counted: Counted) -> None:
        """Count the distinct customers of a closed hour, as `models.cells.Cells.take`."""
        self._cells.take(hour, counted)
        self._cells.relate(self._kin_of(self._cells.heard()))
        self._hour = hour

    def judge(self, outlook: Outlook) -> tuple[CellVerdict, ...]:
        """Cells over the floor as of the last hour, the most telling first; the bar is set anew once a day."""
        assert self._hour is not None
        hour = self._hour
        self._begun = hour if self._begun is None else self._begun
        found = self._cells.judge(outlook, threshold=FLOOR)
        for one in found:
            name = one.cell.topic, one.cell.attribute, one.cell.value
            _, peak = self._going.get(name, (hour, 0.0))
            self._going[name] = hour, max(peak, one.score)
        over = [name for name, (last, _) in self._going.items() if hour - last > _STAYS]
        self._gone += [self._going.pop(name) for name in over]
        self._gone = [(last, peak) for last, peak in self._gone if hour - last <= _KEPT]
        if (hour + 1) % 24 == 0:
            self.calibrate()
        return found

    def calibrate(self) -> float:
        """Set the bar by the episodes of the last two weeks; answers it."""
        self.bar = self.bar_at(self.per_week)
        return self.bar

    def bar_at(self, per_week: float) -> float:
        """The bar that the episodes of the last two weeks give for a budget of false alarms a week."""
        hours = 0 if self._begun is None or self._hour is None else min(self._hour - self._begun, _FIT)
        if self._hour is None or hours < _LEAST_FIT:
            return self.bar
        since = self._hour - _FIT
        peaks = [peak for last, peak in [*self._gone, *self._going.values()] if last >= since]
        return bar_for(peaks, hours / (7 * 24), per_week=per_week, first=FIRST_BAR)

    def reached(self, bar: float, since: int) -> int:
        """How many cells' episodes went on at hour ``since`` or later and reached a bar."""
        return sum(last >= since and peak >= bar for last, peak in [*self._gone, *self._going.values()])

    def explained(self, one: CellVerdict, told: Sequence[CellVerdict]) -> bool:
        """Whether cells that are told of already show what this one shows: its own value or a related one in its topic,
        or anywhere if it is rare; or other attributes' values in its topic that make up its excess."""
        value, excess = (one.cell.attribute, one.cell.value), dict[str, float]()
        for other in told:
            known, near = (other.cell.attribute, other.cell.value), other.cell.topic == one.cell.topic
            if goes_with(value, known) and (near or self.share(one.cell) <= _RARE):
                return True
            if near and known[0] != value[0]:
                excess[known[0]] = excess.get(known[0], 0.0) + other.observed - other.expected
        return one.observed - one.expected <= _CARRIES * max(excess.values(), default=0.0)

    def share(self, cell: Cell) -> float:
        """Of all that is said of an attribute in the long run, the part of one value."""
        return self._cells.share(cell)

    def _kin_of(self, values: set[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[str, str]]:
        """What values belong to by name, a batch to its product: the longest beginning that is another's value."""
        named: dict[str, str] = {value: attribute for attribute, value in sorted(values)}
        found = {}
        for attribute, value in values:
            for end in range(len(value) - 1, 1, -1):
                if named.get(value[:end], attribute) != attribute:
                    found[attribute, value] = named[value[:end]], value[:end]
                    break
        return found

    def pack(self) -> dict[str, bytes]:
        """All that is known, as `unpack` takes it, where nothing was `written` yet; else what changed since."""
        head = {
            "format": FORMAT,
            "per_week": self.per_week,
            "bar": self.bar,
            "hour": self._hour,
            "begun": self._begun,
            "going": [[*name, *of] for name, of in self._going.items()],
            "gone": self._gone,
        }
        return {"watch": json.dumps(head).encode()} | self._cells.pack()

    def written(self) -> None:
        """What `pack` answered lies in the store."""
        self._cells.written()

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> CellWatch:
        """The watch that was packed. Raises `ValueError` on a format that this version does not know."""
        head = json.loads(packed["watch"])
        if head["format"] != FORMAT:
            raise ValueError(f"a watch over cells of format {head['format']}, known is {FORMAT}")
        watch = cls(head["per_week"])
        watch.bar, watch._hour, watch._begun = head["bar"], head["hour"], head["begun"]
        watch._going = {(topic, name, value): (last, peak) for topic, name, value, last, peak in head["going"]}
        watch._gone = [(last, peak) for last, peak in head["gone"]]
        watch._cells = Cells.unpack(packed)
        return watch


def bar_for(peaks: Sequence[float], weeks: float, *, per_week: float, first: float) -> float:
    """The score that false cells with these ``peaks``, seen in ``weeks``, would pass ``per_week`` times a week.

    Scores are logarithms of tail probabilities, so peaks fall off exponentially: rate and fall are read from the ranks
    that surges in the history do not reach, and carried on upwards. ``first`` where there are too few.

    >>> peaks = np.random.default_rng(0).exponential(1 / 3, 200) + 1.5
    >>> round(bar_for(peaks, 2.0, per_week=1.0, first=4.0), 1), round(float(np.sort(peaks)[-2]), 1)
    (3.0, 3.0)
    """
    allowed = max(per_week * weeks, 1e-9)
    ranked = np.sort(np.asarray(peaks, dtype=float))[::-1]
    begin, end = max(2, round(_BODY_FROM * allowed)), max(10, round(_BODY_TO * allowed))
    if len(ranked) < end:
        return first
    body = ranked[begin - 1 : end]
    fall = (len(body) - 1) / max(float((body[:-1] - body[-1]).sum()), 1e-6)
    return float(np.clip(body[0] + np.log(begin / allowed) / fall, _LOWEST, _HIGHEST))
