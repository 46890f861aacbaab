"""Train the intent adapter: texts of one issue drawn together, of different issues apart, in both languages.

Contrastive loss over the pairs of a batch (InfoNCE; van den Oord et al., 2018), both ways. A batch comes from
one source, so that what it tells apart is issues and not sources.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import torch

from models.embed import Centring, language_of
from models.encoder.adapter import MANIFEST, WEIGHTS
from training.intents import Source, pairs
from training.lowrank import UpperLayers

Progress = Callable[[int, float], None]
"""Called with the step and its loss."""


class Crew(Protocol):
    """Who computes a batch: the encoder itself, or several machines (`training.spread`)."""

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (n, d), without gradients."""

    def learn(self, texts: Sequence[str], pull: torch.Tensor) -> None:
        """Add to the gradients of the encoder's parameters what the loss's gradient at `vectors` makes of them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the adapter is trained. Temperature and intents a batch as in the full fine-tuning that showed the way.

    Few steps on purpose: trained on hwu64 and own wordings, 30 to 100 steps do equally well on sets left out,
    while 200 know the training sets better and the others worse (NMI of airline complaints .249 against .176).
    """

    layers: int = 6
    rank: int = 8
    steps: int = 60
    intents: int = 56
    temperature: float = 0.03
    rate: float = 1e-3
    hold: float = 0.0
    """How much staying where they were counts for texts that are held: times the mean of 1 - cosine after centring,
    since what tells texts apart is in what is left without their mean."""
    seed: int = 0


def train(
    folder: Path,
    sources: Sequence[Source],
    recipe: Recipe,
    progress: Progress = lambda step, loss: None,
    held: Sequence[str] = (),
) -> UpperLayers:
    """The encoder of ``folder`` with an adapter trained on ``sources``. Same recipe and machine, same adapter.

    Texts that are ``held`` stay near where they were, as far as ``recipe.hold`` says: what was known is not unlearnt.
    """
    encoder = UpperLayers(folder, layers=recipe.layers, rank=recipe.rank, seed=recipe.seed)
    fit(encoder, sources, recipe, progress, held)
    return encoder


def fit(
    encoder: UpperLayers,
    sources: Sequence[Source],
    recipe: Recipe,
    progress: Progress = lambda step, loss: None,
    held: Sequence[str] = (),
    crew: Crew | None = None,
) -> None:
    """`train` of an encoder that is there already and has learnt nothing yet; by itself where there is no ``crew``."""
    crew = crew or encoder
    chance = random.Random(recipe.seed)  # noqa: S311 — draws batches, guards nothing
    anchor = _Anchor(crew, held) if held else None
    optimizer = torch.optim.AdamW(encoder.parameters, lr=recipe.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.rate, total_steps=recipe.steps, pct_start=0.1
    )
    for step in range(recipe.steps):
        # By the root of their size: else the small one is never seen, or the large one hardly more than it.
        (source,) = chance.choices(sources, [one.texts**0.5 for one in sources])
        drawn = pairs(source, recipe.intents, chance)
        rows = chance.sample(range(len(held)), min(recipe.intents, len(held)))
        texts = [*(first for first, _ in drawn), *(second for _, second in drawn), *(held[row] for row in rows)]
        vectors = crew.vectors(texts).requires_grad_()
        paired, still = vectors[: 2 * len(drawn)], vectors[2 * len(drawn) :]
        loss = contrast(paired, recipe.temperature, still if source.apart else still[:0])
        if anchor:
            loss = loss + recipe.hold * anchor.moved(still, rows)
        optimizer.zero_grad()
        loss.backward()
        crew.learn(texts, vectors.grad)
        torch.nn.utils.clip_grad_norm_(encoder.parameters, 1.0)
        optimizer.step()
        schedule.step()
        progress(step + 1, float(loss.detach()))


def save(
    folder: Path,
    encoder: UpperLayers,
    *,
    name: str,
    recipe: Recipe,
    sources: Sequence[Source],
    scores: dict[str, Any],
) -> None:
    """Write weights and manifest into ``folder``, the manifest last."""
    from safetensors.numpy import save as serialise

    content = serialise(encoder.parts())
    manifest = {
        "format": 1,
        "name": name,
        "sha256": "",
        "recipe": asdict(recipe),
        "data": data_of(sources),
        "scores": scores,
    }
    publish(folder, content, manifest)


def data_of(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """What a manifest says of the sets that an adapter was trained on."""
    return [
        {"name": source.name, "licence": source.licence, "intents": len(source.intents), "texts": source.texts}
        for source in sources
    ]


def publish(folder: Path, content: bytes, manifest: dict[str, Any]) -> None:
    """Write weights and then their manifest, which names their checksum, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    text = json.dumps(manifest | {"sha256": sha256(content).hexdigest()}, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


class _Anchor:
    """Texts and where they were, each without the mean of its language."""

    def __init__(self, crew: Crew, held: Sequence[str]) -> None:
        languages = [language_of(text) for text in held]
        before = crew.vectors(held)
        centring = Centring.fit(before.numpy(), languages)
        self._means = torch.stack([torch.from_numpy(centring.means[language]) for language in languages])
        self._before = torch.nn.functional.normalize(before - self._means, dim=1)

    def moved(self, vectors: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """How far the texts of these ``rows`` are from where they were: the mean of 1 - cosine."""
        now = torch.nn.functional.normalize(vectors - self._means[rows], dim=1)
        return (1 - (now * self._before[rows]).sum(1)).mean()


def contrast(vectors: torch.Tensor, temperature: float, others: torch.Tensor) -> torch.Tensor:
    """Of pairs: the first of each in the first half of ``vectors``, the second in the other. ``others`` are neither's.

    One of the others that is nearer to a text than its partner may be of its issue all the same, and is passed over
    (Solatorio, "GISTEmbed", 2024, with the encoder as it is now for a guide).
    """
    count = len(vectors) // 2
    partner = torch.arange(count)

    def one_way(texts: torch.Tensor, partners: torch.Tensor) -> torch.Tensor:
        scores, far = texts @ partners.T, texts @ others.T
        far = far.masked_fill(far > scores.diagonal()[:, None], -torch.inf)
        return torch.nn.functional.cross_entropy(torch.cat([scores, far], dim=1) / temperature, partner)

    first, second = vectors[:count], vectors[count:]
    return (one_way(first, second) + one_way(second, first)) / 2
