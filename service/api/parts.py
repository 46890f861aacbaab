"""What the API's resources work with; wired once, in `service.wiring`."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.agents import AgentRules
from models.bar import extras
from models.buckets import BUCKET, bucket_of, end_of
from models.cost import Rates
from models.detector import Detector
from models.indicator import Indicator
from models.keeping import Keeping
from models.message import RawMessage
from models.series import hourly_curve
from service.api.auth import Gate
from service.clock import Clock
from service.errors import EncoderAway
from service.metrics import Metrics
from service.pipeline.bench import unpack_detector
from service.pipeline.context import Context
from service.pipeline.exposure import Exposure
from service.pipeline.ingest import Ingest
from service.pipeline.mapping import MessageMapping
from service.store.access import AccessLog
from service.store.alerts import AlertBook, Filed
from service.store.answers import Answer, Answers
from service.store.apikeys import ApiKeys
from service.store.board import Board
from service.store.campaigns import Campaigns
from service.store.context import PushedContext
from service.store.counts import Counts
from service.store.customers import Customers
from service.store.erasures import Erasures
from service.store.gauges import Gauges
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore
from service.store.lineage import LineageLog
from service.store.model import ModelStore
from service.store.outbox import Outbox
from service.store.pools import Pools
from service.store.pulse import Pulse
from service.store.receivers import ReceiverStates
from service.store.redis import Store
from service.store.shipped import Shipped
from service.store.teams import Teams
from service.store.vigil import Vigil
from service.views import alert_row, explanation_view, hourly_rate, point_view

_RECENT = 200  # alerts looked through for an open one


@dataclass(frozen=True, slots=True)
class ApiParts:
    """Rooms of the store and the door, with the limits that requests are held to."""

    store: Store
    inbox: Inbox
    ingest: Ingest
    answers: Answers
    models: ModelStore
    lineage: LineageLog
    counts: Counts
    gauges: Gauges
    gauge: JudgeStore
    indicators: Mapping[str, Indicator]
    pushed: PushedContext
    context: Context
    access: AccessLog
    shipped: Shipped
    exposure: Exposure
    customers: Customers
    erasures: Erasures
    teams: Teams
    agents: AgentRules
    kept: tuple[Keeping, ...]
    """What is kept, in plain words."""
    pools: Pools
    book: AlertBook
    judge: JudgeStore
    outbox: Outbox
    receivers: ReceiverStates
    campaigns: Campaigns
    keys: ApiKeys
    pulse: Pulse
    board: Board
    vigil: Vigil
    process: str
    """This process's name on the board."""
    gate: Gate
    metrics: Metrics
    clock: Clock
    mappings: Mapping[str, MessageMapping]
    max_batch: int
    max_body: int
    max_import: int
    base_url: str
    rates: Rates
    false_alarms_per_week: float

    async def ask(self, text: str, limit: timedelta) -> Answer:
        """What a text is about, as a worker reads it; it is redacted, answered, and neither kept nor counted.

        Raises `EncoderAway` where no worker answers in time, and what `Ingest.check` raises.
        """
        raw = RawMessage(id=uuid.uuid4().hex, source="question", text=text, occurred_at=self.clock())
        self.ingest.check(raw)
        word = self.answers.expect()
        try:
            await self.ingest.ask(raw, word)
        except BaseException:
            self.answers.forget(word)
            raise
        answer = await self.answers.wait(word, limit)
        if answer is None:
            raise EncoderAway("no worker answered in time; the message itself can be posted all the same")
        return answer

    async def detector(self) -> Detector | None:
        """The detector as of the last tick; None before judging has begun."""
        position, state = await self.judge.state()
        return None if position is None else unpack_detector(state)

    async def series(self, topic: str, span: timedelta) -> dict[str, Any]:
        """Customers an hour on a topic up to the last judged bucket, with what was expected where that is known; and
        why it alarms or not, None while it is not judged."""
        position, state = await self.judge.state()
        last = position if position is not None else bucket_of(self.clock())
        first = (last + 1) - span // BUCKET
        history = (await self.counts.history([topic], first, last))[topic]
        detector = None if position is None else unpack_detector(state)
        curve = hourly_curve(detector, topic, history, first, last)
        due = await self.exposure.due(curve[0].start, curve[-1].start) if curve else {}
        points = [point_view(point) | hourly_rate(point, due) for point in curve]
        if detector is None or topic not in detector.topics:
            return {"topic": topic, "points": points, "why": None}
        extra = extras(await self.book.bars(), end_of(last)).get(topic, 0.0)
        why = explanation_view(detector.explain(topic, extra=extra), detector.threshold + extra)
        return {"topic": topic, "points": points, "why": why}

    async def open_filed(self, topic: str) -> Filed | None:
        """The open alert on a topic, or None."""
        for filed in await self.book.newest(_RECENT):
            told = filed.alert.evidence
            if filed.alert.open and filed.facts.closed_at is None and told.topic.id == topic and not told.excused:
                return filed
        return None

    async def open_alert(self, topic: str) -> dict[str, Any] | None:
        """The open alert on a topic, as a list shows it, or None."""
        filed = await self.open_filed(topic)
        return alert_row(filed.alert, filed.facts, base_url=self.base_url) if filed else None
