"""Who writes a synthesised message: customer, language, channel, region, and which product, batch and order."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.catalogue import Product, load_catalogue
from training.corpus import Language
from training.plan import Plan
from training.planted import MARKED_SHARE, Planted

REPEAT_SHARE = 0.1
"""Part of the messages by a customer who wrote on the same issue within `REPEAT_WITHIN`."""
REPEAT_WITHIN = timedelta(hours=48)
REMEMBERED = 12
"""How many recent writers of an issue may write again."""
NAMELESS_SHARE = 0.03
"""Part of the customers who write without an account."""
PRODUCTLESS_SHARE = 0.1
"""Part of the product complaints that name no product."""
ORDERLESS_SHARE = 0.3
"""Part of the messages that name no order."""
CUSTOMERS_PER_MESSAGE = 0.7
"""Customers of the shop per message of the stream."""
LOYALTY = 1.5
"""Customers are drawn by a power of a uniform number: those low in number write oftener."""
CHANNELS = {"app": 0.4, "web": 0.22, "wechat": 0.18, "phone": 0.1, "email": 0.1}
REGIONS: Mapping[Language, Mapping[str, float]] = {
    "zh": {"CN-GD": 0.22, "CN-ZJ": 0.18, "CN-SH": 0.15, "CN-BJ": 0.13, "CN-SC": 0.12, "CN-HB": 0.11, "CN-LN": 0.09},
    "en": {"SG": 0.28, "GB": 0.24, "US": 0.2, "MY": 0.16, "AU": 0.12},
}

_CUSTOMER_IDS = 100_000_007  # a prime: multiplying modulo it shuffles the numbers without a collision
_CUSTOMER_STEP = 61_803_399

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of one message; an empty customer or order where it is not told."""

    at: datetime
    customer: str
    language: Language
    channel: str
    region: str
    product: Product
    """What the message is about; of a complaint about the shop, what the customer last bought."""
    told: bool
    """Whether the product and its batch are named beside the text."""
    batch: str
    order: str


class Senders:
    """The customers of one stream. Remembers who wrote lately on an issue, so that some write again."""

    def __init__(self, planned: Plan, rng: np.random.Generator) -> None:
        self._plan = planned
        self._rng = rng
        self._products = {product.sku: product for product in load_catalogue()}
        self._affected = [self._choice_of_products(source) for source in range(len(planned.counts))]
        self._channels = _Choice.of(CHANNELS)
        self._regions = {language: _Choice.of(shares) for language, shares in REGIONS.items()}
        self._known = max(int(planned.total * CUSTOMERS_PER_MESSAGE), 1)
        self._strangers = 0
        self._recent: defaultdict[int, deque[Sender]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._authors: dict[tuple[str, int], Sender] = {}

    def usual(self, source: int, at: datetime) -> Sender:
        """A sender of an ordinary message, of the issue or noise that ``source`` counts."""
        sender = self._again(source, at) or self._new(self._draw_known(), source, at)
        self._recent[source].append(sender)
        return sender

    def planted(self, event: Planted, author: int, source: int, at: datetime) -> Sender:
        """The ``author``-th customer of ``event``, who has never written before, at least not on this."""
        sender = self._authors.get((event.id, author)) or self._stranger(event, source, at)
        self._authors[event.id, author] = sender
        return replace(sender, at=at)

    def _again(self, source: int, at: datetime) -> Sender | None:
        recent = [sender for sender in self._recent[source] if at - sender.at < REPEAT_WITHIN]
        if not recent or self._rng.random() >= REPEAT_SHARE:
            return None
        return replace(recent[int(self._rng.integers(len(recent)))], at=at)

    def _draw_known(self) -> int:
        return int(self._known * self._rng.random() ** LOYALTY)

    def _stranger(self, event: Planted, source: int, at: datetime) -> Sender:
        self._strangers += 1
        sender = self._new(self._known + self._strangers, source, at, named=True)
        if event.batch is None or event.sku is None or self._rng.random() >= MARKED_SHARE:
            return sender
        return replace(sender, product=self._products[event.sku], told=True, batch=event.batch)

    def _new(self, number: int, source: int, at: datetime, *, named: bool = False) -> Sender:
        language = self._language(number)
        product = self._products[self._affected[source].draw(self._rng)]
        unnamed = not named and number % 100 < NAMELESS_SHARE * 100
        return Sender(
            at=at,
            customer="" if unnamed else f"u{number * _CUSTOMER_STEP % _CUSTOMER_IDS:09d}",
            language=language,
            channel=self._channels.draw(self._rng),
            region=self._regions[language].draw(self._rng),
            product=product,
            told=self._about_product(source) and self._rng.random() >= PRODUCTLESS_SHARE,
            batch=self._plan.batches[product.sku].complained_of(at, self._rng),
            order="" if self._rng.random() < ORDERLESS_SHARE else f"DD26{self._rng.integers(10**10):010d}",
        )

    def _language(self, number: int) -> Language:
        """A customer's own, the same in every message."""
        return "zh" if number * 7919 % 1000 < self._plan.settings.chinese_share * 1000 else "en"

    def _about_product(self, source: int) -> bool:
        return source >= len(self._plan.issues) or self._plan.issues[source].about_product

    def _choice_of_products(self, source: int) -> "_Choice[str]":
        products = self._products.values()
        if source >= len(self._plan.issues):
            return _Choice.of({product.sku: product.share for product in products})
        issue = self._plan.issues[source]
        rates = {product.sku: product.share * issue.rate_for(product.groups) for product in products}
        return _Choice.of({sku: rate for sku, rate in rates.items() if rate})


@dataclass(frozen=True, slots=True)
class _Choice(Generic[T]):
    """A weighted choice, drawn with one number."""

    values: tuple[T, ...]
    bounds: NDArray[np.float64]

    @classmethod
    def of(cls, weights: Mapping[T, float]) -> "_Choice[T]":
        bounds = np.array(list(accumulate(weights.values())), dtype=np.float64)
        return cls(tuple(weights), bounds / bounds[-1])

    def draw(self, rng: np.random.Generator) -> T:
        return self.values[int(np.searchsorted(self.bounds, rng.random(), side="right"))]
