"""What a synthesised stream will hold, decided before a word of it is written: counts, batches, campaigns, events."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from training.catalogue import Batches, Product, draw_batches, load_catalogue
from training.corpus import Issue, load_issues
from training.planted import BATCH_FACTOR, KINDS, SHAPES, Kind, Planted, batch_excess
from training.season import Promotion, promotions, volume

CHINA = timezone(timedelta(hours=8), "UTC+8")

NOISE_SHARE = 0.12
"""Part of the messages that complain of nothing."""
NOISE_KINDS = {"chatter": 0.4, "question": 0.3, "praise": 0.2, "off_topic": 0.1}
DAY_SPREAD, HOUR_SPREAD, GAMMA_SHAPE = 0.15, 0.08, 5.0
"""Overdispersion: log-normal factors per issue and day and per common hour, and a gamma factor per issue and hour.
With these the daily count of the median issue varies 1.7 times as much as a Poisson count would."""
POPULARITY_SPREAD = 0.35
BAD_BATCH_HOUR = 9
"""Local hour of the last day at which a bad batch's complaints set in: a shop hears of it as people come to work."""

FORENOON = (8, 11)
"""Local hours between which the other events set in."""
SILENT_CHANNEL = "phone"
BATCH_REACHES = timedelta(days=3)
"""A batch must have been on sale this long before its customers can complain of it: goods take days to arrive."""
LEAST_PLANTED = 8
"""The smallest event planted in a small stream."""


class SettingsError(ValueError):
    """Settings from which no stream can be drawn; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to synthesise. ``start`` is aware and a local midnight; days and weekdays are of its zone."""

    seed: int = 7
    days: int = 9
    per_day: float = 1500
    start: datetime = datetime(2026, 3, 2, tzinfo=CHINA)
    chinese_share: float = 0.6
    events: tuple[Kind, ...] = ("bad-batch",)
    topic: str = "battery_no_charge"
    sku: str = "PB20"
    factor: float = BATCH_FACTOR
    """What the bad batch lifts its topic to, as a multiple of the same hours before."""

    def __post_init__(self) -> None:
        if not 3 <= self.days <= 400:
            raise SettingsError(f"days must be 3 to 400, not {self.days}: a surge needs a past to stand out from")
        if not 50 <= self.per_day <= 500_000:
            raise SettingsError(f"per day must be 50 to 500000 messages, not {self.per_day:g}")
        if self.start.tzinfo is None:
            raise SettingsError("start has no zone: give an aware datetime")
        if (self.start.hour, self.start.minute, self.start.second, self.start.microsecond) != (0, 0, 0, 0):
            raise SettingsError(f"start must be a midnight, not {self.start:%H:%M:%S}")
        if not 0 <= self.chinese_share <= 1:
            raise SettingsError(f"the Chinese share must be 0 to 1, not {self.chinese_share:g}")
        if not 1 < self.factor <= 100:
            raise SettingsError(f"the factor of the bad batch must be above 1 and at most 100, not {self.factor:g}")
        if unknown := [kind for kind in self.events if kind not in KINDS]:
            raise SettingsError(f"no event is called {unknown[0]}: choose among {', '.join(KINDS)}")

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything but the words."""

    settings: Settings
    issues: tuple[Issue, ...]
    batches: Mapping[str, Batches]
    campaigns: tuple[Promotion, ...]
    counts: NDArray[np.int64]
    """Usual messages, shape ``(issues + noise kinds, hours)``."""
    planted: tuple[Planted, ...]

    @property
    def total(self) -> int:
        """Messages in the stream; a silent channel takes some away."""
        return int(self.counts.sum()) + sum(event.excess for event in self.planted)


def plan(settings: Settings) -> Plan:
    """Draw the counts, batches and events. Raises `SettingsError` where topic or product are unknown or do not fit."""
    issues, products = load_issues(), load_catalogue()
    _check_culprit(settings, issues, products)
    rng = np.random.default_rng([settings.seed, 0])
    batches = {product.sku: draw_batches(product, settings.start, settings.end, rng) for product in products}
    topics = _topics(settings, issues, rng)
    campaigns = promotions(settings.start, settings.days)
    means = _daily_means(settings, issues, products, rng)
    if "new-issue" in topics:
        means[_index(issues, topics["new-issue"])] = 0.0
    counts = _counts(means, volume(settings.start, settings.days, campaigns), rng)
    usual = Plan(settings, issues, batches, campaigns, counts, planted=())
    kinds = enumerate(dict.fromkeys(settings.events), start=1)
    return replace(usual, planted=tuple(_planted(f"e{n}", kind, usual, topics[kind], rng) for n, kind in kinds))


def _index(issues: tuple[Issue, ...], key: str) -> int:
    return next(number for number, issue in enumerate(issues) if issue.key == key)


def _check_culprit(settings: Settings, issues: tuple[Issue, ...], products: tuple[Product, ...]) -> None:
    issue = next((issue for issue in issues if issue.key == settings.topic), None)
    product = next((product for product in products if product.sku == settings.sku), None)
    if issue is None:
        raise SettingsError(f"no issue is called {settings.topic}")
    if product is None:
        raise SettingsError(f"no product is called {settings.sku}: {', '.join(p.sku for p in products)}")
    if not (issue.about_product and issue.rate_for(product.groups)):
        raise SettingsError(f"{settings.topic} does not befall {settings.sku}")


def _topics(settings: Settings, issues: tuple[Issue, ...], rng: np.random.Generator) -> dict[Kind, str]:
    """One issue for each event, all different."""
    others = [issue.key for issue in issues if issue.key != settings.topic]
    drawn = dict(zip(KINDS, rng.permutation(others).tolist(), strict=False))
    return {kind: settings.topic if kind == "bad-batch" else drawn[kind] for kind in settings.events}


def _daily_means(
    settings: Settings, issues: tuple[Issue, ...], products: tuple[Product, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Messages a day of each issue and then of each kind of noise."""
    weights = np.array([sum(_product_rates(issue, products)) for issue in issues])
    weights *= np.exp(rng.normal(0, POPULARITY_SPREAD, len(issues)))
    complaints = weights / weights.sum() * settings.per_day * (1 - NOISE_SHARE)
    noise = np.array(list(NOISE_KINDS.values())) * settings.per_day * NOISE_SHARE
    return np.concatenate([complaints, noise])


def _product_rates(issue: Issue, products: tuple[Product, ...]) -> list[float]:
    return [product.share * issue.rate_for(product.groups) for product in products]


def _counts(means: NDArray[np.float64], season: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    topics, hours = len(means), len(season)
    common = np.exp(rng.normal(0, HOUR_SPREAD, hours))
    own_day = np.exp(np.repeat(rng.normal(0, DAY_SPREAD, (topics, hours // 24)), 24, axis=1))
    own_hour = rng.gamma(GAMMA_SHAPE, 1 / GAMMA_SHAPE, (topics, hours))
    return rng.poisson(means[:, None] / 24 * season * common * own_day * own_hour).astype(np.int64)


def _planted(name: str, kind: Kind, usual: Plan, topic: str, rng: np.random.Generator) -> Planted:
    if kind == "bad-batch":
        return _bad_batch(name, usual, topic)
    shape = SHAPES[kind]
    onset = _onset(kind, usual, rng)
    end = onset + timedelta(hours=shape.hours)
    if kind == "silent-channel":
        return Planted(name, kind, onset, end, excess=0, channel=SILENT_CHANNEL)
    excess = max(round(shape.messages * usual.settings.per_day / 1500), LEAST_PLANTED)
    return Planted(name, kind, onset, end, excess, topic, customers=shape.customers)


def _bad_batch(name: str, usual: Plan, topic: str) -> Planted:
    hours = SHAPES["bad-batch"].hours
    first = 24 * (usual.settings.days - 1) + BAD_BATCH_HOUR
    onset = usual.settings.start + timedelta(hours=first)
    return Planted(
        id=name,
        kind="bad-batch",
        onset=onset,
        end=onset + timedelta(hours=hours),
        excess=batch_excess(
            usual.counts[_index(usual.issues, topic)], range(first, first + hours), usual.settings.factor
        ),
        topic=topic,
        sku=usual.settings.sku,
        batch=usual.batches[usual.settings.sku].on_sale(onset - BATCH_REACHES),
    )


def _onset(kind: Kind, usual: Plan, rng: np.random.Generator) -> datetime:
    """In the forenoon of an ordinary day, after the first third of the stream, so that it ends before the last day."""
    start, days = usual.settings.start, usual.settings.days
    latest = days - 1 - (SHAPES[kind].hours + FORENOON[1]) / 24
    mornings = [start + timedelta(days=day) for day in range(-(-days // 3), int(np.floor(latest)) + 1)]
    ordinary = [at for at in mornings if not any(campaign.start <= at < campaign.end for campaign in usual.campaigns)]
    if not ordinary:
        raise SettingsError(f"{kind} does not fit into {days} days: give more days or leave it out")
    return ordinary[int(rng.integers(len(ordinary)))] + timedelta(hours=float(rng.uniform(*FORENOON)))
