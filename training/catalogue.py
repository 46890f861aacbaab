"""The shop of the synthesised week: products, and the batches of each that replace one another."""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import numpy as np

from training.corpus import Language

FIRST_LAUNCH = timedelta(days=-12)
"""The oldest batch still with customers when the stream begins: twelve days, as goods are complained of within two
weeks of sale."""
BATCH_LIFE_DAYS = (5, 9)
"""A batch is followed by the next after this many days, drawn per product and batch; a chosen figure."""
STALE_SHARE = 0.25
"""Part of the messages that concern the batch before the present one: goods take days to reach a customer."""


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    category: str
    share: float
    """Part in all sales, relative to the other products."""
    traits: tuple[str, ...]
    nouns: Mapping[Language, tuple[str, ...]]

    @property
    def groups(self) -> tuple[str, ...]:
        """All that a wording or a rate may name it by: number, category and traits."""
        return (self.sku, self.category, *self.traits)


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of one product in the order of launch."""

    launches: tuple[datetime, ...]
    names: tuple[str, ...]

    def on_sale(self, at: datetime) -> str:
        """The newest batch launched by ``at``."""
        return self.names[self._newest(at)]

    def complained_of(self, at: datetime, rng: np.random.Generator) -> str:
        """The batch that a message at ``at`` is about: the newest, or now and then the one before."""
        newest = self._newest(at)
        return self.names[max(newest - int(rng.random() < STALE_SHARE), 0)]

    def _newest(self, at: datetime) -> int:
        return max(bisect_right(self.launches, at) - 1, 0)


@cache
def load_catalogue() -> tuple[Product, ...]:
    """The products, by category as written in ``catalogue.toml``."""
    table = tomllib.loads((files("training") / "catalogue.toml").read_text(encoding="utf-8"))
    return tuple(
        Product(
            sku=sku,
            category=category,
            share=float(entry["share"]),
            traits=tuple(entry["traits"]),
            nouns={"zh": tuple(entry["zh"]), "en": tuple(entry["en"])},
        )
        for category, products in table.items()
        for sku, entry in products.items()
    )


def draw_batches(product: Product, start: datetime, end: datetime, rng: np.random.Generator) -> Batches:
    """Batches of ``product`` from before ``start`` until ``end``, each named by product and launch day.

    The first follows `FIRST_LAUNCH` by up to a week, so that products do not change batch on one day.
    """
    launches = []
    at = start + FIRST_LAUNCH + timedelta(days=int(rng.integers(0, 7)))
    while at < end:
        launches.append(at)
        at += timedelta(days=int(rng.integers(*BATCH_LIFE_DAYS)))
    return Batches(tuple(launches), tuple(f"{product.sku}-{launch:%y%m%d}" for launch in launches))
