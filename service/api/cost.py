"""`/v1/cost`: what blind spots cost, by the company's own figures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from models.cost import Estimate, Rates, burden, estimate
from models.hindsight import summary
from service.api.auth import needs
from service.api.parts import ApiParts
from service.pipeline.hindsight import Hindsight, Reviewed
from service.store.apikeys import Scope
from service.views import alert_row, iso, topic_name_view

router = APIRouter(tags=["cost"], dependencies=[Depends(needs(Scope.read))])

_PAGE = 200


@router.get("/v1/cost")
async def cost(
    request: Request,
    tickets: Annotated[float, Query(ge=0, le=1e9, description="avoidable tickets a day")] = 100.0,
    minutes: Annotated[float | None, Query(gt=0, le=1e6, description="minutes a ticket takes; else as set")] = None,
    hour: Annotated[float | None, Query(ge=0, le=1e9, description="cost of an hour's work; else as set")] = None,
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> dict[str, Any]:
    """The plain calculation (by default 100 tickets a day of an hour each at 30 an hour: 3,000 a day, 90,000 in 30 days),
    and what each alert of those days has cost so far, as a range."""
    parts: ApiParts = request.app.state.parts
    rates = _rates(parts.rates, minutes, hour)
    found = burden(rates, tickets, days)
    since = parts.clock() - timedelta(days=days)
    newest = await parts.book.newest(_PAGE)
    alerts = [
        {name: row[name] for name in ("alert_id", "headline", "headlines", "fired_at")} | _view(told)
        for one in newest
        if one.alert.fired_at >= since
        and (told := estimate(one.alert.evidence, rates)) is not None
        and (row := alert_row(one.alert, one.facts))
    ]
    return {
        "currency": rates.currency,
        "tickets_a_day": tickets,
        "minutes": rates.handling / timedelta(minutes=1),
        "hour": rates.hour,
        "days": days,
        "a_day": found.a_day,
        "in_all": found.in_all,
        "alerts": alerts,
    }


@router.get("/v1/hindsight")
async def hindsight(
    request: Request, days: Annotated[int, Query(ge=1, le=90, description="how far back")] = 30
) -> dict[str, Any]:
    """A month of one's own alerts: when each was noticed, beside mean + 3 sd of its topic's or indicator's hours and a
    review each Monday at nine, in hours after the onset and in what it had cost until then. Without what was called noise,
    and without what only another method would have found; ``mean_3_sd_alarms`` is how often that one would have rung on
    these in all.
    """
    parts: ApiParts = request.app.state.parts
    now = parts.clock()
    review = Hindsight(parts.book, parts.counts, parts.gauges, parts.indicators, parts.rates)
    since = now - timedelta(days=days)
    found = await review.review(since, now)
    rung = await review.alarms(found, since, now)
    return hindsight_view(found, parts.rates) | {"days": days, "mean_3_sd_alarms": rung}


@router.get("/v1/alerts/{alert_id}/cost")
async def alert_cost(request: Request, alert_id: str) -> dict[str, Any]:
    """What one alert has cost so far: at least, likely, at most, and what was assumed; ``cost`` is null where nothing is known
    that it costs."""
    parts: ApiParts = request.app.state.parts
    found = estimate((await parts.book.get(alert_id)).alert.evidence, parts.rates)
    return {"currency": parts.rates.currency, "cost": _view(found) if found else None}


def hindsight_view(found: Sequence[Reviewed], rates: Rates) -> dict[str, Any]:
    return {
        "currency": rates.currency,
        "ticket": rates.ticket,
        "methods": summary([one.episode for one in found]),
        "surges": [
            {
                "alert_id": one.alert.id,
                "topic": topic_name_view(one.alert.evidence.topic),
                "onset": iso(one.alert.evidence.onset),
                "fired_at": iso(one.alert.fired_at),
                "excess": round(one.episode.excess, 1),
                "noticed": {
                    each.method: {"hours": None if each.hours is None else round(each.hours, 2), "cost": each.cost}
                    for each in one.episode.noticed
                },
            }
            for one in found
        ],
    }


def _rates(rates: Rates, minutes: float | None, hour: float | None) -> Rates:
    handling = rates.handling if minutes is None else timedelta(minutes=minutes)
    return replace(rates, handling=handling, hour=rates.hour if hour is None else hour)


def _view(found: Estimate) -> dict[str, Any]:
    return {"low": found.low, "likely": found.likely, "high": found.high, "assumptions": dict(found.assumptions)}
