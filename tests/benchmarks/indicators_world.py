"""Invented queues: how many come, how many of them wait over 15 minutes, and where something was made slow.

A queue has daily and weekly season, staff that come and go by shifts and are planned anew now and then, days of
campaign with half the staff that they would need, good days and bad days. Contacts that are not served wait on into
the next five minutes. Three kinds of slow-down are planted: ``step`` (fewer hands at once), ``ramp`` (slower and slower
over half a day) and ``part`` (one kind of contact waits, the others do not).
"""

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

DAY, WEEK = 288, 7 * 288
SHIFTS = (0, 96, 144, 216, 264)  # 0:00, 8:00, 12:00, 18:00, 22:00 in buckets
KINDS: tuple[Literal["step", "ramp", "part"], ...] = ("step", "ramp", "part")
_LIMIT = 15.0  # minutes
_FELT, _LIFT = 25.0, 0.15
"""A slow-down that nobody feels is none: at least so many more wait too long, and at least so large a share."""
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Slow:
    """One planted slow-down; buckets [onset, end)."""

    queue: int
    kind: Literal["step", "ramp", "part"]
    onset: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What one queue was invented from, by bucket: contacts expected, times more of them by campaigns, contacts that its
    staff can serve. No method is shown it, but the oracle."""

    usual: NDArray[np.float64]
    campaign: NDArray[np.float64]
    staff: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """``n`` contacts and ``over`` of them that waited too long, shape (buckets, queues)."""

    n: NDArray[np.int64]
    over: NDArray[np.int64]
    slow: tuple[Slow, ...]
    plans: tuple[Plan, ...]


def build(seed: int, *, queues: int = 60, weeks: int = 12, quiet_weeks: int = 4) -> World:
    """A world whose slow-downs begin after ``quiet_weeks``, about one in two weeks a queue."""
    rng = np.random.default_rng(seed)
    columns = [_queue(rng, queue, weeks, quiet_weeks) for queue in range(queues)]
    slow = tuple(one for _, _, planted, _ in columns for one in planted)
    plans = tuple(plan for *_, plan in columns)
    return World(np.stack([one[0] for one in columns], 1), np.stack([one[1] for one in columns], 1), slow, plans)


def _queue(
    rng: np.random.Generator, queue: int, weeks: int, quiet_weeks: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Slow], Plan]:
    size = weeks * WEEK
    usual = _coming(rng, size)
    campaign = _campaigns(rng, weeks)
    n = rng.poisson(usual * campaign * np.exp(wander(rng, size, 0.05, 0.97)))
    staff = _staffed(rng, usual, weeks)
    served = staff * (1 + 0.5 * (campaign - 1)) * np.exp(wander(rng, size, 0.02, 0.99))
    mood = wander(rng, size, 0.15, 0.98)
    p = late(_waits(n, served), mood)
    planted: list[Slow] = []
    for fortnight in range(quiet_weeks, weeks, 2):
        for _ in range(_TRIES):
            slow, hands, (share, waiting) = _drawn(rng, queue, fortnight, size)
            span = slice(max(0, slow.onset - DAY), min(size, slow.end + DAY))
            slowed = late(_waits(n[span], served[span] * hands[span]), mood[span])
            slowed += share[span] * np.maximum(waiting[span] - slowed, 0.0)
            felt = slice(slow.onset - span.start, slow.end - span.start)
            more = float((n[span] * (slowed - p[span]))[felt].sum())
            if more >= _FELT and more >= _LIFT * n[slow.onset : slow.end].sum():
                p[slow.onset : span.stop] = slowed[felt.start :]
                planted.append(slow)
                break
    return n, rng.binomial(n, np.clip(p, 0.0, 1.0)), planted, Plan(usual, campaign, staff)


def late(waits: NDArray[np.float64], mood: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of waiting too long."""
    late: NDArray[np.float64] = 1 / (1 + np.exp(-(np.log(waits / _LIMIT) / 0.5 + mood)))
    return late


def _coming(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Contacts expected in each five minutes: 12 to 250 an hour over the day, a hump at noon and one in the evening."""
    hour = (np.arange(size) % DAY) / 12
    peak, late = rng.uniform(9.5, 12.0), rng.uniform(18.5, 21.0)
    shape = 0.08 + np.exp(-((hour - peak) ** 2) / 8) + rng.uniform(0.5, 1.0) * np.exp(-((hour - late) ** 2) / 5)
    weekday = np.repeat(np.r_[rng.uniform(0.9, 1.1, 5), rng.uniform(0.6, 1.3, 2)], DAY)
    trend = np.exp(rng.normal(0, 0.15) * np.arange(size) / size)
    whole = np.exp(rng.uniform(np.log(12), np.log(250))) / 12 * shape / shape[:DAY].mean()
    return whole * weekday[np.arange(size) % WEEK] * trend


def _campaigns(rng: np.random.Generator, weeks: int) -> NDArray[np.float64]:
    """Days on which twice as many come, one in three weeks."""
    more = np.ones(weeks * 7)
    for day in rng.choice(weeks * 7, weeks // 3, replace=False):
        more[day] = rng.uniform(1.5, 2.5)
    return np.repeat(more, DAY)


def _staffed(rng: np.random.Generator, usual: NDArray[np.float64], weeks: int) -> NDArray[np.float64]:
    """Contacts that the shift on duty can serve in five minutes: planned by the usual load, anew every few weeks."""
    served = np.zeros(len(usual))
    spare = rng.uniform(1.2, 1.4)
    edges = [*SHIFTS, DAY]
    for day in range(weeks * 7):
        if rng.random() < 1 / 28:
            spare = rng.uniform(1.2, 1.4)
        for begin, end in itertools.pairwise(edges):
            span = slice(day * DAY + begin, day * DAY + end)
            served[span] = spare * (usual[span].mean() + usual[span].max()) / 2
    return served


def _waits(n: NDArray[np.int64], served: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minutes that a contact waits: those before it, and what a queue costs that is nearly full (M/M/1)."""
    waits, behind, load = np.zeros(len(n)), 0.0, 0.5
    for at in range(len(n)):
        behind = max(0.0, behind * 0.9 + n[at] - served[at])  # one in ten hangs up
        load += 0.2 * (min(n[at] / max(served[at], 1e-9), 2.0) - load)
        waits[at] = 5 * behind / max(served[at], 0.2) + 2.5 * min(load, 0.95) / (1 - min(load, 0.95)) ** 0.5
    return waits + 0.5


def wander(rng: np.random.Generator, size: int | tuple[int, int], sd: float, keep: float) -> NDArray[np.float64]:
    """Good hours and bad hours: an autoregression along the first axis."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -keep], rng.normal(0, sd * np.sqrt(1 - keep**2), size), axis=0))


def _drawn(
    rng: np.random.Generator, queue: int, fortnight: int, size: int
) -> tuple[Slow, NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """A slow-down, and what it does to hands, and to which share of contacts that waits how likely."""
    hands, share, waiting = np.ones(size), np.zeros(size), np.zeros(size)
    day = fortnight * 7 + int(rng.integers(1, 13))
    onset = day * DAY + int(rng.integers(90, 210))  # 7:30 to 17:30
    kind = KINDS[int(rng.integers(3))]
    span = {"step": rng.integers(24, 72), "ramp": 144, "part": rng.integers(36, 144)}[kind]
    end = min(onset + int(span), size)
    if kind == "step":
        hands[onset:end] = rng.uniform(0.5, 0.75)
    elif kind == "ramp":
        hands[onset:end] = np.linspace(1.0, rng.uniform(0.45, 0.7), end - onset)
    else:
        share[onset:end], waiting[onset:end] = rng.uniform(0.15, 0.35), rng.uniform(0.5, 0.8)
    return Slow(queue, kind, onset, end), hands, (share, waiting)
