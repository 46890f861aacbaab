"""`GET /v1/quality`: was it worth it, as people judged, over time."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from models.alert import Judgement
from models.bar import extras
from models.fatigue import monday_of
from models.quality import Quality
from service.api.auth import needs
from service.api.parts import ApiParts
from service.api.topics import bar_view
from service.pipeline.fatigue import Reports
from service.store.alerts import Filed
from service.store.apikeys import Scope
from service.views import iso, topic_name_view, week_view

router = APIRouter(tags=["alerts"], dependencies=[Depends(needs(Scope.read))])

_PAGE = 200
_MOST_TOPICS = 20
_WEEK = timedelta(weeks=1)


@router.get("/v1/quality")
async def quality(
    request: Request, weeks: Annotated[int, Query(ge=1, le=56, description="how far back")] = 12
) -> dict[str, Any]:
    """The precision of alerts as judged by people: in all, by week, by severity, and the topics with most noise."""
    parts: ApiParts = request.app.state.parts
    monday = _monday(parts.clock())
    first = monday - (weeks - 1) * _WEEK
    filed = [one async for one in _since(parts, first)]
    by_week: dict[datetime, Quality] = defaultdict(Quality)
    by_severity: dict[str, Quality] = defaultdict(Quality)
    by_topic: dict[str, Quality] = defaultdict(Quality)
    for one in filed:
        judged = _of(one)
        by_week[_monday(one.alert.fired_at)] += judged
        by_severity[one.alert.severity.value] += judged
        by_topic[one.alert.evidence.topic.id] += judged
    return {
        "total": _view(sum(by_week.values(), Quality())),
        "weeks": [
            {"start": iso(start)} | _view(by_week[start]) | _fatigue(filed, start)
            for start in (first + n * _WEEK for n in range(weeks))
        ],
        "severities": {name: _view(found) for name, found in sorted(by_severity.items())},
        "topics": await _topics(parts, filed, by_topic),
    }


@router.get("/v1/teams")
async def teams(
    request: Request, weeks: Annotated[int, Query(ge=1, le=56, description="how far back")] = 8
) -> dict[str, Any]:
    """Every team of the receivers' file: its budget of alerts, what it was told and what was held back in the last seven
    days, and its weeks: precision as people judged, and how they bore it."""
    parts: ApiParts = request.app.state.parts
    now, reports = parts.clock(), Reports(parts.teams, parts.book)
    first = _monday(now) - (weeks - 1) * _WEEK
    found = []
    for name, budget in (await parts.teams.budgets()).items():
        held = await parts.teams.held(name, now - _WEEK, now + _WEEK)
        found.append(
            {
                "team": name,
                "alerts_per_week": budget,
                "told": len(await parts.teams.lately(name, now)),
                "held": [one.alert_id for one in held],
                "weeks": [week_view(name, budget, week) for week in await reports.weeks(name, first, weeks)],
            }
        )
    return {"teams": found}


async def _topics(parts: ApiParts, filed: Iterable[Filed], found: dict[str, Quality]) -> list[dict[str, Any]]:
    """The topics whose alerts were called noise most often, with what they must score since."""
    extra, detector = extras(await parts.book.bars(), parts.clock()), await parts.detector()
    names = {one.alert.evidence.topic.id: one.alert.evidence.topic for one in filed}
    noisy = sorted((name for name in found if found[name].noise), key=lambda name: (-found[name].noise, name))
    return [
        _view(found[name])
        | {"topic": topic_name_view(names[name])}
        | {"bar": bar_view(extra.get(name, 0.0), detector.threshold if detector else None)}
        for name in noisy[:_MOST_TOPICS]
    ]


async def _since(parts: ApiParts, first: datetime) -> AsyncIterator[Filed]:
    """Every alert that fired at or after a time, newest first."""
    place: tuple[float, str] | None = None
    while page := await parts.book.newest(_PAGE, place):
        for one in page:
            if one.alert.fired_at < first:
                return
            if not one.alert.silent:
                yield one
        place = (page[-1].alert.fired_at.timestamp(), page[-1].alert.id)


def _fatigue(filed: Iterable[Filed], start: datetime) -> dict[str, Any]:
    """How a week's alerts were borne: how many somebody took in hand, and after how long in the middle."""
    taken = [
        (one.facts.acknowledged_at - one.alert.noticed_at) / timedelta(minutes=1)
        for one in filed
        if one.facts.acknowledged_at is not None and _monday(one.alert.fired_at) == start
    ]
    return {"acknowledged": len(taken), "minutes_to_acknowledge": round(max(median(taken), 0.0), 1) if taken else None}


def _of(one: Filed) -> Quality:
    said = one.facts.judgement
    return Quality(1, int(said is Judgement.real), int(said is Judgement.noise))


def _view(found: Quality) -> dict[str, Any]:
    interval = found.interval()
    return {
        "alerts": found.alerts,
        "real": found.real,
        "noise": found.noise,
        "unjudged": found.alerts - found.real - found.noise,
        "precision": None if found.precision is None else round(found.precision, 3),
        "low": round(interval[0], 3) if interval else None,
        "high": round(interval[1], 3) if interval else None,
    }


def _monday(at: datetime) -> datetime:
    return monday_of(at.astimezone(UTC))
