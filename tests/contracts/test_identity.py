"""Counts follow topics that are merged, split and taken apart, on every store: nothing lost, nothing doubled."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import identity
from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, bucket_of
from models.detector import Detector, DetectorSettings
from models.embed import Centring, unit
from models.lineage import LineageError, fates
from models.message import CustomerKey, Message, RedactedText
from models.topic import Topic, TopicId
from models.topics import TopicModel
from service.pipeline.discover import DiscoverRules, Discovery
from service.pipeline.succession import Succession
from service.store.codec import Entry, pack_vector
from service.store.counts import Counts, Retention, Tally
from service.store.fissures import Fissures
from service.store.inbox import Inbox
from service.store.lineage import LineageLog
from service.store.model import ModelStore, OutOfStep
from service.store.pools import Pools
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
LAST = bucket_of(NOW)
PAST = timedelta(days=5)
KEPT = Retention(timedelta(days=35), timedelta(days=14), 10_000, 10_000, 10_000)
PARTITIONS = 2
PLACES = unit(np.random.default_rng(1).normal(size=(4, 8)))
A, B, C = (TopicId(name) for name in ("t1", "t2", "t3"))


class Shop:
    """One tenant with three topics; each message is of a place."""

    def __init__(self, store: Store) -> None:
        self.inbox = Inbox(store, partitions=PARTITIONS, keep_seen=timedelta(days=9), max_backlog=100_000)
        self.counts = Counts(store, partitions=PARTITIONS, retention=KEPT)
        self.pools = Pools(store, partitions=PARTITIONS)
        self.models, self.log = ModelStore(store), LineageLog(store)
        self.detector = Detector(DetectorSettings(), LAST - 3 * BUCKETS_PER_DAY)
        self.followed, self.posted = 0, 0

    async def open(self) -> None:
        await self.inbox.prepare()
        topics = [Topic(name, PLACES[n], 0.5, 9, NOW) for n, name in enumerate((A, B, C))]
        await self.models.save(TopicModel("drawn", Centring.none(8), tuple(topics)), 0, after=0, at=NOW)
        for name in (A, B, C):
            self.detector.add(name)

    async def post(self, places: Sequence[int], customers: int = 10_000) -> None:
        """Messages of these places, an hour apart, counted by a worker that knows the present model."""
        model = (await self.models.current()).model
        assert model is not None
        for place in places:
            self.posted += 1
            text = RedactedText(f"case {self.posted}")
            at = NOW - timedelta(hours=len(places) + 5) + timedelta(hours=self.posted % 48)
            customer = CustomerKey(f"c{self.posted % customers}")
            message = Message(f"m{self.posted}", "test", text, at, customer, attributes={"sku": f"K{place}"})
            await self.inbox.accept([Entry(message)], NOW)
        taken = await self.inbox.take("w", 100_000)
        for one in taken:
            assert one.entry is not None
            place = int(one.entry.message.attributes["sku"][1:])
            topic = model.assign(PLACES[place][None])[0].topic
            assert topic is not None
            await self.counts.count(one.partition, [Tally(one.id, one.entry, topic, pack_vector(PLACES[place]))])

    async def do(self, deed: Callable[[TopicModel], TopicModel]) -> None:
        await self.models.change(deed, at=NOW, by="mei")

    async def follow(self) -> None:
        """As the judge does."""
        succession = Succession(self.log, self.counts, self.pools, self.models, PAST)
        self.followed = (await succession.follow(self.detector, self.followed, LAST)).lines

    async def chain(self) -> None:
        """Merge t1 into t2, and that into t3."""
        await self.do(lambda model: identity.merge(model, A, B, NOW))
        await self.do(lambda model: identity.merge(model, B, C, NOW))

    async def totals(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        """Customers, messages and cells by topic."""
        first, last = LAST - BUCKETS_PER_DAY, LAST + 2 * BUCKETS_PER_DAY
        customers, messages, cells = Counter[str](), Counter[str](), Counter[str]()
        for one in await self.counts.buckets(range(first, last)):
            customers.update(one.customers)
            messages.update(one.messages)
        hours = range(first // BUCKETS_PER_HOUR, last // BUCKETS_PER_HOUR)
        for topic, attributes in (await self.counts.cells_of_hours(hours)).items():
            cells[topic] += sum(attributes["sku"].values())
        return +customers, +messages, +cells


async def opened(store: Store) -> Shop:
    await store.client.flushall()
    shop = Shop(store)
    await shop.open()
    return shop


def apart(model: TopicModel) -> TopicModel:
    """Topic t1, which holds places 0 and 3, without what is near place 3."""
    new = Topic(TopicId("t9"), PLACES[3], 0.5, 9, NOW)
    return identity.split(model, model.topic(A), new, NOW)


async def test_after_a_merge_everything_is_counted_under_the_heir(store: Store) -> None:
    shop = await opened(store)
    await shop.post([0, 0, 1, 1, 1, 2])
    await shop.do(lambda model: identity.merge(model, B, A, NOW))
    await shop.follow()
    assert await shop.totals() == (Counter(t1=5, t3=1),) * 3
    assert len(await shop.pools.samples(A, 100)) == 5 and not await shop.pools.samples(B, 100)
    assert shop.detector.topics == [A, C]


async def test_a_worker_that_knows_nothing_of_a_merge_counts_for_the_heir(store: Store) -> None:
    shop = await opened(store)
    await shop.do(lambda model: identity.merge(model, B, A, NOW))
    await shop.do(lambda model: identity.merge(model, A, C, NOW))
    await shop.follow()
    await shop.inbox.accept([Entry(Message("m", "test", RedactedText("late"), NOW, CustomerKey("c")))], NOW)
    (one,) = await shop.inbox.take("w", 1)
    assert one.entry is not None
    await shop.counts.count(one.partition, [Tally(one.id, one.entry, B, pack_vector(PLACES[1]))])
    assert (await shop.totals())[0] == Counter(t3=1)


async def test_a_customer_counted_by_a_merged_topic_is_not_counted_again_that_day(store: Store) -> None:
    shop = await opened(store)
    await shop.post([1], customers=1)
    await shop.do(lambda model: identity.merge(model, B, A, NOW))
    await shop.follow()
    await shop.post([0, 1], customers=1)
    customers, messages, _ = await shop.totals()
    assert (customers, messages) == (Counter(t1=1), Counter(t1=3))


async def test_a_merge_that_is_taken_back_gives_each_its_kept_messages_again(store: Store) -> None:
    shop = await opened(store)
    await shop.post([0, 0, 1, 1, 1, 2])
    await shop.do(lambda model: identity.merge(model, B, A, NOW))
    await shop.follow()
    await shop.do(lambda model: identity.part(model, B, NOW))
    await shop.follow()
    await shop.post([1])
    assert await shop.totals() == (Counter(t1=2, t2=4, t3=1),) * 3
    assert sorted(shop.detector.topics) == [A, B, C]


async def test_a_split_counts_kept_messages_under_the_part_and_leaves_the_rest(store: Store) -> None:
    shop = await opened(store)
    await shop.do(lambda model: model.put(Topic(A, unit((PLACES[0] + PLACES[3])[None])[0], 1.2, 9, NOW)))
    await shop.post([0] * 6 + [3] * 3)
    before = await shop.totals()
    assert before[0] == Counter(t1=9)
    await shop.do(lambda model: apart(model.put(Topic(A, PLACES[0], 0.5, 9, NOW))))
    await shop.follow()
    assert await shop.totals() == (Counter(t1=6, t9=3),) * 3
    assert set(shop.detector.topics) == {A, B, C, "t9"}


async def test_a_topic_at_the_far_end_of_two_merges_gets_its_messages_back(store: Store) -> None:
    shop = await opened(store)
    await shop.post([0, 0, 1, 2, 2, 2])
    await shop.chain()
    await shop.follow()
    assert (await shop.totals())[0] == Counter(t3=6)
    await shop.do(lambda model: identity.part(model, A, NOW))
    await shop.follow()
    assert await shop.totals() == (Counter(t1=2, t3=4),) * 3


async def test_following_again_after_a_death_changes_nothing(store: Store) -> None:
    shop = await opened(store)
    await shop.post([0, 0, 1, 1, 2])
    await shop.do(lambda model: identity.merge(model, B, A, NOW))
    await shop.do(lambda model: identity.merge(model, A, C, NOW))
    await shop.do(lambda model: identity.part(model, A, NOW))
    await shop.follow()
    once = await shop.totals()
    shop.followed = 0
    shop.detector = Detector(DetectorSettings(), LAST)
    await shop.follow()
    assert await shop.totals() == once == (Counter(t1=4, t3=1),) * 3


async def test_two_who_change_the_topics_at_once_undo_nothing_of_each_other(store: Store) -> None:
    shop, other = await opened(store), Shop(store)
    known = await shop.models.current()
    assert known.model is not None
    await other.do(lambda model: identity.rename(model, A, {"en": "heat"}))
    try:
        await shop.models.save(known.model, 0, after=known.version, at=NOW)
        raise AssertionError("a model that others changed was written over")
    except OutOfStep:
        pass
    await shop.do(lambda model: identity.mute(model, A))
    model = (await shop.models.current()).model
    assert model is not None
    assert (model.topic(A).names, model.topic(A).state.value) == ({"en": "heat"}, "muted")


async def test_a_model_without_an_id_that_was_given_is_not_written(store: Store) -> None:
    shop = await opened(store)
    known = await shop.models.current()
    assert known.model is not None
    fewer = TopicModel("drawn", Centring.none(8), known.model.topics[1:])
    try:
        await shop.models.save(fewer, 0, after=known.version, at=NOW)
        raise AssertionError("an id was lost")
    except LineageError:
        pass
    assert (await shop.models.current()).version == known.version


async def test_fresh_ids_pass_by_those_that_came_in_from_elsewhere(store: Store) -> None:
    shop = await opened(store)  # t1 to t3 were not given by the store
    assert await shop.models.fresh_ids(3) == ["t4", "t5", "t6"]


STEPS = st.lists(st.tuples(st.sampled_from(["post", "merge", "part", "split"]), st.integers(0, 3)), max_size=6)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_counts_are_conserved_over_any_merges_and_splits(store: Store, steps: list[tuple[str, int]]) -> None:
    shop = await opened(store)
    await shop.post([0, 1, 2, 2])
    for number, (what, pick) in enumerate(steps):
        model = (await shop.models.current()).model
        assert model is not None
        living = [topic.id for topic in model.assignable]
        merged = [topic.id for topic in model.topics if topic.into]
        one, other = living[pick % len(living)], living[(pick + 1) % len(living)]
        part = Topic(TopicId(f"n{number}"), PLACES[pick % 3], 0.5, 9, NOW)
        before = await shop.totals()
        if what == "post":
            await shop.post([pick % 3] * 2)
            before = tuple(counted + Counter(new=2) for counted in before)  # type: ignore[assignment]
        elif what == "merge" and one != other:
            await shop.do(lambda model, one=one, other=other: identity.merge(model, one, other, NOW))  # type: ignore[misc]
        elif what == "part" and merged:
            await shop.do(lambda model, name=merged[pick % len(merged)]: identity.part(model, name, NOW))  # type: ignore[misc]
        elif what == "split":
            await shop.do(lambda model, one=one, part=part: identity.split(model, model.topic(one), part, NOW))  # type: ignore[misc]
        await shop.follow()
        after = await shop.totals()
        assert [counted.total() for counted in after] == [counted.total() for counted in before]
        assert all(min(counted.values()) > 0 for counted in after)
        model = (await shop.models.current()).model
        assert model is not None
        assert set(after[1]) <= {topic.id for topic in model.assignable}
        assert set(shop.detector.topics) == {topic.id for topic in model.assignable}
    model = (await shop.models.current()).model
    assert model is not None
    assert fates(await shop.log.after()).keys() == {topic.id for topic in model.topics}


async def test_a_topic_whose_messages_fall_in_two_heaps_is_noted_until_somebody_splits_it(store: Store) -> None:
    shop, rng = await opened(store), np.random.default_rng(2)
    heaps = [(A, 0), (A, 3), (B, 1)] * 80
    said = [
        Message(
            f"m{n}", "test", RedactedText(f"it is {chr(97 + n % 26)}{chr(97 + n // 26)}"), NOW, CustomerKey(f"c{n}")
        )
        for n in range(len(heaps))
    ]
    await shop.inbox.accept([Entry(one) for one in said], NOW)
    for one in await shop.inbox.take("w", 1_000):
        assert one.entry is not None
        topic, place = heaps[int(one.entry.message.id[1:])]
        vector = unit(PLACES[place] + 0.1 * rng.normal(size=(1, 8)))[0]
        await shop.counts.count(one.partition, [Tally(one.id, one.entry, topic, pack_vector(vector))])

    async def embedder() -> tuple[str, int]:
        return "drawn", 8

    fissures = Fissures(store)
    await Discovery(shop.pools, shop.counts, shop.models, DiscoverRules(first=10), fissures, embedder).run(NOW)
    model = (await shop.models.current()).model
    assert model is not None
    assert list(await fissures.of(model)) == [A]
    assert await fissures.of(apart(model)) == {}


async def test_a_topic_follows_its_newest_messages_once_a_day_and_nothing_else_of_it_changes(store: Store) -> None:
    shop = await opened(store)
    first = (await shop.models.current()).model
    assert first is not None
    toward = unit((PLACES[0] + 0.6 * np.eye(8, dtype=np.float32)[7])[None])[0]
    said = [Message(f"m{n}", "test", RedactedText(f"it is {n}"), NOW, CustomerKey(f"c{n}")) for n in range(60)]
    await shop.inbox.accept([Entry(one) for one in said], NOW)
    for one in await shop.inbox.take("w", 1_000):
        assert one.entry is not None
        await shop.counts.count(one.partition, [Tally(one.id, one.entry, A, pack_vector(toward))])

    async def embedder() -> tuple[str, int]:
        return "drawn", 8

    def discovery() -> Discovery:
        return Discovery(shop.pools, shop.counts, shop.models, DiscoverRules(first=10), Fissures(store), embedder)

    await discovery().run(NOW + timedelta(minutes=1))
    then = (await shop.models.current()).model
    await discovery().run(NOW + timedelta(hours=2))
    again = (await shop.models.current()).model
    assert then is not None and again is not None
    before, after = first.topic(A), then.topic(A)
    assert before.centroid @ toward < after.centroid @ toward < 0.95
    assert (after.radius, after.labels, after.size, after.born) == (
        before.radius,
        before.labels,
        before.size,
        before.born,
    )
    assert np.array_equal(then.topic(B).centroid, first.topic(B).centroid)
    assert np.array_equal(again.topic(A).centroid, after.centroid)
