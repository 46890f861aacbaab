"""The weekly report of a team: precision and fatigue, from the alerts that it was told of."""

from datetime import datetime, timedelta

from models.alert import Alert, Facts
from models.fatigue import Borne, Week, week_of
from service.store.alerts import AlertBook
from service.store.teams import Teams

_WEEK = timedelta(weeks=1)


class Reports:
    """Read a team's weeks."""

    def __init__(self, teams: Teams, book: AlertBook) -> None:
        self._teams = teams
        self._book = book

    async def weeks(self, team: str, first: datetime, count: int) -> list[Week]:
        """So many weeks from ``first`` on, oldest first."""
        end = first + count * _WEEK
        told = {one.alert_id: one for one in await self._teams.told(team, first, end)}
        held = await self._teams.held(team, first, end)
        filed = {one.alert.id: one for one in await self._book.many(list(told))}
        borne = [
            _borne(told[name].at, filed[name].alert, filed[name].facts)
            if name in filed
            else Borne(told[name].at, told[name].severity)
            for name in told
        ]
        starts = [first + n * _WEEK for n in range(count)]
        return [week_of(start, borne, sum(start <= one.at < start + _WEEK for one in held)) for start in starts]


def _borne(at: datetime, alert: Alert, facts: Facts) -> Borne:
    over = [one for one in (alert.resolved_at, facts.closed_at) if one is not None]
    return Borne(at, alert.severity, facts.acknowledged_at, facts.judgement, min(over) if over else None)
