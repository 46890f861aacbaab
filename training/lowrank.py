"""The upper layers of a BERT encoder with low-rank changes on their weights; the layers below stay as they are.

What the frozen lower layers make of a text is computed once and kept, so a training step costs what the upper
layers cost.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.embed import Vectors
from models.encoder.adapter import DOWN, UP
from models.encoder.folder import MAX_TOKENS, QUERY_PREFIX
from models.encoder.quiet import quietly

CHANGED = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
"""All linear maps of a layer: Dettmers et al., "QLoRA", 2023, found that changing all matters more than the rank."""

_BATCH = 64


class LowRank(nn.Module):  # type: ignore[misc]  # torch is not read by mypy here
    """x ↦ W x + B A x with W frozen. B starts at zero, so training starts from the encoder as it is."""

    def __init__(self, base: Any, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.base = base
        spread = base.in_features**-0.5
        self.down = nn.Parameter(torch.randn(rank, base.in_features, generator=generator) * spread)
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, states: Tensor) -> Tensor:
        return self.base(states) + (states @ self.down.T) @ self.up.T


class UpperLayers:
    """A prepared encoder folder, split below its last ``layers`` layers."""

    def __init__(self, folder: Path, *, layers: int, rank: int, seed: int) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModel

        with quietly():
            self._bert = AutoModel.from_pretrained(
                folder, add_pooling_layer=False, attn_implementation="eager", local_files_only=True
            ).eval()
        self._bert.requires_grad_(False)
        self._first = len(self._bert.encoder.layer) - layers
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._below: dict[str, Tensor] = {}
        self._changed = dict(self._insert(rank, torch.Generator().manual_seed(seed)))

    @property
    def parameters(self) -> list[Any]:
        return [parameter for part in self._changed.values() for parameter in (part.down, part.up)]

    def learn_below(self, texts: Sequence[str]) -> None:
        """Run the lower layers on texts not run before and keep what they give, in half precision."""
        new = sorted({*texts} - self._below.keys(), key=len)
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            encoded = [self._tokenizer.encode(QUERY_PREFIX + text).ids for text in batch]
            ids, mask = _padded(encoded)
            with torch.no_grad():
                states = self._bert.embeddings(input_ids=ids)
                for layer in self._bert.encoder.layer[: self._first]:
                    states = _output(layer(states, attention_mask=_hidden_from(mask)))
            for text, tokens, row in zip(batch, encoded, states, strict=True):
                self._below[text] = row[: len(tokens)].half()

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (n, d) of texts whose lower part is known, differentiable in `parameters`."""
        rows = [self._below[text] for text in texts]
        states = nn.utils.rnn.pad_sequence(rows, batch_first=True).float()
        mask = torch.zeros(states.shape[:2])
        for row, own in enumerate(rows):
            mask[row, : len(own)] = 1
        for layer in self._bert.encoder.layer[self._first :]:
            states = _output(layer(states, attention_mask=_hidden_from(mask)))
        mean = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return nn.functional.normalize(mean.float(), dim=1)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """`forward` for many texts, shortest first, without gradients."""
        self.learn_below(texts)
        order = sorted(range(len(texts)), key=lambda index: len(self._below[texts[index]]))
        vectors: Vectors = np.empty((len(texts), self._bert.config.hidden_size), dtype=np.float32)
        with torch.no_grad():
            for start in range(0, len(order), _BATCH):
                batch = order[start : start + _BATCH]
                vectors[batch] = self.forward([texts[index] for index in batch]).numpy()
        return vectors

    def parts(self) -> dict[str, NDArray[np.float16]]:
        """The change as `models.encoder.adapter` reads it: A and B of each weight, in half precision."""
        halves: dict[str, NDArray[np.float16]] = {}
        for name, part in self._changed.items():
            halves[f"{name}.weight{DOWN}"] = part.down.detach().half().numpy()
            halves[f"{name}.weight{UP}"] = part.up.detach().half().numpy()
        return halves

    def _insert(self, rank: int, generator: torch.Generator) -> Iterator[tuple[str, LowRank]]:
        for index in range(self._first, len(self._bert.encoder.layer)):
            layer = self._bert.encoder.layer[index]
            for name in CHANGED:
                parent, _, child = name.rpartition(".")
                part = LowRank(layer.get_submodule(name), rank, generator)
                setattr(layer.get_submodule(parent), child, part)
                yield f"encoder.layer.{index}.{name}", part


def _padded(encoded: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, encoded))
    ids = torch.ones((len(encoded), longest), dtype=torch.long)  # 1 is <pad>
    mask = torch.zeros((len(encoded), longest))
    for row, own in enumerate(encoded):
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
    return ids, mask


def _hidden_from(mask: Tensor) -> Tensor:
    """What attention adds to its scores: nothing for a token, minus much for padding. (n, 1, 1, tokens)"""
    return (1 - mask)[:, None, None, :] * -1e4


def _output(given: Any) -> Tensor:
    return given[0] if isinstance(given, tuple) else given
