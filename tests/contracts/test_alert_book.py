"""Alerts, what people do about them, ticks and the outbox, on every store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.alert import Alert, Facts, Judgement, Reason, Sent
from models.evidence import CulpritFigures, CurvePoint, Evidence, Sample, TopicName, WindowFigures
from models.message import RedactedText
from models.severity import Grade, Severity
from models.surge import SurgeState
from service.errors import NotFound
from service.store.alertcodec import pack, unpack_alert, unpack_facts
from service.store.alerts import AlertBook
from service.store.apikeys import ApiKeys, Scope
from service.store.judgement import JudgeStore, Notification, NotInStep, Tick
from service.store.lease import Lease
from service.store.outbox import Outbox, pack_due
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def alert(number: int = 1, at: datetime = NOW) -> Alert:
    window = WindowFigures(at - timedelta(hours=3), at, 14, 3.2, 9)
    evidence = Evidence(
        topic=TopicName("t1", "充不进电", {"zh": "充不进电", "en": "does not charge"}, ("充电", "charge")),
        window=window,
        onset=at - timedelta(hours=3),
        customers=14,
        messages=17,
        windows=(window,),
        culprits=(CulpritFigures("batch", "PB20-3", 9, 1.1, 8.2, 0.001),),
        samples=(Sample("m1", "chat", RedactedText("用了三天就充不进电"), at, {"sku": "PB20"}),),
        curve=(CurvePoint(at - timedelta(hours=1), 4, 1.0, 3.0),),
        contributions={"hour": 1.4},
    )
    return Alert(
        id=f"a{number}",
        state=SurgeState.firing,
        fired_at=at,
        noticed_at=at,
        updated_at=at,
        grade=Grade(Severity.warning, ("size",)),
        evidence=evidence,
        sent=Sent(Reason.fired, Severity.warning, 14, at),
    )


async def leading(store: Store) -> Lease:
    lease = Lease(store, "judge")
    assert await lease.hold()
    return lease


def test_an_alert_comes_back_from_json_as_it_was() -> None:
    assert unpack_alert(pack(alert())) == alert()
    facts = Facts(acknowledged_at=NOW, acknowledged_by="quality", judgement=Judgement.real)
    assert unpack_facts(pack(facts)) == facts


async def test_a_tick_is_written_whole_and_once(store: Store) -> None:
    judge, lease = JudgeStore(store), await leading(store)
    body = pack_due("https://example.com/hook", b"{}")
    tick = Tick(None, 7, {"x": b"1"}, [alert()], [("fired", "a1")], [Notification("a1:fired", NOW, body)])
    await judge.commit(tick, lease.token)
    with pytest.raises(NotInStep):
        await judge.commit(tick, lease.token)  # the same tick again, after a crash
    assert await judge.state() == (7, {"x": b"1"})
    assert [one.id for one in await Outbox(store).due(NOW)] == ["a1:fired"]
    assert [event.kind for event in await AlertBook(store).events_after("0-0")] == ["fired"]


async def test_a_judge_that_lost_its_lease_writes_nothing(store: Store) -> None:
    judge, first = JudgeStore(store), await leading(store)
    second = Lease(store, "judge")
    assert not await second.hold()
    await first.release()
    assert await second.hold()
    with pytest.raises(NotInStep):
        await judge.commit(Tick(None, 7, {}, [alert()]), first.token)
    with pytest.raises(NotFound):
        await AlertBook(store).get("a1")


async def test_alerts_are_listed_newest_first_page_by_page_without_gap_or_repeat(store: Store) -> None:
    judge, lease, book = JudgeStore(store), await leading(store), AlertBook(store)
    alerts = [alert(n, NOW + timedelta(minutes=n // 3)) for n in range(10)]  # several at the same time
    await judge.commit(Tick(None, 1, {}, alerts), lease.token)
    seen, place = [], None
    while page := await book.newest(3, place):
        seen += [filed.alert.id for filed in page]
        place = (page[-1].alert.fired_at.timestamp(), page[-1].alert.id)
    assert seen == [one.id for one in sorted(alerts, key=lambda one: (one.fired_at, one.id), reverse=True)]


async def test_what_people_do_is_kept_beside_what_the_judge_writes(store: Store) -> None:
    judge, lease, book = JudgeStore(store), await leading(store), AlertBook(store)
    await judge.commit(Tick(None, 1, {}, [alert()]), lease.token)
    await book.act("a1", "acknowledged", lambda _, facts: replace(facts, acknowledged_at=NOW))
    await judge.commit(Tick(1, 2, {}, [replace(alert(), updated_at=NOW + timedelta(hours=1))]), lease.token)
    filed = await book.get("a1")
    assert filed.facts.acknowledged_at == NOW
    assert filed.alert.updated_at == NOW + timedelta(hours=1)
    assert [event.kind for event in await book.events_after("0-0")] == ["acknowledged"]


async def test_acting_on_an_alert_that_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(NotFound):
        await AlertBook(store).act("nope", "acknowledged", lambda _, facts: facts)


async def test_old_alerts_are_forgotten(store: Store) -> None:
    judge, lease, book = JudgeStore(store), await leading(store), AlertBook(store)
    await judge.commit(Tick(None, 1, {}, [alert(1, NOW - timedelta(days=9)), alert(2)]), lease.token)
    assert await book.forget(NOW - timedelta(days=1)) == 1
    assert [filed.alert.id for filed in await book.newest(10)] == ["a2"]


async def test_a_feed_that_was_away_too_long_is_told_so(store: Store) -> None:
    book = AlertBook(store)
    for n in range(1, 6):
        await store.client.xadd("tocsin:{tenant}:events", {"kind": "fired", "alert": "a", "body": ""}, id=f"{n}-1")
    assert not await book.missed("0-1")
    await store.client.xtrim("tocsin:{tenant}:events", maxlen=2, approximate=False)
    assert await book.missed("2-1")
    assert not await book.missed("4-1")


async def test_a_notification_waits_comes_again_and_ends(store: Store) -> None:
    judge, lease, outbox = JudgeStore(store), await leading(store), Outbox(store)
    notes = [Notification(f"n{n}", NOW + timedelta(seconds=n), pack_due("r", b"{}")) for n in range(3)]
    await judge.commit(Tick(None, 1, {}, notifications=notes), lease.token)
    due = await outbox.due(NOW + timedelta(seconds=1))
    assert [one.id for one in due] == ["n0", "n1"]
    await outbox.done(due[0])
    await outbox.later(due[1], at=NOW + timedelta(minutes=5))
    assert [(one.id, one.attempt) for one in await outbox.due(NOW + timedelta(minutes=5))] == [("n2", 0), ("n1", 1)]
    await outbox.dead((await outbox.due(NOW + timedelta(minutes=5)))[0], reason="gone", at=NOW)
    assert await outbox.count() == (1, 1)


async def test_a_key_is_kept_as_its_hash_and_ends_when_told(store: Store) -> None:
    keys = ApiKeys(store)
    key, secret = await keys.make("chatbot", [Scope.ingest], NOW)
    found = await keys.find(secret)
    assert found == key
    assert found.allows(Scope.ingest, NOW)
    assert not found.allows(Scope.read, NOW)
    assert await keys.end(key.id, NOW + timedelta(hours=1))
    assert (await keys.find(secret)).allows(Scope.ingest, NOW + timedelta(minutes=59))  # type: ignore[union-attr]
    assert not (await keys.find(secret)).allows(Scope.ingest, NOW + timedelta(hours=1))  # type: ignore[union-attr]
    stored = await store.client.execute_command("HGETALL", "tocsin:{tenant}:keys")
    assert secret.encode() not in repr(stored).encode()
