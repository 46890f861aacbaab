"""Running the service: campaigns, keys, receivers, status."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.api.shapes.base import Shape, Time
from service.store.apikeys import Scope


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
