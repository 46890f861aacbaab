"""What it costs, hindsight, teams."""

from pydantic import Field

from models.embed import Language
from service.api.shapes.base import Shape, Time, Topic


class MethodSum(Shape):
    noticed: int
    of: int
    median_hours: float | None = Field(description="after the onset")
    cost_until_noticed: float


class NoticedBy(Shape):
    hours: float | None = Field(description="after the onset; null where it would never have noticed")
    cost: float = Field(
        description="what was beyond the expected until then: tickets, or what one more of an indicator costs"
    )


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
    mean_3_sd_alarms: int = Field(description="how often mean + 3 sd would have rung on these in all these days")
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
    headlines: dict[Language, str]
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
