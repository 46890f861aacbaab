"""Indicators, and orders shipped."""

from pydantic import Field

from models.embed import Language
from models.indicator import Direction, Kind
from models.limits import Cause
from service.api.shapes.base import Shape, Time
from service.api.shapes.messages import RefusedEvent, RefusedPost


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


class ObservationReceipt(Shape):
    accepted: int
    duplicates: int
    rejected: list[RefusedEvent]


class IndicatorNow(Shape):
    """The last hour; ``why`` is what hour, weekday, volume and a campaign that runs multiply the usual level by (the odds,
    of shares)."""

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
    campaign_hours: float = Field(description="hours of campaigns that the usual was learnt from")


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
