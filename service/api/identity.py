"""What people do to topics: `/v1/topics/{topic_id}/rename`, `mute`, `merge`, `part`, `split`, `apart`, and their lineage."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models import identity
from models.constraints import ConstraintError
from models.embed import Language
from models.lineage import Event, life_of
from models.portrait import DivisionError, Portrait, divide
from models.redact import redact
from models.topic import Topic, TopicId
from models.topics import TopicModel, UnknownTopicError
from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import Conflict, NotFound, Refused
from service.pipeline.worker import centred
from service.store.apikeys import Scope
from service.store.fissures import Fissures
from service.store.pools import of_space
from service.views import iso, topic_view

router = APIRouter(prefix="/v1/topics", tags=["topics"], dependencies=[Depends(needs(Scope.read))])

ACT = Depends(needs(Scope.act))
_SAMPLES = 2_000  # messages that a topic is divided by, at most
_NEARER = 0.38
"""Times the smaller radius: topics nearer than this are proposed to be merged. On the development streams nine in ten
issues lie beyond .38 of the radius of the nearest other one (`models.discovery.DiscoverySettings.same_topic`)."""
_MOST = 50  # proposals at a time

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
By = Annotated[str | None, Field(max_length=100, description="who does it")]


class Deed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    by: By = None


class Rename(Deed):
    names: dict[Language, Name] = Field(description="by language; an empty object takes the names back")


class Merge(Deed):
    into: str = Field(max_length=64, description="the topic that stays")


class Split(Deed):
    messages: list[str] = Field(
        [], max_length=_SAMPLES, description="ids of kept messages that belong to the new topic"
    )


class Apart(Deed):
    other: str = Field(max_length=64, description="the topic that it is never to be merged with")


@router.get("/proposals")
async def list_proposals(request: Request) -> dict[str, Any]:
    """Pairs of topics that may be one issue, the nearest first, and topics that may be two; nothing is done before somebody
    says so."""
    parts: ApiParts = request.app.state.parts
    model = (await parts.models.current()).model
    if model is None:
        return {"proposals": [], "splits": []}
    found, split = identity.proposals(model, _NEARER)[:_MOST], await Fissures(parts.store).of(model)
    return {
        "proposals": [
            {"topics": [topic_view(model.topic(name)) for name in (one.one, one.other)], "apart": round(one.apart, 3)}
            for one in found
        ],
        "splits": [{"topic": topic_view(model.topic(name)), "apart": far} for name, far in list(split.items())[:_MOST]],
    }


@router.post("/{topic_id}/rename", dependencies=[ACT])
async def rename(request: Request, topic_id: str, body: Rename) -> dict[str, Any]:
    """Call a topic what people call it; the name stays through every discovery and training."""
    names = {language: redact(name).text for language, name in body.names.items()}
    return await _do(request, topic_id, body.by, lambda model, topic: identity.rename(model, topic, names))


@router.post("/{topic_id}/mute", dependencies=[ACT])
async def mute(request: Request, topic_id: str, body: Deed) -> dict[str, Any]:
    """Count a topic and never ring for it; its open alert resolves."""
    return await _do(request, topic_id, body.by, identity.mute)


@router.post("/{topic_id}/unmute", dependencies=[ACT])
async def unmute(request: Request, topic_id: str, body: Deed) -> dict[str, Any]:
    """Let a topic ring again."""
    return await _do(request, topic_id, body.by, identity.unmute)


@router.post("/{topic_id}/merge", dependencies=[ACT])
async def merge(request: Request, topic_id: str, body: Merge) -> dict[str, Any]:
    """Make one topic of two: what this one counted and will count is counted under the other."""
    parts: ApiParts = request.app.state.parts
    now, into = parts.clock(), TopicId(body.into)
    merged = await _do(request, topic_id, body.by, lambda model, topic: identity.merge(model, topic, into, now))
    await parts.book.move_bars(topic_id, into)
    return merged


@router.post("/{topic_id}/part", dependencies=[ACT])
async def part(request: Request, topic_id: str, body: Deed) -> dict[str, Any]:
    """Take a merged topic out again: it counts for itself, with the messages that were kept of it."""
    now = request.app.state.parts.clock()
    return await _do(request, topic_id, body.by, lambda model, topic: identity.part(model, topic, now))


@router.post("/{topic_id}/apart", dependencies=[ACT])
async def hold_apart(request: Request, topic_id: str, body: Apart) -> dict[str, Any]:
    """Say that two topics are two issues: they are not proposed again, and no training makes one of them."""
    now, other = request.app.state.parts.clock(), TopicId(body.other)
    return await _do(request, topic_id, body.by, lambda model, topic: identity.hold_apart(model, topic, other, now))


@router.get("/{topic_id}/parts")
async def preview(request: Request, topic_id: str) -> dict[str, Any]:
    """How a topic would be divided in two, by itself; nothing is changed."""
    topic, (rest, new, side), ids = await _divided(request, topic_id, [])
    return {
        "topic": topic.id,
        "parts": [
            {
                "labels": dict(one.words.labels),
                "terms": list(one.words.terms),
                "size": one.size,
                "exemplars": [{"message_id": shown.message_id, "text": shown.text} for shown in one.exemplars],
            }
            for one in (rest, new)
        ],
        "messages": [name for name, inside in zip(ids, side.tolist(), strict=True) if inside],
    }


@router.post("/{topic_id}/split", status_code=201, dependencies=[ACT])
async def split(request: Request, topic_id: str, body: Split) -> dict[str, Any]:
    """Make a topic of a part of this one: of what is like the messages named, or as `parts` shows. The rest keeps the
    id; answers the new topic."""
    parts: ApiParts = request.app.state.parts
    now = parts.clock()
    topic, (rest, found, _), _ = await _divided(request, topic_id, body.messages)
    (name,) = await parts.models.fresh_ids(1)
    new = found.of(Topic(TopicId(name), found.centroid, found.radius, found.size, born=now, leaning=topic.leaning))

    def deed(model: TopicModel, known: TopicId) -> TopicModel:
        return identity.split(model, rest.of(model.topic(known)), new, now)

    await _do(request, topic.id, body.by, deed)
    return topic_view((await _model(request)).topic(new.id))


@router.get("/{topic_id}/lineage")
async def lineage(request: Request, topic_id: str) -> dict[str, Any]:
    """What became of a topic's id: where it came from, what it was called, merged with, split into; oldest first."""
    parts: ApiParts = request.app.state.parts
    model = await _model(request)
    topic = _known(model, topic_id)
    events = life_of(topic.id, await parts.lineage.after())
    return {"topic": topic.id, "heir": model.heir(topic.id), "events": [_event(one) for one in events]}


Divided = tuple[Portrait, Portrait, Any]


async def _divided(request: Request, topic_id: str, picked: list[str]) -> tuple[Topic, Divided, list[str]]:
    """A topic, its two parts, and the ids of the messages that it was divided by."""
    parts: ApiParts = request.app.state.parts
    model = await _model(request)
    topic = _known(model, topic_id)
    held = of_space(await parts.pools.samples(topic.id, _SAMPLES), model.embedder)
    rows = [row for row, one in enumerate(held) if one.message.id in set(picked)]
    if picked and not rows:
        raise Refused("messages: none of these is kept under this topic any more; GET /v1/topics/{topic_id} lists some")
    try:
        found = divide([one.message for one in held], centred(model, held), rows)
    except DivisionError as error:
        raise Conflict(str(error)) from error
    return topic, found, [one.message.id for one in held]


async def _do(
    request: Request, topic_id: str, by: str | None, deed: Callable[[TopicModel, TopicId], TopicModel]
) -> dict[str, Any]:
    """Do it to the model, and answer the topic as it is then."""
    parts: ApiParts = request.app.state.parts
    who = redact(by).text if by else None
    try:
        known = await parts.models.change(lambda model: deed(model, TopicId(topic_id)), at=parts.clock(), by=who)
    except UnknownTopicError as error:
        raise _unknown(str(error.args[0])) from None
    except (identity.IdentityError, ConstraintError) as error:
        raise Conflict(str(error)) from error
    assert known.model is not None
    return topic_view(known.model.topic(TopicId(topic_id)))


async def _model(request: Request) -> TopicModel:
    parts: ApiParts = request.app.state.parts
    model = (await parts.models.current()).model
    if model is None:
        raise NotFound("there are no topics yet: the first are made when enough messages have come in")
    return model


def _known(model: TopicModel, topic_id: str) -> Topic:
    try:
        return model.topic(TopicId(topic_id))
    except UnknownTopicError:
        raise _unknown(topic_id) from None


def _unknown(topic_id: str) -> NotFound:
    return NotFound(f"there is no topic {topic_id!r}; GET /v1/topics lists them")


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "topic": event.topic,
        "change": event.change.value,
        "other": event.other,
        "by": event.by,
        "name": event.name,
    }
