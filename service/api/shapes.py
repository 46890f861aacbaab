"""What answers look like, for the OpenAPI document. The views make the answers; a test holds both together."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.alert import Judgement, Reason
from models.context import PieceKind
from models.embed import Language
from models.exposure import Pace
from models.indicator import Direction, Kind
from models.limits import Cause
from models.lineage import Change
from models.severity import Severity
from service.store.apikeys import Scope

Time = str
"""RFC 3339 in UTC, to the second."""


class Shape(BaseModel):
    """Nothing else stands in an answer than what is listed."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """An error, after RFC 9457; ``code`` is stable, ``detail`` is for people. Some codes bring more fields."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = Field(None, description="the field to mend")


class Topic(Shape):
    id: str
    label: str
    labels: dict[Language, str]
    terms: list[str]


class Window(Shape):
    start: Time
    end: Time
    minutes: int
    observed: float = Field(description="customers counted; of an indicator its figure")
    expected: float
    upper_bound: float = Field(description="the largest count still normal; of an indicator the threshold crossed")


class AlertIndicator(Shape):
    """The indicator that an alert is about, and the thresholds about it."""

    name: str
    kind: Kind
    direction: Direction
    unit: str
    n: float = Field(description="observations in the window")
    cause: Cause
    start: float | None
    learnt: float | None
    lower: float | None
    upper: float | None


class Culprit(Shape):
    """An attribute value that is over-represented: ``observed`` customers where ``expected`` would be usual."""

    attribute: str
    value: str
    observed: int
    expected: float
    lift: float
    p: float


class Sample(Shape):
    message_id: str
    source: str
    text: str = Field(description="redacted")
    occurred_at: Time
    attributes: dict[str, str]
    order_id: str | None


class Point(Shape):
    start: Time
    observed: float
    expected: float
    upper: float


class SeriesPoint(Point):
    orders: float | None = Field(description="orders that fall due in this hour, at the usual lag")
    per_thousand: float | None = Field(description="customers per 1,000 of them")


class RateShape(Shape):
    """Complaints per 1,000 orders since the onset, with an interval that holds it nine times in ten, and before."""

    attribute: str | None = Field(description="whose orders: of an attribute value, null of all")
    value: str | None
    now: float
    low: float
    high: float
    orders: int = Field(description="orders that fell due since the onset")
    before: float | None
    sales: float | None = Field(description="times as many orders as before")
    lag_days: float = Field(description="usual days from shipment to complaint")
    pace: Pace = Field(description="in_step excuses: complaints rose with orders, and with them alone")


class BarShape(Shape):
    """What the topic must score to ring, before and after a judgement of noise."""

    before: float
    after: float


class FactsShape(Shape):
    acknowledged_at: Time | None
    acknowledged_by: str | None
    snoozed_until: Time | None
    closed_at: Time | None
    judgement: Judgement | None
    judged_at: Time | None
    bar: BarShape | None
    note: str | None
    assigned_to: str | None


class FormerShape(Shape):
    """The alert before, on a topic that comes back after it was over for long."""

    alert_id: str
    resolved_at: Time
    judgement: Judgement | None
    url: str | None


class Spark(Shape):
    """The curve of a list: an hour a value."""

    start: Time
    observed: list[float]
    upper: list[float]


class RefusedPost(Shape):
    index: int
    code: str
    field: str
    detail: str


class ShippedReceipt(Shape):
    """What became of posts: new days, corrected ones, and those that said the same again."""

    accepted: int
    corrected: int
    duplicates: int
    rejected: list[RefusedPost]


class ShippedDay(Shape):
    day: str = Field(description="a date")
    orders: float
    due: float | None = Field(description="orders that fall due on that day, at the usual lag")


class ShippedDays(Shape):
    attribute: str | None
    value: str | None
    days: list[ShippedDay]


class AlertBase(Shape):
    """One episode of one topic."""

    alert_id: str
    headline: str
    headlines: dict[Language, str]
    state: Literal["pending", "firing", "resolved"]
    severity: Severity
    severity_reasons: list[Literal["size", "ratio", "speed", "silence", "limit", "orders"]]
    reason: Reason
    fired_at: Time
    onset: Time
    updated_at: Time
    resolved_at: Time | None
    noticed_at: Time
    late: bool
    new_normal: bool
    former: FormerShape | None
    topic: Topic
    observed: float
    expected: float
    upper_bound: float
    indicator: AlertIndicator | None
    window: Window
    customers: int
    messages: int
    culprits: list[Culprit]
    excused: bool = Field(description="complaints rose in step with orders: a sales peak, told to nobody")
    rates: list[RateShape] = Field(description="per 1,000 orders: the culprit's first, all last; empty without orders")
    samples: list[Sample]
    facts: FactsShape
    url: str | None


class AlertRow(AlertBase):
    """One episode of one topic, as a list shows it: the first sample, and the curve without its times."""

    spark: Spark | None


class AlertShape(AlertBase):
    """One episode of one topic with all its evidence."""

    curve: list[Point]
    windows: list[Window]
    contributions: dict[str, float]


class Step(Shape):
    at: Time
    kind: str = Field(
        description="onset, fired, resolved, acknowledged, assigned, snoozed, closed, judged, unjudged, commented"
    )
    by: str | None
    note: str | None
    detail: dict[str, str | float | None]


class Timeline(Shape):
    timeline: list[Step]


class AlertPage(Shape):
    alerts: list[AlertRow]
    next: str | None = Field(description="cursor of the next page")


class MessageReceipt(Shape):
    """What became of one message; with ``?wait=topic`` also what it is about and what rings on that."""

    accepted: int
    duplicates: int
    rejected: list[str]
    id: str
    topic: Topic | None = None
    alert: AlertRow | None = None
    waited: bool = False


class RefusedRow(Shape):
    row: int
    code: str
    field: str
    detail: str


class ImportReceipt(Shape):
    """What became of a file: ``rows`` read, and the first hundred of those that were refused."""

    rows: int
    accepted: int
    duplicates: int
    refused: int
    rejected: list[RefusedRow]


class IgnoredEvent(Shape):
    index: int
    reason: str


class RefusedEvent(Shape):
    index: int
    code: str
    field: str
    detail: str


class IngestReceipt(Shape):
    accepted: int
    duplicates: int
    ignored: list[IgnoredEvent]
    rejected: list[RefusedEvent]


class BriefAlert(Shape):
    """What a chatbot needs of an alert."""

    alert_id: str
    severity: Severity
    onset: Time
    customers: int
    in_hand: bool


class KnownIssue(Shape):
    known: bool
    topic: Topic | None
    strength: float
    alert: BriefAlert | None
    say: dict[Language, str] | None = Field(description="what a chatbot may say")


class Exemplar(Shape):
    message_id: str
    text: str


class TopicShape(Topic):
    names: dict[Language, str] = Field(description="as people named it; `labels` has these first")
    into: str | None = Field(description="the topic that it was merged into")
    origin: str | None = Field(description="the topic that it was split from")
    state: str
    kind: str
    born: Time | None
    size: int
    radius: float
    exemplars: list[Exemplar]


class TopicBar(Shape):
    threshold: float
    extra: float
    required: float


class TopicRow(TopicShape):
    customers: int
    customers_before: int
    trend: list[int] = Field(description="customers an hour")
    bar: TopicBar | None = Field(description="what it must score to ring, where judgements of noise raised it")
    distance: float | None = Field(None, description="with `q`: 1 - cosine, to what was asked for")


class TopicPage(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    topics: list[TopicRow]
    since: Time | None = Field(alias="from")
    to: Time | None
    noise: int
    counted: int


class TopicMessage(Shape):
    message_id: str
    source: str
    text: str
    occurred_at: Time
    attributes: dict[str, str]


class TopicDetail(TopicShape):
    messages: list[TopicMessage]
    alert: AlertRow | None


class MapPlace(Shape):
    id: str
    x: float
    y: float


class TopicMap(Shape):
    topics: list[MapPlace]


class Proposal(Shape):
    topics: list[TopicShape]
    apart: float = Field(description="distance of the centres, in the smaller radius")


class SplitProposal(Shape):
    topic: TopicShape
    apart: float = Field(description="of the two heaps its newest messages fall in: means apart, in their spread")


class ProposalList(Shape):
    proposals: list[Proposal]
    splits: list[SplitProposal]


class TopicPart(Shape):
    labels: dict[Language, str]
    terms: list[str]
    size: int
    exemplars: list[Exemplar]


class TopicParts(Shape):
    topic: str
    parts: list[TopicPart]
    messages: list[str] = Field(description="ids of the kept messages of the second part")


class LineageEvent(Shape):
    at: Time
    topic: str
    change: Change
    other: str | None
    by: str | None
    name: str | None


class Lineage(Shape):
    topic: str
    heir: str | None = Field(description="what its messages are counted under now")
    events: list[LineageEvent]


class SeriesWhy(Shape):
    """Why a topic alarms or not, as of the last closed bucket."""

    score: float
    required: float = Field(description="the score from which it alarms")
    onset: Time
    window: Window = Field(description="the window that says most")
    windows: list[Window] = Field(description="all windows that alarm")
    contributions: dict[str, float] = Field(
        description="usual level, and what hour, weekday and volume (promotions among it) multiply it by"
    )


class Series(Shape):
    topic: str
    points: list[SeriesPoint]
    why: SeriesWhy | None = Field(description="null while the topic is not judged")


class CampaignShape(Shape):
    id: str
    name: str
    start: Time
    end: Time
    multiplier: float | None


class CampaignList(Shape):
    campaigns: list[CampaignShape]


class KeyShape(Shape):
    id: str
    name: str
    scopes: list[Scope]
    created_at: Time
    ends_at: Time | None


class KeyList(Shape):
    keys: list[KeyShape]


class NewKey(KeyShape):
    key: str = Field(description="the key itself, in this answer alone")


class KeyEnd(Shape):
    id: str
    ends_at: Time


class ReceiverShape(Shape):
    name: str
    kind: str
    off: str | None = Field(description="why nothing more is sent to it")
    off_at: Time | None
    last_outcome: Literal["delivered", "later", "dead"] | None
    last_reason: str | None
    last_at: Time | None
    delivered_at: Time | None


class ReceiverList(Shape):
    receivers: list[ReceiverShape]


class Tried(Shape):
    outcome: Literal["delivered", "later", "dead", "waiting"]
    reason: str | None


class Failure(Shape):
    entry: str
    receiver: str
    reason: str
    attempts: int
    at: Time
    type: str
    alert_id: str | None


class FailureList(Shape):
    failures: list[Failure]


class Replayed(Shape):
    replayed: int


class QualityShape(Shape):
    """Alerts by what people said; ``precision`` is the share of judged ones that were real, with its 95 % interval."""

    alerts: int
    real: int
    noise: int
    unjudged: int
    precision: float | None
    low: float | None
    high: float | None


class WeekQuality(QualityShape):
    start: Time
    acknowledged: int = Field(description="alerts that somebody took in hand")
    minutes_to_acknowledge: float | None = Field(description="the median, since the alert was noticed")


class TopicQuality(QualityShape):
    topic: Topic
    bar: TopicBar | None


class QualityPage(Shape):
    total: QualityShape
    weeks: list[WeekQuality]
    severities: dict[Severity, QualityShape]
    topics: list[TopicQuality]


class MethodSum(Shape):
    noticed: int
    of: int
    median_hours: float | None = Field(description="after the onset")
    cost_until_noticed: float


class NoticedBy(Shape):
    hours: float | None = Field(description="after the onset; null where it would never have noticed")
    cost: float = Field(description="tickets beyond the expected until then")


class HindsightSurge(Shape):
    alert_id: str
    topic: Topic
    onset: Time
    fired_at: Time
    excess: float
    noticed: dict[str, NoticedBy]


class HindsightPage(Shape):
    """A month beside ``mean + 3 sd`` and a ``weekly review``."""

    currency: str
    ticket: float
    days: int
    methods: dict[str, MethodSum]
    mean_3_sd_alarms: int = Field(description="how often mean + 3 sd would have rung on these topics in all these days")
    surges: list[HindsightSurge]


class TeamWeek(Shape):
    """A week of a team; ``open_at_once``: the most that were open at a time and in nobody's hand."""

    team: str
    alerts_per_week: int | None
    start: Time
    told: int
    held: int = Field(description="held back, being beyond the budget and less severe")
    acknowledged: int
    minutes_to_acknowledge: float | None = Field(description="the median, since the team was told")
    busiest_day: int
    open_at_once: int
    real: int
    noise: int
    precision: float | None
    low: float | None
    high: float | None


class TeamShape(Shape):
    team: str
    alerts_per_week: int | None
    told: int = Field(description="alerts told in the last seven days")
    held: list[str] = Field(description="ids of alerts held back in the last seven days")
    weeks: list[TeamWeek]


class TeamList(Shape):
    teams: list[TeamShape]


class BudgetChoice(Shape):
    false_alarms_per_week: float
    threshold: float = Field(description="what a topic must score to ring")
    crowd_bar: float = Field(description="what a crowd must score to ring")
    alerts: int = Field(
        description="episodes of the last 28 days that reached it; one event may count as topic and crowd"
    )


class BudgetPage(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    false_alarms_per_week: float
    setting: float = Field(description="what the settings say")
    chosen: bool = Field(description="whether people chose another than the settings say")
    since: Time | None = Field(alias="from")
    rang: int = Field(description="alerts since then")
    noise: int = Field(description="of these, judged noise")
    choices: list[BudgetChoice]


class ObservationReceipt(Shape):
    accepted: int
    duplicates: int
    rejected: list[RefusedEvent]


class IndicatorNow(Shape):
    """The last hour; ``why`` is what hour, weekday and volume multiply the usual level by (the odds, of shares)."""

    start: Time
    end: Time
    n: float
    value: float | None
    usual: float | None
    lower: float | None
    upper: float | None
    learnt: float | None
    in_force: Cause | None
    why: dict[str, float]


class IndicatorShape(Shape):
    name: str
    labels: dict[Language, str]
    kind: Kind
    direction: Direction
    unit: str
    limit: float | None
    quantile: float | None
    least: float = Field(description="observations below which nothing is said")
    start: float | None = Field(description="the threshold until there is history")
    ceiling: float | None
    floor: float | None
    since: Time | None
    learning_until: Time | None
    now: IndicatorNow | None


class IndicatorPoint(Shape):
    start: Time
    n: float
    value: float | None
    usual: float | None
    lower: float | None
    upper: float | None


class IndicatorDetail(IndicatorShape):
    curve: list[IndicatorPoint]


class IndicatorList(Shape):
    indicators: list[IndicatorShape]


class ContextPiece(Shape):
    kind: PieceKind
    id: str
    source: str
    at: Time | None
    order: str | None
    tracking: str | None
    fields: dict[str, str]


class PushedPiece(Shape):
    kind: PieceKind
    id: str


class Erasure(Shape):
    erased: dict[str, int] = Field(description="entries that went, by where they lay")


class EarlierMessage(Shape):
    message_id: str
    source: str
    text: str = Field(description="redacted")
    occurred_at: Time


class MissingSource(Shape):
    source: str
    reason: str = Field(description="timeout, refused, away, unreadable")


class CustomerContext(Shape):
    pieces: list[ContextPiece] = Field(description="newest first")
    messages: list[EarlierMessage] = Field(description="what the customer wrote lately, newest first")
    missing: list[MissingSource] = Field(description="sources that did not answer")


class Assist(Shape):
    issue: KnownIssue | None
    context: CustomerContext


class KeptKind(Shape):
    what: dict[Language, str]
    how: dict[Language, str]
    days: int | None
    most: int | None


class AgentGroupsShape(Shape):
    groups: list[str]
    least: int


class Privacy(Shape):
    kept: list[KeptKind]
    agents: AgentGroupsShape
    looks: int
    last_look: Time | None


class Look(Shape):
    at: Time
    who: str
    what: str
    about: str


class LookList(Shape):
    looks: list[Look]


class ExportedMessage(EarlierMessage):
    order_id: str | None
    attributes: dict[str, str]


class ExportedPiece(Shape):
    kind: PieceKind
    id: str
    at: Time | None
    fields: dict[str, str]


class Export(Shape):
    customer: str = Field(description="the keyed hash")
    messages: list[ExportedMessage]
    context: list[ExportedPiece]
    alerts: list[str] = Field(description="ids of alerts that show a message of the customer")


class Estimated(Shape):
    """A range, with every figure that was assumed."""

    low: float
    likely: float
    high: float
    assumptions: dict[str, float]


class AlertCost(Shape):
    currency: str
    cost: Estimated | None


class CostlyAlert(Estimated):
    alert_id: str
    headline: str
    fired_at: Time


class CostShape(Shape):
    """The plain calculation, and the alerts of those days."""

    currency: str
    tickets_a_day: float
    minutes: float
    hour: float
    days: int
    a_day: float
    in_all: float
    alerts: list[CostlyAlert]


class DeadMessage(Shape):
    message_id: str | None
    source: str | None
    occurred_at: Time | None
    reason: str


class DeadList(Shape):
    dead: list[DeadMessage]


class OutboxCounts(Shape):
    waiting: int
    dead: int


class BlindSpan(BaseModel):
    """A span in which nothing could be taken in: no API process lived, or the store was away."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    start: Time = Field(alias="from")
    to: Time


class Status(Shape):
    version: str
    now: Time
    lag_seconds: float
    waiting: int
    dead: int
    topics: int
    embedder: str | None
    without_topic: int
    noise_share: float | None
    learning_until: Time | None
    judged_until: Time | None
    threshold: float | None
    outbox: OutboxCounts
    blind: list[BlindSpan]


class Alive(Shape):
    status: Literal["alive"]


class Ready(Shape):
    status: Literal["ready", "not ready"]
    checks: dict[str, Literal["ready", "away"]]


class FeedItem(Shape):
    id: str
    url: str | None
    title: str
    content_text: str
    date_published: Time
    date_modified: Time
    tags: list[str]
    tocsin: dict[str, Any] = Field(alias="_tocsin")


class Feed(Shape):
    """JSON Feed 1.1."""

    version: Literal["https://jsonfeed.org/version/1.1"]
    title: str
    home_page_url: str
    feed_url: str
    language: Language
    items: list[FeedItem]
