"""The detector: what it finds, what it leaves alone, and that it can stop and start anywhere."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.cadence import cadence_of
from models.calibration import LOWEST_THRESHOLD
from models.detector import Detector, DetectorError, DetectorSettings
from models.scan import nb_midp_log10

MONDAY = 4 * 288  # the first bucket of a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def stream(hours: int, rates: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Counts (hours, topics) with a day's ups and downs that all topics share."""
    rng = np.random.default_rng(seed)
    day = 1 + 0.5 * np.sin(np.arange(hours) * 2 * np.pi / 24)
    return rng.poisson(day[:, None] * rates)


def watch(counts: NDArray[np.int64], **given: object) -> tuple[Detector, list[NDArray[np.float64]]]:
    """An hourly detector that has seen ``counts``, and its scores."""
    detector = Detector(DetectorSettings(bucket=HOUR, **given), MONDAY // 12)  # type: ignore[arg-type]
    for row in range(counts.shape[1]):
        detector.add(str(row))
    return detector, [detector.take(MONDAY // 12 + hour, y).score for hour, y in enumerate(counts)]


RATES = np.geomspace(0.3, 40, 30)


def test_a_topic_that_outgrows_the_rest_alarms_and_the_rest_do_not() -> None:
    counts = stream(500, RATES, 1)
    counts[490:, 20] *= 4
    _, scores = watch(counts)
    assert scores[-1].argmax() == 20
    assert scores[-1][20] > 4 > np.delete(scores[-1], 20).max()


def test_a_promotion_that_trebles_everything_alarms_nothing() -> None:
    counts = stream(500, RATES, 2)
    counts[480:] = np.random.default_rng(3).poisson(3 * stream(500, RATES * 1000, 2)[480:] / 1000)
    _, scores = watch(counts)
    assert max(score.max() for score in scores[485:]) < 4


def test_a_slow_burn_is_found_before_it_becomes_the_new_normal() -> None:
    rng = np.random.default_rng(4)
    counts = stream(560, RATES, 4)
    counts[500:, 22] += rng.poisson(0.8 * RATES[22], 60)
    _, scores = watch(counts)
    assert max(score[22] for score in scores[500:]) > 3.2


def test_a_shift_that_stays_is_told_as_the_new_normal_and_alarms_no_more() -> None:
    counts = stream(600, RATES, 5)
    counts[450:, 25] *= 3
    detector = Detector(DetectorSettings(bucket=HOUR), MONDAY // 12)
    for row in range(len(RATES)):
        detector.add(str(row))
    ticks = [detector.take(MONDAY // 12 + hour, y) for hour, y in enumerate(counts)]
    told = [n for n, tick in enumerate(ticks) if "25" in tick.new_normal]
    assert told and 450 + 20 < told[0] < 450 + 48
    assert not any(tick.alarm[25] for tick in ticks[told[0] + 26 :])


def test_a_new_topic_is_learnt_before_it_is_judged() -> None:
    counts = stream(400, RATES, 6)
    detector, _ = watch(counts)
    detector.add("new")
    rng, scores = np.random.default_rng(7), []
    for hour, y in enumerate(stream(60, RATES, 8)):
        scores.append(detector.take(MONDAY // 12 + 400 + hour, [*y, rng.poisson(6)]).score[-1])
    assert max(scores) < 3


def test_ten_topics_survive_a_surge_of_the_largest() -> None:
    rates = np.array([1, 1, 2, 2, 3, 4, 5, 8, 12, 40.0])
    counts = stream(500, rates, 9)
    counts[470:480, 9] *= 4
    _, scores = watch(counts)
    assert max(score[9] for score in scores[470:480]) > 4
    assert max(score[:9].max() for score in scores[470:]) < 4


def test_the_upper_bound_is_the_last_count_that_does_not_alarm() -> None:
    detector, _ = watch(stream(400, RATES, 10))
    y = np.round(RATES).astype(int)
    y[28] = 150
    tick = detector.take(MONDAY // 12 + 400, y)
    told = detector.explain("28").telling
    assert tick.alarm[28] and tick.upper_bound(28) == told.upper_bound < told.observed
    over = nb_midp_log10([told.upper_bound, told.upper_bound + 1], tick.expected[28], tick.variance[28])
    quiet, loud = over - tick.windows[int(tick.window[28])].handicap
    assert quiet < tick.threshold <= loud


def test_an_alarm_is_explained_by_what_made_the_expectation() -> None:
    counts = stream(500, RATES, 11)
    counts[494:, 24] *= 4
    detector, _ = watch(counts)
    told = detector.explain("24")
    assert told.telling.observed > told.telling.upper_bound
    assert told.telling in told.spoke
    assert abs(told.onset - (MONDAY // 12 + 494)) <= 2
    product = np.prod([factor.times for factor in told.factors])
    assert product == pytest.approx(told.telling.expected, rel=0.01)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    stops=st.sets(st.integers(1, 259), max_size=5),
    bucket=st.sampled_from([timedelta(minutes=5), timedelta(minutes=30), HOUR, DAY, timedelta(weeks=1)]),
)
def test_it_stops_and_starts_anywhere_with_the_same_verdicts(seed: int, stops: set[int], bucket: timedelta) -> None:
    counts = stream(260, np.geomspace(0.1, 30, 8), seed)
    start = MONDAY * timedelta(minutes=5) // bucket
    whole, broken = (Detector(DetectorSettings(bucket=bucket), start) for _ in range(2))
    for detector in (whole, broken):
        for row in range(7):
            detector.add(str(row))
    for n, y in enumerate(counts):
        if n in stops:
            broken = Detector.unpack(broken.pack())
        if n == 200:
            whole.add("7"), broken.add("7")
        if n % 50 == 49:
            assert whole.calibrate() == broken.calibrate()
        one, other = (detector.take(start + n, y[: len(detector.topics)]) for detector in (whole, broken))
        assert one.score.tobytes() == other.score.tobytes()
        assert (one.alarm == other.alarm).all() and (one.calm == other.calm).all()
        assert one.new_normal == other.new_normal
    assert whole.pack()["topics"] == broken.pack()["topics"]


@pytest.mark.parametrize("bucket", [timedelta(minutes=5), HOUR, DAY, timedelta(weeks=1)])
def test_a_topic_takes_at_most_a_kilobyte(bucket: timedelta) -> None:
    detector = Detector(DetectorSettings(bucket=bucket), 0)
    for row in range(40):
        detector.add(str(row))
    assert len(detector.pack()["topics"]) <= 40 * 1024


def test_a_found_topic_is_judged_against_its_own_past() -> None:
    counts = stream(400, RATES, 12)
    detector, _ = watch(counts)
    rng = np.random.default_rng(13)
    past = {MONDAY // 12 + hour: int(n) for hour, n in enumerate(rng.poisson(5, 400))}
    detector.add("found", past)
    usual = detector.take(MONDAY // 12 + 400, [*stream(1, RATES, 14)[0], 5])
    assert usual.score[-1] < 2
    ahead = detector.take(MONDAY // 12 + 401, [*stream(1, RATES, 15)[0], 40])
    assert ahead.score[-1] > 4


def test_a_removed_topic_leaves_the_others_as_they_were() -> None:
    counts = stream(300, RATES, 16)
    detector, _ = watch(counts)
    before = detector.explain("7")
    detector.remove("3")
    after = detector.explain("7")
    assert (before.telling.observed, before.onset) == (after.telling.observed, after.onset)
    with pytest.raises(DetectorError, match="not watched"):
        detector.explain("3")


def test_what_nobody_knows_is_not_taken_for_silence() -> None:
    counts = stream(300, RATES, 17)
    detector, _ = watch(counts)
    first = MONDAY // 12 + 300
    detector.blind(first, first + 30)
    tick = detector.take(first + 30, np.round(RATES))
    assert tick.score.max() < 4


def test_windows_expect_nothing_of_hours_that_nobody_knows_and_nothing_is_learnt_of_them() -> None:
    detector, _ = watch(stream(300, RATES, 17))
    first = MONDAY // 12 + 300
    for hour in range(2):
        detector.take(first + hour, np.round(RATES))
    before = detector.pack()["topics"]
    one_hour = detector.outlook().expected[0, 20]
    detector.blind(first + 2, first + 5)
    rows = len(detector.topics) * detector._rows.dtype.itemsize
    assert detector.pack()["topics"][:rows] == before[:rows], "shares, spreads and episodes stay as they were"
    y = np.round(RATES)
    y[20] *= 6
    detector.take(first + 5, y)
    windows = {one.end - one.first: one for one in detector.explain("20").spoke}
    assert windows[6].expected == pytest.approx(3 * one_hour * 1.15, rel=0.35), "of six hours, the three that are known"
    assert windows[6].observed == int(y[20] + 2 * np.round(RATES[20]))


def test_an_announced_promotion_is_expected_from_its_first_bucket_and_forgotten_at_its_end() -> None:
    rates = np.array([0.3, 0.5, 0.6])  # of few customers the volume cannot be read off in one bucket
    told = {}
    for promised in (None, 4.0):
        rng = np.random.default_rng(3)
        detector = Detector(DetectorSettings(), MONDAY)
        for row in range(3):
            detector.add(str(row))
        for bucket in range(6 * 288):
            detector.take(MONDAY + bucket, rng.poisson(rates))
        expected = []
        for bucket in range(6 * 288, 6 * 288 + 24):
            on = bucket < 6 * 288 + 12
            y = rng.poisson(rates * (4 if on else 1))
            detector.take(MONDAY + bucket, y, promotion=promised if on else None)
            ring = detector.cadence.rings[0]
            expected.append(float(detector._mu[0][ring.slot(MONDAY + bucket)].sum()))
        told[promised] = expected
    usual = rates.sum()
    assert abs(told[4.0][0] / (4 * usual) - 1) < 0.35 < abs(told[None][0] / (4 * usual) - 1)
    assert abs(told[4.0][12] / usual - 1) < 0.5 < abs(told[None][12] / usual - 1)
    detector = Detector.unpack(detector.pack())
    assert detector._promised == 1.0


def test_a_week_of_a_yearly_season_is_not_a_surge_but_an_outbreak_is() -> None:
    rng, weeks = np.random.default_rng(18), np.arange(400)
    mean = 12 * np.exp(0.8 * np.cos(2 * np.pi * weeks / 52))
    counts = rng.poisson(np.repeat(mean[:, None], 5, 1))
    counts[396, 2] += 60
    detector = Detector(DetectorSettings(bucket=timedelta(weeks=1), year=timedelta(weeks=52)), 0)
    for row in range(5):
        detector.add(str(row))
    scores = np.array([detector.take(week, y).score for week, y in enumerate(counts)])
    assert scores[396].argmax() == 2 and scores[396, 2] > 4
    assert np.quantile(scores[260:396], 0.99) < 3


def test_the_threshold_comes_from_the_tenants_own_history() -> None:
    quiet, loud = (watch(stream(900, RATES, 19), false_alarms_per_week=budget)[0] for budget in (0.5, 20.0))
    for detector in (quiet, loud):
        assert detector.calibrate().reason == "first fit"
    assert quiet.threshold > loud.threshold
    assert quiet.calibrate().reason == "history has grown"
    assert watch(stream(100, RATES, 20))[0].calibrate().reason == "too little history"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.add("1"), "watched already"),
        (lambda d: d.take(MONDAY // 12, np.zeros(2)), "not after"),
        (lambda d: d.take(MONDAY // 12 + 9, np.zeros(3)), "3 counts for 2 topics"),
        (lambda d: d.step(MONDAY // 12 + 9, {"1": -1}), "no number of customers"),
        (lambda d: d.take(MONDAY // 12 + 9, [-1, 0]), "no number of customers"),
        (lambda d: d.add("2", {MONDAY: 3}), "not in the past"),
        (lambda d: d.blind(0, 5), "not ahead"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(call: object, message: str) -> None:
    detector, _ = watch(np.ones((5, 2), int))
    with pytest.raises(DetectorError, match=message):
        call(detector)  # type: ignore[operator]


def test_a_bucket_that_no_cadence_knows_is_refused() -> None:
    with pytest.raises(DetectorError, match="must divide an hour"):
        Detector(DetectorSettings(bucket=timedelta(minutes=7)), 0)
    with pytest.raises(DetectorError, match="season 'week'"):
        Detector(DetectorSettings(bucket=HOUR, season="year"), 0)
    assert cadence_of(DAY).season.kind == "year"


def test_a_topic_that_counts_half_as_many_of_the_same_messages_goes_on_as_before() -> None:
    rng = np.random.default_rng(11)
    whole, scaled = Detector(DetectorSettings(), 0), Detector(DetectorSettings(), 0)
    for detector in (whole, scaled):
        detector.add("a")
        detector.add("b")
    counts = rng.poisson((4.0, 6.0), (6 * 288, 2))
    for bucket, (a, b) in enumerate(counts):
        for detector in (whole, scaled):
            tick = detector.step(bucket, {"a": int(a), "b": int(b)})
    scaled.scale("a", 0.5)
    for bucket in range(6 * 288, 6 * 288 + 36):
        a, b = rng.poisson((2.0, 6.0))
        told = scaled.step(bucket, {"a": int(a), "b": int(b)})
        blind = whole.step(bucket, {"a": int(a), "b": int(b)})
    row = told.topics.index("a")
    assert abs(float(told.expected[row]) / float(blind.expected[row]) - 0.5) < 0.1
    assert not tick.alarm.any() and not told.alarm.any()


def test_a_topic_that_nobody_speaks_of_is_never_loud_however_low_the_threshold() -> None:
    detector = Detector(DetectorSettings(false_alarms_per_week=1_000), MONDAY)
    detector.add("silent")
    detector.add("rare")
    ticks = [detector.step(MONDAY + bucket, {"rare": 1} if bucket % 2000 == 0 else {}) for bucket in range(12 * 288)]
    detector.calibrate()
    ticks.append(detector.step(MONDAY + 12 * 288, {}))
    assert detector.threshold == LOWEST_THRESHOLD
    assert not any(tick.alarm.any() for tick in ticks)
    assert max(tick.score.max() for tick in ticks) == 0.0
