"""`/v1/known-issues`: for chatbots that want to say "we know, we are on it" without posting a message."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from models.embed import Language
from service.api.auth import needs
from service.api.parts import ApiParts
from service.store.alerts import Filed
from service.store.apikeys import Scope
from service.views import iso, topic_name, topic_name_view

router = APIRouter(tags=["messages"], dependencies=[Depends(needs(Scope.ingest))])

_SAY: Mapping[bool, Mapping[Language, str]] = {
    False: {
        "en": "We have heard of this from others and are looking into it.",
        "zh": "这个问题我们已收到多位顾客反馈，正在核实。",
    },
    True: {"en": "This is a known issue and is being handled.", "zh": "这是已知问题，正在处理中。"},
}
"""What a chatbot may say, by whether somebody has the alert in hand."""
Timeout = Annotated[float, Field(gt=0, le=10)]


class Question(BaseModel):
    """What a customer wrote. Post it where addresses are logged on the way: a text in an address is in the log."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "充电宝充不进电"}]})
    text: Annotated[str, Field(min_length=1, max_length=8_000)]
    timeout: Timeout = 2.0


@router.get("/v1/known-issues")
async def known_issues(
    request: Request,
    text: Annotated[str, Query(min_length=1, max_length=2_000, description="what the customer wrote")],
    limit: Annotated[float, Query(alias="timeout", gt=0, le=10, description="seconds to wait at most")] = 2.0,
) -> dict[str, Any]:
    """Whether a text is about an issue that rings now. It is redacted, answered, and neither kept nor counted."""
    return await answer(request.app.state.parts, text, limit)


@router.post("/v1/known-issues")
async def ask_known_issues(request: Request, body: Question) -> dict[str, Any]:
    """The same with the text in the body, where no address log ever sees it."""
    return await answer(request.app.state.parts, body.text, body.timeout)


async def answer(parts: ApiParts, text: str, seconds: float) -> dict[str, Any]:
    """Whether a text is about what rings now. Raises `EncoderAway` where no worker answers in time."""
    heard = await parts.ask(text, timedelta(seconds=seconds))
    model = (await parts.models.current()).model
    topic = next((one for one in model.topics if one.id == heard.topic), None) if model else None
    filed = await parts.open_filed(topic.id) if topic else None
    return {
        "known": filed is not None,
        "topic": topic_name_view(topic_name(topic)) if topic else None,
        "strength": round(heard.strength, 4),
        "alert": _brief(filed) if filed else None,
        "say": dict(_SAY[filed.facts.acknowledged_at is not None]) if filed else None,
    }


def _brief(filed: Filed) -> dict[str, Any]:
    """What a chatbot needs of an alert; other customers' words are none of its business."""
    return {
        "alert_id": filed.alert.id,
        "severity": filed.alert.severity.value,
        "onset": iso(filed.alert.evidence.onset),
        "customers": filed.alert.evidence.customers,
        "in_hand": filed.facts.acknowledged_at is not None,
    }
