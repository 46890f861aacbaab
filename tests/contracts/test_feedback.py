"""What people say of an alert is kept with what it asks of its topic, on every store."""

from dataclasses import replace
from datetime import UTC, datetime

from models.alert import Judgement
from models.bar import raise_bar
from service.store.alerts import AlertBook, Deed, Judged
from service.store.judgement import JudgeStore, Tick
from service.store.lease import Lease
from service.store.redis import Store
from tests.contracts.test_alert_book import alert

NOW = datetime(2026, 3, 2, tzinfo=UTC)


async def test_a_judgement_stands_in_the_timeline_with_the_bar_it_moved(store: Store) -> None:
    lease, book = Lease(store, "judge"), AlertBook(store)
    await lease.hold()
    await JudgeStore(store).commit(Tick(None, 1, {}, [alert()]), lease.token)
    bar = raise_bar([], alert="a1", topic="t1", threshold=3.2, at=NOW)
    deed = Deed(NOW, "judged", by="Li", note="a price cut", detail={"bar_before": bar.before, "bar_after": bar.after})
    await book.act("a1", "judged", lambda _, f: replace(f, judgement=Judgement.noise), deed=deed, judged=Judged(bar))
    assert await book.timeline("a1") == [deed]
    assert await book.bars() == [bar]
    await book.act("a1", "unjudged", lambda _, f: replace(f, judgement=None), judged=Judged(None))
    assert await book.bars() == []


async def test_what_was_asked_of_a_merged_topic_is_asked_of_its_heir_and_can_be_taken_back(store: Store) -> None:
    lease, book = Lease(store, "judge"), AlertBook(store)
    await lease.hold()
    await JudgeStore(store).commit(Tick(None, 1, {}, [alert()]), lease.token)
    bar = raise_bar([], alert="a1", topic="t1", threshold=3.2, at=NOW)
    await book.act("a1", "judged", lambda _, f: f, judged=Judged(bar))
    await book.move_bars("t1", "t2")
    await book.move_bars("t7", "t2")
    assert await book.bars() == [replace(bar, topic="t2")]
    await book.act("a1", "unjudged", lambda _, f: f, judged=Judged(None))
    assert await book.bars() == []
