"""What becomes of each topic in a retraining, as people read it: kept, split, merged, new or retired."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.topic import Topic, TopicId, TopicState
from models.topics import TopicModel


class What(StrEnum):
    NEW = "new"
    SPLIT = "split"
    MERGED = "merged"
    RETIRED = "retired"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Fate:
    """One topic: ``before`` and ``after`` are its messages among those retrained from; ``other`` is the topic that it
    was split from or merged into."""

    topic: TopicId
    what: What
    called: str
    before: int
    after: int
    other: TopicId | None
    examples: tuple[str, ...]


def fates(
    before: TopicModel | None,
    after: TopicModel,
    placed_before: Sequence[TopicId | None],
    placed_after: Sequence[TopicId | None],
) -> list[Fate]:
    """Every topic that is or was live, what changed first, the largest first."""
    known = {topic.id: topic for topic in before.topics} if before else {}
    was, now = Counter(placed_before), Counter(placed_after)
    found = [
        Fate(topic.id, what, _called(topic), was[topic.id], now[topic.id], topic.into or topic.origin, _examples(topic))
        for topic in after.topics
        if (what := _what(known.get(topic.id), topic)) is not None
    ]
    return sorted(found, key=lambda fate: (list(What).index(fate.what), -max(fate.before, fate.after)))


def _what(before: Topic | None, after: Topic) -> What | None:
    """None for what was retired already."""
    if before is None:
        return What.SPLIT if after.origin else What.NEW
    if before.state is TopicState.RETIRED:
        return None
    if after.state is not TopicState.RETIRED:
        return What.KEPT
    return What.MERGED if after.into else What.RETIRED


def _called(topic: Topic) -> str:
    return " / ".join(dict.fromkeys(topic.called.values())) or ", ".join(topic.terms[:3]) or topic.id


def _examples(topic: Topic) -> tuple[str, ...]:
    return tuple(exemplar.text for exemplar in topic.exemplars[:3])
