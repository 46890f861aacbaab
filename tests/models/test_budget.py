"""What other budgets of false alarms would have meant."""

from datetime import timedelta

import numpy as np

from models.budget import CHOICES, TOPICS, meanings
from models.crowds import Crowd
from models.detector import Detector, DetectorSettings
from models.watch import Bars, Watch

HOURS = 40 * 24


def seen() -> tuple[Detector, Watch]:
    """Forty days of a shop: topics by the hour, and a place that crowds now and then."""
    rng = np.random.default_rng(1)
    detector, watch = Detector(DetectorSettings(bucket=timedelta(hours=1)), 0), Watch(1.4)
    for row in range(30):
        detector.add(str(row))
    for y in enumerate(rng.negative_binomial(4, 4 / (4 + np.geomspace(0.5, 20, 30)), size=(HOURS, 30))):
        detector.take(*y)
    return detector, watch


def crowd(rng: np.random.Generator, score: float) -> Crowd[str]:
    centroid = rng.normal(size=8).astype(np.float32)
    return Crowd(("m",), centroid / np.linalg.norm(centroid), timedelta(hours=3), 4, 0.5, 0.7, score)


def test_a_larger_budget_asks_less_and_would_have_rung_more_often() -> None:
    detector, watch = seen()
    found = meanings(detector, watch, HOURS, CHOICES)
    assert [one.per_week for one in found] == list(CHOICES)
    assert [one.threshold for one in found] == sorted((one.threshold for one in found), reverse=True)
    assert [one.episodes for one in found] == sorted(one.episodes for one in found)
    assert found[0].episodes < found[-1].episodes


def test_a_budget_of_false_alarms_is_about_what_a_calm_month_would_have_rung() -> None:
    detector, watch = seen()
    (found,) = meanings(detector, watch, HOURS, [10.0 / TOPICS])
    assert 15 <= found.episodes <= 80  # 40 in four weeks


def test_crowds_of_the_last_four_weeks_are_counted_and_older_ones_are_not() -> None:
    day, rng, watch = 288, np.random.default_rng(2), Watch(1.4)
    for n in range(40):
        watch.follow([crowd(rng, 5.0)], n * day, 0.99)
    assert watch.reached(Bars(4.0, 4.0), 12 * day) == 28
    assert watch.reached(Bars(6.0, 6.0), 12 * day) == 0
