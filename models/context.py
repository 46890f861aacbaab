"""The customer's whole picture: pieces from several systems, joined by customer, order and tracking number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PieceKind(StrEnum):
    """What a piece is about."""

    order = "order"
    shipment = "shipment"
    purchase = "purchase"
    returned = "return"
    complaint = "complaint"


class Join(StrEnum):
    """What a piece is found by."""

    customer = "customer"
    order = "order"
    tracking = "tracking"


@dataclass(frozen=True, slots=True)
class Piece:
    """One fact of one system: an order, a shipment, a purchase, a return, an earlier complaint."""

    kind: PieceKind
    id: str
    source: str
    at: datetime | None = None
    order: str | None = None
    tracking: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Missing:
    """A source that did not answer, and why: timeout, refused, away, unreadable."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is known of a customer or an order now, newest first; and whose part is missing."""

    pieces: tuple[Piece, ...]
    missing: tuple[Missing, ...] = ()


def joined(pieces: Iterable[Piece], missing: Iterable[Missing] = ()) -> Picture:
    """One picture: each piece once, the newest first, those without a time last.

    >>> one = Piece(PieceKind.order, "o1", "erp")
    >>> len(joined([one, one]).pieces)
    1
    """
    each = {(one.kind, one.id, one.source): one for one in pieces}
    dated = sorted((one for one in each.values() if one.at), key=lambda one: (one.at, one.id), reverse=True)
    return Picture((*dated, *(one for one in each.values() if one.at is None)), tuple(dict.fromkeys(missing)))


def leads(pieces: Iterable[Piece]) -> dict[Join, tuple[str, ...]]:
    """Orders and tracking numbers that pieces name, by which further sources are asked; in the order found.

    >>> leads([Piece(PieceKind.order, "o1", "erp", tracking="SF1")])[Join.order]
    ('o1',)
    """
    found: dict[Join, dict[str, None]] = {Join.order: {}, Join.tracking: {}}
    for one in pieces:
        order = one.id if one.kind is PieceKind.order else one.order
        for join, value in ((Join.order, order), (Join.tracking, one.tracking)):
            if value:
                found[join][value] = None
    return {join: tuple(values) for join, values in found.items()}
