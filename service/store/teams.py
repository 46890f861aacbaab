"""Teams: their budgets of alerts, which alerts each was told of, and which were held back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.severity import Severity
from service.store import keys
from service.store.redis import Store, store_errors

KEPT = timedelta(days=400)
_WEEK = timedelta(weeks=1)
_NONE = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert that a team was told of, or not, at its severity then."""

    alert_id: str
    severity: Severity
    at: datetime


class Teams:
    """Written by delivery, read by the API. Noting the same alert again changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def settle_on(self, budgets: Mapping[str, int | None]) -> None:
        """Know these teams and no others."""
        with store_errors():
            known = {name.decode() for name in await self._store.client.hkeys(keys.TEAMS)}
            told = {name: _NONE if budget is None else str(budget) for name, budget in budgets.items()}
            steps: list[tuple[object, ...]] = [("HSET", keys.TEAMS, *pair) for pair in told.items()]
            steps += [("HDEL", keys.TEAMS, name) for name in known - told.keys()]
            await self._store.together(*steps)

    async def budgets(self) -> dict[str, int | None]:
        """Every team with the alerts it may be told of in a week, None where there is no such limit."""
        with store_errors():
            found = await self._store.client.hgetall(keys.TEAMS)
        return {name.decode(): int(value) if value else None for name, value in sorted(found.items())}

    async def lately(self, team: str, now: datetime) -> dict[str, Entry]:
        """What a team was told of in the last seven days, by alert."""
        return {one.alert_id: one for one in await self.told(team, now - _WEEK, now + _WEEK)}

    async def told(self, team: str, since: datetime, until: datetime) -> list[Entry]:
        return await self._read(keys.team_told(team), since, until)

    async def held(self, team: str, since: datetime, until: datetime) -> list[Entry]:
        return await self._read(keys.team_held(team), since, until)

    async def note(self, team: str, entry: Entry, *, told: bool) -> None:
        """Put down that a team is told of an alert, or that it is held back."""
        name = f"{entry.alert_id} {entry.severity.value}"
        key = keys.team_told(team) if told else keys.team_held(team)
        oldest = (entry.at - KEPT).timestamp()
        steps: list[tuple[object, ...]] = [("ZADD", key, "NX", entry.at.timestamp(), name)]
        if told:  # what was held back and is graver now is held no longer
            steps += [("ZREM", keys.team_held(team), f"{entry.alert_id} {grade.value}") for grade in Severity]
        with store_errors():
            await self._store.together(*steps, ("ZREMRANGEBYSCORE", key, "-inf", oldest))

    async def reported(self, receiver: str, week: str) -> bool:
        """Whether a receiver had its report of a week."""
        with store_errors():
            return bool(await self._store.client.hget(keys.WEEKLY, receiver) == week.encode())

    async def report(self, receiver: str, week: str) -> None:
        """Put down that it has."""
        with store_errors():
            await self._store.client.hset(keys.WEEKLY, receiver, week)

    async def _read(self, key: str, since: datetime, until: datetime) -> list[Entry]:
        with store_errors():
            found = await self._store.client.zrange(
                key, since.timestamp(), f"({until.timestamp()}", byscore=True, withscores=True
            )
        return [_entry(name, score) for name, score in found]


def _entry(name: bytes, score: float) -> Entry:
    alert_id, severity = name.decode().rsplit(" ", 1)
    return Entry(alert_id, Severity(severity), datetime.fromtimestamp(score, UTC))
