"""What the gauge shows people: a figure, what is usual, the thresholds in force, and why they are where they are."""

from dataclasses import dataclass, replace

import numpy as np

from models.buckets import BUCKETS_PER_HOUR
from models.gauge import CURVE, HANDICAP, HOUR, WINDOWS, Gauge
from models.habit import CAMPAIGN, HOURS, LOAD, WEEKDAYS, WEEKENDS
from models.indicator import Direction, Indicator
from models.limits import Cause
from models.measure import Measures, Sums
from models.season import FloatArray

_FARTHEST = 12.0  # in log odds or logs, beyond which no bound is looked for


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that moved the expectation from its usual level, and by what factor (of odds, for shares)."""

    name: str
    times: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One window of one indicator. ``lower`` and ``upper`` are the thresholds in force, None on a side that is not bad
    or while there is none; ``learnt`` what they would be without hard lines, once there is history; ``campaign_hours`` how
    many hours of campaigns the usual was learnt from."""

    first: int
    end: int
    n: float
    value: float
    usual: float
    lower: float | None
    upper: float | None
    start: float | None
    learnt: float | None
    in_force: Cause | None
    why: tuple[Why, ...]
    campaign_hours: float


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the curve, with the band of the normal; ``first`` is its first bucket."""

    first: int
    n: float
    value: float
    usual: float
    lower: float
    upper: float


def show(gauge: Gauge, name: str, place: int = HOUR, extra: float = 0.0) -> Shown:
    """An indicator as of the last bucket, in the window at ``place`` of `WINDOWS`. Raises KeyError, or ValueError before
    the first bucket."""
    if gauge.bucket is None:
        raise ValueError("nothing was judged yet")
    row = {one.name: n for n, one in enumerate(gauge.indicators)}[name]
    indicator, bucket = gauge.indicators[row], gauge.bucket
    x = gauge.features(bucket)
    eta, doubt = float(gauge.m[row] @ x[row]), float(x[row] @ gauge.P[row] @ x[row])
    sums = _column(gauge.windows(bucket), place, row)
    measures = Measures.of([replace(indicator, least=0.0)])
    hours = WINDOWS[place] / BUCKETS_PER_HOUR
    usual = _value(measures, replace(sums, y=sums.mean), eta, hours)
    variance = float(gauge.restless(bucket)[place, row]) + doubt
    needed = gauge.bar + extra + float(HANDICAP[place, 0])
    learnt = bool(gauge.learnt(bucket)[row])
    bounds: dict[Direction, float | None] = {Direction.down: None, Direction.up: None}
    plain: float | None = None
    moved = False
    for side in bounds:
        if indicator.direction not in (side, Direction.both):
            continue
        free = indicator.start
        if learnt:
            reached = _bound(replace(indicator, direction=side, least=0.0), sums, variance, needed)
            free = plain = _value(measures, reached, eta, hours)
        bounds[side] = gauge.lines.held(row, side, free)
        moved |= bounds[side] != free
    in_force = Cause.starting if not learnt and indicator.start is not None else Cause.learnt if learnt else None
    if moved:
        in_force = Cause.limit
    return Shown(
        bucket + 1 - int(WINDOWS[place]),
        bucket + 1,
        float(sums.n[0]),
        _value(measures, sums, eta, hours),
        usual,
        bounds[Direction.down],
        bounds[Direction.up],
        indicator.start,
        plain,
        in_force,
        _why(gauge, row, x[row]),
        float(gauge.campaigned[row]),
    )


def curve(gauge: Gauge, name: str, hours: int = 72) -> tuple[Hour, ...]:
    """The last closed hours, oldest first; those without an observation left out."""
    if gauge.bucket is None:
        return ()
    row = {one.name: n for n, one in enumerate(gauge.indicators)}[name]
    last = (gauge.bucket + 1) // BUCKETS_PER_HOUR - 1
    found = []
    for hour in range(last - min(hours, CURVE) + 1, last + 1):
        value, usual, lower, upper, n = (float(one) for one in gauge.hours[hour % CURVE, :, row])
        if not np.isnan(value):
            found.append(Hour(hour * BUCKETS_PER_HOUR, n, value, usual, lower, upper))
    return tuple(found)


def _column(windows: Sums, place: int, row: int) -> Sums:
    parts = (windows.n, windows.y, windows.mean, windows.gain, windows.weight)
    return Sums(*(part[place, row : row + 1] for part in parts))


def _value(measures: Measures, sums: Sums, eta: float, hours: float) -> float:
    return float(measures.values(sums, np.array([eta]), hours)[0])


def _bound(indicator: Indicator, sums: Sums, variance: float, score: float) -> Sums:
    """The sums at which a score is reached, on the one side that the indicator calls bad; found by bisection."""
    measures = Measures.of([indicator])
    sign = -1.0 if bool(measures.down[0]) else 1.0

    def at(off: float) -> Sums:
        y = sums.mean + sign * off * sums.gain
        return replace(sums, y=np.clip(y, 0.0, sums.n if measures.hits[0] or measures.beyond[0] else None))

    low, high = 0.0, _FARTHEST
    for _ in range(30):
        middle = (low + high) / 2
        beyond = float(measures.surprise(at(middle), np.array([variance]))[0]) >= score
        low, high = (low, middle) if beyond else (middle, high)
    return at(high)


def _why(gauge: Gauge, row: int, x: FloatArray) -> tuple[Why, ...]:
    """What hour, weekday, load and, while one runs, a campaign did to the expectation."""
    parts = {"hour": (HOURS, WEEKENDS), "weekday": (WEEKDAYS,), "volume": (LOAD,)}
    if gauge.campaign[row]:
        parts["campaign"] = (CAMPAIGN,)
    return tuple(
        Why(name, float(np.exp(sum(float(x[one] @ gauge.m[row, one]) for one in places))))
        for name, places in parts.items()
    )
