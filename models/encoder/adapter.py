"""A low-rank adapter: two thin matrices for each weight it changes, merged in before the folder is written.

W' = W + B·A, with A (rank, inputs) and B (outputs, rank); Hu et al., "LoRA", 2021. The scale is already in B.
One that shortens the encoder also names the layers that stay (`training.shorten`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.encoder.errors import FolderDamaged
from models.encoder.weights import State

WEIGHTS = "adapter.safetensors"
MANIFEST = "manifest.json"
DOWN, UP = ".down", ".up"  # suffixes of A and B behind the name of the weight
_LAYERS = "layers"
_LAYER = "encoder.layer."

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """``parts``: (A, B) by the name of the weight they change. ``name``: what its manifest calls it.

    ``layers``: those of the encoder that stay, ascending, where it is shortened; parts then count the layers that stay,
    and texts go in without e5's prefix. Empty: all of them.
    """

    name: str
    sha256: str
    parts: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    layers: tuple[int, ...] = ()


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
        tensors = parse(content)
        layers = tuple(tensors.pop(_LAYERS, np.empty(0, np.int64)).tolist())
        halves = {part: tensor.astype(np.float32) for part, tensor in tensors.items()}
        names = sorted(part.removesuffix(DOWN) for part in halves if part.endswith(DOWN))
        parts = {part: (halves[part + DOWN], halves[part + UP]) for part in names}
    except (SafetensorError, KeyError) as error:
        raise FolderDamaged(f"{name} holds no adapter", fix="Make it again with `tocsin-train`") from error
    return Adapter(name, hashlib.sha256(content).hexdigest(), parts, layers)


def name_in(embedder: str) -> str:
    """The adapter's name in that of the embedder it makes: between recipe and checksum.

    >>> name_in("multilingual-e5-small-zh-en@r1-pet-food-0eddfbf8")
    'pet-food'
    """
    return embedder.partition("@")[2].partition("-")[2].rpartition("-")[0]


def stacked(first: Adapter | None, then: Mapping[str, NDArray[np.float16]]) -> bytes:
    """One adapter, as safetensors, that does what ``first`` and then ``then`` do: B·A of both side by side.

    ``then`` holds A and B of each weight under the names of a file; the layers are those of ``first``.
    """
    from safetensors.numpy import save as serialise

    halves: dict[str, NDArray[Any]] = dict(then)
    if first and first.layers:
        halves[_LAYERS] = np.array(first.layers, np.int64)
    for name, (down, up) in (first.parts if first else {}).items():
        halves[name + DOWN] = _joined(down, then.get(name + DOWN), axis=0)
        halves[name + UP] = _joined(up, then.get(name + UP), axis=1)
    return bytes(serialise(halves))


def _joined(first: NDArray[np.float32], then: NDArray[np.float16] | None, *, axis: int) -> NDArray[np.float16]:
    half = first.astype(np.float16)
    return half if then is None else np.concatenate([half, then], axis=axis)


def merged(state: State, adapter: Adapter | None) -> State:
    """The weights of the layers that stay, with the adapter's change added; ``state`` itself without an adapter.

    Raises KeyError for a weight that is not there.
    """
    if adapter is None:
        return state
    if adapter.layers:
        state = dict(_staying(state, adapter.layers))
    changed = {name: state[name] + up @ down for name, (down, up) in adapter.parts.items()}
    return {**state, **changed}


def cut(adapter: Adapter, layers: Sequence[int]) -> Adapter:
    """The adapter for an encoder of which these layers stay: nothing yet makes up for the others."""
    return replace(adapter, parts=dict(_staying(adapter.parts, layers)), layers=tuple(layers))


def _staying(named: Mapping[str, _Part], layers: Sequence[int]) -> Iterator[tuple[str, _Part]]:
    """What belongs to no layer or to one that stays, the layers counted anew.

    >>> names = ("embeddings.a", "encoder.layer.1.b", "encoder.layer.2.b")
    >>> [name for name, _ in _staying(dict.fromkeys(names), (0, 2))]
    ['embeddings.a', 'encoder.layer.1.b']
    """
    place = {str(layer): place for place, layer in enumerate(layers)}
    for name, part in named.items():
        number, _, rest = name.removeprefix(_LAYER).partition(".")
        if not name.startswith(_LAYER):
            yield name, part
        elif number in place:
            yield f"{_LAYER}{place[number]}.{rest}", part
