"""What people do to topics: rename, mute, merge, split, hold apart. Each gives the next model, and no id is ever lost.

A merged topic keeps its place: messages there are counted under its heir, so that what was merged stays so, and can be
taken apart again. What is said of two topics is kept as a constraint, for every later discovery and training.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

import numpy as np

from models.constraints import Constraint, Link, Side
from models.embed import Language
from models.leaning import are_opposite
from models.portrait import SMALLEST_RADIUS
from models.topic import Topic, TopicId, TopicKind, TopicState
from models.topics import TopicModel


class IdentityError(ValueError):
    """What is asked cannot be done to these topics."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two topics that may be one issue: ``apart`` is the distance of their centres in the smaller of their radii."""

    one: TopicId
    other: TopicId
    apart: float


def rename(model: TopicModel, topic: TopicId, names: Mapping[Language, str]) -> TopicModel:
    """With the names that people give a topic, by language; none takes them back."""
    return model.put(replace(_living(model, topic), names=dict(names)))


def mute(model: TopicModel, topic: TopicId) -> TopicModel:
    """With a topic that is counted and never rings."""
    return model.put(replace(_living(model, topic), state=TopicState.MUTED))


def unmute(model: TopicModel, topic: TopicId) -> TopicModel:
    """With a topic that rings again."""
    return model.put(replace(_living(model, topic), state=TopicState.LIVE))


def merge(model: TopicModel, gone: TopicId, into: TopicId, at: datetime) -> TopicModel:
    """With one topic for two: messages of ``gone`` are counted under ``into`` from now on."""
    if gone == into:
        raise IdentityError(f"{gone} is one topic already")
    lost, kept = _living(model, gone), _living(model, into)
    said = model.constraints.say(Constraint(Link.MUST, Side.of(lost), Side.of(kept), at))
    return replace(model.put(replace(lost, state=TopicState.RETIRED, into=into)), constraints=said)


def part(model: TopicModel, topic: TopicId, at: datetime) -> TopicModel:
    """With a merged topic as itself again, and held apart from the one it was merged into."""
    back = model.topic(topic)
    if back.into is None:
        raise IdentityError(f"{topic} is merged into no other topic")
    kept = model.topic(back.into)
    said = model.constraints.say(Constraint(Link.CANNOT, Side.of(back), Side.of(kept), at))
    return replace(model.put(replace(back, state=TopicState.LIVE, into=None)), constraints=said)


def hold_apart(model: TopicModel, one: TopicId, other: TopicId, at: datetime) -> TopicModel:
    """With two topics that are never to become one."""
    said = Constraint(Link.CANNOT, Side.of(_living(model, one)), Side.of(_living(model, other)), at)
    return replace(model, constraints=model.constraints.say(said))


def split(model: TopicModel, rest: Topic, new: Topic, at: datetime) -> TopicModel:
    """With a topic for a part of another: ``rest`` is what the old one looks like without it, under its old id.

    Places merged into the old topic go with the part where they are nearer to it. The two are held apart.
    """
    _living(model, rest.id)
    new = replace(new, origin=rest.id)
    grown = model.put(rest).add([new])
    said = model.constraints.say(Constraint(Link.CANNOT, Side.of(new), Side.of(rest), at))
    for merged in model.topics:
        if merged.into == rest.id and merged.centroid @ new.centroid > merged.centroid @ rest.centroid:
            grown = grown.put(replace(merged, into=new.id))
            said = said.without(merged.id, rest.id)
            said = said.say(Constraint(Link.MUST, Side.of(merged), Side.of(new), at))
    return replace(grown, constraints=said)


def proposals(model: TopicModel, nearer: float) -> list[Proposal]:
    """Pairs of issues whose centres are nearer than ``nearer`` times the smaller radius, the nearest first.

    Pairs that people hold apart, and a thing and its opposite, are left out. Nothing is merged here.
    """
    issues = [topic for topic in model.assignable if topic.kind is TopicKind.ISSUE]
    if len(issues) < 2:
        return []
    centroids = np.stack([topic.centroid for topic in issues])
    radii = np.maximum([topic.radius for topic in issues], SMALLEST_RADIUS)
    apart = (1 - centroids @ centroids.T) / np.minimum(radii[:, None], radii)
    found = [
        Proposal(issues[i].id, issues[j].id, float(max(apart[i, j], 0.0)))
        for i, j in combinations(range(len(issues)), 2)
        if apart[i, j] < nearer
        and not are_opposite(issues[i].leaning, issues[j].leaning)
        and not model.constraints.cannot(issues[i].id, issues[j].id)
    ]
    return sorted(found, key=lambda one: one.apart)


def _living(model: TopicModel, topic: TopicId) -> Topic:
    """Raises `UnknownTopicError`, and `IdentityError` for a topic that is no more."""
    found = model.topic(topic)
    if found.state is TopicState.RETIRED:
        raise IdentityError(f"{topic} was merged into {found.into}" if found.into else f"{topic} is retired")
    return found
