"""`/v1/budget`: the false alarms a week that people put up with, and what another number would have meant."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from models.alert import Judgement
from models.buckets import start_of
from models.budget import CHOICES, CROWDS, SPAN, meanings
from models.cellwatch import CellWatch
from models.watch import Watch
from service.api.auth import needs
from service.api.parts import ApiParts
from service.pipeline.bench import hidden_of, unpack_detector
from service.store.apikeys import Scope
from service.views import iso

router = APIRouter(prefix="/v1/budget", tags=["alerts"], dependencies=[Depends(needs(Scope.read))])

_MOST = 2_000  # alerts of a month that are counted


class BudgetIn(BaseModel):
    """How many alarms a week may be false."""

    model_config = ConfigDict(extra="forbid")
    false_alarms_per_week: Annotated[float, Field(gt=0, le=1_000)]


@router.get("")
async def read_budget(request: Request) -> dict[str, Any]:
    """The budget in force, what rang in the last 28 days, and how often it would have rung with other budgets."""
    parts: ApiParts = request.app.state.parts
    chosen = await parts.judge.budget()
    budget = chosen or parts.false_alarms_per_week
    position, state = await parts.judge.state()
    choices: list[dict[str, Any]] = []
    judged = parts.clock() if position is None else start_of(position + 1)
    if position is not None:
        detector = unpack_detector(state)
        watch = Watch.unpack(state["watch"]) if "watch" in state else Watch(CROWDS * budget)
        hidden = hidden_of(state)
        budgets = sorted({*CHOICES, budget})
        choices = [
            {
                "false_alarms_per_week": one.per_week,
                "threshold": round(one.threshold, 3),
                "crowd_bar": round(one.crowd_bar, 3),
                "alerts": one.episodes,
            }
            for one in meanings(detector, watch, position + 1, budgets, CellWatch.unpack(hidden) if hidden else None)
        ]
    newest = await parts.book.newest(_MOST)
    filed = [one for one in newest if one.alert.fired_at >= judged - SPAN and not one.alert.silent]
    return {
        "false_alarms_per_week": budget,
        "setting": parts.false_alarms_per_week,
        "chosen": chosen is not None,
        "from": iso(start_of(position + 1) - SPAN) if position is not None else None,
        "rang": len(filed),
        "noise": sum(one.facts.judgement is Judgement.noise for one in filed),
        "choices": choices,
    }


@router.put("", dependencies=[Depends(needs(Scope.admin))])
async def choose_budget(request: Request, body: BudgetIn) -> dict[str, Any]:
    """Choose another budget; it holds from the next bucket on."""
    await request.app.state.parts.judge.choose_budget(body.false_alarms_per_week)
    return await read_budget(request)


@router.delete("", dependencies=[Depends(needs(Scope.admin))])
async def drop_budget(request: Request) -> dict[str, Any]:
    """Let the setting count again."""
    await request.app.state.parts.judge.choose_budget(None)
    return await read_budget(request)
