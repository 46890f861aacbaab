"""A customer's data on each store: pushed, found, handed out, erased everywhere, and gone when its time is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from models.agents import AgentRules
from models.buckets import bucket_of
from models.context import Join, Piece, PieceKind
from models.evidence import Evidence, Sample
from models.message import CustomerKey, Message, RedactedText
from models.severity import Grade, Severity
from models.surge import Reading, Surge, SurgeRules, SurgeState, advance
from service.metrics import Metrics
from service.pipeline.docket import Case, Changes, Docket
from service.store import keys
from service.store.access import Access, AccessLog
from service.store.agents import AgentGroups
from service.store.alerts import AlertBook
from service.store.codec import Entry, pack_vector
from service.store.context import PUSHED, PushedContext
from service.store.counts import NOISE, Counts, Retention, Tally
from service.store.customers import Customers
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore, Notification, Tick
from service.store.lease import Lease
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
    return Customers(store, PushedContext(store, MONTH), partitions=PARTITIONS)


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
