"""A receiver: a channel out, with what it wants to hear, when, and how much at once."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol

from service.notify.outcome import Outcome
from service.notify.pace import Pace
from service.notify.route import Quiet, Route


class Notifier(Protocol):
    """One channel out: ``send`` never raises for what the other side does."""

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        """Deliver a payload; ``id`` is the same on every try, so that a receiver can drop repeats."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """``digest_over``: more than so many due at once become one message; None where each is sent by itself.
    ``latest_only``: what was held up and then overtaken by a later change of the same alert is not sent any more.
    """

    name: str
    kind: str
    notifier: Notifier
    route: Route = field(default_factory=Route)
    quiet: Quiet | None = None
    pace: Pace = field(default_factory=Pace)
    digest_over: int | None = None
    latest_only: bool = False
    team: str | None = None
    """Whose it is; teams have a budget of alerts and a weekly report."""
    alerts_per_week: int | None = None
    weekly: tzinfo | None = None
    """Told of its team's week each Monday at nine in this zone; None where it is not."""
