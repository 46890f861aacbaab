"""What became of each topic id: a log drawn from the difference of two models, so that nothing is left out of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.topic import Topic, TopicId, TopicState
from models.topics import TopicModel


class Change(StrEnum):
    """What can become of an id."""

    BORN = "born"
    SPLIT = "split"  # born out of another topic
    RENAMED = "renamed"
    MERGED = "merged"  # into another topic
    PARTED = "parted"  # from the topic that it was merged into: it is itself again
    MUTED = "muted"
    UNMUTED = "unmuted"
    RETIRED = "retired"
    RESTORED = "restored"  # from retirement


class LineageError(ValueError):
    """A model in which an id is lost."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one id. ``other`` is the topic it was split from, merged into or parted from."""

    at: datetime
    topic: TopicId
    change: Change
    other: TopicId | None = None
    by: str | None = None
    name: str | None = None
    """What it is called from here on; None where that did not change."""


@dataclass(frozen=True, slots=True)
class Fate:
    """Where an id stands after its last change; ``into`` is what it was merged into."""

    state: TopicState
    into: TopicId | None = None


def changes(before: TopicModel | None, after: TopicModel, *, at: datetime, by: str | None = None) -> tuple[Event, ...]:
    """What became of the ids from one model to the next, in the order of the ids in ``after``.

    Raises `LineageError` where an id of ``before`` is not in ``after``: an issue may end, its id stays.
    """
    known = {topic.id: topic for topic in before.topics} if before else {}
    lost = known.keys() - {topic.id for topic in after.topics}
    if lost:
        raise LineageError(f"topics {', '.join(sorted(lost))} are not in the new model: retire an id, never drop it")
    return tuple(
        Event(at, topic.id, change, other, by, name)
        for topic in after.topics
        for change, other, name in _steps(known.get(topic.id), topic)
    )


def fates(log: Sequence[Event]) -> dict[TopicId, Fate]:
    """Where every id stands after these events. Raises `LineageError` where an id was given twice."""
    found: dict[TopicId, Fate] = {}
    for event in log:
        if event.change in (Change.BORN, Change.SPLIT):
            if event.topic in found:
                raise LineageError(f"the id {event.topic} was given twice")
            found[event.topic] = Fate(TopicState.LIVE)
        elif event.change in _FATES:
            found[event.topic] = _FATES[event.change](event)
    return found


def heir_in(topic: TopicId, found: Mapping[TopicId, Fate]) -> TopicId:
    """The topic at the end of the merges of this one."""
    while (into := found[topic].into) is not None:
        topic = into
    return topic


def life_of(topic: TopicId, log: Sequence[Event]) -> tuple[Event, ...]:
    """The events that an id had a part in."""
    return tuple(event for event in log if topic in (event.topic, event.other))


_FATES: dict[Change, Callable[[Event], Fate]] = {
    Change.MERGED: lambda event: Fate(TopicState.RETIRED, event.other),
    Change.PARTED: lambda _: Fate(TopicState.LIVE),
    Change.MUTED: lambda _: Fate(TopicState.MUTED),
    Change.UNMUTED: lambda _: Fate(TopicState.LIVE),
    Change.RETIRED: lambda _: Fate(TopicState.RETIRED),
    Change.RESTORED: lambda _: Fate(TopicState.LIVE),
}

_Step = tuple[Change, TopicId | None, str | None]


def _steps(before: Topic | None, after: Topic) -> list[_Step]:
    """The changes of one id, in an order that they could have happened in."""
    steps: list[_Step] = []
    if before is None:
        change = Change.SPLIT if after.origin else Change.BORN
        steps.append((change, after.origin, _name(after)))
    elif dict(after.names) != dict(before.names):
        steps.append((Change.RENAMED, None, _name(after)))
    then = (before.state, before.into) if before else (TopicState.LIVE, None)
    now = (after.state, after.into)
    if now == then:
        return steps
    if after.into is not None:
        steps.append((Change.MERGED, after.into, None))
    elif after.state is TopicState.RETIRED:
        steps.append((Change.RETIRED, None, None))
    elif then[0] is TopicState.RETIRED:
        steps.append((Change.RESTORED, None, None) if then[1] is None else (Change.PARTED, then[1], None))
        if after.state is TopicState.MUTED:
            steps.append((Change.MUTED, None, None))
    else:
        steps.append((Change.MUTED if after.state is TopicState.MUTED else Change.UNMUTED, None, None))
    return steps


def _name(topic: Topic) -> str | None:
    return " / ".join(dict.fromkeys(topic.called.values())) or None
