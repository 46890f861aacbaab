"""What is taken in, refused and put aside."""

from pydantic import Field

from models.embed import Language
from service.api.shapes.alerts import AlertRow, BriefAlert
from service.api.shapes.base import Shape, Time, Topic


class RefusedPost(Shape):
    index: int
    code: str
    field: str
    detail: str


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


class KnownIssue(Shape):
    known: bool
    topic: Topic | None
    strength: float
    alert: BriefAlert | None
    say: dict[Language, str] | None = Field(description="what a chatbot may say")


class Replayed(Shape):
    replayed: int


class DeadMessage(Shape):
    message_id: str | None
    source: str | None
    occurred_at: Time | None
    reason: str


class DeadList(Shape):
    dead: list[DeadMessage]
