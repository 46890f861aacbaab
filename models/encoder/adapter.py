"""A low-rank adapter: two thin matrices for each weight it changes, merged in before the folder is written.

W' = W + B·A, with A (rank, inputs) and B (outputs, rank); Hu et al., "LoRA", 2021. The scale is already in B.
"""

import hashlib
import json
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
    from safetensors.numpy import load as parse

    fix = "Reinstall the project, or point to a folder that `tocsin-train adapter` wrote"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        content = (folder / WEIGHTS).read_bytes()
    except FileNotFoundError as missing:
        raise FolderDamaged(f"adapter without {Path(missing.filename).name}", fix=fix) from missing
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != manifest["sha256"]:
        raise FolderDamaged(f"{WEIGHTS} is not the file that its manifest names", fix=fix)
    halves = {name: tensor.astype(np.float32) for name, tensor in parse(content).items()}
    names = sorted(name.removesuffix(DOWN) for name in halves if name.endswith(DOWN))
    return Adapter(manifest["name"], sha256, {name: (halves[name + DOWN], halves[name + UP]) for name in names})


def merged(state: State, adapter: Adapter | None) -> State:
    """The weights with the adapter's change added; ``state`` itself without one. Raises KeyError for a
    weight that the state does not have.
    """
    if adapter is None:
        return state
    changed = {name: state[name] + up @ down for name, (down, up) in adapter.parts.items()}
    return {**state, **changed}
