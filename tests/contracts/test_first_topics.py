"""The first topics of a tenant, on every store: a whole history is divided in its own focus, a short one as it lies."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.counted import NOISE
from models.embed import unit
from models.message import CustomerKey, Message, RedactedText
from models.topics import TopicModel
from service.pipeline.discover import DiscoverRules, Discovery
from service.store.codec import Entry, pack_vector
from service.store.counts import Counts, Retention, Tally
from service.store.fissures import Fissures
from service.store.inbox import Inbox
from service.store.model import ModelStore
from service.store.pools import Pools
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
KEPT = Retention(timedelta(days=35), timedelta(days=14), 256, 10_000, 10_000)
ISSUES, DIMENSION = 6, 12


async def first_topics(store: Store, messages: int) -> tuple[TopicModel, Discovery]:
    """What a discovery makes of so many waiting messages of six issues, which differ in mood as well."""
    await store.client.flushall()
    rng = np.random.default_rng(0)
    moods = rng.normal(size=(messages, 1)) * np.eye(DIMENSION)[-1]
    issues = np.eye(DIMENSION)[np.arange(messages) % ISSUES]
    vectors = unit(issues + 0.8 * moods + 0.1 * rng.normal(size=(messages, DIMENSION)))
    inbox = Inbox(store, partitions=1, keep_seen=timedelta(days=9), max_backlog=100_000)
    counts, pools, models = Counts(store, partitions=1, retention=KEPT), Pools(store, partitions=1), ModelStore(store)
    await inbox.prepare()
    said = [
        Message(f"m{n}", "test", RedactedText(f"case {n}"), NOW - timedelta(minutes=n), CustomerKey(f"c{n}"))
        for n in range(messages)
    ]
    await inbox.accept([Entry(one) for one in said], NOW)
    tallies = []
    for one in await inbox.take("w", messages):
        assert one.entry is not None
        vector = vectors[int(one.entry.message.id[1:])]
        tallies.append(Tally(one.id, one.entry, NOISE, pack_vector(vector)))
    for begin in range(0, messages, 500):
        await counts.count(0, tallies[begin : begin + 500])

    async def embedder() -> tuple[str, int]:
        return "drawn", DIMENSION

    discovery = Discovery(pools, counts, models, DiscoverRules(first=10), Fissures(store), embedder)
    await discovery.run(NOW + timedelta(minutes=1))
    model = (await models.current()).model
    assert model is not None
    return model, discovery


@pytest.mark.parametrize(("messages", "has_focus"), [(2_000, True), (600, False)])
async def test_a_whole_history_gets_its_own_focus_and_a_short_one_none(
    store: Store, messages: int, has_focus: bool
) -> None:
    model, discovery = await first_topics(store, messages)
    assert len(model.assignable) >= ISSUES
    assert (model.centring.focus is not None) == has_focus
    await discovery.scan(NOW + timedelta(minutes=2))  # later topics are found in the space of the first
    assert len({topic.centroid.shape for topic in model.topics}) == 1
