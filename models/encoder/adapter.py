"""A low-rank adapter: two thin matrices for each weight it changes, merged in before the folder is written.

W' = W + B·A, with A (rank, inputs) and B (outputs, rank); Hu et al., "LoRA", 2021. The scale is already in B.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder.errors import FolderDamaged
from models.encoder.weights import State

WEIGHTS = "adapter.safetensors"
MANIFEST = "manifest.json"
DOWN, UP = ".down", ".up"  # suffixes of A and B behind the name of the weight


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """``parts``: (A, B) by the name of the weight they change. ``name``: what its manifest calls it."""

    name: str
    sha256: str
    parts: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


def load(folder: Path) -> Adapter:
    """The adapter of a folder. Raises FolderDamaged where a file is missing or is not the one published."""
    fix = "Reinstall the project, or point to a folder that `tocsin-train adapter` wrote"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        content = (folder / WEIGHTS).read_bytes()
    except FileNotFoundError as missing:
        raise FolderDamaged(f"adapter without {Path(missing.filename).name}", fix=fix) from missing
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != manifest["sha256"]:
        raise FolderDamaged(f"{WEIGHTS} is not the file that its manifest names", fix=fix)
    return parsed(manifest["name"], content)


def parsed(name: str, content: bytes) -> Adapter:
    """The adapter in the bytes of a safetensors file. Raises FolderDamaged where they are none."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as parse

    try:
        halves = {part: tensor.astype(np.float32) for part, tensor in parse(content).items()}
        names = sorted(part.removesuffix(DOWN) for part in halves if part.endswith(DOWN))
        parts = {part: (halves[part + DOWN], halves[part + UP]) for part in names}
    except (SafetensorError, KeyError) as error:
        raise FolderDamaged(f"{name} holds no adapter", fix="Make it again with `tocsin-train`") from error
    return Adapter(name, hashlib.sha256(content).hexdigest(), parts)


def name_in(embedder: str) -> str:
    """The adapter's name in that of the embedder it makes: between recipe and checksum.

    >>> name_in("multilingual-e5-small-zh-en@r1-pet-food-0eddfbf8")
    'pet-food'
    """
    return embedder.partition("@")[2].partition("-")[2].rpartition("-")[0]


def stacked(first: Adapter | None, then: Mapping[str, NDArray[np.float16]]) -> bytes:
    """One adapter, as safetensors, that does what ``first`` and then ``then`` do: B·A of both side by side.

    ``then`` holds A and B of each weight under the names of a file.
    """
    from safetensors.numpy import save as serialise

    halves = dict(then)
    for name, (down, up) in (first.parts if first else {}).items():
        halves[name + DOWN] = _joined(down, then.get(name + DOWN), axis=0)
        halves[name + UP] = _joined(up, then.get(name + UP), axis=1)
    return bytes(serialise(halves))


def _joined(first: NDArray[np.float32], then: NDArray[np.float16] | None, *, axis: int) -> NDArray[np.float16]:
    half = first.astype(np.float16)
    return half if then is None else np.concatenate([half, then], axis=axis)


def merged(state: State, adapter: Adapter | None) -> State:
    """The weights with the adapter's change added; ``state`` itself without one. Raises KeyError for a
    weight that the state does not have.
    """
    if adapter is None:
        return state
    changed = {name: state[name] + up @ down for name, (down, up) in adapter.parts.items()}
    return {**state, **changed}
