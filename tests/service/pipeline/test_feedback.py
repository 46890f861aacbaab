"""What people say of an alert changes what rings next, and can be undone."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from models.alert import Former, Judgement, Reason
from models.bar import HALF_LIFE
from models.buckets import end_of
from models.identity import mute
from models.topic import TopicId
from service.notify.card import Voice, card_of
from service.store import keys
from service.store.embedded import EmbeddedStore
from service.store.judgement import JudgeStore
from service.store.outbox import EVERYBODY, Outbox
from service.store.redis import Store
from tests.service.pipeline.court import LAST, NOW, SURGES, Court


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("court")
    with EmbeddedStore(folder, durable=False) as store:
        yield store.url


Dump = dict[bytes, bytes]
_HELD: dict[str, Dump] = {}


@pytest.fixture
async def court(url: str) -> AsyncIterator[Court]:
    """A court after its first alert; the way there is judged once, and then put back for each test."""
    store = Store.connect(url)
    court = Court(store)
    try:
        await store.client.flushall()
        for key, body in _HELD.get(url, {}).items():
            await store.client.restore(key, 0, body)
        if url not in _HELD:
            await court.open()
            await court.surge(SURGES[0])
            _HELD[url] = {key: await store.client.dump(key) for key in await store.client.keys()}
        await store.client.delete(keys.lease("judge"))
        await court.lease.hold()
        yield court
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("said", "second_rings"),
    [
        ([], True),
        ([Judgement.noise], False),
        ([Judgement.noise, Judgement.real], True),
        ([Judgement.noise, None], True),
    ],
    ids=["nothing", "noise", "noise, then real", "noise, then undone"],
)
async def test_noise_keeps_the_same_from_ringing_again_and_nothing_else_does(
    court: Court, said: list[Judgement | None], second_rings: bool
) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    for judgement in said:
        await court.say(first, judgement, end_of(SURGES[0]))
    assert len(await court.surge(SURGES[1])) == 1 + second_rings


async def test_a_bar_that_was_raised_long_ago_holds_nothing_back(court: Court) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    await court.say(first, Judgement.noise, end_of(SURGES[0]) - 12 * HALF_LIFE)
    assert len(await court.surge(SURGES[1])) == 2


async def test_each_change_is_left_once_for_everybody_in_words_that_a_card_can_be_made_of(court: Court) -> None:
    await court.until(SURGES[0] + 200)
    left = await Outbox(court.store).due(end_of(LAST))
    assert {one.receiver for one in left} == {EVERYBODY}
    assert [card_of(one.payload, Voice("en")).title.split("]")[1].split(":")[0] for one in left] == [
        " New alert",
        " Over",
    ]
    assert await court.until(SURGES[0] + 200) and len(await Outbox(court.store).due(end_of(LAST))) == len(left)


async def test_a_topic_that_comes_back_after_a_day_names_the_alert_before_and_how_it_was_judged(court: Court) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    await court.say(first, Judgement.real, end_of(SURGES[0]))
    await court.surge(SURGES[1])
    before, again = await court.alerts()
    assert before.former is None and before.resolved_at is not None
    assert again.former == Former(before.id, before.resolved_at, Judgement.real)


async def test_a_bar_that_was_raised_raises_the_upper_bound_that_is_shown(court: Court) -> None:
    (first,) = await court.until(SURGES[0] + 6)
    await court.say(first, Judgement.noise, end_of(SURGES[0]))
    await court.until(SURGES[1] - 1)
    await court.store.client.hset(keys.counts(0, SURGES[1]), "t1", 60)
    await court.until(SURGES[1])
    shown = (await court.alerts())[-1].evidence.window
    plain = (await court.detector()).explain("t1").telling
    assert (shown.observed, shown.minutes) == (plain.observed, 5 * (plain.end - plain.first))
    assert shown.upper_bound > plain.upper_bound


async def test_the_open_alert_of_a_topic_that_is_muted_resolves_and_rings_no_more(court: Court) -> None:
    (alert,) = await court.alerts()
    assert alert.open
    await court.models.change(lambda model: mute(model, TopicId("t1")), at=NOW)
    await court.until(SURGES[0] + 8)
    (alert,) = await court.alerts()
    assert not alert.open and alert.sent is not None and alert.sent.reason is Reason.resolved
    assert len(await court.surge(SURGES[1])) == 1


async def test_a_budget_that_is_chosen_holds_at_once_and_until_it_is_taken_back(court: Court) -> None:
    before = (await court.detector()).settings.false_alarms_per_week
    for bucket, chosen, times in ((SURGES[0] + 7, 20.0, 10), (SURGES[0] + 8, None, 1)):
        await JudgeStore(court.store).choose_budget(chosen)
        await court.until(bucket)
        after = (await court.detector()).settings.false_alarms_per_week
        assert after == pytest.approx(times * before)
