"""The one knob, seen backwards: how often other budgets of false alarms would have rung."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.buckets import BUCKET
from models.detector import Detector
from models.watch import Watch

TOPICS, CROWDS, SWELLS = 0.1, 0.85, 0.05
"""Shares of the budget of false alarms: of topics, of crowds, and of channels that swell. On the development streams four
in five surges are found as crowds."""
SPAN = timedelta(days=28)  # what detector and watch remember of episodes
CHOICES = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a budget of false alarms a week comes to: the scores that topics and crowds must reach, and how many
    episodes reached them. An event that rang as both counts twice, so this is the most that would have been told."""

    per_week: float
    threshold: float
    crowd_bar: float
    episodes: int


def meanings(detector: Detector, watch: Watch, now: int, budgets: Sequence[float]) -> tuple[Meaning, ...]:
    """What each of these budgets would have meant over the last 28 days, or as long as is remembered.

    ``now`` is the first bucket not judged.
    """
    return tuple(_meaning(detector, watch, now, budget) for budget in budgets)


def _meaning(detector: Detector, watch: Watch, now: int, budget: float) -> Meaning:
    threshold = detector.threshold_for(TOPICS * budget)
    bar = watch.bar_at(CROWDS * budget, now)
    since = now - SPAN // BUCKET
    episodes = detector.reached(threshold, since) + watch.reached(bar, since)
    return Meaning(budget, threshold, bar, episodes)
