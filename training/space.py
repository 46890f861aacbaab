"""Where the messages of a retraining are, before and after: the space that topics lie in, and the way there."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.bridge import carried, rotation
from models.embed import Centring, Vectors, language_of, unit
from models.leaning import leanings
from models.topics import TopicModel
from training.kept import Kept
from training.scoring import Arm
from training.stretch import Settled

_LEAST_TURN = 100  # messages that tell how a space was turned


@dataclass(frozen=True, slots=True)
class Space:
    """Where the messages are afterwards. ``turned`` carries former directions there, None where it is the same space;
    ``settled`` says where the topics are behind a stretch."""

    centring: Centring
    turned: NDArray[np.float32] | None = None
    settled: Settled | None = None

    @classmethod
    def of(cls, messages: list[Kept], before: Arm | None, was: Vectors, raw: Vectors, embedder: str) -> "Space":
        """The space of before while the ``embedder`` is the same; else one that old messages lead to: they ``was`` there."""
        if before and before.model.embedder == embedder:
            return cls(before.model.centring)
        space = cls(_centring(messages, before, was, raw))
        return replace(space, turned=_turned(messages, before, space.apply(messages, raw)))

    def apply(self, messages: list[Kept], raw: Vectors) -> Vectors:
        """Unit vectors of the messages after centring."""
        return self.centring.apply(raw, [language_of(one.text) for one in messages])

    def stretched(self, settled: Settled | None, messages: list[Kept], raw: Vectors) -> "Space":
        """This behind a stretch, if there is one; what evens out is fitted to the messages that are learnt from."""
        if settled is None:
            return self
        behind = unit(self.apply(messages, raw)[[not one.held_out for one in messages]] @ settled.matrix)
        return replace(self, centring=self.centring.stretched(settled.matrix, behind), settled=settled)


def arm_of(model: TopicModel, messages: list[Kept], raw: Vectors, centring: Centring) -> Arm:
    """What ``model`` makes of the messages, whose vectors ``raw`` (n, d) are before any centring."""
    vectors = centring.apply(raw, [language_of(one.text) for one in messages])
    return Arm(model, vectors, model.assign(vectors, leanings(model.embedder, [one.text for one in messages], raw)))


def _centring(messages: list[Kept], before: Arm | None, was: Vectors, raw: Vectors) -> Centring:
    """That of before as far on as old messages went; where there is none, that of all that is learnt from."""
    rows = _old(messages)
    if before and len(rows) >= _LEAST_TURN:
        spoken = [language_of(messages[row].text) for row in rows]
        return carried(before.model.centring, was[rows], raw[rows], spoken)
    rows = [row for row, one in enumerate(messages) if not one.held_out]
    return Centring.fit(raw[rows], [language_of(messages[row].text) for row in rows])


def _turned(messages: list[Kept], before: Arm | None, after: Vectors) -> NDArray[np.float32] | None:
    """From the space of before to that of now, as the old messages that are learnt from went."""
    rows = _old(messages)
    return rotation(before.vectors[rows], after[rows]) if before and len(rows) >= _LEAST_TURN else None


def _old(messages: list[Kept]) -> list[int]:
    return [row for row, one in enumerate(messages) if one.old and not one.held_out]
