"""One model takes over from another: what the next one says of places, and what people and the service said meanwhile."""

from collections.abc import Collection
from dataclasses import replace

from models.bridge import Embed, moved
from models.topic import Topic, TopicId, TopicState
from models.topics import TopicModel


def take_over(
    present: TopicModel, following: TopicModel, embed: Embed, *, back: Collection[str] = (), gone: Collection[str] = ()
) -> TopicModel:
    """``following`` with what ``present`` knows and it does not; no id of either is lost.

    Topics found since ``following`` was made come along, in its space; those among ``gone`` are retired. Names,
    constraints and muting are as people left them in ``present``, and what is retired there stays so, but for the
    ids in ``back``. ``embed`` is of the embedder of ``following``.
    """
    said = {topic.id: topic for topic in present.topics}
    known = {topic.id for topic in following.topics}
    since = moved([topic for topic in present.topics if topic.id not in known], present, following, embed)
    topics = [_as_said(topic, said.get(topic.id), back) for topic in following.topics]
    topics += [_retired(topic) if topic.id in gone else topic for topic in since]
    return replace(following, topics=tuple(topics), constraints=present.constraints)


def _as_said(topic: Topic, present: Topic | None, back: Collection[str]) -> Topic:
    if present is None:
        return topic
    named = replace(topic, names=present.names)
    if present.state is TopicState.RETIRED and topic.id not in back:
        return replace(named, state=present.state, into=present.into)
    if topic.state is not TopicState.RETIRED and present.state is not TopicState.RETIRED:
        return replace(named, state=present.state)
    return named


def _retired(topic: Topic) -> Topic:
    return replace(topic, state=TopicState.RETIRED, into=None)


def named(model: TopicModel, ids: dict[str, str]) -> TopicModel:
    """The model with other ids for those in ``ids``, wherever they stand."""

    def new(name: TopicId | None) -> TopicId | None:
        return name if name is None else TopicId(ids.get(name, name))

    topics = tuple(
        replace(topic, id=TopicId(ids.get(topic.id, topic.id)), into=new(topic.into), origin=new(topic.origin))
        for topic in model.topics
    )
    return replace(model, topics=topics)
