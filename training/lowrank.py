"""The upper layers of a BERT encoder with low-rank changes on their weights; the layers below stay as they are.

What the frozen lower layers make of a text is computed once and kept, so a training step costs what the upper
layers cost. A batch goes through them in parts (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory
Limited Setup", 2021): memory grows with a part, while the loss sees the whole batch. Runs on a GPU where torch sees one.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.embed import Vectors
from models.encoder.adapter import DOWN, UP
from models.encoder.folder import MAX_TOKENS, prefix_of
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
_PART = 16  # texts whose steps through the upper layers are in memory at once: some 25 MB each at 128 tokens


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


def _device() -> str:
    """Where training runs: the GPU that torch sees, else the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _bfloat16() -> bool:
    known: bool = torch.cpu._is_avx512_bf16_supported()
    return known


class UpperLayers:
    """A prepared encoder folder, split below its last ``layers`` layers."""

    def __init__(self, folder: Path, *, layers: int, rank: int, seed: int, device: str | None = None) -> None:
        """``device``: of torch; by default the GPU that it sees, else the processor."""
        from tokenizers import Tokenizer
        from transformers import AutoModel

        with quietly():
            self._bert = AutoModel.from_pretrained(
                folder, add_pooling_layer=False, attn_implementation="eager", local_files_only=True
            ).eval()
        self._bert.requires_grad_(False)
        self._device = device or _device()
        self._first = len(self._bert.encoder.layer) - layers
        self._prefix = prefix_of(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._below: dict[str, Tensor] = {}
        self._changed = dict(self._insert(rank, torch.Generator().manual_seed(seed)))
        self._bert.to(self._device)

    @property
    def parameters(self) -> list[Any]:
        return [parameter for part in self._changed.values() for parameter in (part.down, part.up)]

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._bert.config.hidden_size)

    def learn_below(self, texts: Sequence[str]) -> None:
        """Run the lower layers on texts not run before and keep what they give, in half precision."""
        new = sorted({*texts} - self._below.keys(), key=len)
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            encoded = [self._tokenizer.encode(self._prefix + text).ids for text in batch]
            ids, mask = _padded(encoded)
            with torch.no_grad():
                ids, mask = ids.to(self._device), mask.to(self._device)
                states = self._bert.embeddings(input_ids=ids)
                for layer in self._bert.encoder.layer[: self._first]:
                    states = _output(layer(states, attention_mask=_hidden_from(mask)))
            for text, tokens, row in zip(batch, encoded, states, strict=True):
                self._below[text] = row[: len(tokens)].half().cpu()

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (n, d) of texts whose lower part is known, differentiable in `parameters`."""
        return pooled(*self.states(texts))

    def states(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """What the last layer makes of each token, (n, tokens, d), and which tokens are real, (n, tokens)."""
        rows = [self._below[text] for text in texts]
        states = nn.utils.rnn.pad_sequence(rows, batch_first=True).to(self._device).float()
        mask = torch.zeros(states.shape[:2], device=self._device)
        for row, own in enumerate(rows):
            mask[row, : len(own)] = 1
        for layer in self._bert.encoder.layer[self._first :]:
            states = _output(layer(states, attention_mask=_hidden_from(mask)))
        return states, mask

    def tokens(self, text: str) -> int:
        """How many tokens a text is whose lower part is known, the special ones and the prefix counted in."""
        return len(self._below[text])

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """`forward` for many texts, in parts and without gradients; (n, d) on the processor."""
        self.learn_below(texts)
        found = torch.empty((len(texts), self.dimension))
        with torch.no_grad():
            for rows in self._by_length(texts, _BATCH):
                found[rows] = self._half([texts[row] for row in rows]).cpu()
        return found

    def learn(self, texts: Sequence[str], pull: Tensor) -> None:
        """Add to the gradients of `parameters` what ``pull`` (n, d), the loss's gradient at `vectors`, makes of them."""
        self.learn_below(texts)
        for rows in self._by_length(texts, _PART):
            self._half([texts[row] for row in rows]).backward(pull[rows].to(self._device))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of many texts, computed in full precision."""
        self.learn_below(texts)
        vectors: Vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        with torch.no_grad():
            for rows in self._by_length(texts, _BATCH):
                vectors[rows] = self.forward([texts[row] for row in rows]).cpu().numpy()
        return vectors

    def quick(self) -> AbstractContextManager[object]:
        """Within it `forward` and `states` run in bfloat16 where that is computed by the machine, not by a program, which
        takes three times as long as float32. The loss, which needs the digits, is to be computed of it in float32."""
        quick: AbstractContextManager[object] = torch.autocast(
            self._device, torch.bfloat16, enabled=self._device != "cpu" or _bfloat16()
        )
        return quick

    def taken(self) -> list[NDArray[np.float32]]:
        """The gradients of `parameters`, which begin at none again."""
        found = [one.grad.cpu().numpy().copy() for one in self.parameters]
        for one in self.parameters:
            one.grad = None
        return found

    def state(self) -> list[NDArray[np.float32]]:
        """A copy of `parameters`, in order."""
        return [one.detach().cpu().numpy().copy() for one in self.parameters]

    def restore(self, state: Sequence[NDArray[np.float32]], share: float = 1.0) -> None:
        """Put back what `state` gave, with that ``share`` of the change it makes: 0 is the encoder as it was.

        Between the weights before and after tuning on a straight line: Wortsman et al., "Robust fine-tuning of
        zero-shot models", 2022.
        """
        with torch.no_grad():
            for one, kept in zip(self.parameters, state, strict=True):
                one.copy_(torch.from_numpy(kept))
            for part in self._changed.values():
                part.up.mul_(share)

    def parts(self) -> dict[str, NDArray[np.float16]]:
        """The change as `models.encoder.adapter` reads it: A and B of each weight, in half precision."""
        halves: dict[str, NDArray[np.float16]] = {}
        for name, part in self._changed.items():
            halves[f"{name}.weight{DOWN}"] = part.down.detach().half().cpu().numpy()
            halves[f"{name}.weight{UP}"] = part.up.detach().half().cpu().numpy()
        return halves

    def _half(self, texts: Sequence[str]) -> Tensor:
        with self.quick():
            return self.forward(texts)

    def _by_length(self, texts: Sequence[str], size: int) -> Iterator[list[int]]:
        """Places of texts, shortest first, so that little is padded."""
        order = sorted(range(len(texts)), key=lambda row: len(self._below[texts[row]]))
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def _insert(self, rank: int, generator: torch.Generator) -> Iterator[tuple[str, LowRank]]:
        for index in range(self._first, len(self._bert.encoder.layer)):
            layer = self._bert.encoder.layer[index]
            for name in CHANGED:
                parent, _, child = name.rpartition(".")
                part = LowRank(layer.get_submodule(name), rank, generator)
                setattr(layer.get_submodule(parent), child, part)
                yield f"encoder.layer.{index}.{name}", part


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """Unit vectors (n, d): the mean of each text's real tokens."""
    mean = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
    return nn.functional.normalize(mean.float(), dim=1)


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
