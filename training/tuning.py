"""What an encoder is tuned on for one tenant: labels where there are some, its own topics, and texts with words left out.

Pairs of one label or one topic are drawn together. A text of neither is paired with itself with a part of its words
gone (denoising; compare Wang et al., "TSDAE", 2021), which asks for no label. What was known is held in place.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models.embed import language_of
from training.adapter import Progress, Recipe, fit
from training.intents import TEXTS_AN_INTENT, Source
from training.lowrank import UpperLayers

TUNING = Recipe(steps=100, hold=10.0)
"""Measured by tests/benchmarks/retrain.py."""

_LEFT_OUT = 0.4
"""Of the words (of Chinese, the characters): TSDAE deletes .6, of longer texts than a complaint is."""
_DENOISED = 600  # texts: what the lower layers make of a text is kept in memory, 25 kB each
_HELD = 400
_LEAST = 2  # texts that make a pair
_MANY = 16  # labels in a batch; with three, tuning on them alone took NMI of what was known from .43 to .27


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
        return [Source("labels", "", named)]
    noisy = {text: (text, thinned(text, chance)) for text in chance.sample(list(free), min(len(free), _DENOISED))}
    found = [Source("labels", "", named), Source("topics", "", known), Source("denoising", "", noisy)]
    return [source for source in found if len(source.intents) >= 2]


def thinned(text: str, chance: random.Random) -> str:
    """The text with a part of its words left out, one at least kept.

    >>> thinned("the parcel is late again", random.Random(1))
    'parcel is again'
    """
    joint, words = ("", list(text)) if language_of(text) == "zh" else (" ", text.split())
    kept = [word for word in words if chance.random() >= _LEFT_OUT]
    return joint.join(kept or words[:1])


def tune(
    folder: Path,
    learnt: Sequence[Source],
    held: Sequence[str],
    recipe: Recipe = TUNING,
    progress: Progress = lambda step, loss: None,
) -> UpperLayers:
    """The encoder of ``folder`` tuned on ``learnt``, with some of ``held`` where they were."""
    chance = random.Random(recipe.seed)  # noqa: S311 — draws texts, guards nothing
    encoder = UpperLayers(folder, layers=recipe.layers, rank=recipe.rank, seed=recipe.seed)
    most = max((len(source.intents) for source in learnt), default=0)
    fit(
        encoder,
        learnt,
        replace(recipe, intents=min(recipe.intents, most)),
        progress,
        chance.sample(list(held), min(len(held), _HELD)),
    )
    return encoder


def _spread(groups: Mapping[str, Sequence[str]], chance: random.Random) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(chance.sample(list(texts), min(len(texts), TEXTS_AN_INTENT)))
        for name, texts in sorted(groups.items())
        if len(texts) >= _LEAST
    }
