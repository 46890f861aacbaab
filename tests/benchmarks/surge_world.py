"""Worlds of counts with planted surges, from the descriptions of the two designs that the detector is measured on.

*Complaints*: 300 topics in 5-minute buckets, 21 days of history and 14 scored ones; means of .02 to 60 an hour, the
hours of three kinds of day, weekdays, slow noise, bunched counts; four promotion days that treble everything and
more; level shifts; topics that begin late; 150 defects (step, ramp, spike, slow burn) of at least 5 to 20 customers.
*Weekly*: 42 scenarios of Noufaily et al. (2013), 624 weeks each, an outbreak in half of the last 49.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

DAY, DAYS, TEST = 288, 35, 21
KINDS = ("step", "ramp", "spike", "slow")
WEEKS, FIRST_WEEK = 624, 575
# Table 1 of Noufaily et al. (2013), as taken up in the R package surveillance: theta, beta, gamma1, gamma2, phi.
SCENARIOS = (
    (0.1, 0.0025, 0.6, 0.6, 1.5),
    (-2.0, 0.005, 0.1, 0.3, 2.0),
    (1.5, 0.003, 0.2, -0.4, 1.0),
    (0.5, 0.002, 0.5, 0.5, 5.0),
    (2.5, 0.001, 1.0, 0.1, 3.0),
    (3.75, 0.001, 0.1, -0.1, 1.1),
    (5.0, 0.0001, 0.05, 0.01, 1.2),
)


@dataclass(frozen=True, slots=True)
class Planted:
    kind: str
    topic: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class World:
    """Counts (T, J) of which those from ``score_from`` on are scored.

    ``ignored`` (T, J): neither surge nor null, such as the first days of a level shift.
    """

    counts: NDArray[np.int64]
    born: NDArray[np.int64]
    planted: tuple[Planted, ...]
    ignored: NDArray[np.bool_]
    score_from: int


def read_complaints(folder: Path) -> World:
    """The world of a folder with complaints_5min, complaints_topics and complaints_events as Parquet."""
    table = pq.read_table(folder / "complaints_5min.parquet").to_pydict()
    topics = pq.read_table(folder / "complaints_topics.parquet").to_pydict()
    events = pq.read_table(folder / "complaints_events.parquet").to_pylist()
    counts = np.zeros((DAYS * DAY, len(topics["topic"])), np.int64)
    counts[table["bucket"], table["topic"]] = table["customers"]
    born = np.array(topics["first_seen_bucket"])
    ignored = np.zeros(counts.shape, bool)
    for event in events:
        if event["type"] == "level_shift":
            ignored[event["start"] : event["start"] + 2 * DAY, event["topic"]] = True
    planted = [Planted(e["type"], e["topic"], e["start"], e["end"]) for e in events if e["type"] in KINDS]
    return World(counts, born, tuple(planted), ignored, TEST * DAY)


def complaints(seed: int, topics: int = 300) -> World:
    """A world of our own after the description above."""
    rng, buckets = np.random.default_rng(seed), DAYS * DAY
    hour, weekday = np.arange(buckets) % DAY / 12, np.arange(buckets) // DAY % 7
    per_hour = np.exp(rng.uniform(np.log(0.02), np.log(60), topics))
    volume = np.exp(0.1 * _slow_noise(rng, buckets, 1, 12)[:, 0] + _promotions(rng, buckets))
    mean = np.empty((buckets, topics))
    noise = _slow_noise(rng, buckets, topics, 6) * rng.uniform(0.05, 0.25, topics)
    for topic in range(topics):
        peaks = rng.normal([10.5, 20.0], 1.0)
        day = 0.1 + sum(np.exp(-0.5 * ((hour - peak) / 2.6) ** 2) for peak in peaks)
        profile = day / day.mean() * np.exp(rng.normal(0, 0.12, 7))[weekday]
        mean[:, topic] = per_hour[topic] / 12 * profile * volume ** np.clip(rng.normal(1, 0.1), 0.7, 1.3)
    mean *= np.exp(noise)
    order, born = rng.permutation(topics), np.zeros(topics, np.int64)
    ignored = np.zeros((buckets, topics), bool)
    for n, topic in enumerate(order[: topics // 12]):
        start = int(rng.integers(10 * DAY, 19 * DAY) if n % 2 else rng.integers(22 * DAY, 30 * DAY))
        mean[start:, topic] *= rng.choice([0.4, 1.8, 2.5, 3.0])
        ignored[start : start + 2 * DAY, topic] = True
    for topic in order[topics // 12 : topics // 6]:
        born[topic] = int(rng.integers(TEST * DAY, 31 * DAY))
        mean[: born[topic], topic] = 0.0
    planted = [
        _plant(rng, mean, per_hour, int(topic), n) for n, topic in enumerate(order[topics // 6 :][: topics // 2])
    ]
    bunching = rng.gamma(1.2, 0.25, topics) + 1e-3
    counts = rng.poisson(rng.gamma(np.maximum(mean / bunching, 1e-12), bunching))
    return World(counts, born, tuple(planted), ignored, TEST * DAY)


def _slow_noise(rng: np.random.Generator, length: int, series: int, hours: float) -> NDArray[np.float64]:
    """Noise of unit variance that forgets itself in so many hours."""
    kept = np.exp(-1 / (12 * hours))
    noise = rng.normal(0, np.sqrt(1 - kept**2), (length, series))
    for n in range(1, length):
        noise[n] += kept * noise[n - 1]
    return noise


def _promotions(rng: np.random.Generator, length: int) -> NDArray[np.float64]:
    lift = np.zeros(length)
    for day in (9, 17, 24, 31):
        start, end = day * DAY + 120, (day + 1) * DAY + 24
        ramp = np.minimum(1.0, np.minimum(np.arange(end - start) / 12, (end - start - np.arange(end - start)) / 24))
        lift[start:end] += np.log(rng.uniform(3, 5)) * ramp
    return lift


def _plant(
    rng: np.random.Generator, mean: NDArray[np.float64], per_hour: NDArray[np.float64], topic: int, n: int
) -> Planted:
    kind = KINDS[n % 4]
    shortest, longest = {"step": (48, 288), "ramp": (72, 145), "spike": (6, 13), "slow": (576, 865)}[kind]
    span = int(rng.integers(shortest, longest))
    start = int(rng.integers(TEST * DAY + 12, DAYS * DAY - span - 24))
    times = rng.choice(
        [1.3, 1.6, 2.0, 2.5] if kind == "slow" else [1.5, 2, 3, 5, 8] if per_hour[topic] > 5 else [2, 3, 5, 8, 12]
    )
    shape = np.linspace(0, 2, span) if kind == "ramp" else np.ones(span)
    excess = mean[start : start + span, topic] * shape * (times - 1)
    excess *= max(1.0, rng.choice([5, 8, 12, 20]) / max(excess.sum(), 1e-9))
    mean[start : start + span, topic] += excess
    return Planted(kind, topic, start, start + span)


def weekly(seed: int, repeats: int = 2) -> World:
    """A world of weekly series."""
    rng, t = np.random.default_rng(seed), np.arange(1, WEEKS + 1)
    columns, planted = [], []
    ignored = np.zeros((WEEKS, repeats * 42), bool)
    for theta, beta, one, two, phi in SCENARIOS * repeats:
        for trend in (0, 1):
            for waves in (0, 1, 2):
                log = theta + beta * trend * t
                for k in range(1, waves + 1):
                    log = log + one * np.cos(2 * np.pi * k * t / 52) + two * np.sin(2 * np.pi * k * t / 52)
                mean, topic = np.exp(log), len(columns)
                y = rng.poisson(mean) if phi <= 1 else rng.negative_binomial(mean / (phi - 1), 1 / phi)
                starts = [int(s) for s in rng.choice(np.arange(312, 567), 4, replace=False)]
                current = int(rng.integers(FIRST_WEEK, WEEKS - 4)) if rng.random() < 0.75 else None
                for start in [*starts, *([current] if current is not None else [])]:
                    size = rng.poisson(int(rng.integers(2, 11)) * np.sqrt(phi * mean[start]))
                    weeks = start + np.floor(rng.lognormal(0, 0.5, size)).astype(int)
                    weeks = weeks[weeks < WEEKS]
                    np.add.at(y, weeks, 1)
                    if start == current and len(weeks):
                        planted.append(Planted("outbreak", topic, int(weeks.min()), int(weeks.max()) + 1))
                        ignored[weeks.max() + 1 : weeks.max() + 7, topic] = True
                columns.append(y)
    return World(np.stack(columns, 1), np.zeros(len(columns), np.int64), tuple(planted), ignored, FIRST_WEEK)
