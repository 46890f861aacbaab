"""What an encoder is tuned on for one tenant: labels where there are some, its own topics, and texts with words left out.

Pairs of one label or one topic are drawn together. A text of neither is paired with itself with a part of its words
gone (denoising; compare Wang et al., "TSDAE", 2021), which asks for no label. What was known is held in place, and
`training.exam` says how much of the change is kept.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from models.embed import language_of
from training.adapter import Crew, Progress, Recipe, fit
from training.exam import Exam, Known, Mark
from training.intents import TEXTS_AN_INTENT, Source
from training.lowrank import UpperLayers

TUNING = Recipe(steps=100, hold=1.0)
"""Measured by tests/benchmarks/retrain.py."""

SHARES = (1.0, 0.6, 0.3)
"""Of the change that tuning made, tried in this order."""

_LEFT_OUT = 0.4
"""Of the words (of Chinese, the characters): TSDAE deletes .6, of longer texts than a complaint is."""
_DENOISED = 600  # texts: what the lower layers make of a text is kept in memory, 25 kB each
_HELD = 400
_LEAST = 2  # texts that make a pair
_MANY = 16  # labels in a batch; with three, tuning on them alone took NMI of what was known from .43 to .27
_ASKED = 5  # one text in so many is asked in the exam and not learnt


@dataclass(frozen=True, slots=True)
class Lesson:
    """What there is to learn, as gists: different texts by label, by topic, and of neither; and what was known before,
    None where nothing was."""

    labelled: Mapping[str, Sequence[str]]
    topics: Mapping[str, Sequence[str]]
    free: Sequence[str]
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Tuned:
    """How much of the change was kept, and what the exam said before and with it. 0: the encoder is as it was."""

    share: float
    before: Mark
    after: Mark

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What ``dataclasses.asdict`` gave."""
        return cls(said["share"], Mark(**said["before"]), Mark(**said["after"]))


def tune(
    encoder: UpperLayers,
    lesson: Lesson,
    recipe: Recipe = TUNING,
    progress: Progress = lambda step, loss: None,
    crew: Crew | None = None,
) -> Tuned | None:
    """Tune ``encoder`` on a part of ``lesson`` and keep the largest share of the change that passes an exam on the rest:
    known texts stay with their topics, and labels (without any: texts that were thinned) are found better than before.

    None where there is nothing to make two pairs of.
    """
    chance = random.Random(recipe.seed)  # noqa: S311 — draws texts, guards nothing
    labelled, asked = _parted(lesson.labelled, chance)
    known, asked_known = _halves(lesson.known.texts if lesson.known else (), chance)
    free, asked_free = _halves(lesson.free, chance)
    learnt = sources(labelled, lesson.topics, free, seed=recipe.seed)
    if not learnt:
        return None
    held = chance.sample(known, min(len(known), _HELD))
    thin = {text: thinned(text, chance) for text in (*asked_free, *asked_known)} if not asked else {}
    standing = replace(lesson.known, texts=asked_known) if lesson.known else None
    exam = Exam(encoder, labelled, asked, thin, held, standing)
    before = exam.mark(encoder)
    most = max(len(source.intents) for source in learnt)
    fit(encoder, learnt, replace(recipe, intents=min(recipe.intents, most)), progress, held, crew)
    state = encoder.state()

    def of(share: float) -> Mark:
        encoder.restore(state, share)
        return exam.mark(encoder)

    tuned = kept_of(before, of)
    encoder.restore(state, tuned.share)
    return tuned


def kept_of(before: Mark, of: Callable[[float], Mark]) -> Tuned:
    """The largest of `SHARES` whose mark passes; the smaller ones are not tried.

    >>> kept_of(Mark(0.5, 1.0), lambda share: Mark(0.6, 1 - share / 10)).share
    0.3
    """
    for share in SHARES:
        after = of(share)
        if after.passes(before):
            return Tuned(share, before, after)
    return Tuned(0.0, before, before)


def sources(
    labelled: Mapping[str, Sequence[str]], topics: Mapping[str, Sequence[str]], free: Sequence[str], *, seed: int = 0
) -> list[Source]:
    """What to draw pairs from; none where nothing makes two pairs.

    Labels alone where they are many. Few of them tell little apart in a batch, so that batches of topics, and of texts
    with words left out, take turns with them.
    """
    chance = random.Random(seed)  # noqa: S311 — draws texts, guards nothing
    named, known = _spread(labelled, chance), _spread(topics, chance)
    if len(named) >= _MANY:
        return [Source("labels", "", named, apart=True)]
    noisy = {text: (text, thinned(text, chance)) for text in chance.sample(list(free), min(len(free), _DENOISED))}
    found = [Source("labels", "", named, apart=True), Source("topics", "", known), Source("denoising", "", noisy)]
    return [source for source in found if len(source.intents) >= 2]


def thinned(text: str, chance: random.Random) -> str:
    """The text with a part of its words left out, one at least kept.

    >>> thinned("the parcel is late again", random.Random(1))
    'parcel is again'
    """
    joint, words = ("", list(text)) if language_of(text) == "zh" else (" ", text.split())
    kept = [word for word in words if chance.random() >= _LEFT_OUT]
    return joint.join(kept or words[:1])


def _parted(
    groups: Mapping[str, Sequence[str]], chance: random.Random
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Texts to learn and texts to ask of each group; of small ones none is asked."""
    learnt, asked = {}, {}
    for name, texts in sorted(groups.items()):
        learnt[name], some = _halves(texts, chance)
        if some:
            asked[name] = some
    return learnt, asked


def _halves(texts: Sequence[str], chance: random.Random) -> tuple[list[str], list[str]]:
    mixed = chance.sample(list(texts), len(texts))
    return mixed[len(texts) // _ASKED :], mixed[: len(texts) // _ASKED]


def _spread(groups: Mapping[str, Sequence[str]], chance: random.Random) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(chance.sample(list(texts), min(len(texts), TEXTS_AN_INTENT)))
        for name, texts in sorted(groups.items())
        if len(texts) >= _LEAST
    }
