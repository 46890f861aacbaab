"""What the API's resources work with; wired once, in `service.wiring`."""

from dataclasses import dataclass
from typing import Any

from service.api.auth import Gate
from service.clock import Clock
from service.metrics import Metrics
from service.pipeline.ingest import Ingest
from service.store.alerts import AlertBook
from service.store.answers import Answers
from service.store.apikeys import ApiKeys
from service.store.campaigns import Campaigns
from service.store.counts import Counts
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore
from service.store.model import ModelStore
from service.store.outbox import Outbox
from service.store.pools import Pools
from service.store.pulse import Pulse
from service.store.redis import Store
from service.views import alert_row

_RECENT = 200  # alerts looked through for an open one


@dataclass(frozen=True, slots=True)
class ApiParts:
    """Rooms of the store and the door, with the limits that requests are held to."""

    store: Store
    inbox: Inbox
    ingest: Ingest
    answers: Answers
    models: ModelStore
    counts: Counts
    pools: Pools
    book: AlertBook
    judge: JudgeStore
    outbox: Outbox
    campaigns: Campaigns
    keys: ApiKeys
    pulse: Pulse
    gate: Gate
    metrics: Metrics
    clock: Clock
    max_batch: int
    max_body: int
    base_url: str

    async def open_alert(self, topic: str) -> dict[str, Any] | None:
        """The open alert on a topic, as a list shows it, or None."""
        for filed in await self.book.newest(_RECENT):
            if filed.alert.open and filed.facts.closed_at is None and filed.alert.evidence.topic.id == topic:
                return alert_row(filed.alert, filed.facts, base_url=self.base_url)
        return None
