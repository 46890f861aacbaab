"""What people said of topics, for every later discovery and training to keep: these are one issue, those are not.

A constraint is tied to the ids of its topics, which last, and to messages of each, which any later embedder can place.
The newest word on two topics counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from models.topic import Exemplar, Topic, TopicId, exemplar_from, exemplar_words


class Link(StrEnum):
    MUST = "must"  # one issue
    CANNOT = "cannot"  # two issues


class ConstraintError(ValueError):
    """What is said of two topics contradicts what is known of them."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two topics, and messages that it held when the word was given."""

    topic: TopicId
    exemplars: tuple[Exemplar, ...] = ()

    @classmethod
    def of(cls, topic: Topic) -> Self:
        return cls(topic.id, topic.exemplars)


@dataclass(frozen=True, slots=True)
class Constraint:
    """One word on two topics."""

    link: Link
    one: Side
    other: Side
    at: datetime

    def __post_init__(self) -> None:
        if self.one.topic == self.other.topic:
            raise ConstraintError(f"{self.one.topic} is one topic")

    @property
    def pair(self) -> frozenset[TopicId]:
        return frozenset((self.one.topic, self.other.topic))


@dataclass(frozen=True, slots=True)
class Constraints:
    """Every word that still counts, oldest first; at most one on each pair of topics.

    >>> now = datetime(2026, 3, 10)
    >>> def said(link: Link, one: str, other: str) -> Constraint:
    ...     return Constraint(link, Side(TopicId(one)), Side(TopicId(other)), now)
    >>> known = Constraints().say(said(Link.MUST, "a", "b")).say(said(Link.CANNOT, "b", "c"))
    >>> known.must(TopicId("a"), TopicId("b")), known.cannot(TopicId("a"), TopicId("c"))
    (True, True)
    >>> known.say(said(Link.CANNOT, "a", "b")).must(TopicId("a"), TopicId("b"))
    False
    """

    entries: tuple[Constraint, ...] = ()

    def together(self, topic: TopicId) -> frozenset[TopicId]:
        """The topics that are one issue with this one, by a word or by a chain of words; itself among them."""
        found, seen = {topic}, {topic}
        while seen:
            seen = {
                other
                for entry in self.entries
                if entry.link is Link.MUST and entry.pair & seen
                for other in entry.pair - found
            }
            found |= seen
        return frozenset(found)

    def must(self, one: TopicId, other: TopicId) -> bool:
        """Whether two topics are one issue."""
        return other in self.together(one)

    def cannot(self, one: TopicId, other: TopicId) -> bool:
        """Whether two topics, or any that are one issue with them, are two issues."""
        ones, others = self.together(one), self.together(other)
        return any(
            entry.link is Link.CANNOT and len(entry.pair & ones) == 1 and len(entry.pair & others) == 1
            for entry in self.entries
        )

    def say(self, constraint: Constraint) -> Self:
        """With one more word, which takes the place of what it contradicts.

        Raises `ConstraintError` where two topics are to be two issues that a chain of other words makes one.
        """
        one, other = constraint.one.topic, constraint.other.topic
        kept = self.without(one, other)
        if constraint.link is Link.MUST:
            ones, others = self.together(one), self.together(other)
            kept = type(self)(
                tuple(
                    entry
                    for entry in kept.entries
                    if entry.link is Link.MUST or not (entry.pair & ones and entry.pair & others)
                )
            )
        elif kept.must(one, other):
            raise ConstraintError(f"{one} and {other} are one issue by way of others; take those apart first")
        return type(self)((*kept.entries, constraint))

    def without(self, one: TopicId, other: TopicId) -> Self:
        """Without the word on these two."""
        return type(self)(tuple(entry for entry in self.entries if entry.pair != {one, other}))

    def to_words(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [
            {
                "link": entry.link.value,
                "at": entry.at.isoformat(),
                "sides": [_words(entry.one), _words(entry.other)],
            }
            for entry in self.entries
        ]

    @classmethod
    def from_words(cls, words: Iterable[Any]) -> Self:
        """What `to_words` gave."""
        return cls(tuple(_constraint(one) for one in words))


def _words(side: Side) -> list[Any]:
    return [side.topic, [exemplar_words(exemplar) for exemplar in side.exemplars]]


def _side(words: Sequence[Any]) -> Side:
    topic, exemplars = words
    return Side(TopicId(topic), tuple(exemplar_from(one) for one in exemplars))


def _constraint(words: Mapping[str, Any]) -> Constraint:
    one, other = (_side(side) for side in words["sides"])
    return Constraint(Link(words["link"]), one, other, datetime.fromisoformat(words["at"]))
