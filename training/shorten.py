"""Shorten the encoder: some layers and e5's prefix left out, and what they did learnt by the layers that stay.

No label is needed. The whole encoder says what each token's last state and each text's vector should be, and low-rank
changes of the layers above the first gap learn it (Hinton et al., "Distilling the knowledge in a neural network", 2015;
layers left out of a trained network: Sajjad et al., "On the effect of dropping layers of pre-trained transformer models",
2023). Two layers of twelve are a sixth of the time, and the prefix is three tokens of a message's twenty.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.embed import LANGUAGES, language_of
from models.encoder.folder import MAX_TOKENS
from training.intents import Source
from training.lowrank import UpperLayers, pooled

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, 0 to 1."""

OF = 12
"""Layers of e5-small."""

LAYERS = (0, 1, 2, 4, 6, 7, 8, 9, 10, 11)
"""Those that stay. Without the sixth alone a centred vector keeps a cosine of .976 to what it was, without the fourth
as well .940; without one of the first or of the upper ones .96 to .76 (280 texts, nothing learnt yet)."""

_JOINED = (2, 2, 3)  # sentences of a joined text, drawn


@dataclass(frozen=True, slots=True)
class Recipe:
    """``joined``: texts a language made of two or three sentences, since sentences written to train on are short."""

    rank: int = 16
    steps: int = 1_400
    batch: int = 32
    rate: float = 1e-3
    joined: int = 2_000
    seed: int = 0


def texts_of(sentences: Sequence[str], sources: Sequence[Source], recipe: Recipe) -> list[str]:
    """What to learn on: the sentences, joined ones, and the texts of labelled sets. Each once, in a drawn order."""
    chance = random.Random(recipe.seed)  # noqa: S311 — draws texts, guards nothing
    drawn = [*sentences]
    for language, between in zip(LANGUAGES, ("", " "), strict=True):
        own = [text for text in sentences if language_of(text) == language]
        many = recipe.joined if len(own) >= max(_JOINED) else 0
        drawn += [between.join(chance.sample(own, chance.choice(_JOINED))) for _ in range(many)]
    drawn += [text for source in sources for texts in source.intents.values() for text in texts]
    found = sorted({*drawn})
    chance.shuffle(found)
    return found


def fit(
    short: UpperLayers,
    whole: UpperLayers,
    texts: Sequence[str],
    recipe: Recipe,
    progress: Progress = lambda doing, share: None,
) -> float:
    """Teach the shortened encoder what the whole one makes of ``texts``; both read their lower parts once.

    ``whole`` changes no layer, so that what is kept of its texts is its last states. Answers the mean cosine of the last
    tenth of the steps, vectors centred: what is left of the difference on the texts it learns on. Raises ValueError
    without texts that both cut alike.
    """
    texts = _alike(short, whole, texts, progress) if texts else ()
    if not texts:
        raise ValueError("no texts to learn on")
    mean = whole.vectors(texts).mean(0)
    optimizer = torch.optim.AdamW(short.parameters, lr=recipe.rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.rate, total_steps=recipe.steps, pct_start=0.05
    )
    batches, cosines = _batches(short, texts, recipe), list[float]()
    for step in range(recipe.steps):
        loss, cosine = _loss(short, whole, next(batches), mean)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(short.parameters, 1.0)
        optimizer.step()
        schedule.step()
        cosines.append(cosine)
        progress(f"learning, cosine {cosine:.3f}", (step + 1) / recipe.steps)
    last = cosines[-max(1, recipe.steps // 10) :]
    return sum(last) / len(last)


def _loss(short: UpperLayers, whole: UpperLayers, texts: Sequence[str], mean: Tensor) -> tuple[Tensor, float]:
    """How far token states, centred vectors and the cosines of pairs are from the whole encoder's; and the mean cosine.

    The weights bring the three to one size where training begins.
    """
    with torch.no_grad():
        there, real = whole.states(texts)
        aim = torch.nn.functional.normalize(pooled(there, real) - mean.to(there.device), dim=1)
    with short.quick():
        states, mask = short.states(texts)
    states = states.float()
    here = torch.nn.functional.normalize(pooled(states, mask) - mean.to(states.device), dim=1)
    tokens = _tokens_apart(states, mask, there, real)
    cosine = (aim * here).sum(1).mean()
    pairs = ((aim @ aim.T - here @ here.T) ** 2).mean()
    return tokens + 2 * (1 - cosine) + 4 * pairs, float(cosine.detach())


def _tokens_apart(states: Tensor, mask: Tensor, there: Tensor, real: Tensor) -> Tensor:
    """Mean squared difference of the tokens that both see, in parts of how much a token's coordinates vary."""
    extra = there.shape[1] - states.shape[1]  # the prefix stands behind the first token
    aim = torch.cat([there[:, :1], there[:, 1 + extra :]], dim=1)
    apart = ((states - aim) ** 2).mean(-1) * mask
    return apart.sum() / (aim.var(-1) * mask).sum()


def _alike(short: UpperLayers, whole: UpperLayers, texts: Sequence[str], progress: Progress) -> list[str]:
    """Texts that both cut into the same tokens but for the prefix, and that neither cuts off."""
    for start in range(0, len(texts), 512):
        for encoder in (short, whole):
            with encoder.quick():
                encoder.learn_below(texts[start : start + 512])
        progress("reading what the whole encoder makes of the texts", start / len(texts))
    extra = {text: whole.tokens(text) - short.tokens(text) for text in texts}
    usual = Counter(extra.values()).most_common(1)[0][0]
    return [text for text in texts if extra[text] == usual and whole.tokens(text) < MAX_TOKENS]


def _batches(short: UpperLayers, texts: Sequence[str], recipe: Recipe) -> Iterator[list[str]]:
    """Batches of like lengths, for ever, drawn anew after each pass."""
    chance = random.Random(recipe.seed)  # noqa: S311 — draws batches, guards nothing
    while True:
        order = chance.sample(range(len(texts)), len(texts))
        wide = recipe.batch * 16
        parts = [
            sorted(order[at : at + wide], key=lambda row: short.tokens(texts[row])) for at in range(0, len(order), wide)
        ]
        batches = [part[at : at + recipe.batch] for part in parts for at in range(0, len(part), recipe.batch)]
        chance.shuffle(batches)
        for batch in batches:
            yield [texts[row] for row in batch]
