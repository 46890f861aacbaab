"""What the detector knows is handed on over merge and split: nothing counted or expected is lost, nothing rings for it."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.detector import Detector, DetectorError, DetectorSettings
from models.ring import Ring
from models.succession import part_of

MONDAY = 4 * 24  # the first hour of a Monday
RATES = np.geomspace(0.3, 40, 30)
HOURS = 500
LAST = MONDAY + HOURS - 1
DAY = range(LAST - 23, LAST + 1)


def stream(seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    day = 1 + 0.5 * np.sin(np.arange(HOURS + 100) * 2 * np.pi / 24)
    return rng.poisson(day[:, None] * RATES)


def watch(counts: NDArray[np.int64]) -> Detector:
    detector = Detector(DetectorSettings(bucket=timedelta(hours=1)), MONDAY)
    for row in range(counts.shape[1]):
        detector.add(str(row))
    for hour, y in enumerate(counts[:HOURS]):
        detector.take(MONDAY + hour, y)
    return detector


def expected(detector: Detector, topic: str) -> NDArray[np.float64]:
    return detector.curve(topic, list(DAY))[0]


def go_on(detector: Detector, counts: NDArray[np.int64], hours: int) -> float:
    """The highest score of the last topic over the next hours."""
    first = LAST + 1
    return max(float(detector.take(first + hour, counts[hour]).score[-1]) for hour in range(hours))


def after_merge(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts to come of topics 0 to 27 and of 28 and 29 as one, which stands last."""
    return np.column_stack([counts[HOURS:, :28], counts[HOURS:, 28] + counts[HOURS:, 29]])


def test_what_was_expected_of_two_is_expected_of_one() -> None:
    detector = watch(stream(1))
    both = expected(detector, "28") + expected(detector, "29")
    detector.merge("28", into="29")
    assert expected(detector, "29") == pytest.approx(both, rel=1e-4)
    assert "28" not in detector.topics
    with pytest.raises(DetectorError, match="one topic already"):
        detector.merge("29", into="29")


def test_a_merge_rings_by_itself_neither_then_nor_later() -> None:
    counts = stream(2)
    detector = watch(counts)
    detector.merge("28", into="29")
    assert go_on(detector, after_merge(counts), 72) < 3.5


def test_a_surge_over_both_halves_rings_after_a_merge() -> None:
    counts = stream(3)
    counts[HOURS + 5 :, 28:] *= 3
    detector = watch(counts)
    detector.merge("28", into="29")
    assert go_on(detector, after_merge(counts), 10) > 4


def divide(seed: int, share: float) -> tuple[Detector, NDArray[np.int64], NDArray[np.int64], float]:
    """A detector whose topic 29 was split, what is to come of all and of the part, and what was expected before."""
    counts, rng = stream(seed), np.random.default_rng(seed + 1000)
    part = rng.binomial(counts[:, 29], share)
    detector = watch(counts)
    before = float(expected(detector, "29").sum())
    known = range(HOURS - 48, HOURS)
    counted = {MONDAY + hour: int(part[hour]) for hour in known}
    seen = sum(counted.values()) / counts[known.start : known.stop, 29].sum()
    detector.split("29", "part", seen, counted, known_from=MONDAY + known.start)
    rest = counts[HOURS:].copy()
    rest[:, 29] -= part[HOURS:]
    return detector, np.column_stack([rest, part[HOURS:]]), part, before


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_split_divides_what_was_expected_and_neither_part_rings_for_it(share: float) -> None:
    detector, to_come, _, before = divide(4, share)
    both = expected(detector, "29") + expected(detector, "part")
    assert both.sum() == pytest.approx(before, rel=1e-4)
    assert expected(detector, "part").sum() == pytest.approx(share * before, rel=0.2)
    first = LAST + 1
    for hour in range(72):
        scores = detector.take(first + hour, to_come[hour]).score
        assert max(scores[29], scores[30]) < 3.6


def test_a_part_that_surges_rings_where_the_whole_would_not_have() -> None:
    detector, to_come, _, _ = divide(5, 0.1)
    to_come[4:, 30] *= 4
    assert go_on(detector, to_come, 12) > 4


def test_a_detector_that_was_merged_and_split_stops_and_starts_with_the_same_verdicts() -> None:
    whole, to_come, _, _ = divide(6, 0.3)
    whole.merge("3", into="5")
    broken = Detector.unpack(whole.pack())
    y = np.delete(to_come[0], 3)
    assert whole.take(LAST + 1, y).score.tobytes() == broken.take(LAST + 1, y).score.tobytes()


@given(
    kept=st.lists(st.integers(0, 50), min_size=6, max_size=6),
    share=st.floats(0, 1),
    counted=st.dictionaries(st.integers(60, 90), st.integers(0, 40)),
    known_from=st.integers(50, 95),
)
def test_a_part_never_counts_more_than_the_whole_did(
    kept: list[int], share: float, counted: dict[int, int], known_from: int
) -> None:
    whole = np.array(kept, float)
    part = part_of(Ring(4, 6), whole, share, counted, known_from, 90)
    assert ((part >= 0) & (part <= whole) & (part == np.round(part))).all()
