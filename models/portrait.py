"""What a topic looks like, drawn from its messages: where it lies, how wide it is, its words and its examples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.division import halves
from models.embed import Vectors, unit
from models.gist import gist
from models.message import Message
from models.terms import Words, describe
from models.topic import Exemplar, Topic
from models.topics import radius_of

SMALLEST_RADIUS = 1e-4  # a group of one wording has no extent; it still needs a rim
RADIUS_SHARE = 0.98
"""The share of a topic's own messages that its radius holds. With .9 a third of what comes later is noise, and a
quarter of the English surges are lost."""
_EXEMPLARS = 5
_LEAST = 5
"""Messages of different wording that a part needs, as a topic that is found does (`models.groups`)."""


class DivisionError(ValueError):
    """A topic that cannot be divided."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A topic without its identity."""

    centroid: NDArray[np.float32]
    radius: float
    size: int
    words: Words
    exemplars: tuple[Exemplar, ...]

    def of(self, topic: Topic) -> Topic:
        """The topic as it looks from now on; id, names and state stay."""
        return replace(
            topic,
            centroid=self.centroid,
            radius=self.radius,
            size=self.size,
            terms=self.words.terms,
            labels=self.words.labels,
            exemplars=self.exemplars,
        )


def divide(
    messages: Sequence[Message], vectors: Vectors, picked: Sequence[int] = ()
) -> tuple[Portrait, Portrait, NDArray[np.bool_]]:
    """The rest of a topic, a part of it, and which messages are of the part (`models.division.halves`).

    ``vectors`` (n, d) are unit vectors after centring. Raises `DivisionError` where either has too few messages.
    """
    side = halves(vectors, picked) if len(messages) >= 2 * _LEAST else np.zeros(len(messages), dtype=bool)
    rows = [np.flatnonzero(~side), np.flatnonzero(side)]
    least = min(len({messages[row].text for row in group.tolist()}) for group in rows)
    if least < _LEAST:
        raise DivisionError(
            f"of the {len(messages)} messages kept, {least} different ones are on one side: each needs {_LEAST}"
        )
    words = describe([[gist(messages[row].text) for row in group.tolist()] for group in rows])
    rest, part = (_portrait(messages, vectors, group, told) for group, told in zip(rows, words, strict=True))
    return rest, part, side


def exemplars_of(messages: Sequence[Message], vectors: Vectors, centroid: NDArray[np.float32]) -> tuple[Exemplar, ...]:
    """The messages nearest the centre, one of each wording."""
    found: dict[str, Exemplar] = {}
    for row in np.argsort(-(vectors @ centroid), kind="stable").tolist():
        message = messages[row]
        found.setdefault(message.text, Exemplar(message.id, message.text, message.customer))
        if len(found) == _EXEMPLARS:
            break
    return tuple(found.values())


def others_of(members: Vectors) -> Vectors:
    """The direction of the others of each member, (n, d); zeros where there are none."""
    return unit(members.sum(axis=0) - members)


def shape_of(members: Vectors, radius_share: float) -> tuple[NDArray[np.float32], float]:
    """Centroid and radius. Each member's distance is to the centroid of the others, as a newcomer's would be."""
    centroid = unit(members.sum(axis=0)[None])[0]
    others = others_of(members) if len(members) > 2 else np.broadcast_to(centroid, members.shape)
    distances = 1 - np.einsum("ij,ij->i", members, others)
    return centroid, max(radius_of(distances, radius_share), SMALLEST_RADIUS)


def _portrait(messages: Sequence[Message], vectors: Vectors, rows: NDArray[np.intp], words: Words) -> Portrait:
    members = vectors[rows]
    centroid, radius = shape_of(members, RADIUS_SHARE)
    held = [messages[row] for row in rows.tolist()]
    return Portrait(centroid, radius, len(rows), words, exemplars_of(held, members, centroid))
