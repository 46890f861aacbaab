"""Topics, and what became of them."""

from pydantic import BaseModel, ConfigDict, Field

from models.embed import Language
from models.lineage import Change
from service.api.shapes.alerts import AlertRow, Point, TopicBar, Window
from service.api.shapes.base import Shape, Time, Topic


class SeriesPoint(Point):
    orders: float | None = Field(description="orders that fall due in this hour, at the usual lag")
    per_thousand: float | None = Field(description="customers per 1,000 of them")


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
