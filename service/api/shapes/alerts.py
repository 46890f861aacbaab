"""Alerts, the quality of them, and the budget they are held to."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.alert import Judgement, Reason
from models.embed import Language
from models.exposure import Pace
from models.indicator import Direction, Kind
from models.limits import Cause
from models.severity import Severity
from service.api.shapes.base import Shape, Time, Topic


class TopicBar(Shape):
    threshold: float
    extra: float
    required: float


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
    campaigns: list[str] = Field(description="announced campaigns that run, by name; the expectation allows for them")
    campaign_hours: float = Field(description="hours of campaigns that it was learnt from")


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


class BriefAlert(Shape):
    """What a chatbot needs of an alert."""

    alert_id: str
    severity: Severity
    onset: Time
    customers: int
    in_hand: bool


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
