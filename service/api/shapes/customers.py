"""The customer: context, export, privacy."""

from pydantic import Field

from models.context import PieceKind
from models.embed import Language
from service.api.shapes.base import Shape, Time
from service.api.shapes.messages import KnownIssue


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
