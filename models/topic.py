"""One topic: an issue that people can name, and what keeps it the same issue.

A topic is a promise to people: its id is given once, by the caller, and stands for the same issue until it is
retired; then the id stays in the model, so that it can't be given again. What a topic looks like (centroid,
radius, terms) may change under the id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

import numpy as np
from numpy.typing import NDArray

from models.embed import Language
from models.message import CustomerKey, RedactedText

TopicId = NewType("TopicId", str)


class TopicState(StrEnum):
    LIVE = "live"
    MUTED = "muted"  # counted, never alerted
    RETIRED = "retired"  # no message is counted under it any more; its id stays taken


class TopicKind(StrEnum):
    ISSUE = "issue"
    CHATTER = "chatter"  # greetings, thanks: counted, kept out of detection


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A message near the centre of its topic, to show people what the topic is about."""

    message_id: str
    text: RedactedText
    customer: CustomerKey | None = None
    """Never shown; so that a customer can be erased."""


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """An issue that people can name.

    ``centroid`` is a unit vector (d,) in the space of the model's centring, ``radius`` the cosine distance
    (1 - cosine, 0 to 2) up to which a message belongs, ``size`` the number of messages it was found from.
    ``labels`` are drawn from the messages, ``names`` given by people. ``into`` is the topic that a retired one was
    merged into: messages at its place are counted there. ``origin`` is the topic that this one was split from.
    ``leaning`` is whether its messages say that a thing went ill (-1) or well (1), of those that it was found from
    (`models.leaning`); messages that say the opposite are not of it.
    """

    id: TopicId
    centroid: NDArray[np.float32]
    radius: float
    size: int
    born: datetime
    terms: tuple[str, ...] = ()
    labels: Mapping[Language, str] = field(default_factory=dict)
    exemplars: tuple[Exemplar, ...] = ()
    state: TopicState = TopicState.LIVE
    kind: TopicKind = TopicKind.ISSUE
    names: Mapping[Language, str] = field(default_factory=dict)
    into: TopicId | None = None
    origin: TopicId | None = None
    leaning: float = 0.0

    @property
    def called(self) -> Mapping[Language, str]:
        """What it is called by language: as people named it, else as its messages do."""
        return {**self.labels, **self.names}


def exemplar_words(exemplar: Exemplar) -> list[str]:
    """Plain values for JSON; `exemplar_from` reads them back."""
    return [exemplar.message_id, exemplar.text, *([exemplar.customer] if exemplar.customer else [])]


def exemplar_from(words: Sequence[str]) -> Exemplar:
    message_id, text, *customer = words
    return Exemplar(message_id, RedactedText(text), CustomerKey(customer[0]) if customer else None)
