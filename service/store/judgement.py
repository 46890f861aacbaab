"""The judge's own state, and the one step in which a tick is written: state, alerts, events and outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from models.alert import Alert
from service.errors import Conflict
from service.store import keys
from service.store.alertcodec import pack
from service.store.alerts import MOST_EVENTS
from service.store.redis import Store, bytes_of, store_errors, text_of


class NotInStep(Conflict):
    """Another judge holds the lease, or got further; stand by and read the state anew."""

    code = "not_in_step"


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing to tell one receiver; ``id`` names the transition, so it is told once."""

    id: str
    due: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick writes. ``before`` and ``after`` are positions: the last judged bucket, or None."""

    before: int | None
    after: int
    state: Mapping[str, bytes] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    events: Sequence[tuple[str, str]] = ()
    """(kind, alert id)"""
    notifications: Sequence[Notification] = ()


class JudgeStore:
    """Read a judge's state; commit ticks under a lease. There are two: of messages, and of indicators."""

    def __init__(self, store: Store, *, role: Literal["judge", "gauge"] = "judge") -> None:
        self._store = store
        self._lease, self._state = keys.lease(role), {"judge": keys.JUDGE, "gauge": keys.GAUGE}[role]

    async def state(self) -> tuple[int | None, dict[str, bytes]]:
        """Position (last judged bucket) and state fields of the last committed tick."""
        with store_errors():
            found = await self._store.client.hgetall(self._state)
        fields = {text_of(name): bytes_of(value) for name, value in found.items()}
        position = fields.pop("position", None)
        return (int(position) if position else None), fields

    async def budget(self) -> float | None:
        """The false alarms a week that people chose; None where the settings count."""
        with store_errors():
            found = await self._store.client.get(keys.BUDGET)
        return float(found) if found else None

    async def choose_budget(self, false_alarms_per_week: float | None) -> None:
        """Set it, or let the settings count again."""
        with store_errors():
            if false_alarms_per_week is None:
                await self._store.client.delete(keys.BUDGET)
            else:
                await self._store.client.set(keys.BUDGET, false_alarms_per_week)

    async def commit(self, tick: Tick, token: str) -> None:
        """Write a tick whole. Raises `NotInStep` where the lease is lost or another judge got further."""
        args: list[object] = [token, "" if tick.before is None else tick.before, tick.after, len(tick.state)]
        for name, value in tick.state.items():
            args += [name, value]
        args.append(len(tick.alerts))
        for alert in tick.alerts:
            args += [alert.id, alert.fired_at.timestamp(), pack(alert)]
        args.append(len(tick.events))
        for kind, alert_id in tick.events:
            args += [kind, alert_id, b""]
        args.append(len(tick.notifications))
        for notification in tick.notifications:
            args += [notification.id, notification.due.timestamp(), notification.body]
        args.append(MOST_EVENTS)
        names = [
            self._lease,
            self._state,
            keys.ALERTS,
            keys.ALERT_ORDER,
            keys.EVENTS,
            keys.OUTBOX,
            keys.OUTBOX_BODIES,
        ]
        with store_errors():
            answer = await self._store.scripts["commit"](names, args)
        if answer != b"ok":
            raise NotInStep(f"the tick was not written: {answer.decode()}")
