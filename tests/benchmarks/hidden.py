"""Hidden cells: a generator of busy topics in which single batches go bad, and how many of them are found.

The world: 24 products, each with a batch on sale that is replaced every 6 to 12 days and sells off over two more;
40 topics of 5 to 60 customers an hour with the hours of the day, weekends and slow noise, half of them tied to a few
products (up to twenty times as likely there). One message in six is of no topic. Nine in ten name product and batch.
Regions are eight, with shares that wander. History is 21 days, the scored test 14.

A defect: a topic and a batch on sale, for 6 to 48 hours, with 8 to 40 customers more than usual, so few that the
topic's own total grows by less than a quarter, and so many that the cell grows at least threefold.

POD is the share of defects alerted on any cell of the topic between onset and end + 2 h, FAR false episodes a
topic and week (merged over 6 h), the threshold set so that FAR is .05; a culprit is right where the cell that
scores most at the alert is the defect's. Run: ``python tests/benchmarks/hidden.py``.
"""

import json
import sys
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.cellwatch import CellWatch
from models.counted import Counted
from models.detector import Detector, DetectorSettings

DAYS, TEST, HOURS, TOPICS, PRODUCTS, REGIONS, DEFECTS = 35, 21, 840, 40, 24, 8, 60
NAMED, NOISE = 0.9, 0.2
WARM = 7 * 24  # hours before cells are judged
FAR, MERGE, SHADOW = 0.05, 6, 24  # false episodes a topic-week; hours


@dataclass(frozen=True, slots=True)
class Defect:
    topic: int
    batch: int
    start: int
    end: int
    customers: int


@dataclass(frozen=True, slots=True)
class World:
    """``batch`` and ``region``: counts (hours, topics + 1, values); the last topic is none at all."""

    total: NDArray[np.int64]
    batch: NDArray[np.int64]
    region: NDArray[np.int64]
    product: NDArray[np.int64]
    """Of each batch."""
    defects: tuple[Defect, ...]


def world(seed: int) -> World:
    rng = np.random.default_rng(seed)
    product, selling = _batches(rng)
    sold = selling * rng.dirichlet(np.full(PRODUCTS, 2.0))[product]
    tie = np.exp(rng.normal(0, 0.3, (TOPICS, PRODUCTS)))
    for topic in range(0, TOPICS, 2):
        tie[topic, rng.choice(PRODUCTS, 3, replace=False)] *= rng.uniform(5, 20)
    rate = _rates(rng)
    wander = np.cumsum(rng.normal(0, 0.01, (HOURS, REGIONS)), 0) + rng.normal(0, 0.5, REGIONS)
    regions = np.exp(wander) / np.exp(wander).sum(1, keepdims=True)
    total = np.zeros((HOURS, TOPICS + 1), np.int64)
    batch = np.zeros((HOURS, TOPICS + 1, len(product)), np.int64)
    region = np.zeros((HOURS, TOPICS + 1, REGIONS), np.int64)
    for topic in range(TOPICS + 1):
        weight = sold * (tie[topic][product] if topic < TOPICS else 1.0)
        part = weight / weight.sum(1, keepdims=True)
        mean = rate[:, topic] if topic < TOPICS else rate.sum(1) * NOISE
        total[:, topic] = rng.poisson(mean * rng.gamma(25.0, 0.04, HOURS))
        batch[:, topic] = rng.multinomial(rng.binomial(total[:, topic], NAMED), part)
        region[:, topic] = rng.multinomial(total[:, topic], regions)
    defects = _plant(rng, total, batch, region, selling)
    return World(total, batch, region, product, defects)


def _batches(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The product of each batch and how well each sells, by the hour."""
    product, curves, hours = [], [], np.arange(HOURS)
    for each in range(PRODUCTS):
        begin = -float(rng.uniform(0, 240))
        while begin < HOURS:
            end = begin + float(rng.uniform(144, 288))
            rise, fall = np.clip((hours - begin) / 24, 0, 1), np.clip(1 - (hours - end) / 48, 0, 1)
            product.append(each)
            curves.append(rise * fall)
            begin = end
    return np.array(product), np.stack(curves, 1) + 1e-9


def _rates(rng: np.random.Generator) -> NDArray[np.float64]:
    hours = np.arange(HOURS)
    day = 0.3 + np.exp(-0.5 * ((hours % 24 - 14) / 5.0) ** 2)
    weekend = np.where(hours // 24 % 7 >= 5, 0.8, 1.0)
    noise = np.zeros((HOURS, TOPICS))
    for hour in range(1, HOURS):
        noise[hour] = 0.85 * noise[hour - 1] + rng.normal(0, 0.08, TOPICS)
    base = np.exp(rng.uniform(np.log(5), np.log(60), TOPICS))
    rates: NDArray[np.float64] = base * (day * weekend / day.mean())[:, None] * np.exp(noise)
    return rates


def _plant(
    rng: np.random.Generator,
    total: NDArray[np.int64],
    batch: NDArray[np.int64],
    region: NDArray[np.int64],
    selling: NDArray[np.float64],
) -> tuple[Defect, ...]:
    found: list[Defect] = []
    while len(found) < DEFECTS:
        topic, start = int(rng.integers(TOPICS)), int(rng.integers(TEST * 24 + 2, HOURS - 50))
        span, customers = int(rng.integers(6, 49)), int(rng.integers(8, 41))
        which = int(rng.choice(np.nonzero(selling[start] > 0.3)[0]))
        usual = total[start : start + span, topic].sum()
        own = batch[start - 48 : start, topic, which].sum() * span / 48
        near = any(d.topic == topic and abs(d.start - start) < 120 for d in found)
        if near or customers > 0.25 * usual or customers < 2 * own:
            continue
        hours = start + rng.integers(0, span, customers)
        np.add.at(total, (hours, topic), 1)
        np.add.at(batch, (hours, topic, which), 1)
        np.add.at(region, (hours, topic, rng.integers(0, REGIONS, customers)), 1)
        found.append(Defect(topic, which, start, start + span, customers))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Seen:
    """By hour of the test and topic: the best cell's score and its batch (or -1), whether it was over the bar that
    the product sets itself on the history, and the topic's own score."""

    best: NDArray[np.float64]
    which: NDArray[np.int64]
    rang: NDArray[np.bool_]
    own: NDArray[np.float64]


def scores(made: World) -> Seen:
    """The product on a world: its detector, and its watch over cells, which sets its own bar."""
    detector = Detector(DetectorSettings(bucket=timedelta(hours=1)), 96)
    watch, bar = CellWatch(FAR * TOPICS), np.inf
    for topic in range(TOPICS):
        detector.add(str(topic))
    products = [f"P{p:02}" for p in range(PRODUCTS)]
    batches = [f"P{p:02}-B{b}" for b, p in enumerate(made.product)]
    regions = [f"north {r}" for r in range(REGIONS)]
    number = {name: n for n, name in enumerate(batches)}
    best, which = np.full((HOURS, TOPICS), -np.inf), np.full((HOURS, TOPICS), -1)
    own, rang = np.full((HOURS, TOPICS), -np.inf), np.zeros((HOURS, TOPICS), bool)
    for hour in range(HOURS):
        own[hour] = detector.take(96 + hour, made.total[hour, :TOPICS]).score
        counted = [(str(t) if t < TOPICS else "", "", "", int(n)) for t, n in enumerate(made.total[hour])]
        sold = np.stack([made.batch[hour][:, made.product == p].sum(1) for p in range(PRODUCTS)], 1)
        tables = (("batch", batches, made.batch[hour]), ("region", regions, made.region[hour]))
        for name, values, table in (*tables, ("product", products, sold)):
            for topic, value in np.argwhere(table).tolist():
                of = str(topic) if topic < TOPICS else ""
                counted.append((of, name, values[value], int(table[topic, value])))
        watch.take(96 + hour, Counted.of(counted))
        if hour < WARM:
            continue
        bar = watch.bar if hour < TEST * 24 else bar
        for verdict in watch.judge(detector.outlook()):
            topic = int(verdict.cell.topic)
            rang[hour, topic] |= verdict.score >= bar
            if verdict.score > best[hour, topic]:
                best[hour, topic] = verdict.score
                which[hour, topic] = number.get(verdict.cell.value, -1)
    test = slice(TEST * 24, None)
    return Seen(best[test], which[test], rang[test], own[test])


def judged(
    made: World, score: NDArray[np.float64], which: NDArray[np.int64], threshold: float | None = None
) -> dict[str, float]:
    """POD at a threshold, else at that of `FAR`, and how often the culprit is right."""
    zero = TEST * 24
    null = np.ones(score.shape, bool)
    for d in made.defects:
        null[d.start - zero : d.end + SHADOW - zero, d.topic] = False
    weeks = null.sum() / 168
    if threshold is None:
        levels = np.unique(score[null & np.isfinite(score)])[::-1]
        threshold = float(levels[0])
        for level in levels[:4_000]:
            if _episodes(score >= level, null) > FAR * weeks:
                break
            threshold = float(level)
    found = right = 0
    for d in made.defects:
        window = slice(d.start - zero, d.end + 2 - zero)
        over = np.nonzero(score[window, d.topic] >= threshold)[0]
        found += bool(len(over))
        right += bool(len(over)) and int(which[window, d.topic][over[0]]) == d.batch
    return {
        "pod": found / len(made.defects),
        "culprit": right / max(found, 1),
        "threshold": float(threshold),
        "far": _episodes(score >= threshold, null) / weeks,
        "defects": len(made.defects),
    }


def _episodes(over: NDArray[np.bool_], null: NDArray[np.bool_]) -> int:
    count = 0
    for topic in range(over.shape[1]):
        at = np.nonzero(over[:, topic] & null[:, topic])[0]
        count += int((np.diff(at, prepend=-(10**6)) > MERGE).sum())
    return count


def main(seeds: list[int]) -> None:
    rows = []
    for seed in seeds:
        made = world(seed)
        seen = scores(made)
        alone = judged(made, seen.own, np.full(seen.own.shape, -1))
        itself = judged(made, seen.rang.astype(float), seen.which, 0.5)
        rows.append(
            {
                "seed": seed,
                **judged(made, seen.best, seen.which),
                "pod_of_the_topic_alone": alone["pod"],
                "by_its_own_bar": {"pod": itself["pod"], "far_had_over_asked": itself["far"] / FAR},
            }
        )
    pod, culprit = (float(np.mean([row[name] for row in rows])) for name in ("pod", "culprit"))
    print(json.dumps({"pod": pod, "culprit": culprit, "seeds": rows}, indent=1))


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [1, 2, 3])
