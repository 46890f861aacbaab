"""Delivery: what is due in the outbox goes out, once; done, later, or dead with a reason."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from models.alert import Reason
from models.fatigue import admits, monday_of
from models.severity import Severity
from service.logs import log
from service.metrics import Metrics
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.receiver import Receiver
from service.notify.schedule import next_attempt
from service.pipeline.fatigue import Reports
from service.store.outbox import EVERYBODY, Copy, Due, Outbox
from service.store.receivers import ReceiverState, ReceiverStates
from service.store.teams import Entry, Teams
from service.views import week_view

_MOST_DUE = 500  # looked at in one round: more than a digest ever needs, less than memory minds
_NINE = timedelta(hours=9)  # on a Monday, when a week's report is due
_SWITCHED_OFF = "receiver_gone"  # the reason after which nothing more is sent (410, after Standard Webhooks)


class Deliverer:
    """Gives each transition to the receivers that want it, each once.

    At least once across a kill: a process killed between the answer of a receiver and the note of it sends that
    one notification again, under the same id. Everything else is written before or after, never between.
    """

    def __init__(
        self,
        outbox: Outbox,
        receivers: Sequence[Receiver],
        states: ReceiverStates,
        metrics: Metrics,
        teams: Teams | None = None,
        reports: Reports | None = None,
    ) -> None:
        self._outbox = outbox
        self._teams = teams
        self._reports = reports
        self._budgets = budgets_of(receivers)
        self._reported: dict[str, str] = {}
        self._receivers = {receiver.name: receiver for receiver in receivers}
        self._states = states
        self._metrics = metrics
        self._known = False

    async def run_once(self, now: datetime) -> int:
        """Try everything that is due; answers how many notifications were settled or put off."""
        if not self._known:
            await self._states.settle_on({name: one.kind for name, one in self._receivers.items()})
            if self._teams is not None:
                await self._teams.settle_on(self._budgets)
            self._known = True
        await self._report(now)
        due = await self._outbox.due(now, _MOST_DUE)
        by_receiver: dict[str, list[Due]] = {}
        for one in due:
            if one.receiver == EVERYBODY:
                await self._fan_out(one, now)
            else:
                by_receiver.setdefault(one.receiver, []).append(one)
        # A slow receiver delays no other.
        await asyncio.gather(*(self._serve(name, dues, now) for name, dues in by_receiver.items()))
        waiting, _ = await self._outbox.count()
        self._metrics.outbox.set(waiting)
        return len(due)

    async def _fan_out(self, due: Due, now: datetime) -> None:
        """One notification for each receiver that wants it, or that was told of the alert before."""
        view = orjson.loads(due.payload)["data"]
        told = await self._outbox.told(view["alert_id"])
        wanted = [
            receiver
            for receiver in self._receivers.values()
            if receiver.route.wants(view) or (receiver.name in told and _tells(receiver, view))
        ]
        borne = await self._borne({one.team for one in wanted if one.team}, view, now)
        copies = [Copy(one.name, _when(one, view, now)) for one in wanted if not one.team or one.team in borne]
        await self._outbox.fan_out(due, view["alert_id"], copies)

    async def _borne(self, teams: set[str], view: Mapping[str, Any], now: datetime) -> set[str]:
        """The teams whose budget lets an alert through; written down before it goes out, and the same when asked again."""
        if self._teams is None:
            return teams
        borne = set()
        for team in sorted(teams):
            told = await self._teams.lately(team, now)
            known = await self._outbox.told(view["alert_id"])
            mine = {name for name, one in self._receivers.items() if one.team == team}
            entry = Entry(view["alert_id"], Severity(view["severity"]), now)
            if view["alert_id"] in told or known & mine:
                borne.add(team)
                continue
            if view["reason"] == Reason.resolved:
                continue  # of what began unheard nobody needs to hear the end
            let = admits(entry.severity, len(told), self._budgets[team])
            await self._teams.note(team, entry, told=let)
            self._metrics.notified.labels(outcome="told" if let else "held").inc()
            log.info("budget", team=team, alert=view["alert_id"], told=let)
            borne |= {team} if let else set()
        return borne

    async def _report(self, now: datetime) -> None:
        """Put the report of the week before into the outbox, each Monday from nine on, once."""
        if self._teams is None or self._reports is None:
            return
        for receiver in self._receivers.values():
            if receiver.weekly is None or receiver.team is None:
                continue
            monday = monday_of(now.astimezone(receiver.weekly))
            week = f"{monday:%Y-%m-%d}"
            if now < monday + _NINE or self._reported.get(receiver.name) == week:
                continue
            if await self._teams.reported(receiver.name, week):
                self._reported[receiver.name] = week
                continue
            (last,) = await self._reports.weeks(receiver.team, monday - timedelta(weeks=1), 1)
            budget = self._budgets[receiver.team]
            body = {"type": "weekly", "timestamp": now.isoformat(), "data": week_view(receiver.team, budget, last)}
            await self._outbox.put(
                Due(f"weekly:{_digest(receiver.name)}:{week}", receiver.name, orjson.dumps(body)), now
            )
            await self._teams.report(receiver.name, week)

    async def _serve(self, name: str, dues: Sequence[Due], now: datetime) -> None:
        """Everything that is due to one receiver, in order, at its pace."""
        receiver = self._receivers.get(name)
        if receiver is None:
            await self._give_up(dues, "receiver_unknown", now)
            return
        state = await self._states.get(name) or ReceiverState(name, receiver.kind)
        for group in _groups(receiver, dues):
            if state.off is not None and not group[0].once:
                await self._give_up(group, state.off, now)
                continue
            free = receiver.pace.free_at(state.sent, now)
            if free > now:
                await self._outbox.later(*group, at=free, tried=False)
                continue
            state = await self._send(receiver, state, group, now)

    async def _send(
        self, receiver: Receiver, state: ReceiverState, group: Sequence[Due], now: datetime
    ) -> ReceiverState:
        """Send one notification, or several as one, and settle it."""
        if receiver.pace.most:
            # Before the send, so that a kill in the middle doesn't let the next process go faster than allowed.
            state = replace(state, sent=(*state.sent, now.timestamp())[-receiver.pace.most :])
            await self._states.put(state)
        payload, name = _payload(group, now)
        outcome = await receiver.notifier.send(payload, id=name, at=now)
        await self._settle(group, outcome, now)
        if isinstance(outcome, Delivered) and receiver.latest_only:
            await self._overtake(group)
        state = _after(state, group, outcome, now)
        await self._states.put(state)
        return state

    async def _settle(self, group: Sequence[Due], outcome: Outcome, now: datetime) -> None:
        match outcome:
            case Delivered():
                await self._outbox.done(*group)
                self._count("delivered", "", group)
            case Later(reason, retry_after):
                wait = next_attempt(group[0].attempt + 1, random.random())  # noqa: S311
                if group[0].once:
                    await self._outbox.done(*group)
                    self._count("dead", reason, group)
                elif wait is None:
                    await self._give_up(group, reason, now)
                else:
                    await self._outbox.later(*group, at=now + max(wait, retry_after or wait))
                    self._count("later", reason, group)
            case Dead(reason):
                await self._give_up(group, reason, now)

    async def _overtake(self, group: Sequence[Due]) -> None:
        """Drop what a later change of the same alert overtook: "new" after "over" would mislead."""
        older = [one for due in group if not due.once for one in await self._outbox.older(due)]
        if older:
            await self._outbox.done(*older)
            self._count("overtaken", "", older)

    async def _give_up(self, group: Sequence[Due], reason: str, now: datetime) -> None:
        tests = [due for due in group if due.once]
        await self._outbox.done(*tests)
        await self._outbox.dead(*(due for due in group if not due.once), reason=reason, at=now)
        self._count("dead", reason, group)

    def _count(self, word: str, reason: str, group: Sequence[Due]) -> None:
        self._metrics.notified.labels(outcome=word).inc(len(group))
        for due in group:
            log.info("notification", id=due.id, outcome=word, reason=reason, attempt=due.attempt)


def budgets_of(receivers: Sequence[Receiver]) -> dict[str, int | None]:
    """Every team with its budget of alerts a week."""
    budgets: dict[str, int | None] = {one.team: None for one in receivers if one.team is not None}
    return budgets | {
        one.team: one.alerts_per_week for one in receivers if one.team and one.alerts_per_week is not None
    }


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:8]


def _when(receiver: Receiver, view: Mapping[str, Any], now: datetime) -> datetime:
    return receiver.quiet.opens(now, Severity(view["severity"])) if receiver.quiet else now


def _tells(receiver: Receiver, view: Mapping[str, Any]) -> bool:
    """Whether a receiver that was told of the alert hears of this change: all but kinds of change it left out."""
    return not receiver.route.reasons or view["reason"] in receiver.route.reasons


def _groups(receiver: Receiver, dues: Sequence[Due]) -> list[list[Due]]:
    """What goes out together: many at once as one digest, else each by itself; tests always by themselves."""
    alone = [[due] for due in dues if due.once]
    alone += [[due] for due in dues if _is_report(due)]
    others = [due for due in dues if not due.once and not _is_report(due)]
    if receiver.digest_over is not None and len(others) > receiver.digest_over:
        return [*alone, others]
    return [*alone, *([due] for due in others)]


def _is_report(due: Due) -> bool:
    return due.id.startswith("weekly:")


def _payload(group: Sequence[Due], now: datetime) -> tuple[bytes, str]:
    """What is sent, and its id: of one its own, of a digest that of the first, which is the same on the next try."""
    if len(group) == 1:
        return group[0].payload, group[0].id
    notifications = [orjson.loads(due.payload) for due in group]
    body = {"type": "digest", "timestamp": now.isoformat(), "data": {"notifications": notifications}}
    return orjson.dumps(body), f"digest:{group[0].id}"


def _after(state: ReceiverState, group: Sequence[Due], outcome: Outcome, now: datetime) -> ReceiverState:
    """What is known of the receiver after a send."""
    reason = None if isinstance(outcome, Delivered) else outcome.reason
    state = replace(
        state,
        last_outcome={Delivered: "delivered", Later: "later", Dead: "dead"}[type(outcome)],
        last_reason=reason,
        last_at=now,
        tested=group[0].id if group[0].once else state.tested,
    )
    if reason is None:
        # Whoever answers again is there again: a test that went well switches a receiver on.
        return replace(state, delivered_at=now, off=None, off_at=None)
    if reason == _SWITCHED_OFF:
        return replace(state, off=reason, off_at=now)
    return state
