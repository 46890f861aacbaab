"""A customer's data on each store: pushed, found, handed out, erased everywhere, and gone when its time is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from models.agents import AgentRules
from models.buckets import bucket_of
from models.context import Join, Piece, PieceKind
from models.counted import NOISE
from models.embed import Centring
from models.evidence import Evidence, Sample
from models.identity import hold_apart
from models.message import CustomerKey, Message, RedactedText
from models.severity import Grade, Severity
from models.surge import Reading, Surge, SurgeRules, SurgeState, advance
from models.topic import Exemplar, Topic, TopicId
from models.topics import TopicModel
from service.metrics import Metrics
from service.pipeline.docket import Case, Changes, Docket
from service.store import keys
from service.store.access import Access, AccessLog
from service.store.agents import AgentGroups
from service.store.alerts import AlertBook
from service.store.codec import Entry, pack_vector
from service.store.context import PUSHED, PushedContext
from service.store.counts import Counts, Retention, Tally
from service.store.customers import Customers
from service.store.erasures import BEGINNING, Erasures
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore, Notification, Tick
from service.store.lease import Lease
from service.store.model import ModelStore
from service.store.outbox import Outbox, pack_due
from service.store.redis import Store
from service.store.sweep import Sweep
from tests.contracts.test_alert_book import alert

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HER, HIM = CustomerKey("herherherherherherhe"), CustomerKey("himhimhimhimhimhimhi")
PARTITIONS = 2
MONTH = timedelta(days=30)


def said(number: int, customer: CustomerKey) -> Message:
    return Message(f"m{number}", "chat", RedactedText(f"words {number}"), NOW, customer, attributes={"sku": "A"})


def customers(store: Store) -> Customers:
    return Customers(store, PushedContext(store, MONTH), ModelStore(store), partitions=PARTITIONS)


async def speak(store: Store) -> None:
    """Both speak twice: once counted under a topic, once of no topic; and she once more, still waiting."""
    inbox = Inbox(store, partitions=PARTITIONS, keep_seen=MONTH, max_backlog=1_000)
    counts = Counts(store, partitions=PARTITIONS, retention=Retention(MONTH, MONTH, 100, 100, 100))
    await inbox.prepare()
    messages = [said(1, HER), said(2, HER), said(3, HIM), said(4, HIM)]
    await inbox.accept([Entry(one) for one in messages], NOW)
    for one in await inbox.take("worker", 100):
        assert one.entry is not None
        topic = "t1" if one.entry.message.id in ("m1", "m3") else NOISE
        vector = pack_vector(np.ones(4, np.float32) / 2)
        await counts.count(one.partition, [Tally(one.id, one.entry, topic, vector)])
    await inbox.accept([Entry(said(5, HER))], NOW)


async def ring(store: Store) -> None:
    """An alert that quotes both, told to somebody who has not heard yet."""
    lease = Lease(store, "judge")
    await lease.hold()
    samples = tuple(Sample(f"m{n}", "chat", RedactedText("x"), NOW, {}, None, who) for n, who in ((1, HER), (3, HIM)))
    one = alert()
    one = replace(one, evidence=replace(one.evidence, samples=samples))
    payload = {"data": {"samples": [{"message_id": "m1"}, {"message_id": "m3"}]}}
    told = Notification("n1", NOW, pack_due("bot", orjson.dumps(payload)))
    await JudgeStore(store).commit(Tick(None, 1, {}, [one], [("fired", one.id)], [told]), lease.token)


async def everything(store: Store) -> bytes:
    """All bytes of the store."""
    found = b""
    async for key in store.client.scan_iter("*"):
        found += key + (await store.client.dump(key) or b"")
    return found


async def test_what_was_pushed_is_found_by_customer_order_and_tracking_number(store: Store) -> None:
    pushed = PushedContext(store, MONTH)
    order = Piece(PieceKind.order, "O1", PUSHED, NOW, tracking="SF1", fields={"sku": "A"})
    back = Piece(PieceKind.returned, "R1", PUSHED, NOW, order="O1")
    await pushed.put(order, HER)
    await pushed.put(back, None)
    assert await pushed.by(Join.customer, [HER]) == [order]
    assert await pushed.by(Join.order, ["O1"]) == [order, back]
    assert await pushed.by(Join.tracking, ["SF1"]) == [order]
    assert await pushed.by(Join.customer, [HIM]) == []
    await pushed.put(replace(order, fields={"sku": "B"}), HER)
    assert [one.fields for one in await pushed.by(Join.customer, [HER])] == [{"sku": "B"}]
    assert 0 < await store.client.ttl(keys.context("order/O1")) <= MONTH.total_seconds()


async def test_a_customers_messages_are_handed_out_wherever_they_lie(store: Store) -> None:
    await speak(store)
    await ring(store)
    kept = await customers(store).kept(HER)
    assert {one.id for one in kept.messages} == {"m1", "m2", "m5"}
    assert kept.alerts == ("a1",)
    assert {one.id for one in await customers(store).earlier(HIM)} == {"m3", "m4"}


async def test_erasing_takes_a_customer_out_of_every_store_and_nobody_else(store: Store) -> None:
    await speak(store)
    await ring(store)
    pushed = PushedContext(store, MONTH)
    await pushed.put(Piece(PieceKind.order, "O1", PUSHED), HER)
    await pushed.put(Piece(PieceKind.order, "O2", PUSHED), HIM)
    assert HER.encode() in await everything(store)
    erased = await customers(store).erase(HER)
    assert erased.counts["messages"] >= 3 and erased.counts["samples"] == 1 and erased.counts["context"] == 1
    left = await everything(store)
    assert HER.encode() not in left and HIM.encode() in left
    (filed,) = await AlertBook(store).newest(10)
    assert [one.message_id for one in filed.alert.evidence.samples] == ["m3"]
    (due,) = await Outbox(store).due(NOW + MONTH)
    assert orjson.loads(due.payload) == {"data": {"samples": [{"message_id": "m3"}]}}
    assert {one.id for one in (await customers(store).kept(HIM)).messages} == {"m3", "m4"}
    assert (await customers(store).kept(HER)).messages == ()


def topics(*exemplars: Exemplar) -> TopicModel:
    here = Topic(TopicId("t1"), np.ones(4, np.float32) / 2, 0.5, 9, NOW, exemplars=exemplars)
    there = replace(here, id=TopicId("t2"))
    return hold_apart(TopicModel("drawn", Centring.none(4), (here, there)), here.id, there.id, NOW)


async def test_erasing_reaches_what_topics_show_of_a_customer_and_what_the_model_before_showed(store: Store) -> None:
    await speak(store)
    models = ModelStore(store)
    shown = [
        Exemplar("old", RedactedText("hers, long gone from every stream"), HER),
        Exemplar("m3", RedactedText("his"), HIM),
    ]
    await models.save(topics(*shown, Exemplar("m1", RedactedText("hers, and nobody wrote whose"))), 1, after=0, at=NOW)
    await models.promote(topics(*shown), 2, after=1, bundle="b", scales={}, given={}, now=NOW, reason="")
    assert (await customers(store).erase(HER)).counts["exemplars"] == 1
    left = await everything(store)
    assert HER.encode() not in left and b"hers" not in left
    known = await models.current()
    assert known.model is not None and known.before is not None and known.version == 3
    assert {one.text for model in (known.model, known.before) for one in model.topics[0].exemplars} == {"his"}
    assert "exemplars" not in (await customers(store).erase(HER)).counts  # nothing more to do, nothing written
    assert (await models.current()).version == 3


async def test_erasing_takes_what_was_pushed_of_her_orders_under_no_name(store: Store) -> None:
    pushed = PushedContext(store, MONTH)
    await pushed.put(Piece(PieceKind.order, "O1", PUSHED, tracking="SF1"), HER)
    await pushed.put(Piece(PieceKind.returned, "R1", PUSHED, order="O1"), None)
    await pushed.put(Piece(PieceKind.shipment, "S1", PUSHED, tracking="SF1"), None)
    await pushed.put(Piece(PieceKind.shipment, "S2", PUSHED, order="O9"), None)
    await pushed.put(Piece(PieceKind.order, "O2", PUSHED), HIM)
    assert await pushed.erase(HER, {"O9"}) == 4
    assert await pushed.by(Join.order, ["O1", "O9"]) == [] and await pushed.by(Join.tracking, ["SF1"]) == []
    assert len(await pushed.by(Join.order, ["O2"])) == 1


async def test_an_erasure_is_told_to_whoever_asks_once_and_forgotten_in_time(store: Store) -> None:
    log, now = Erasures(store), datetime.now(UTC)
    assert await log.since(BEGINNING) == ([], BEGINNING)
    await log.note(HER, now)
    gone, place = await log.since(BEGINNING)
    assert gone == [HER] and await log.since(place) == ([], place)
    await log.note(HIM, now)
    assert (await log.since(place))[0] == [HIM]
    await log.note(HIM, now + timedelta(days=8))
    assert (await log.since(BEGINNING))[0] == []


async def test_messages_and_alerts_are_swept_when_their_time_is_over(store: Store) -> None:
    await speak(store)
    await ring(store)
    book = AlertBook(store)
    sweep = Sweep(store, book, partitions=PARTITIONS, messages=MONTH, alerts=400 * timedelta(days=1))
    assert await sweep.sweep(NOW) == 0
    later = datetime.now(UTC) + timedelta(days=31)
    await sweep.sweep(later)
    assert {one.id for one in (await customers(store).kept(HIM)).messages} == set()
    assert len(await book.newest(10)) == 1
    await sweep.sweep(later + timedelta(days=20_000))
    assert await book.newest(10) == []


async def test_who_looked_is_written_down_and_forgotten_in_time(store: Store) -> None:
    log = AccessLog(store, MONTH)
    now = datetime.now(UTC)
    await log.note(Access(now, "desk", "context", HER))
    await log.note(Access(now + timedelta(days=29), "lead", "export", HER))
    assert [(one.who, one.what) for one in await log.newest(10)] == [("lead", "export"), ("desk", "context")]
    await log.note(Access(now + timedelta(days=40), "lead", "export", HER))
    assert "desk" not in {one.who for one in await log.newest(10)}


async def test_a_group_is_spoken_of_only_while_enough_agents_are_in_it(store: Store) -> None:
    groups = AgentGroups(store, AgentRules(frozenset({"agent_team"}), least=3))
    admitted = [await groups.admitted({"agent_team": "night"}, f"agent{n % 4}") for n in range(6)]
    assert admitted == [{}, {}] + [{"agent_team": "night"}] * 4
    assert await groups.admitted({"agent_team": "day"}, None) == {}


async def test_a_judge_that_holds_an_alert_does_not_write_an_erased_customer_back(store: Store) -> None:
    lease, book = Lease(store, "judge"), AlertBook(store)
    await lease.hold()
    docket, rules = Docket(book, Metrics(), (), ""), SurgeRules(rest=1)
    hers = (Sample("m1", "chat", RedactedText("x"), NOW, {}, None, HER),)
    evidence = replace(alert().evidence, samples=hers)

    async def testify() -> Evidence:
        return evidence

    async def record(bucket: int, before: Surge | None, *, loud: bool) -> Surge:
        surge = advance("t1", before, Reading(bucket, loud, not loud, bucket, 9, 1.0), rules)
        assert surge is not None
        case, changes = Case(surge, before, loud, 9, testify, lambda one: Grade(Severity.info, ())), Changes()
        await docket.record(case, bucket, NOW, changes)
        before_it = None if before is None else bucket - 1
        await JudgeStore(store).commit(Tick(before_it, bucket, {}, list(changes.alerts.values())), lease.token)
        return surge

    first = bucket_of(NOW)
    surge = await record(first, None, loud=True)
    await customers(store).erase(HER)
    assert (await record(first + 1, surge, loud=False)).state is SurgeState.resolved
    (filed,) = await book.newest(10)
    assert filed.alert.resolved_at is not None and filed.alert.evidence.samples == ()
