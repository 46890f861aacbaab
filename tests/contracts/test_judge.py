"""The judge on a recorded stream: each surge, crowd and silence told once, whenever it is killed, on every store."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest
from scipy.linalg import expm

from models.alert import Alert
from models.buckets import BUCKET, bucket_of, end_of
from models.counted import NOISE
from models.embed import Centring, Vectors, unit
from models.exposure import Pace
from models.gist import gist
from models.message import CustomerKey, Message, RedactedText
from models.surge import SurgeRules, SurgeState
from models.topic import Topic, TopicId
from models.topics import TopicModel
from models.unplaced import UnplacedShare
from service.metrics import Metrics
from service.pipeline.bench import unpack_detector
from service.pipeline.carry import carry
from service.pipeline.exposure import Exposure
from service.pipeline.hidden import Hidden
from service.pipeline.judge import Erasing, Judge, JudgeRules
from service.pipeline.lookout import Lookout
from service.pipeline.succession import Succession
from service.pipeline.tide import Tide
from service.pipeline.witness import Witness
from service.store import keys
from service.store.alerts import AlertBook
from service.store.campaigns import Campaign, Campaigns
from service.store.codec import Entry, pack_vector, unpack_vectors
from service.store.context import PushedContext
from service.store.counts import Counts, Retention, Tally
from service.store.customers import Customers
from service.store.erasures import Erasures
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore, NotInStep, Tick
from service.store.lease import Lease
from service.store.lineage import LineageLog
from service.store.model import ModelStore
from service.store.outbox import Outbox
from service.store.pools import Pools
from service.store.redis import Store
from service.store.shipped import Posted, Shipped, day_of
from service.store.vigil import Vigil

DIMENSION = 16
PARTITIONS = 2
ISSUES = unit(np.random.default_rng(3).normal(size=(7, DIMENSION)))
UNHEARD, UNALIKE = 6, 7  # the issue of no topic; and what is of none, each message another
SAID = (
    "parcel is late",
    "zip broke",
    "refund missing",
    "wrong colour sent",
    "app crashes",
    "coupon refused",
    "it hums",
    "who knows",
)
BEGUN = datetime(2026, 3, 7, tzinfo=UTC)
WATCHED = datetime(2026, 3, 11, tzinfo=UTC)  # counts are judged from here on
RAISED = datetime(2026, 3, 14, tzinfo=UTC)  # and told from here on
END = RAISED + timedelta(hours=20)
SURGE = RAISED + timedelta(hours=5)
WIDE = RAISED + timedelta(hours=9)
CROWD = RAISED + timedelta(hours=13)
TOLD = "everybody"


class Killed(Exception):
    """The judge's process ends here."""


class Mortal(JudgeStore):
    """A room in which the judge dies just before or just after a tick is written: each tick both ways."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.deaths = 0
        self._tried: set[tuple[int | None, int]] = set()

    async def commit(self, tick: Tick, token: str) -> None:
        self.deaths += 1
        if (tick.before, tick.after) not in self._tried:
            self._tried.add((tick.before, tick.after))
            raise Killed
        await super().commit(tick, token)
        raise Killed


def message(number: int, issue: int, at: datetime, channel: str = "", batch: str = "") -> Message:
    words = "".join(chr(97 + int(digit)) for digit in str(number))
    return Message(
        id=f"m{number}",
        source="test",
        text=RedactedText(f"the {SAID[issue]} {words}"),
        occurred_at=at,
        customer=CustomerKey(f"c{number}"),
        attributes={"channel": channel or ("web", "shop")[number % 2], "batch": batch or f"B{number * 7 % 31}"},
    )


def vector(one: Message) -> bytes:
    """Near the direction of what the text is about, nearer where it is of one batch; the same for the same message."""
    spread = 0.05 if one.attributes["batch"] == "K7" else 0.12
    issue = next(number for number, words in enumerate(SAID) if words in one.text)
    rng = np.random.default_rng(int(one.id[1:]))
    middle = ISSUES[issue] if issue < UNALIKE else np.zeros(DIMENSION)
    return pack_vector(unit((middle + spread * rng.normal(size=DIMENSION))[None])[0])


def usual() -> list[tuple[Message, int]]:
    """Six messages an hour for eight days; those of the app until telling begins."""
    rng = np.random.default_rng(5)
    seconds = np.sort(
        rng.integers(int((END - BEGUN).total_seconds()), size=6 * int((END - BEGUN) / timedelta(hours=1)))
    )
    found = []
    for number, second in enumerate(seconds.tolist()):
        at, issue = BEGUN + timedelta(seconds=second), int(rng.integers(6))
        channel = "app" if number % 3 == 0 and at < RAISED else ""
        found.append((message(number, issue, at, channel), issue))
    return found


def spread_over(start: datetime, span: timedelta, count: int, issue: int, first: int) -> list[tuple[Message, int]]:
    return [(message(first + n, issue, start + n * span / count, batch="K7"), issue) for n in range(count)]


def of_everything(start: datetime) -> list[tuple[Message, int]]:
    """Three hours in which every issue has six times as much as usual."""
    return [(message(80_000 + n, n % 6, start + n * timedelta(minutes=2), batch=f"B{n}"), n % 6) for n in range(90)]


STREAM = usual()
SURGED = spread_over(SURGE, timedelta(hours=3), 30, 0, 50_000)
CROWDED = spread_over(CROWD, timedelta(hours=4), 10, UNHEARD, 60_000)
LOUD = [
    (message(70_000 + n, 3, WIDE + n * timedelta(minutes=4)), 3) for n in range(36)
]  # as unlike one another as usual
EVERYTHING = STREAM + SURGED + CROWDED + LOUD


class Shop:
    """One tenant on a store; judges come and go."""

    def __init__(self, store: Store) -> None:
        self.store = store
        retention = Retention(timedelta(days=35), timedelta(days=14), 256, 2_000, 20_000)
        self.inbox = Inbox(store, partitions=PARTITIONS, keep_seen=timedelta(days=30), max_backlog=100_000)
        self.counts = Counts(store, partitions=PARTITIONS, retention=retention)
        self.pools = Pools(store, partitions=PARTITIONS)
        self.models = ModelStore(store)
        self.book = AlertBook(store)
        self.shipped = Shipped(store, timedelta(days=90))
        self.erasures = Erasures(store)
        self.customers = Customers(
            store, PushedContext(store, timedelta(days=90)), ModelStore(store), partitions=PARTITIONS
        )

    async def save_topics(self) -> None:
        topics = tuple(
            Topic(TopicId(f"t{n}"), ISSUES[n], 0.6, 40, BEGUN, (SAID[n],), {"en": SAID[n]}) for n in range(UNHEARD)
        )
        await self.models.save(
            TopicModel("drawn", Centring.none(DIMENSION), topics), bucket_of(BEGUN), after=0, at=BEGUN
        )

    async def count(self, said: Sequence[tuple[Message, int]]) -> None:
        """Put messages through inbox and counting script, as a worker does."""
        await self.inbox.prepare()
        issues = {one.id: issue for one, issue in said}
        for start in range(0, len(said), 500):
            await self.inbox.accept([Entry(one) for one, _ in said[start : start + 500]], END)
        while taken := await self.inbox.take("worker", 1_000):
            for partition in range(PARTITIONS):
                tallies = [
                    Tally(one.id, one.entry, NOISE if issues[one.entry.message.id] >= UNHEARD else
                          f"t{issues[one.entry.message.id]}", vector(one.entry.message))
                    for one in taken
                    if one.partition == partition and one.entry
                ]  # fmt: skip
                await self.counts.count(partition, tallies)

    async def judge(
        self,
        room: JudgeStore | None = None,
        rules: JudgeRules = JudgeRules(2.0, receivers=(TOLD,)),
        vigil: Vigil | None = None,
        known: dict[str, bytes] | None = None,
    ) -> Judge:
        """A judge in a process of its own, as it were, that took the lease from the one before. ``known`` of the tide."""
        await self.store.client.delete(keys.lease("judge"))
        lease = Lease(self.store, "judge", timedelta(minutes=10))
        assert await lease.hold()
        models = ModelStore(self.store)
        lookout, witness = Lookout(self.pools, models, 1.0), Witness(self.counts, self.pools, models)
        tide = Tide(self.counts, models, lookout, 0.32)
        tide.restore(known or {})
        return Judge(
            room or JudgeStore(self.store), self.counts, models, self.book, Campaigns(self.store),
            witness, lookout, tide, Hidden(self.counts, witness, past=timedelta(days=14)),
            Succession(LineageLog(self.store), self.counts, self.pools, models, timedelta(days=35)),
            rules, Metrics(), lease.token, None, vigil, Exposure(self.shipped),
            Erasing(self.erasures, self.customers),
        )  # fmt: skip

    async def alerts(self) -> list[Alert]:
        """Oldest first."""
        return [filed.alert for filed in reversed(await self.book.newest(100))]

    async def told(self) -> list[tuple[str, str]]:
        """Alert and reason of each notification, in the order they are due."""
        bodies = [orjson.loads(one.payload) for one in await Outbox(self.store).due(END + timedelta(days=9), 1_000)]
        return [(body["data"]["alert_id"], body["type"]) for body in bodies]

    async def written(self) -> dict[str, Any]:
        """All that people can come to see."""
        client = self.store.client
        return {
            "alerts": await client.hgetall(keys.ALERTS),
            "order": await client.zrange(keys.ALERT_ORDER, 0, -1, withscores=True),
            "events": [(fields[b"kind"], fields[b"alert"]) for _, fields in await client.xrange(keys.EVENTS)],
            "due": await client.zrange(keys.OUTBOX, 0, -1, withscores=True),
            "bodies": await client.hgetall(keys.OUTBOX_BODIES),
        }


_DUMPS: dict[str, list[tuple[str, bytes]]] = {}


@pytest.fixture
async def shop(store: Store, store_url: str) -> Shop:
    """A shop whose stream was counted and judged until telling begins; made once a store."""
    shop, client = Shop(store), store.client
    if store_url not in _DUMPS:
        await shop.save_topics()
        await shop.count(EVERYTHING)
        judge = await shop.judge()
        await judge.begin(bucket_of(WATCHED), raise_from=bucket_of(RAISED))
        await judge.advance(RAISED, RAISED)
        await client.delete(keys.lease("judge"))
        names = sorted([name async for name in store.names("*")])
        _DUMPS[store_url] = list(zip(names, [await client.dump(name) for name in names], strict=True))
        return shop
    await restore(store, store_url)
    return shop


def earlier(said: Sequence[tuple[Message, int]], by: timedelta) -> list[tuple[Message, int]]:
    """The same, said by others so much before."""
    return [
        (
            replace(
                one, id=f"m9{one.id[1:]}", customer=CustomerKey(f"c9{one.id[1:]}"), occurred_at=one.occurred_at - by
            ),
            to,
        )
        for one, to in said
    ]


async def restore(store: Store, store_url: str) -> None:
    async with store.client.pipeline(transaction=False) as pipe:
        for name, body in _DUMPS[store_url]:
            pipe.restore(name, 0, body)
        await pipe.execute()


SELDOM = timedelta(hours=2)


def times(step: timedelta) -> list[datetime]:
    return [RAISED + n * step for n in range(1, (END - RAISED) // step + 1)]


async def uninterrupted(shop: Shop, step: timedelta = timedelta(minutes=30), *, peek: bool = False) -> dict[str, Any]:
    judge = await shop.judge()
    for at in times(step):
        await judge.advance(at, at)
        if peek:
            await judge.peek(at)
    return await shop.written()


def about(alerts: Sequence[Alert], issue: int) -> Alert:
    """The one alert whose samples speak of an issue."""
    (found,) = [one for one in alerts if any(SAID[issue] in sample.text for sample in one.evidence.samples)]
    return found


async def test_a_surge_of_a_topic_is_told_once_with_evidence_and_told_when_it_ends(shop: Shop) -> None:
    await uninterrupted(shop)
    alert = about(await shop.alerts(), 3)
    assert alert.id.endswith("-t3")
    assert alert.evidence.topic.id == "t3"
    assert WIDE < alert.fired_at <= WIDE + timedelta(hours=1, minutes=30)
    assert WIDE - timedelta(hours=2) <= alert.evidence.onset < alert.fired_at
    assert alert.evidence.window.observed > alert.evidence.window.upper_bound > alert.evidence.window.expected
    said = {one.id for one, issue in EVERYTHING if issue == 3}
    assert {sample.message_id for sample in alert.evidence.samples} <= said
    assert sum(point.observed for point in alert.evidence.curve[-24:]) >= 36
    assert (alert.state, alert.late) == (SurgeState.resolved, False)
    reasons = [reason for name, reason in await shop.told() if name == alert.id]
    assert (reasons[0], reasons[-1]) == ("alert.fired", "alert.resolved")
    assert len(set(reasons)) == len(reasons)


def orders(peak: int, usual: int = 100, **attributes: str) -> list[Posted]:
    """``usual`` orders a day for six weeks, and ``peak`` on the day of the surge."""
    today = day_of(WIDE.date())
    return [Posted(day, peak if day == today else usual, attributes) for day in range(today - 42, today + 1)]


PEAK = (WIDE, WIDE + timedelta(hours=2))
LATER = (CROWD, CROWD + timedelta(hours=4))


async def judged_at(shop: Shop, *times: datetime) -> None:
    for at in times:
        await (await shop.judge()).advance(at, at)


async def test_a_sales_peak_is_filed_with_its_excuse_and_told_to_nobody(shop: Shop) -> None:
    await shop.shipped.put(orders(40_000))
    await judged_at(shop, *PEAK)
    alerts = [one for one in await shop.alerts() if one.evidence.topic.id == "t3"]
    alert = alerts[0]
    assert all(one.evidence.excused for one in alerts), "a crowd of the peak, seen beside its topic, is excused as well"
    (rate,) = alert.evidence.rates
    assert (alert.evidence.excused, alert.severity, alert.grade.reasons) == (True, "info", ("orders",))
    assert rate.sales is not None and rate.before is not None and rate.sales > 10 and rate.now < 1.5 * rate.before
    assert not {one.id for one in alerts} & {name for name, _ in await shop.told()}


async def test_complaints_that_outgrow_a_sales_peak_are_told_per_thousand_orders(shop: Shop) -> None:
    await shop.shipped.put(orders(2_500))
    await judged_at(shop, *PEAK)
    alert = about(await shop.alerts(), 3)
    (rate,) = alert.evidence.rates
    assert (rate.pace, alert.evidence.excused) == (Pace.beyond, False)
    assert rate.before is not None and rate.low < rate.now < rate.high and rate.now > 2 * rate.before
    assert (alert.id, "alert.fired") in await shop.told()


async def test_sales_of_everything_do_not_excuse_a_batch_whose_own_orders_are_unknown(shop: Shop) -> None:
    await shop.shipped.put(orders(200_000))
    await judged_at(shop, *LATER)
    alert = about(await shop.alerts(), UNHEARD)
    assert alert.evidence.culprits[0].value == "K7" and alert.evidence.rates[0].pace is Pace.unknown
    assert (alert.id, "alert.fired") in await shop.told()


async def test_a_crowd_of_one_batch_is_told_per_thousand_of_its_own_orders(shop: Shop) -> None:
    await shop.shipped.put(orders(100) + orders(20, 20, batch="K7"))
    await judged_at(shop, *LATER)
    alert = about(await shop.alerts(), UNHEARD)
    mine, whole = alert.evidence.rates
    assert (mine.cell, whole.cell) == (("batch", "K7"), None)
    assert mine.orders < whole.orders / 2 and mine.now > whole.now > 0
    assert (alert.id, "alert.fired") in await shop.told()


async def test_who_is_erased_is_in_no_later_evidence_though_the_judge_was_not_started_anew(shop: Shop) -> None:
    judge = await shop.judge()
    await judge.advance(CROWD + timedelta(hours=1), CROWD)
    gone = {one.customer for one, _ in CROWDED[:4]}
    for customer in gone:  # as the API does, in a process of its own
        await shop.erasures.note(customer, datetime.now(UTC))
        await shop.customers.erase(customer)
    await judge.advance(CROWD + timedelta(hours=5), CROWD + timedelta(hours=5))
    shown = {sample.customer for alert in await shop.alerts() for sample in alert.evidence.samples}
    assert shown and not shown & gone


async def test_a_crowd_that_no_topic_holds_is_told_with_its_messages_and_its_batch(shop: Shop) -> None:
    await uninterrupted(shop)
    alert = about(await shop.alerts(), UNHEARD)
    assert CROWD < alert.fired_at <= CROWD + timedelta(hours=4)
    assert (alert.evidence.customers, alert.evidence.messages) == (10, 10)
    assert alert.evidence.onset == CROWD
    assert {sample.message_id for sample in alert.evidence.samples} <= {one.id for one, _ in CROWDED}
    assert ("batch", "K7") in {(one.attribute, one.value) for one in alert.evidence.culprits}
    assert "hums" in alert.evidence.topic.terms
    assert (alert.id, "alert.fired") in await shop.told()


async def test_a_crowd_within_a_topic_and_the_topic_are_told_as_one(shop: Shop) -> None:
    await uninterrupted(shop)
    alert = about(await shop.alerts(), 0)
    assert alert.evidence.topic.id == "t0"
    assert alert.evidence.customers >= 30
    assert ("batch", "K7") in {(one.attribute, one.value) for one in alert.evidence.culprits}
    assert [one.evidence.topic.id for one in await shop.alerts()].count("t0") == 1


async def test_a_channel_that_has_fallen_silent_is_told_until_it_speaks_again(shop: Shop) -> None:
    await uninterrupted(shop)
    (alert,) = [one for one in await shop.alerts() if one.evidence.window.observed == 0]
    last = max(one.occurred_at for one, _ in STREAM if one.channel == "app")
    assert alert.id.endswith("-silent-app")
    assert (alert.state, alert.severity, alert.evidence.onset) == ("firing", "warning", end_of(bucket_of(last)))
    assert [reason for name, reason in await shop.told() if name == alert.id] == ["alert.fired"]
    again = [(message(80_000 + n, n % 6, END + n * timedelta(minutes=30), "app"), n % 6) for n in range(8)]
    await shop.count(again)
    judge = await shop.judge()
    for hour in range(1, 4):
        await judge.advance(END + timedelta(hours=hour), END + timedelta(hours=hour))
    assert (await shop.book.get(alert.id)).alert.state is SurgeState.resolved
    assert [reason for name, reason in await shop.told() if name == alert.id] == ["alert.fired", "alert.resolved"]


async def test_where_a_day_holds_little_a_surge_is_told_of_as_a_crowd_and_never_as_a_topic(store: Store) -> None:
    shop = Shop(store)
    await shop.save_topics()
    await shop.count(earlier(STREAM[::2], by=timedelta(days=8)) + STREAM[::2] + SURGED)
    judge = await shop.judge()
    await judge.begin(bucket_of(WATCHED), raise_from=bucket_of(RAISED))
    for at in times(timedelta(minutes=30)):
        await judge.advance(at, at)
        await judge.peek(at)
    alert = about(await shop.alerts(), 0)
    assert "-c" in alert.id
    assert alert.evidence.customers >= 10


async def watched_for_a_week(
    store: Store,
    more: Sequence[tuple[Message, int]],
    usual: Sequence[tuple[Message, int]] = STREAM,
    *,
    vigil: Vigil | None = None,
) -> Shop:
    """A shop judged from its first day to five hours after telling begins."""
    shop = Shop(store)
    await shop.save_topics()
    await shop.count([*usual, *more])
    judge = await shop.judge(vigil=vigil)
    await judge.begin(bucket_of(BEGUN), raise_from=bucket_of(RAISED))
    for at in (RAISED, *times(timedelta(minutes=30))[:9]):
        await judge.advance(at, at)
    return shop


async def test_an_outage_that_is_written_of_in_every_topic_is_told_once_as_a_whole(store: Store) -> None:
    shop = await watched_for_a_week(store, of_everything(RAISED + timedelta(hours=2)))
    (alert,) = [one for one in await shop.alerts() if one.evidence.window.observed]  # beside the app's silence
    assert alert.id.endswith("-swell-")
    assert alert.evidence.topic.labels == {"en": "all messages", "zh": "全部消息"}
    assert alert.evidence.window.observed > alert.evidence.window.upper_bound
    assert len({sample.text.rsplit(" ", 1)[0] for sample in alert.evidence.samples}) > 2


async def test_more_than_usual_that_no_topic_explains_is_told_as_an_alert_of_its_own(store: Store) -> None:
    share, hour = UnplacedShare(0.12), int(RAISED.timestamp()) // 3600
    for before in range(hour - 15 * 24, hour):
        share.take(before, 1 + before % 3 // 2, 8)
    shop, begun = Shop(store), RAISED + timedelta(hours=1)
    await shop.save_topics()
    scattered = [(message(90_000 + n, UNALIKE, begun + n * timedelta(minutes=5)), UNALIKE) for n in range(48)]
    await shop.count([*STREAM, *scattered])
    judge = await shop.judge(known={"unplaced": share.pack()})
    await judge.begin(bucket_of(RAISED), raise_from=bucket_of(RAISED))
    for at in times(timedelta(minutes=30))[:13]:
        await judge.advance(at, at)
    (alert,) = [one for one in await shop.alerts() if one.evidence.topic.id == "unplaced"]
    assert alert.evidence.window.observed > alert.evidence.window.upper_bound > alert.evidence.window.expected
    assert alert.evidence.samples
    assert all("who knows" in sample.text for sample in alert.evidence.samples)
    assert await (await shop.judge()).advance(END, END)  # what the share was is kept with everything else
    assert [one.open for one in await shop.alerts() if one.evidence.topic.id == "unplaced"] == [False]


async def test_an_announced_campaign_excuses_more_of_everything(store: Store) -> None:
    begun = RAISED + timedelta(hours=2)
    await Campaigns(store).put([Campaign("c1", "sale", begun, begun + timedelta(hours=12), None)])
    shop = await watched_for_a_week(store, of_everything(begun))
    assert all("-silent-" in one.id for one in await shop.alerts())


DARK = RAISED + timedelta(minutes=22)  # for four hours nothing came in
HEARD = [(one, to) for one, to in STREAM if not DARK <= one.occurred_at < DARK + timedelta(hours=4)]


async def test_when_nobody_writes_by_any_channel_it_is_told_as_one_silence(store: Store) -> None:
    shop = await watched_for_a_week(store, [], HEARD)
    assert len([one for one in await shop.alerts() if one.id.endswith("-silent-")]) == 1


async def test_hours_in_which_nobody_listened_are_neither_silence_nor_surge_nor_learnt(store: Store) -> None:
    vigil = Vigil(store)
    await vigil.beat(DARK)
    await vigil.beat(DARK + timedelta(hours=4))
    shop = await watched_for_a_week(store, [], HEARD, vigil=vigil)
    assert all(one.id.endswith("-silent-app") for one in await shop.alerts())
    position, state = await JudgeStore(store).state()
    assert position == bucket_of(RAISED + timedelta(hours=4, minutes=30)) - 1
    outlook = unpack_detector(state).outlook()
    dark = outlook.expected[1:4].sum(axis=1)
    assert (dark == 0.0).all(), "the three whole hours of it expect nothing"
    assert outlook.expected[8:20].sum() / 12 == pytest.approx(6, rel=0.4)


async def test_while_nobody_listens_still_nothing_is_taken_for_silence(store: Store) -> None:
    vigil = Vigil(store)
    await vigil.beat(DARK)
    shop = await watched_for_a_week(store, [], [(one, to) for one, to in HEARD if one.occurred_at < DARK], vigil=vigil)
    assert all(one.id.endswith("-silent-app") for one in await shop.alerts())


async def test_nothing_is_told_of_what_came_before_telling_began(shop: Shop) -> None:
    assert await shop.alerts() == []
    await uninterrupted(shop)
    assert all(one.fired_at > RAISED for one in await shop.alerts())
    assert len(await shop.alerts()) == 4


async def test_what_was_told_and_is_over_is_not_told_again_while_long_windows_still_see_it(shop: Shop) -> None:
    await uninterrupted(shop)
    before = {one.id for one in await shop.alerts()}
    judge = await shop.judge()
    await judge.advance(END + timedelta(hours=34), END)
    later = [one for one in await shop.alerts() if one.id not in before]
    assert [one for one in later if one.evidence.window.observed] == []


# ---------------------------------------------------------------------- killed


async def again(shop: Shop, store: Store, store_url: str) -> None:
    """All as it was before the first alert."""
    await store.client.flushall()
    await restore(store, store_url)


async def test_a_judge_killed_around_every_tick_tells_what_an_uninterrupted_one_tells(
    shop: Shop, store: Store, store_url: str
) -> None:
    expected = await uninterrupted(shop, SELDOM, peek=True)
    assert len(expected["alerts"]) == 4
    await again(shop, store, store_url)
    room = Mortal(store)
    for at in times(SELDOM):
        judge = await shop.judge(room)
        for step in (lambda judge, at=at: judge.advance(at, at), lambda judge, at=at: judge.peek(at)):
            while True:
                try:
                    await step(judge)
                    break
                except Killed:
                    judge = await shop.judge(room)
                    await judge.begun()
    assert room.deaths >= 2 * len(times(SELDOM)) + 8
    assert await shop.written() == expected


async def test_two_judges_that_lose_the_lease_to_each_other_tell_what_one_tells(
    shop: Shop, store: Store, store_url: str
) -> None:
    expected = await uninterrupted(shop, SELDOM)
    await again(shop, store, store_url)
    old = await shop.judge()
    for at in times(SELDOM):
        await old.begun()
        new = await shop.judge()
        before = await shop.written()
        with pytest.raises(NotInStep):
            await old.advance(at, at)
        assert await shop.written() == before
        await new.advance(at, at)
        old.forget()
        old = new
    assert await shop.written() == expected


class Paused(JudgeStore):
    """A room in which the judge is paused before each write, for longer than its lease lasts: others lead meanwhile."""

    def __init__(self, store: Store, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(store)
        self.refused = 0
        self._meanwhile = meanwhile

    async def commit(self, tick: Tick, token: str) -> None:
        await self._meanwhile()
        try:
            await super().commit(tick, token)
        except NotInStep:
            self.refused += 1
            raise
        raise AssertionError("a judge that was paused wrote")


async def test_a_judge_that_was_paused_before_a_write_wakes_and_writes_nothing(
    shop: Shop, store: Store, store_url: str
) -> None:
    """Though the one that led meanwhile is gone again, and nobody holds the lease."""
    around = times(SELDOM)[2:4]  # the surge begins and is told
    judge = await shop.judge()
    for at in around:
        await judge.advance(at, at)
    expected = await shop.written()
    assert expected["alerts"]
    await again(shop, store, store_url)
    for at in around:

        async def meanwhile(at: datetime = at) -> None:
            other = await shop.judge()
            await other.advance(at, at)
            await store.client.delete(keys.lease("judge"))

        room = Paused(store, meanwhile)
        paused = await shop.judge(room)
        with pytest.raises(NotInStep):
            await paused.advance(at, at)
        assert room.refused == 1
    assert await shop.written() == expected


async def test_a_judge_that_was_away_for_a_day_tells_the_same_alerts(shop: Shop, store: Store, store_url: str) -> None:
    await uninterrupted(shop)
    expected = [(one.id, one.state, one.evidence.topic.id) for one in await shop.alerts()]
    await again(shop, store, store_url)
    judge = await shop.judge()
    await judge.advance(END, END)
    assert [(one.id, one.state, one.evidence.topic.id) for one in await shop.alerts()] == expected
    assert len(set(await shop.told())) == len(await shop.told())


async def test_judging_the_same_time_again_changes_nothing(shop: Shop) -> None:
    before = await uninterrupted(shop)
    judge = await shop.judge()
    assert await judge.advance(END, END) == []
    assert await judge.advance(WIDE, END) == []
    assert await shop.written() == before


# ---------------------------------------------------------------------- another encoder in the middle of it all


SKEW = 0.1 * np.triu(np.random.default_rng(8).normal(size=(DIMENSION, DIMENSION)), 1)
TURN = expm(SKEW - SKEW.T).astype(np.float32)  # as far as tuning goes: cosines of about .9 to where things were


class Turned:
    """An embedder in whose space everything lies as before, turned."""

    name, dimension = "turned", DIMENSION

    def __init__(self) -> None:
        self._known = {gist(one.text): vector(one) for one, _ in EVERYTHING}

    def embed(self, texts: Sequence[str]) -> Vectors:
        return unpack_vectors([self._known[text] for text in texts], DIMENSION) @ TURN


async def test_open_alerts_go_on_when_a_bundle_with_another_encoder_goes_live(
    shop: Shop, store: Store, store_url: str
) -> None:
    await uninterrupted(shop)
    expected = [(one.id, one.state, one.evidence.topic.id) for one in await shop.alerts()]
    told = await shop.told()
    await again(shop, store, store_url)
    judge, promoted = await shop.judge(), False
    for at in times(timedelta(minutes=30)):
        if at > CROWD + timedelta(hours=4) and not promoted:
            known = await shop.models.current()
            assert known.model and len([one for one in await shop.alerts() if one.open]) >= 1
            topics = tuple(replace(one, centroid=one.centroid @ TURN) for one in known.model.topics)
            live = await shop.models.promote(
                replace(known.model, embedder="turned", topics=topics), 1, after=known.version, bundle="turned@1",
                scales={}, given={}, now=at, reason="",
            )  # fmt: skip
            await carry(shop.pools, Turned(), live)
            promoted = True
        await judge.advance(at, at)
    assert [(one.id, one.state, one.evidence.topic.id) for one in await shop.alerts()] == expected
    assert await shop.told() == told


# ---------------------------------------------------------------------- the bucket that fills


FILLING = RAISED + timedelta(hours=2)
BURST = [(message(90_000 + n, 5, FILLING + n * timedelta(seconds=10)), 5) for n in range(14)]


async def test_a_burst_is_told_before_its_bucket_closes_and_not_again_after(shop: Shop) -> None:
    judge = await shop.judge()
    await judge.advance(FILLING, FILLING)
    assert await judge.peek(FILLING) == []
    await shop.count(BURST)
    now = FILLING + timedelta(minutes=3)
    (alert,) = await judge.peek(now)
    assert (alert.noticed_at, alert.fired_at, alert.late) == (now, FILLING + BUCKET, False)
    assert alert.evidence.topic.id == "t5"
    assert await judge.peek(now) == []
    assert await shop.told() == [(alert.id, "alert.fired")]
    await judge.advance(FILLING + BUCKET, FILLING + BUCKET)
    await judge.advance(FILLING + 2 * BUCKET, FILLING + 2 * BUCKET)
    assert [one.id for one in await shop.alerts()] == [alert.id]
    assert (await shop.told())[:1] == [(alert.id, "alert.fired")]
    assert len(set(await shop.told())) == len(await shop.told())


async def test_a_judge_killed_after_a_look_at_the_filling_bucket_does_not_tell_it_twice(shop: Shop) -> None:
    judge = await shop.judge()
    await judge.advance(FILLING, FILLING)
    await shop.count(BURST)
    (alert,) = await judge.peek(FILLING)
    judge = await shop.judge()
    assert await judge.begun()
    assert await judge.peek(FILLING) == []
    await judge.advance(FILLING + BUCKET, FILLING + BUCKET)
    assert [one.id for one in await shop.alerts()] == [alert.id]
    assert (await shop.told()).count((alert.id, "alert.fired")) == 1


async def test_a_look_at_the_filling_bucket_teaches_nothing(shop: Shop) -> None:
    judge = await shop.judge()
    await judge.advance(FILLING, FILLING)
    position, before = await JudgeStore(shop.store).state()
    await shop.count(BURST)
    await judge.peek(FILLING)
    after_position, after = await JudgeStore(shop.store).state()
    assert after_position == position
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"bench", "watch"}


async def test_a_judge_that_asks_for_two_alarms_is_not_hurried_by_a_look(shop: Shop) -> None:
    """The filling bucket and the same bucket closed are one alarm."""
    judge = await shop.judge(rules=JudgeRules(2.0, SurgeRules(hold=2), (TOLD,)))
    await judge.advance(FILLING, FILLING)
    await shop.count(BURST)
    assert await judge.peek(FILLING) == []
    assert await judge.advance(FILLING + BUCKET, FILLING) == []
    (alert,) = await judge.advance(FILLING + 2 * BUCKET, FILLING)
    assert alert.fired_at == FILLING + 2 * BUCKET
