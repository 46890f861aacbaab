"""The one knob, seen backwards: how often other budgets of false alarms would have rung."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.buckets import BUCKET, BUCKETS_PER_HOUR
from models.cellwatch import CellWatch
from models.detector import Detector
from models.watch import Watch

TOPICS, CROWDS, SWELLS = 0.1, 0.82, 0.08
"""Shares of the budget of false alarms: of topics, of crowds, and of channels and of the share without a
topic. On the development streams four in five surges are found as crowds."""
BUSY_TOPICS, CELLS = 0.42, 0.5
"""The same where messages are so many that crowds have no past (`models.cellwatch`): counts must tell then. Half to
hidden cells, since they are many and a defect of one batch shows nowhere else."""
SPAN = timedelta(days=28)  # what detector and watch remember of episodes
CHOICES = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Parts:
    """How a budget is shared out, in false alarms a week."""

    topics: float
    crowds: float
    cells: float
    swells: float


def parts_of(budget: float, *, slow: bool = False, busy: bool = False) -> Parts:
    """A budget shared out. ``slow``: topics are not judged; ``busy``: crowds are not, and hidden cells are.

    >>> parts_of(2.0), parts_of(2.0, busy=True)
    (Parts(topics=0.2, crowds=1.64, cells=0.0, swells=0.16), Parts(topics=0.84, crowds=0.0, cells=1.0, swells=0.16))
    """
    if busy:
        return Parts(BUSY_TOPICS * budget, 0.0, CELLS * budget, SWELLS * budget)
    crowds = budget - SWELLS * budget if slow else CROWDS * budget
    return Parts(TOPICS * budget, crowds, 0.0, SWELLS * budget)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a budget of false alarms a week comes to: the scores that topics and crowds (of a busy tenant, hidden cells)
    must reach, and how many episodes reached them. An event that rang as both counts twice, so this is the most that
    would have been told."""

    per_week: float
    threshold: float
    crowd_bar: float
    episodes: int


def meanings(
    detector: Detector, watch: Watch, now: int, budgets: Sequence[float], cells: CellWatch | None = None
) -> tuple[Meaning, ...]:
    """What each of these budgets would have meant over the last 28 days, or as long as is remembered.

    ``now`` is the first bucket not judged; ``cells`` are those of a busy tenant, in the place of crowds.
    """
    return tuple(_meaning(detector, watch, now, budget, cells) for budget in budgets)


def _meaning(detector: Detector, watch: Watch, now: int, budget: float, cells: CellWatch | None) -> Meaning:
    since, parts = now - SPAN // BUCKET, parts_of(budget, busy=cells is not None)
    threshold = detector.threshold_for(parts.topics)
    if cells is None:
        bars = watch.bars_at(parts.crowds, now)
        bar, hidden = bars.place, watch.reached(bars, since)
    else:
        bar = cells.bar_at(parts.cells)
        hidden = cells.reached(bar, since // BUCKETS_PER_HOUR)
    return Meaning(budget, threshold, bar, detector.reached(threshold, since) + hidden)
