"""What an alert shows of messages of one value that say the same, though no place holds them."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.buckets import BUCKETS_PER_HOUR, bucket_of
from models.embed import Centring, unit
from models.message import CustomerKey, Message, RedactedText
from models.topic import Topic
from models.topics import TopicModel
from service.pipeline.lookout import Lookout, Sighting
from service.store.codec import pack_vector
from service.store.pools import Held

DIMENSION, BATCH = 64, "A3-B1"
END = datetime(2026, 3, 20, tzinfo=UTC)
NOW = bucket_of(END)


def held(number: int, hours: float, said: np.ndarray, batch: str) -> Held:  # type: ignore[type-arg]
    """A message so many hours before the end."""
    message = Message(
        f"m{number}", "test", RedactedText(f"it {chr(97 + number % 26)}{number}"), END - timedelta(hours=hours),
        CustomerKey(f"c{number}"), attributes={"sku": batch.split("-")[0], "batch": batch, "region": f"R{number % 3}"},
    )  # fmt: skip
    return Held(0, f"{number}-0", message, True, pack_vector(unit(said[None].astype(np.float32))[0]))


class Kept:
    """What was counted, given once."""

    beginning = "0"

    def __init__(self, messages: list[Held]) -> None:
        self.messages = messages

    async def recent(self, upto: str, most: int) -> tuple[list[Held], str]:
        return (self.messages, "1") if upto == "0" else ([], "1")


class Endless(Kept):
    """More comes while what came is read."""

    reads = 0

    async def recent(self, upto: str, most: int) -> tuple[list[Held], str]:
        self.reads += 1
        begin = int(upto) % len(self.messages)
        return self.messages[begin : begin + self.each], str(int(upto) + self.each)

    def __init__(self, messages: list[Held], each: int) -> None:
        super().__init__(messages)
        self.each = each


class Models:
    async def current(self) -> Any:
        mean = np.zeros(DIMENSION, np.float32)
        topic = Topic("t1", np.eye(DIMENSION, dtype=np.float32)[0], 0.3, 40, END, ("it",), {"en": "it"})
        return SimpleNamespace(model=TopicModel("fake", Centring({"en": mean, "zh": mean}), (topic,)), before=None)


@pytest.fixture
async def seen() -> tuple[Lookout, Sighting]:
    """Twelve messages of a batch in a day, scattered, among 4,000 of anything in sixteen."""
    rng, stake = np.random.default_rng(0), np.eye(DIMENSION)[0]
    usual = [
        held(n, float(rng.uniform(0.1, 16 * 24)), rng.normal(size=DIMENSION), f"A{n % 30}-B1") for n in range(4_000)
    ]
    new = [held(9_000 + n, 20 - n, stake + 0.25 * rng.normal(size=DIMENSION), BATCH) for n in range(12)]
    lookout = Lookout(Kept(usual + new), Models(), 1.0)  # type: ignore[arg-type]
    sightings = [one for one in await lookout.look(NOW) if one.crowd.anywhere]
    return lookout, max(sightings, key=lambda one: one.score)


@pytest.mark.parametrize(("each", "most"), [(700, 1), (5_000, 64)])
async def test_a_look_ends_however_much_comes_meanwhile(each: int, most: int) -> None:
    rng = np.random.default_rng(1)
    messages = [held(n, 30 - n / 1_000, rng.normal(size=DIMENSION), "A1-B1") for n in range(5_000)]
    pools = Endless(messages, each)
    await asyncio.wait_for(Lookout(pools, Models(), 1.0).look(NOW), 120)  # type: ignore[arg-type]
    assert pools.reads <= most


async def test_the_batch_is_named_and_what_it_says_now_is_shown(seen: tuple[Lookout, Sighting]) -> None:
    lookout, sighting = seen
    assert sighting.crowd.value in (BATCH, "A3") and sighting.place.anywhere
    evidence = lookout.testify(sighting, 3.0, None)
    first = evidence.culprits[0]
    assert (first.attribute, first.value) in {("batch", BATCH), ("sku", "A3")}
    assert sum(int(one.message_id[1:]) >= 9_000 for one in evidence.samples) >= 6
    assert evidence.window.upper_bound < evidence.window.observed == len(sighting.crowd.members)


async def test_its_curve_is_of_those_who_say_the_same_with_that_value(seen: tuple[Lookout, Sighting]) -> None:
    lookout, sighting = seen
    evidence = lookout.testify(sighting, 3.0, None)
    lately = [point for point in evidence.curve if point.start >= END - timedelta(hours=24)]
    assert sum(point.observed for point in lately) >= len(sighting.crowd.members)
    assert sum(point.observed for point in evidence.curve) < 3 * len(sighting.crowd.members)
    said = lookout.said(sighting, None, NOW // BUCKETS_PER_HOUR - 24, NOW // BUCKETS_PER_HOUR)
    assert sum(said.values()) >= 0.8 * len(sighting.crowd.members)


@pytest.mark.parametrize(("products", "beside"), [(14, True), (1, False)])
async def test_a_product_is_beside_an_alert_that_names_none_unless_much_of_what_that_tells_is_of_it(
    products: int, beside: bool
) -> None:
    rng, stake = np.random.default_rng(2), 1.5 * np.eye(DIMENSION)[0]
    usual = [
        held(n, float(rng.uniform(0.1, 16 * 24)), rng.normal(size=DIMENSION), f"A{n % 30}-B1") for n in range(4_000)
    ]
    new = [
        held(9_000 + n, 2.9 - n / 5, stake + 0.1 * rng.normal(size=DIMENSION), f"A{3 + n % products}-B1")
        for n in range(14)
    ]
    lookout = Lookout(Kept(usual + new), Models(), 1.0)  # type: ignore[arg-type]
    sighting = max(await lookout.look(NOW), key=lambda one: (not one.crowd.anywhere, one.score))
    window = lookout.testify(sighting, 3.0, None).window
    number = sighting.place.number
    lookout.watch.tell(number, None)
    assert lookout.is_beside(sighting, ("sku", "A3"), number, window) is beside
    assert not lookout.is_beside(sighting, None, number, window)
    lookout.watch.tell(number, ("sku", "A9"))
    assert not lookout.is_beside(sighting, ("sku", "A3"), number, window), (
        "an alert that names a value is told apart by that"
    )
