"""Invented queues: how many come, how many of them wait over 15 minutes, and where something was made slow.

Made as the literature on contact centres describes them (Gans, Koole and Mandelbaum, "Telephone call centers: tutorial, review
and research prospects", 2003):

- contacts are more scattered than Poisson's: busy and slack days, busy and slack hours, on top of the season (Jongbloed and
  Koole, 2001; Avramidis, Deslauriers and L'Ecuyer, 2004; Brown et al., 2005);
- hands are planned by the half hour for the load that is forecast and a multiple of its square root (Garnett, Mandelbaum and
  Reiman, "Designing a call center with impatient customers", 2002), from a forecast that is wrong by some per cent; half of
  a busy day is met by calling more in, and not all who are planned come (Whitt, 2006);
- who is not served waits on or gives up (Erlang-A); for announced campaigns hands are planned, too, less surely.

Three kinds of slow-down are planted: ``step`` (fewer hands at once), ``ramp`` (slower and slower over half a day) and ``part``
(one kind of contact waits, the others do not).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import expit, gammaincc, logit

from models.season import FloatArray

DAY, WEEK = 288, 7 * 288
KINDS: tuple[Literal["step", "ramp", "part"], ...] = ("step", "ramp", "part")
_HALF_HOUR, _SHIFT = 6, 96  # buckets
_LIMIT = 15.0  # minutes
_FELT, _LIFT = 25.0, 0.15
"""A slow-down that nobody feels is none: at least so many more wait too long, and at least so large a share."""
_SPANS = (12, 24, 48, 96, 144)
_TRIES = 20
_RUNS = 8


@dataclass(frozen=True, slots=True)
class Slow:
    """One planted slow-down; buckets [onset, end)."""

    queue: int
    kind: Literal["step", "ramp", "part"]
    onset: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What queues are invented from. By bucket and queue: contacts expected, the log of how many times as many were announced
    for a campaign, hands planned, and hands that a right forecast would have planned; by queue: minutes that a contact
    takes, mean minutes after which people give up, and the share that waits whatever the load."""

    usual: FloatArray
    announced: FloatArray
    staff: FloatArray
    right: FloatArray
    handling: FloatArray
    patience: FloatArray
    odd: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """``n`` contacts and ``over`` of them that waited too long, shape (buckets, queues). ``unplanned``: where chance alone made a
    queue at least half as slow as a planted slow-down must be. ``announced``: the calendar of campaigns, as the log of how
    many times as many contacts were forecast."""

    n: NDArray[np.int64]
    over: NDArray[np.int64]
    slow: tuple[Slow, ...]
    unplanned: NDArray[np.bool_]
    announced: FloatArray


def build(seed: int, *, queues: int = 60, weeks: int = 12, quiet_weeks: int = 4, short: float = 0.0) -> World:
    """A world whose slow-downs begin after ``quiet_weeks``, about one in two weeks a queue. ``short``: by which part of the log
    of what a campaign brings too few hands are planned for it, whenever one runs: campaigns are slow then, and usually so."""
    rng = np.random.default_rng(seed)
    size = weeks * WEEK
    plan = _plan(rng, queues, weeks, short)
    days = np.repeat(_wander(rng, (size // DAY, queues), 0.07, 0.5), DAY, 0)
    n = rng.poisson(plan.usual * np.exp(days + _wander(rng, (size, queues), 0.05, 0.97)))
    here = plan.staff * _present(rng, plan.staff) * np.exp(0.5 * days)
    odd = expit(logit(plan.odd) + _wander(rng, (size, queues), 0.3, 0.98))
    luck = rng.normal(0, 1, (size, queues))
    waiting = _waiting(n, here, plan, luck)
    p = _late(waiting, here, plan, odd)
    unplanned = _slower(n, p - _usually(rng, plan))
    planted: list[Slow] = []
    for fortnight in range(quiet_weeks, weeks, 2):
        span = slice(fortnight * WEEK, (fortnight + 2) * WEEK)
        p[span], found = _slowed(
            rng, fortnight, n[span], here[span], plan, odd[span], luck[span], p[span], waiting[span.start]
        )
        planted += found
    return World(n, rng.binomial(n, np.clip(p, 0.0, 1.0)), tuple(planted), unplanned, plan.announced)


def _plan(rng: np.random.Generator, queues: int, weeks: int, short: float) -> Plan:
    campaign = np.stack([_campaigns(rng, weeks) for _ in range(queues)], 1)
    usual = np.stack([_coming(rng, weeks * WEEK) for _ in range(queues)], 1) * campaign
    handling, spare = rng.uniform(4.0, 12.0, queues), rng.uniform(0.0, 1.0, queues)
    load = usual.reshape(-1, _HALF_HOUR, queues).mean(1) * handling / 5
    wrong = np.repeat(rng.normal(0, 0.05, (weeks, queues)), WEEK // _HALF_HOUR, 0)
    announced = np.repeat(rng.normal(0, 0.2, (weeks * 7, queues)), DAY // _HALF_HOUR, 0) * (campaign[::_HALF_HOUR] > 1)
    load *= campaign[::_HALF_HOUR] ** -short
    return Plan(
        usual,
        np.log(campaign) + np.repeat(announced, _HALF_HOUR, 0),
        _hands(load * np.exp(wrong + announced), spare),
        _hands(load, spare),
        handling,
        np.exp(rng.uniform(np.log(30.0), np.log(120.0), queues)),
        np.exp(rng.uniform(np.log(0.005), np.log(0.04), queues)),
    )


def _hands(load: FloatArray, spare: FloatArray) -> FloatArray:
    """Square-root staffing by the half hour, spread over buckets; at least one."""
    return np.repeat(np.maximum(np.ceil(load + spare * np.sqrt(load)), 1.0), _HALF_HOUR, 0)


def _coming(rng: np.random.Generator, size: int) -> FloatArray:
    """Contacts expected in each five minutes: 12 to 250 an hour over the day, a hump at noon and one in the evening."""
    hour = (np.arange(size) % DAY) / 12
    peak, late = rng.uniform(9.5, 12.0), rng.uniform(18.5, 21.0)
    shape = 0.08 + np.exp(-((hour - peak) ** 2) / 8) + rng.uniform(0.5, 1.0) * np.exp(-((hour - late) ** 2) / 5)
    weekday = np.repeat(np.r_[rng.uniform(0.9, 1.1, 5), rng.uniform(0.6, 1.3, 2)], DAY)
    trend = np.exp(rng.normal(0, 0.15) * np.arange(size) / size)
    whole = np.exp(rng.uniform(np.log(12), np.log(250))) / 12 * shape / shape[:DAY].mean()
    found: FloatArray = whole * weekday[np.arange(size) % WEEK] * trend
    return found


def _campaigns(rng: np.random.Generator, weeks: int) -> FloatArray:
    """Days on which up to two and a half times as many come, one in three weeks."""
    more = np.ones(weeks * 7)
    for day in rng.choice(weeks * 7, weeks // 3, replace=False):
        more[day] = rng.uniform(1.5, 2.5)
    return np.repeat(more, DAY)


def _present(rng: np.random.Generator, staff: FloatArray) -> FloatArray:
    """The share of the planned who are there, shift by shift: one in twenty is away, half of them replaced."""
    parts = []
    for begin in range(0, len(staff), _SHIFT):
        team = staff[begin : begin + _SHIFT].max(0).astype(int)
        parts.append(np.tile(rng.binomial(team, 0.975) / (0.975 * team), (_SHIFT, 1)))
    return np.concatenate(parts)


def _waiting(
    n: NDArray[np.int64], here: FloatArray, plan: Plan, luck: FloatArray, before: FloatArray | float = 0.0
) -> FloatArray:
    """Contacts that stand in the queue as each five minutes begin. What is served scatters like Poisson's, by ``luck``."""
    able = here * 5 / plan.handling
    able = np.maximum(able + np.sqrt(able) * luck, 0.0)
    stays = np.exp(-5 / plan.patience)
    found, waiting = np.zeros(n.shape), np.zeros(n.shape[1]) + before
    for at in range(len(n)):
        found[at] = waiting
        waiting = np.maximum(waiting * stays + n[at] - able[at], 0.0)
    return found


def _late(waiting: FloatArray, here: FloatArray, plan: Plan, odd: FloatArray) -> FloatArray:
    """The probability of waiting too long: that fewer are served in that time than stand before one (Poisson), and that one has
    not given up by then."""
    served = _LIMIT * np.maximum(here, 0.3) / plan.handling
    stuck = np.where(waiting > 0, gammaincc(np.maximum(waiting, 1e-9), served), 0.0) * np.exp(-_LIMIT / plan.patience)
    late: FloatArray = odd + (1 - odd) * stuck
    return late


def _usually(rng: np.random.Generator, plan: Plan) -> FloatArray:
    """The same were forecasts right, everybody there and no day busier than planned; the mean of some runs."""
    total = np.zeros(plan.usual.shape)
    for _ in range(_RUNS):
        n, luck = rng.poisson(plan.usual), rng.normal(0, 1, total.shape)
        total += _late(_waiting(n, plan.right, plan, luck), plan.right, plan, plan.odd)
    return total / _RUNS


def _slower(n: NDArray[np.int64], more: FloatArray) -> NDArray[np.bool_]:
    """Buckets in any hour to half a day in which half as much as `_FELT` and `_LIFT` ask for came together."""
    slower = np.zeros(n.shape, bool)
    for length in _SPANS:
        extra, whole = (np.lib.stride_tricks.sliding_window_view(one, length, 0).sum(-1) for one in (n * more, n))
        begins = (extra >= _FELT / 2) & (extra >= _LIFT / 2 * whole)
        for back in range(length):
            slower[back : back + len(begins)] |= begins
    return slower


def _slowed(
    rng: np.random.Generator,
    fortnight: int,
    n: NDArray[np.int64],
    here: FloatArray,
    plan: Plan,
    odd: FloatArray,
    luck: FloatArray,
    p: FloatArray,
    before: FloatArray,
) -> tuple[FloatArray, list[Slow]]:
    """A fortnight with a slow-down in each queue in which one was found that is felt."""
    usual, p, queues = p, p.copy(), range(n.shape[1])
    planted: dict[int, Slow] = {}
    for _ in range(_TRIES):
        drawn = [_drawn(rng, queue, len(n)) for queue in queues]
        hands, share, likely = (np.stack([one[part] for one in drawn], 1) for part in (1, 2, 3))  # type: ignore[arg-type]
        slowed = _late(_waiting(n, here * hands, plan, luck, before), here * hands, plan, odd)
        slowed += share * np.maximum(likely - slowed, 0.0)
        for queue in queues:
            slow = drawn[queue][0]
            span = slice(slow.onset, slow.end)
            more = float((n[span, queue] * (slowed - usual)[span, queue]).sum())
            if queue not in planted and more >= max(_FELT, _LIFT * n[span, queue].sum()):
                p[:, queue] = slowed[:, queue]
                first = fortnight * WEEK
                planted[queue] = Slow(queue, slow.kind, first + slow.onset, first + slow.end)
    return p, list(planted.values())


def _drawn(rng: np.random.Generator, queue: int, size: int) -> tuple[Slow, FloatArray, FloatArray, FloatArray]:
    """A slow-down, and what it does to hands, and to which share of contacts that waits how likely."""
    hands, share, waiting = np.ones(size), np.zeros(size), np.zeros(size)
    onset = int(rng.integers(1, 13)) * DAY + int(rng.integers(90, 210))  # 7:30 to 17:30
    kind = KINDS[int(rng.integers(3))]
    end = onset + int({"step": rng.integers(24, 72), "ramp": 144, "part": rng.integers(36, 144)}[kind])
    if kind == "step":
        hands[onset:end] = rng.uniform(0.5, 0.75)
    elif kind == "ramp":
        hands[onset:end] = np.linspace(1.0, rng.uniform(0.45, 0.7), end - onset)
    else:
        share[onset:end], waiting[onset:end] = rng.uniform(0.15, 0.35), rng.uniform(0.5, 0.8)
    return Slow(queue, kind, onset, end), hands, share, waiting


def _wander(rng: np.random.Generator, size: tuple[int, int], sd: float, keep: float) -> FloatArray:
    """Good hours and bad hours: an autoregression along the first axis."""
    return np.asarray(lfilter([1.0], [1.0, -keep], rng.normal(0, sd * np.sqrt(1 - keep**2), size), axis=0))
