"""What the door keeps in memory of attributes, and what it gives to the store."""

from datetime import UTC, datetime, timedelta

from models.message import RawMessage
from models.redact import RedactSettings
from service.pipeline.ingest import Ingest, IngestRules
from service.store.inbox import Inbox
from service.store.redis import Store

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PHONE = "13800138000"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def test_only_values_that_hold_no_personal_data_are_remembered_and_for_a_minute(store: Store) -> None:
    await store.client.flushall()
    clock = Clock()
    inbox = Inbox(store, partitions=1, keep_seen=timedelta(days=2), max_backlog=100)
    await inbox.prepare()
    ingest = Ingest(inbox, IngestRules(b"k" * 32, 1_000, RedactSettings()), clock)
    attributes = {"sku": "PB-20", "note": f"call {PHONE}", "sep\x1farator": "a\x1eb", "long": "x" * 100}
    for number in range(2):
        raw = RawMessage(f"m{number}", "test", "坏了", NOW, "c1", "app", None, attributes)
        await ingest.take([raw])
    kept = [one.entry.message.attributes for one in await inbox.take("w", 10) if one.entry]
    assert (
        kept == [{"sku": "PB-20", "note": "call [phone]", "separator": "ab", "long": "x" * 100, "channel": "app"}] * 2
    )
    assert ingest._harmless == {"PB-20", "app"}
    clock.now += timedelta(minutes=1)
    await ingest.take_one(RawMessage("m9", "test", "坏了", NOW))
    assert not ingest._harmless
