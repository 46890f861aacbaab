"""A bundle goes live at one point of the stream for every worker, and kept messages follow it, whenever it is killed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from models.buckets import bucket_of
from models.bundle import (
    FORMAT,
    SCALES,
    TOPICS,
    Bundle,
    Data,
    Encoder,
    Manifest,
    MismatchedBundle,
    load,
    topics_bytes,
    write,
)
from models.counted import NOISE
from models.detector import Detector, DetectorSettings
from models.embed import Centring, Vectors, unit
from models.encoder.adapter import Adapter
from models.lineage import Change
from models.message import CustomerKey, Message, RedactedText
from models.topic import Exemplar, Topic, TopicId, TopicState
from models.topics import TopicModel
from service.errors import Conflict, EncoderAway
from service.metrics import Metrics
from service.pipeline.carry import carry, drained
from service.pipeline.embedders import Embedders
from service.pipeline.promote import Promotion
from service.pipeline.succession import Succession
from service.pipeline.worker import Worker, WorkerRules
from service.store import keys
from service.store.adapters import Adapters
from service.store.codec import Entry, space_of
from service.store.counts import Counts, Retention
from service.store.inbox import Inbox
from service.store.lineage import LineageLog
from service.store.model import ModelStore, OutOfStep
from service.store.pools import Pools
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DIMENSION = 8
PARTITIONS = 2
ISSUES = ("late", "broken", "refund", "smell")
DAY = timedelta(days=1)


class Drawn:
    """An embedder whose vectors are drawn by the issue that a text names; each ``name`` has a space of its own."""

    dimension = DIMENSION

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        return np.stack([place(self.name, text) for text in texts])


def place(embedder: str, text: str) -> Any:
    issue = next(issue for issue in ISSUES if issue in text)
    seed = int.from_bytes(sha256(f"{embedder} {issue}".encode()).digest()[:4], "big")
    return unit(np.random.default_rng(seed).normal(size=(1, DIMENSION)))[0]


def topic(name: str, embedder: str, issue: str) -> Topic:
    said = (Exemplar("m", RedactedText(f"it is {issue}")),)
    return Topic(TopicId(name), place(embedder, issue), 0.2, 10, NOW, exemplars=said)


def model(embedder: str, **issues: str) -> TopicModel:
    topics = tuple(topic(name, embedder, issue) for name, issue in issues.items())
    return TopicModel(embedder, Centring.none(DIMENSION), topics)


def bundle(
    folder: Path,
    topics: TopicModel,
    objections: tuple[str, ...] = (),
    scales: Mapping[str, float] = MappingProxyType({}),
) -> Bundle:
    encoder = Encoder(name=topics.embedder, dimension=DIMENSION, base="own")
    data = Data(fingerprint="", messages=0, labelled=0, rejected=0)
    manifest = Manifest(
        format=FORMAT, kind="trained", name="", made=NOW, encoder=encoder, data=data, recipe={}, scores={},
        objections=objections, files={},
    )  # fmt: skip
    write(folder, manifest, {TOPICS: topics_bytes(topics), SCALES: json.dumps(dict(scales)).encode()})
    return load(folder)


class Shop:
    """Workers, pools and promotion on one store; "own" is the embedder it was begun with, "tuned" a bundle's."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.models, self.adapters = ModelStore(store), Adapters(store)
        self.inbox = Inbox(store, partitions=PARTITIONS, keep_seen=DAY, max_backlog=10_000)
        retention = Retention(DAY, DAY, 100, 1_000, 1_000)
        self.counts = Counts(store, partitions=PARTITIONS, retention=retention)
        self.pools = Pools(store, partitions=PARTITIONS)
        self.made: list[str] = []
        self.number = 0

    def make(self, adapter: Adapter | None) -> Drawn:
        self.made.append(adapter.name if adapter else "own")
        return Drawn("tuned" if adapter else "own")

    def promotion(self, base: str = "own") -> Promotion:
        return Promotion(ModelStore(self.store), self.adapters, self.make, base)

    def worker(self, name: str) -> Worker:
        embedders = Embedders(Drawn("own"), self.adapters, self.make)
        rules = WorkerRules(10, timedelta(seconds=30), 5)
        return Worker(name, self.inbox, self.counts, ModelStore(self.store), embedders, rules, Metrics(), _nobody)

    async def say(self, *issues: str) -> None:
        entries = []
        for issue in issues:
            self.number += 1
            text = RedactedText(f"it is {issue}")
            entries.append(Entry(Message(f"m{self.number}", "test", text, NOW, CustomerKey(f"c{self.number}"))))
        await self.inbox.accept(entries, NOW)

    async def counted(self) -> dict[str, int]:
        count = await self.counts.bucket(int(NOW.timestamp()) // 300)
        return {**count.customers, **({NOISE: count.noise} if count.noise else {})}

    async def begin(self, **issues: str) -> None:
        await self.inbox.prepare()
        names = await self.models.fresh_ids(len(issues))
        found = model("own", **dict(zip(names, issues.values(), strict=True)))
        await self.models.save(found, 1, after=0, at=NOW)

    async def ahead(self) -> None:
        """Return once the last promotion has begun, by the store's own clock."""
        since = (await self.models.current()).since
        while (await now_of(self.store)) < since:  # noqa: ASYNC110 — the store tells the time, and no event
            await asyncio.sleep(0.05)


async def _nobody(_: object) -> None:
    return None


async def now_of(store: Store) -> int:
    seconds, micro = await store.client.time()
    return int(seconds) * 1_000 + int(micro) // 1_000


@pytest.fixture
async def shop(store: Store) -> Shop:
    shop = Shop(store)
    await shop.begin(a="late", b="broken")
    await shop.adapters.put("tuned", b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    return shop


async def put_live(shop: Shop, following: TopicModel) -> None:
    """Promote a model of the tuned space, as a bundle with an adapter would."""
    known = await shop.models.current()
    await shop.models.promote(
        following, 1, after=known.version, bundle="tuned@1", scales={}, given={}, now=NOW, reason=""
    )


async def test_entries_of_before_are_read_by_the_old_topics_and_later_ones_by_the_new_whoever_reads_them(
    shop: Shop,
) -> None:
    early, late = shop.worker("w1"), shop.worker("w2")
    await early.run_once()  # holds the old model
    await shop.say("late", "smell")
    await put_live(shop, model("tuned", t1="late", t2="broken", t3="smell"))
    await shop.ahead()
    await shop.say("late", "smell", "smell")
    await asyncio.gather(late.run_once(), early.run_once())
    assert await shop.counted() == {"t1": 2, NOISE: 1, "t3": 2}


async def test_what_is_taken_over_from_a_dead_worker_is_read_by_the_topics_of_its_time(shop: Shop) -> None:
    await shop.say("smell", "late")
    await shop.inbox.take("dead", 10)
    await put_live(shop, model("tuned", t1="late", t2="broken", t3="smell"))
    await shop.ahead()
    heir = Worker(
        "heir", shop.inbox, shop.counts, ModelStore(shop.store),
        Embedders(Drawn("own"), shop.adapters, shop.make), WorkerRules(10, timedelta(0), 5), Metrics(), _nobody,
    )  # fmt: skip
    await heir.take_over()
    assert await shop.counted() == {"t1": 1, NOISE: 1}
    assert {one.space for one in await shop.pools.all(["t1"])} == {space_of("own")}


async def test_nothing_is_taken_while_no_encoder_for_the_topics_can_be_made(shop: Shop) -> None:
    await shop.say("late")
    await put_live(shop, model("unheard of", t1="late", t2="broken"))
    with pytest.raises(EncoderAway, match="promote it again"):
        await shop.worker("w1").run_once()
    assert await shop.store.client.xlen(keys.inbox(0)) + await shop.store.client.xlen(keys.inbox(1)) == 1
    assert (await shop.store.client.xpending(keys.inbox(0), keys.GROUP))["pending"] == 0


async def test_kept_messages_are_carried_over_once_wherever_the_carrier_is_killed(shop: Shop) -> None:
    await shop.say(*["late"] * 7, *["smell"] * 6)
    worker = shop.worker("w1")
    while await worker.run_once(timedelta(milliseconds=1)):
        pass
    await put_live(shop, model("tuned", t1="late", t2="broken", t3="smell"))
    current = await shop.models.current()
    await shop.ahead()
    await drained(shop.inbox, current)
    before = sorted(one.message.id for one in await shop.pools.all(current.topics))

    class Mortal(Drawn):
        def embed(self, texts: Sequence[str]) -> Vectors:
            if self.seen:
                raise KeyboardInterrupt
            return super().embed(texts)

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            await carry(shop.pools, Mortal("tuned"), current)
    await carry(shop.pools, Drawn("tuned"), current)
    held = await shop.pools.all(current.topics)
    assert sorted(one.message.id for one in held) == before
    assert {one.space for one in held} == {space_of("tuned")}
    assert all(
        np.allclose(np.frombuffer(one.vector, np.float16), place("tuned", one.message.text), atol=1e-2) for one in held
    )
    assert await carry(shop.pools, Drawn("tuned"), current) == 0


async def test_a_topic_split_in_a_new_space_has_its_past_once_kept_messages_are_carried_over(shop: Shop) -> None:
    known = await shop.models.current()
    ended = replace(topic("t2", "own", "broken"), state=TopicState.RETIRED)
    wide = TopicModel("own", Centring.none(DIMENSION), (replace(topic("t1", "own", "late"), radius=2.0), ended))
    await shop.models.save(wide, 1, after=known.version, at=NOW)
    await shop.say(*["late"] * 12, *["smell"] * 8)
    worker = shop.worker("w1")
    while await worker.run_once(timedelta(milliseconds=1)):
        pass
    assert await shop.counted() == {"t1": 20}
    part = replace(topic("t3", "tuned", "smell"), origin=TopicId("t1"))
    await put_live(shop, replace(model("tuned", t1="late"), topics=(topic("t1", "tuned", "late"), ended, part)))
    succession = Succession(LineageLog(shop.store), shop.counts, shop.pools, ModelStore(shop.store), DAY)
    detector = Detector(DetectorSettings(), bucket_of(NOW))
    detector.add("t1")

    waits = await succession.follow(detector, 0, bucket_of(NOW) + 1)
    assert waits.waits and detector.topics == ["t1"]
    assert await shop.counted() == {"t1": 20}

    await shop.ahead()
    await carry(shop.pools, Drawn("tuned"), await shop.models.current())
    done = await succession.follow(detector, waits.lines, bucket_of(NOW) + 1)
    assert (done.waits, detector.topics) == (False, ["t1", "t3"])
    assert await shop.counted() == {"t1": 12, "t3": 8}
    again = await succession.follow(detector, done.lines, bucket_of(NOW) + 1)
    assert again.lines == done.lines and await shop.counted() == {"t1": 12, "t3": 8}


async def test_new_topics_get_ids_never_given_before_and_the_same_ones_again(shop: Shop, tmp_path: Path) -> None:
    found = model("own", t1="late", t2="broken", **{"new-1": "smell"})
    made = bundle(tmp_path / "petfood", found, scales={"t1": 2.0, "new-1": 0.5})
    live = await shop.promotion().promote(made, NOW)
    assert live.model and [one.id for one in live.model.topics] == ["t1", "t2", "t3"]
    assert live.scales == {"t1": 2.0, "t3": 0.5}
    assert (await shop.models.fresh_ids(1)) == ["t4"]
    again = await shop.promotion().promote(made, NOW)
    assert again.version == live.version
    log = await LineageLog(shop.store).after()
    assert [(event.topic, event.change) for event in log if event.by] == [("t3", Change.BORN)]


async def test_rolling_back_brings_the_topics_of_before_and_promoting_again_the_same_ids(
    shop: Shop, tmp_path: Path
) -> None:
    made = bundle(tmp_path / "petfood", model("own", t1="late", t2="broken", **{"new-1": "smell"}))
    await shop.promotion().promote(made, NOW)
    back = await shop.promotion().roll_back(NOW)
    assert back.bundle == "" and back.model
    assert back.model.topic(TopicId("t3")).state is TopicState.RETIRED
    assert [one.id for one in back.model.assignable] == ["t1", "t2"]
    again = await shop.promotion().promote(made, NOW)
    assert again.model and [one.id for one in again.model.assignable] == ["t1", "t2", "t3"]
    assert [one.reason for one in await shop.models.promotions()] == ["", "rolled back", ""]


async def test_a_topic_found_while_the_bundle_was_made_comes_along(shop: Shop, tmp_path: Path) -> None:
    made = bundle(tmp_path / "petfood", model("own", t1="late", t2="broken"))
    known = await shop.models.current()
    assert known.model
    await shop.models.fresh_ids(1)
    await shop.models.save(known.model.add([topic("t3", "own", "refund")]), 1, after=known.version, at=NOW)
    live = await shop.promotion().promote(made, NOW)
    assert live.model
    assert np.allclose(live.model.topic(TopicId("t3")).centroid, place("own", "refund"), atol=1e-5)


async def test_objections_refuse_a_bundle_unless_a_reason_is_given_and_kept(shop: Shop, tmp_path: Path) -> None:
    made = bundle(tmp_path / "petfood", model("own", t1="late", t2="broken"), ("agreement .71 is under .90",))
    with pytest.raises(Conflict, match=r"agreement \.71 is under \.90.*--force"):
        await shop.promotion().promote(made, NOW)
    assert (await shop.models.current()).bundle == ""
    await shop.promotion().promote(made, NOW, "the old topics were wrong")
    assert [one.reason for one in await shop.models.promotions()] == ["the old topics were wrong"]


async def test_a_bundle_of_another_store_or_encoder_is_refused(shop: Shop, tmp_path: Path) -> None:
    elsewhere = bundle(tmp_path / "elsewhere", model("own", t1="late", t77="smell"))
    with pytest.raises(MismatchedBundle, match="t77, a topic that this store never had"):
        await shop.promotion().promote(elsewhere, NOW)
    other = bundle(tmp_path / "other", model("another encoder", t1="late"))
    with pytest.raises(MismatchedBundle, match="was made for another encoder"):
        await shop.promotion().promote(other, NOW)


async def test_with_nothing_promoted_there_is_nothing_to_go_back_to(shop: Shop) -> None:
    with pytest.raises(Conflict, match="nothing to go back to"):
        await shop.promotion().roll_back(NOW)


async def test_a_promotion_and_another_change_at_once_undo_one_another_never(shop: Shop) -> None:
    known = await shop.models.current()
    assert known.model
    await put_live(shop, model("tuned", t1="late", t2="broken"))
    with pytest.raises(OutOfStep):
        await shop.models.save(known.model, 1, after=known.version, at=NOW)
    live = (await ModelStore(shop.store).current()).model
    assert live and live.embedder == "tuned"
