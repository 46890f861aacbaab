"""Who is told what, when and how often, on every store."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from models.alert import Alert, Reason
from models.severity import Severity
from service.metrics import Metrics
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.pace import Pace
from service.notify.receiver import Receiver
from service.notify.route import Quiet, Route
from service.notify.schedule import WAITS
from service.pipeline.deliver import Deliverer
from service.pipeline.fatigue import Reports
from service.store.alerts import AlertBook
from service.store.outbox import EVERYBODY, Due, Outbox
from service.store.receivers import ReceiverState, ReceiverStates
from service.store.redis import Store
from service.store.teams import Teams
from tests.service.notify.payloads import AT, alert, payload, trial


@dataclass
class Ear:
    """A channel that hears what it is told, and answers as it is bidden; the last answer stays."""

    answers: list[Outcome] = field(default_factory=lambda: [Delivered()])
    heard: list[tuple[str, list[str]]] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        body = orjson.loads(payload)
        parts = body["data"]["notifications"] if body["type"] == "digest" else [body]
        self.heard.append((id, [part["data"].get("alert_id", "test") + " " + part["type"] for part in parts]))
        self.at.append(at)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def told(self) -> list[str]:
        return [one for _, parts in self.heard for one in parts]


@dataclass
class Desk:
    """A delivery over a store, and how the judge would feed it."""

    store: Store

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.store)

    @property
    def states(self) -> ReceiverStates:
        return ReceiverStates(self.store)

    def deliverer(self, *receivers: Receiver) -> Deliverer:
        reports = Reports(self.teams, AlertBook(self.store))
        return Deliverer(self.outbox, receivers, self.states, Metrics(), self.teams, reports)

    @property
    def teams(self) -> Teams:
        return Teams(self.store)

    async def write(self, one: Alert, reason: Reason = Reason.fired, at: datetime = AT) -> None:
        await self.outbox.put(Due(f"{one.id}:{reason}:{at:%H%M%S}", EVERYBODY, payload(one, reason)), at)

    async def state(self, name: str) -> ReceiverState:
        found = await self.states.get(name)
        assert found is not None
        return found


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def receiver(ear: Ear, name: str = "a", **changes: object) -> Receiver:
    return replace(Receiver(name, "fake", ear), **changes)  # type: ignore[arg-type]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


async def settle(deliverer: Deliverer, now: datetime = AT) -> None:
    """Run until nothing more is due: first the fan-out, then the sends."""
    while await deliverer.run_once(now):
        pass


async def test_everybody_who_wants_an_alert_is_told_once_and_nobody_else(desk: Desk) -> None:
    quality, boss, hook = Ear(), Ear(), Ear()
    deliverer = desk.deliverer(
        receiver(quality, "quality"),
        receiver(boss, "boss", route=Route(severity=Severity.critical)),
        receiver(hook, "hook", route=Route(topics=("t2",))),
    )
    await desk.write(alert(1, severity=Severity.warning))
    await desk.write(alert(2, severity=Severity.critical))
    for _ in range(3):
        await settle(deliverer)
    assert sorted(quality.told) == ["20260310T0900-t1 alert.fired", "20260310T0900-t2 alert.fired"]
    assert boss.told == hook.told == ["20260310T0900-t2 alert.fired"]
    assert await desk.outbox.count() == (0, 0)
    ids = [name for ear in (quality, boss, hook) for name, _ in ear.heard]
    assert len(set(ids)) == 4


async def test_a_team_is_told_of_as_many_as_it_bears_and_the_least_severe_are_held_back(desk: Desk) -> None:
    first, second, other = Ear(), Ear(), Ear()
    team = {"team": "quality", "alerts_per_week": 2}
    deliverer = desk.deliverer(receiver(first, "a", **team), receiver(second, "b", **team), receiver(other, "c"))
    grades = (Severity.info, Severity.info, Severity.warning, Severity.warning, Severity.critical)
    for number, grade in enumerate(grades, 1):
        await desk.write(alert(number, severity=grade))
        await settle(deliverer)
    await desk.write(alert(2, severity=Severity.info, over=True), Reason.resolved)  # held back: its end is no news
    await desk.write(alert(1, severity=Severity.info, over=True), Reason.resolved)
    await settle(deliverer)
    numbers = [one.split()[0].rpartition("-t")[2] + one.split()[1].removeprefix("alert") for one in first.told]
    assert numbers == ["1.fired", "3.fired", "5.fired", "1.resolved"]
    assert second.told == first.told and len(other.told) == 7
    assert {one.alert_id[-2:] for one in await desk.teams.held("quality", AT - minutes(1), AT + minutes(1))} == {
        "t2",
        "t4",
    }
    await desk.write(alert(4, severity=Severity.critical), Reason.escalated, AT + minutes(1))
    await settle(deliverer, AT + minutes(1))
    assert first.told[-1].endswith("t4 alert.escalated")
    assert [one.alert_id[-2:] for one in await desk.teams.held("quality", AT - minutes(1), AT + minutes(9))] == ["t2"]
    await desk.write(alert(6, severity=Severity.info), at=AT + timedelta(days=8))
    await settle(deliverer, AT + timedelta(days=8))
    assert first.told[-1].endswith("t6 alert.fired")  # another week, another budget


async def test_a_team_has_the_report_of_its_week_on_monday_at_nine_in_its_own_zone_and_once(desk: Desk) -> None:
    ear, zone = Ear(), ZoneInfo("Asia/Shanghai")
    one = receiver(ear, "a", team="quality", alerts_per_week=5, weekly=zone)
    monday = datetime(2026, 3, 16, 9, tzinfo=zone)
    early = desk.deliverer(one)
    await settle(early, AT)  # the report of the week before the first
    await desk.write(alert(1, severity=Severity.warning))
    await settle(early, AT)
    await settle(early, monday - minutes(1))
    assert [told.split()[1] for told in ear.told] == ["weekly", "alert.fired"]
    for now in (monday, monday + minutes(1), monday + timedelta(days=3)):
        await settle(desk.deliverer(one), now)  # a delivery of its own each time, as after a kill
    assert [told.split()[1] for told in ear.told] == ["weekly", "alert.fired", "weekly"]
    (week,) = await Reports(desk.teams, AlertBook(desk.store)).weeks("quality", monday - timedelta(days=7, hours=9), 1)
    assert (week.told, week.held, week.busiest, week.at_once) == (1, 0, 1, 1)
    assert await desk.teams.budgets() == {"quality": 5}


async def test_whoever_was_told_of_an_alert_is_told_of_its_end_whatever_it_looks_like_then(desk: Desk) -> None:
    ear, deaf = Ear(), Ear()
    wants = Route(attributes={"batch": ("PB20-3",)})
    deliverer = desk.deliverer(
        receiver(ear, "a", route=wants), receiver(deaf, "b", route=replace(wants, reasons=("fired",)))
    )
    await desk.write(alert())
    await settle(deliverer)
    await desk.write(alert(culprit=("batch", "PB20-4"), over=True), Reason.resolved)
    await settle(deliverer)
    assert ear.told == ["20260310T0900-t1 alert.fired", "20260310T0900-t1 alert.resolved"]
    assert deaf.told == ["20260310T0900-t1 alert.fired"]


async def test_whoever_was_not_told_of_an_alert_is_not_told_of_its_end(desk: Desk) -> None:
    ear = Ear()
    await desk.write(alert(over=True, severity=Severity.info), Reason.resolved)
    await settle(desk.deliverer(receiver(ear, route=Route(severity=Severity.critical))))
    assert ear.told == []


async def test_quiet_hours_hold_back_until_their_end_and_then_tell_all_in_one_digest(desk: Desk) -> None:
    ear = Ear()
    night = Quiet(time(8), time(12), ZoneInfo("UTC"))
    deliverer = desk.deliverer(receiver(ear, quiet=night, digest_over=3))
    for number in range(5):
        await desk.write(alert(number, severity=Severity.warning), at=AT + minutes(number))
    await desk.write(alert(9, severity=Severity.critical))
    await settle(deliverer, AT + minutes(5))
    assert ear.told == ["20260310T0900-t9 alert.fired"]
    await settle(deliverer, AT.replace(hour=12))
    assert len(ear.heard) == 2
    assert len(ear.heard[1][1]) == 5
    assert await desk.outbox.count() == (0, 0)


async def test_a_few_at_once_are_told_each_and_many_as_one(desk: Desk) -> None:
    bot, program = Ear(), Ear()
    deliverer = desk.deliverer(receiver(bot, "bot", digest_over=3), receiver(program, "program"))
    for number in range(3):
        await desk.write(alert(number))
    await settle(deliverer)
    assert [len(parts) for _, parts in bot.heard] == [1, 1, 1]
    for number in range(3, 10):
        await desk.write(alert(number))
    await settle(deliverer)
    assert [len(parts) for _, parts in bot.heard] == [1, 1, 1, 7]
    assert [len(parts) for _, parts in program.heard] == [1] * 10


async def test_a_digest_that_fails_is_tried_again_whole_under_the_same_id(desk: Desk) -> None:
    ear = Ear([Later("status_502"), Delivered()])
    deliverer = desk.deliverer(receiver(ear, digest_over=3))
    for number in range(4):
        await desk.write(alert(number))
    await settle(deliverer)
    await settle(deliverer, AT + minutes(1))
    assert [len(parts) for _, parts in ear.heard] == [4, 4]
    assert ear.heard[0][0] == ear.heard[1][0]
    assert await desk.outbox.count() == (0, 0)


async def test_the_pace_of_a_bot_is_kept_and_what_waits_for_it_is_no_failed_try(desk: Desk) -> None:
    ear = Ear()
    deliverer = desk.deliverer(receiver(ear, pace=Pace((2, minutes(1)))))
    for number in range(5):
        await desk.write(alert(number))
    await settle(deliverer)
    assert len(ear.heard) == 2
    assert {one.attempt for one in await desk.outbox.due(AT + minutes(1))} == {0}
    await settle(desk.deliverer(receiver(ear, pace=Pace((2, minutes(1))))), AT + minutes(0.5))  # another process
    assert len(ear.heard) == 2
    await settle(deliverer, AT + minutes(1))
    await settle(deliverer, AT + minutes(2))
    assert len(ear.heard) == 5
    assert all(late - early >= minutes(1) for early, late in zip(ear.at, ear.at[2:], strict=False))


async def test_what_fails_is_tried_on_schedule_then_put_aside_and_can_be_sent_again(desk: Desk) -> None:
    ear = Ear([Later("status_503")])
    deliverer = desk.deliverer(receiver(ear))
    await desk.write(alert())
    now = AT
    for wait in WAITS:
        now += 1.2 * wait
        await settle(deliverer, now)
    assert len(ear.heard) == len(WAITS)
    (failure,) = await desk.outbox.given_up()
    assert (failure.receiver, failure.reason, failure.attempts) == ("a", "status_503", len(WAITS))
    ear.answers = [Delivered()]
    assert await desk.outbox.requeue(now, receiver="b") == 0
    assert await desk.outbox.requeue(now, entries=[failure.entry]) == 1
    await settle(deliverer, now)
    assert await desk.outbox.count() == (0, 0)
    assert {name for name, _ in ear.heard} == {failure.id}


async def test_a_receiver_that_names_a_time_is_left_alone_until_then(desk: Desk) -> None:
    ear = Ear([Later("too_fast", minutes(10)), Delivered()])
    deliverer = desk.deliverer(receiver(ear))
    await desk.write(alert())
    await settle(deliverer)
    await settle(deliverer, AT + minutes(9))
    assert len(ear.heard) == 1
    await settle(deliverer, AT + minutes(10))
    assert len(ear.heard) == 2


async def test_a_receiver_that_is_gone_stays_gone_through_restarts_until_a_test_goes_well(desk: Desk) -> None:
    ear = Ear([Dead("receiver_gone"), Delivered()])
    await desk.write(alert(1))
    await settle(desk.deliverer(receiver(ear)))
    assert ((await desk.state("a")).off, len(ear.heard)) == ("receiver_gone", 1)
    await desk.write(alert(2))
    await settle(desk.deliverer(receiver(ear)))  # another process
    assert len(ear.heard) == 1
    assert [one.reason for one in await desk.outbox.given_up()] == ["receiver_gone"] * 2
    await desk.outbox.put(Due("test:1", "a", trial("a"), once=True), AT)
    await settle(desk.deliverer(receiver(ear)))
    state = await desk.state("a")
    assert (state.off, state.last_outcome, state.tested) == (None, "delivered", "test:1")
    assert await desk.outbox.requeue(AT) == 2
    await settle(desk.deliverer(receiver(ear)))
    assert len(ear.heard) == 4


async def test_a_receiver_that_is_gone_can_be_switched_on_by_hand(desk: Desk) -> None:
    ear = Ear([Dead("receiver_gone"), Delivered()])
    await desk.write(alert(1))
    await settle(desk.deliverer(receiver(ear)))
    assert await desk.states.switch_on("a")
    assert not await desk.states.switch_on("nobody")
    await desk.write(alert(2))
    await settle(desk.deliverer(receiver(ear)))
    assert ear.told[-1] == "20260310T0900-t2 alert.fired"


async def test_a_test_that_fails_is_not_tried_again_and_is_no_failure_to_replay(desk: Desk) -> None:
    ear = Ear([Later("no_connection"), Dead("signature_refused")])
    deliverer = desk.deliverer(receiver(ear))
    for number in range(2):
        await desk.outbox.put(Due(f"test:{number}", "a", trial("a"), once=True), AT)
        await settle(deliverer)
    state = await desk.state("a")
    assert (state.tested, state.last_outcome, state.last_reason) == ("test:1", "dead", "signature_refused")
    assert await desk.outbox.count() == (0, 0)


async def test_a_slow_receiver_delays_no_other(desk: Desk) -> None:
    import asyncio

    heard = asyncio.Event()

    class Slow(Ear):
        async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
            await heard.wait()
            return await super().send(payload, id=id, at=at)

    class Quick(Ear):
        async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
            heard.set()
            return await super().send(payload, id=id, at=at)

    slow, quick = Slow(), Quick()
    await desk.write(alert())
    await asyncio.wait_for(settle(desk.deliverer(receiver(slow, "slow"), receiver(quick, "quick"))), 20)
    assert (len(slow.heard), len(quick.heard)) == (1, 1)


async def test_what_is_due_to_somebody_who_is_no_receiver_any_more_is_put_aside(desk: Desk) -> None:
    ear = Ear([Later("no_connection")])
    await desk.write(alert())
    await settle(desk.deliverer(receiver(ear, "old")))
    await settle(desk.deliverer(receiver(ear, "new")), AT + minutes(1))
    assert [(one.receiver, one.reason) for one in await desk.outbox.given_up()] == [("old", "receiver_unknown")]
    assert [state.name for state in await desk.states.all()] == ["new"]


async def test_a_fan_out_that_two_processes_begin_is_done_once(desk: Desk) -> None:
    ear = Ear()
    first, second = desk.deliverer(receiver(ear)), desk.deliverer(receiver(ear))
    await desk.write(alert())
    (due,) = await desk.outbox.due(AT)
    await first._fan_out(due, AT)
    await second._fan_out(due, AT)
    await settle(first)
    await settle(second)
    assert len(ear.heard) == 1


async def test_a_store_that_forgot_its_receivers_costs_no_notification(desk: Desk) -> None:
    ear = Ear()
    deliverer = desk.deliverer(receiver(ear))
    await settle(deliverer)
    await desk.store.client.flushall()
    await desk.write(alert())
    await settle(deliverer)
    assert (len(ear.heard), (await desk.state("a")).last_outcome) == (1, "delivered")


async def test_what_was_held_up_is_not_told_after_its_alert_went_on(desk: Desk) -> None:
    person, program = Ear([Later("status_502"), Delivered()]), Ear([Later("status_502"), Delivered()])
    deliverer = desk.deliverer(receiver(person, "person", latest_only=True), receiver(program, "program"))
    await desk.write(alert(1))
    await desk.write(alert(2))
    await settle(deliverer)
    assert person.told == ["20260310T0900-t1 alert.fired", "20260310T0900-t2 alert.fired"]  # the first one failed
    await desk.write(alert(1, over=True), Reason.resolved, at=AT + timedelta(seconds=1))
    await settle(deliverer, AT + timedelta(seconds=1))
    await settle(deliverer, AT + minutes(1))
    assert person.told[2:] == ["20260310T0900-t1 alert.resolved"]
    assert program.told[2:] == ["20260310T0900-t1 alert.resolved", "20260310T0900-t1 alert.fired"]
    assert await desk.outbox.count() == (0, 0)


async def test_an_alert_whose_name_holds_any_signs_is_told_under_an_id_that_can_be_signed(desk: Desk) -> None:
    ear = Ear([Later("status_502"), Delivered()])
    deliverer = desk.deliverer(receiver(ear, latest_only=True))
    names = ["20260310T0900-silent-小程序.v2:beta", "20260310T0900-silent-Channel::Web"]
    for name in names:
        await desk.write(replace(alert(), id=name))
    await settle(deliverer)
    await desk.write(replace(alert(over=True), id=names[0]), Reason.resolved, at=AT + timedelta(seconds=1))
    await settle(deliverer, AT + minutes(1))
    ids = [name for name, _ in ear.heard]
    assert all(re.fullmatch(r"[A-Za-z0-9:-]+", name) for name in ids)
    assert len(set(ids)) == 3
    assert await desk.outbox.count() == (0, 0)
