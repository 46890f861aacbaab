"""The gauge on made-up queues: it follows the hour, holds the starting threshold, rings on slow-downs, keeps its memory."""

import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from models.dial import curve, show
from models.gauge import Gauge, GaugeTick
from models.gaugebar import FALL, LOWEST, bar_for
from models.gaugefile import pack, unpack
from models.habit import CAMPAIGN, PRIOR
from models.indicator import READY, BadIndicator, Direction, Indicator, Kind, Tally, bin_of, observation
from models.limits import Cause

DAYS = 15
NOON = DAYS * BUCKETS_PER_DAY + 12 * BUCKETS_PER_HOUR
WAIT = READY["waiting_time"]
COUNT = Indicator("contacts", {"en": "contacts"}, Kind.number)
SLOW = (
    Indicator("mean", {"en": "mean"}, Kind.mean),
    Indicator("quantile", {"en": "quantile"}, Kind.quantile, quantile=0.9),
    Indicator("fallen", {"en": "fallen"}, Kind.mean, direction=Direction.down),
    Indicator("either", {"en": "either"}, Kind.mean, direction=Direction.both),
)
EVERY = (WAIT, COUNT, *SLOW)


def share_of(hour: float) -> float:
    return 0.04 + 0.12 * float(np.exp(-((hour - 12) ** 2) / 8))


def said(indicator: Indicator, n: int, worse: float, hour: float, rng: np.random.Generator) -> Tally:
    """What ``n`` contacts at an hour say; ``worse`` times as much as usual."""
    if indicator.kind is Kind.number:
        return Tally(1.0, float(rng.poisson(n * worse)))
    if indicator.kind is Kind.share:
        return Tally(n, rng.binomial(n, min(1.0, share_of(hour) * worse)))
    values = rng.lognormal(np.log(100 * share_of(hour) * worse), 0.5, n)
    bins = Counter(bin_of(float(one)) for one in values)
    return Tally(n, float(values.sum()), bins)


def run(
    gauge: Gauge, buckets: Iterable[int], worse: float = 1.0, seed: int = 0, campaign: float = 0.0
) -> list[GaugeTick]:
    """Ten contacts in five minutes, more of whom wait at noon."""
    rng = np.random.default_rng(seed)
    ticks = []
    for bucket in buckets:
        hour, n = bucket % BUCKETS_PER_DAY / BUCKETS_PER_HOUR, int(rng.poisson(10))
        tallies = {one.name: said(one, n, worse, hour, rng) for one in gauge.indicators}
        ticks.append(gauge.step(bucket, tallies, campaign=campaign))
        if bucket % BUCKETS_PER_DAY == BUCKETS_PER_DAY - 1:
            gauge.calibrate()
    return ticks


@pytest.fixture(scope="module")
def learnt() -> bytes:
    """What a gauge knows after two weeks and a day."""
    gauge = Gauge(EVERY, 0.1)
    run(gauge, range(NOON))
    return pack(gauge)


def causes(ticks: Iterable[GaugeTick]) -> set[Cause | None]:
    return {tick.cause[0] for tick in ticks}


def test_a_learnt_threshold_follows_the_hour(learnt: bytes) -> None:
    gauge = unpack(learnt, [WAIT], 0.1)
    noon = show(gauge, "waiting_time")
    run(gauge, range(NOON, NOON + 144))
    night = show(gauge, "waiting_time")
    assert noon.upper is not None and night.upper is not None
    assert noon.usual == pytest.approx(0.16, abs=0.03) and night.usual == pytest.approx(0.04, abs=0.02)
    assert noon.upper > noon.usual and night.upper < noon.upper
    assert {one.name: one.times > 1.0 for one in noon.why}["hour"]


def test_ordinary_days_raise_nothing_and_a_slow_queue_does(learnt: bytes) -> None:
    gauge = unpack(learnt, [WAIT], 0.1)
    assert causes(run(gauge, range(NOON, NOON + 144), seed=3)) == {None}
    assert Cause.learnt in causes(run(gauge, range(NOON + 144, NOON + 168), worse=5.0, seed=4))


def test_the_starting_threshold_holds_until_there_is_history() -> None:
    gauge = Gauge([WAIT], 0.1)
    assert causes(run(gauge, range(144, 288))) == {None}
    assert show(gauge, "waiting_time").in_force is Cause.starting
    assert causes(run(gauge, range(288, 300), worse=8.0)) == {None, Cause.starting}


def test_two_of_three_are_no_alert() -> None:
    gauge = Gauge([WAIT], 0.1)
    ticks = [gauge.step(bucket, {"waiting_time": Tally(3.0, 2.0) if bucket == 5 else Tally()}) for bucket in range(24)]
    assert causes(ticks) == {None}


def test_a_contracts_ceiling_rings_whatever_was_learnt_and_its_floor_keeps_silent(learnt: bytes) -> None:
    strict = unpack(learnt, [replace(WAIT, ceiling=0.10)], 0.1)
    assert Cause.limit in causes(run(strict, range(NOON, NOON + 48)))
    assert show(strict, "waiting_time").upper == 0.10
    lax = unpack(learnt, [replace(WAIT, floor=0.95)], 0.1)
    assert causes(run(lax, range(NOON, NOON + 24), worse=5.0)) == {None}


def test_a_contracts_line_is_the_threshold_before_there_is_history_too() -> None:
    gauge = Gauge(
        [replace(WAIT, ceiling=0.10), replace(SLOW[2], floor=3.0), replace(SLOW[3], floor=2.0, ceiling=9.0)], 0.1
    )
    run(gauge, range(144, 156))
    strict, fallen, either = (show(gauge, name) for name in ("waiting_time", "fallen", "either"))
    assert (strict.upper, strict.start, strict.in_force) == (0.10, 0.20, Cause.limit)
    assert (fallen.lower, fallen.upper) == (3.0, None)
    assert (either.lower, either.upper) == (2.0, 9.0)


def test_a_queue_that_is_short_again_does_not_ring_for_the_hours_in_which_it_was_long(learnt: bytes) -> None:
    gauge = unpack(learnt, [WAIT], 0.1)
    slow = range(NOON, NOON + 36)
    assert Cause.learnt in causes(run(gauge, slow, worse=5.0, seed=1))
    run(gauge, range(slow.stop, slow.stop + 24), seed=2)
    assert causes(run(gauge, range(slow.stop + 24, slow.stop + 48), seed=3)) == {None}


def packed_before(learnt: bytes, version: int) -> bytes:
    """The same as a version wrote it that knew no campaigns."""
    with np.load(io.BytesIO(learnt)) as held:
        arrays = {name: held[name] for name in held if not name.startswith("campaign")}
    arrays |= {"m": arrays["m"][:, :-1], "P": arrays["P"][:, :-1, :-1]}
    head = json.loads(arrays.pop("head").tobytes()) | {"format": version}
    before = io.BytesIO()
    np.savez(before, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
    return before.getvalue()


def test_a_gauge_of_the_version_before_keeps_what_it_learnt_and_has_campaigns_to_learn(learnt: bytes) -> None:
    fitted, carried = unpack(learnt, EVERY, 0.1), unpack(packed_before(learnt, 2), EVERY, 0.1)
    assert carried.fitted and len(carried.episodes) == len(fitted.episodes) > 0 and carried.bar == fitted.bar
    assert (carried.m[:, :-1] == fitted.m[:, :-1]).all() and carried.bucket == fitted.bucket
    assert (carried.P[:, CAMPAIGN, CAMPAIGN] == PRIOR[CAMPAIGN, CAMPAIGN]).all()
    assert run(carried, range(NOON, NOON + 12)) and not carried.campaigned.any()


def test_a_gauge_of_the_first_version_fits_its_bar_anew(learnt: bytes) -> None:
    carried = unpack(packed_before(learnt, 1), EVERY, 0.1)
    assert not carried.fitted and not len(carried.episodes)


def test_what_a_campaign_explains_is_usual_once_one_was_seen(learnt: bytes) -> None:
    gauge, blind = unpack(learnt, [WAIT], 0.1), unpack(learnt, [WAIT], 0.1)
    day = range(NOON, NOON + BUCKETS_PER_DAY)
    later = range(day.stop + 2 * BUCKETS_PER_DAY, day.stop + 2 * BUCKETS_PER_DAY + 144)
    for one, pull in ((gauge, np.log(2.0)), (blind, 0.0)):
        run(one, day, worse=2.5, campaign=pull)
        run(one, range(day.stop, later.start), seed=1)
    assert show(gauge, "waiting_time").campaign_hours == pytest.approx(24, abs=1)
    assert Cause.learnt not in causes(run(gauge, later, worse=2.5, seed=2, campaign=np.log(2.0)))
    told = {one.name: one.times for one in show(gauge, "waiting_time").why}
    assert told["campaign"] > 1.5
    assert Cause.learnt in causes(run(blind, later, worse=2.5, seed=2))


def test_a_campaign_does_not_explain_what_is_worse_than_campaigns_were(learnt: bytes) -> None:
    gauge = unpack(learnt, [WAIT], 0.1)
    day = range(NOON, NOON + BUCKETS_PER_DAY)
    run(gauge, day, worse=1.5, campaign=np.log(2.0))
    run(gauge, range(day.stop, day.stop + BUCKETS_PER_DAY), seed=1)
    again = range(day.stop + BUCKETS_PER_DAY, day.stop + BUCKETS_PER_DAY + 24)
    assert Cause.learnt in causes(run(gauge, again, worse=5.0, seed=2, campaign=np.log(2.0)))


def test_a_count_is_expected_to_grow_with_a_campaign(learnt: bytes) -> None:
    gauge = unpack(learnt, [COUNT], 0.1)
    rung = causes(run(gauge, range(NOON, NOON + 24), worse=2.0, campaign=np.log(2.0)))
    assert rung == {None}
    assert Cause.learnt in causes(run(unpack(learnt, [COUNT], 0.1), range(NOON, NOON + 24), worse=2.0))


def test_the_bar_is_fitted_on_low_peaks_whatever_was_slow_in_truth() -> None:
    rng = np.random.default_rng(1)
    false, slow = rng.exponential(1 / FALL, 300), rng.uniform(0, 12, 600)
    calm, busy = bar_for(false, 500.0, 0.05), bar_for(np.concatenate([false, slow]), 500.0, 0.05)
    assert busy == pytest.approx(calm, abs=0.25)
    assert bar_for(false, 500.0, 0.01) == pytest.approx(calm + np.log(5) / FALL)
    assert bar_for(np.tile(false, 8), 500.0, 0.05) > calm + 1.5
    assert bar_for(false, 500.0, 50.0) == LOWEST


@pytest.mark.parametrize("indicator", SLOW, ids=lambda one: one.name)
def test_means_and_quantiles_ring_on_the_bad_side_alone(indicator: Indicator, learnt: bytes) -> None:
    better, worse = (2.5, 0.4) if indicator.direction is Direction.down else (0.4, 2.5)
    good, bad = unpack(learnt, [indicator], 0.1), unpack(learnt, [indicator], 0.1)
    rung = Cause.learnt in causes(run(good, range(NOON, NOON + 24), worse=better))
    assert rung == (indicator.direction is Direction.both)
    assert Cause.learnt in causes(run(bad, range(NOON, NOON + 24), worse=worse))


def test_one_forgotten_ticket_is_not_the_mean_of_a_day(learnt: bytes) -> None:
    gauge = unpack(learnt, SLOW[:1], 0.1)
    tick = gauge.step(NOON, {"mean": Tally(10.0, 1e6, {bin_of(15.0): 9.0, bin_of(1e6): 1.0})})
    assert causes([tick]) == {None}


def test_a_count_rings_when_it_outgrows_its_hour(learnt: bytes) -> None:
    gauge = unpack(learnt, [COUNT], 0.1)
    assert causes(run(gauge, range(NOON, NOON + 12), seed=2)) == {None}
    assert Cause.learnt in causes(run(gauge, range(NOON + 12, NOON + 24), worse=3.0, seed=2))
    assert show(gauge, "contacts").value == pytest.approx(360, rel=0.3)


def test_a_gauge_goes_on_where_it_was_packed(learnt: bytes) -> None:
    one, other = unpack(learnt, [WAIT], 0.1), unpack(pack(unpack(learnt, [WAIT], 0.1)), [WAIT], 0.1)
    scores = [[tick.score[0] for tick in run(gauge, range(NOON, NOON + 36))] for gauge in (one, other)]
    assert scores[0] == scores[1]


def test_a_new_indicator_begins_anew_beside_those_that_are_known(learnt: bytes) -> None:
    more = unpack(learnt, [replace(COUNT, name="x"), WAIT], 0.1)
    assert show(more, "waiting_time").learnt is not None
    assert more.born[0] == -1
    other = unpack(learnt, [replace(WAIT, limit=30.0)], 0.1)
    assert other.born[0] == -1


def test_the_curve_has_an_hour_a_point_with_its_band(learnt: bytes) -> None:
    points = curve(unpack(learnt, [WAIT], 0.1), "waiting_time", 48)
    assert len(points) == 48
    assert all(one.lower < one.usual < one.upper for one in points)
    assert sum(one.lower <= one.value <= one.upper for one in points) >= 40


@pytest.mark.parametrize(
    "traits", [{"kind": Kind.share}, {"kind": Kind.mean, "limit": 1.0}, {"kind": Kind.quantile, "quantile": 1.0}]
)
def test_an_indicator_that_cannot_be_is_refused(traits: dict[str, object]) -> None:
    with pytest.raises(BadIndicator):
        Indicator("x", {"en": "x"}, **traits)  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "denominator"), [(-1.0, None), (5.0, 3.0), (1.0, -2.0)])
def test_an_observation_that_cannot_be_is_refused(value: float, denominator: float | None) -> None:
    with pytest.raises(BadIndicator):
        observation(WAIT, value, denominator)
