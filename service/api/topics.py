"""`/v1/topics`: the issues that messages are counted under."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request

from models.bar import extras
from models.buckets import BUCKETS_PER_HOUR, bucket_of, start_of
from models.map import layout
from models.topic import Topic
from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import EncoderAway, NotFound
from service.store.apikeys import Scope
from service.store.counts import BucketCounts
from service.views import iso, topic_view

_PATIENCE = timedelta(seconds=2)
_FAR = 3.0  # beyond any cosine distance
_FADED = 0.05  # a bar raised by less is not worth showing

router = APIRouter(prefix="/v1/topics", tags=["topics"], dependencies=[Depends(needs(Scope.read))])


@router.get("")
async def list_topics(
    request: Request,
    hours: Annotated[int, Query(ge=1, le=24 * 7, description="span of the counts")] = 24,
    q: Annotated[
        str | None, Query(min_length=1, max_length=200, description="what topics are to be about, in any words")
    ] = None,
) -> dict[str, Any]:
    """Every topic with its customers of the last hours and of the same span before, busiest first. With ``q`` those
    that are about it, the nearest in meaning first; those with the very words before them."""
    parts: ApiParts = request.app.state.parts
    model = (await parts.models.current()).model
    if model is None:
        return {"topics": [], "from": None, "to": None, "noise": 0, "counted": 0}
    position, _ = await parts.judge.state()
    last = position if position is not None else bucket_of(parts.clock())
    span = hours * BUCKETS_PER_HOUR
    counted = await parts.counts.buckets(range(last - 2 * span + 1, last + 1))
    now, before = _sums(counted[span:]), _sums(counted[:span])
    extra, detector = extras(await parts.book.bars(), parts.clock()), await parts.detector()
    threshold = detector.threshold if detector else None
    rows = [
        topic_view(topic)
        | {"customers": now.get(topic.id, 0), "customers_before": before.get(topic.id, 0)}
        | {"trend": _trend(counted[span:], topic.id), "bar": bar_view(extra.get(topic.id, 0.0), threshold)}
        for topic in model.topics
    ]
    rows.sort(key=lambda row: (-row["customers"], row["id"]))
    return {
        "topics": rows if q is None else await _about(parts, q, rows),
        "from": iso(start_of(last - span + 1)),
        "to": iso(start_of(last + 1)),
        "noise": sum(one.noise for one in counted[span:]),
        "counted": sum(one.noise + sum(one.customers.values()) for one in counted[span:]),
    }


@router.get("/map")
async def map_topics(request: Request) -> dict[str, Any]:
    """A place from -1 to 1 for every topic that lives: near to those that speak of what is near to it."""
    parts: ApiParts = request.app.state.parts
    model = (await parts.models.current()).model
    if model is None or not model.assignable:
        return {"topics": []}
    places = await asyncio.to_thread(layout, np.stack([topic.centroid for topic in model.assignable]))
    return {
        "topics": [
            {"id": topic.id, "x": round(x, 4), "y": round(y, 4)}
            for topic, (x, y) in zip(model.assignable, places.tolist(), strict=True)
        ]
    }


@router.get("/{topic_id}")
async def get_topic(request: Request, topic_id: str) -> dict[str, Any]:
    """One topic with its newest messages, redacted."""
    parts: ApiParts = request.app.state.parts
    topic = await _topic(parts, topic_id)
    held = await parts.pools.samples(topic_id, 20)
    messages = [
        {
            "message_id": one.message.id,
            "source": one.message.source,
            "text": one.message.text,
            "occurred_at": iso(one.message.occurred_at),
            "attributes": dict(one.message.attributes),
        }
        for one in held
    ]
    return topic_view(topic) | {"messages": messages, "alert": await parts.open_alert(topic_id)}


@router.get("/{topic_id}/series")
async def get_series(
    request: Request, topic_id: str, hours: Annotated[int, Query(ge=1, le=24 * 35)] = 72
) -> dict[str, Any]:
    """Customers an hour over the last hours, with what was expected and the band's upper edge where it is known; and why
    the topic alarms or not: its windows, the largest counts still normal, and what made the expectation."""
    parts: ApiParts = request.app.state.parts
    await _topic(parts, topic_id)
    return await parts.series(topic_id, timedelta(hours=hours))


async def _topic(parts: ApiParts, topic_id: str) -> Topic:
    model = (await parts.models.current()).model
    found = next((topic for topic in model.topics if topic.id == topic_id), None) if model else None
    if found is None:
        raise NotFound(f"there is no topic {topic_id!r}; GET /v1/topics lists them")
    return found


async def _about(parts: ApiParts, q: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that are about ``q``; those with the words alone where no worker can tell the meaning."""
    try:
        near = dict((await parts.ask(q, _PATIENCE)).near)
    except EncoderAway:
        near = {}
    found = [(row, q.casefold() in _words(row), near.get(row["id"])) for row in rows]
    kept = [one for one in found if one[1] or one[2] is not None]
    kept.sort(key=lambda one: (not one[1], _FAR if one[2] is None else one[2]))
    return [row | {"distance": None if apart is None else round(apart, 4)} for row, _, apart in kept]


def _words(row: dict[str, Any]) -> str:
    """All that stands in a topic, to look for words in."""
    examples = (one["text"] for one in row["exemplars"])
    return "\n".join([row["id"], row["label"], *row["labels"].values(), *row["terms"], *examples]).casefold()


def _trend(counted: list[BucketCounts], topic: str) -> list[int]:
    """Customers an hour."""
    hours = range(0, len(counted), BUCKETS_PER_HOUR)
    return [sum(one.customers.get(topic, 0) for one in counted[at : at + BUCKETS_PER_HOUR]) for at in hours]


def bar_view(extra: float, threshold: float | None) -> dict[str, float] | None:
    """How much more than the threshold a topic must score to ring, after its alerts were called noise."""
    if threshold is None or extra < _FADED:
        return None
    return {"threshold": round(threshold, 3), "extra": round(extra, 3), "required": round(threshold + extra, 3)}


def _sums(counted: list[BucketCounts]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in counted:
        for topic, count in one.customers.items():
            sums[topic] = sums.get(topic, 0) + count
    return sums
