"""Vectors of many texts as one block of bytes, gathered part by part."""

import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from models.embed import Embedder, Vectors
from training.steps import Told

_AT_ONCE = 256  # texts embedded between two words of progress


def embedded(embedder: Embedder, texts: Sequence[str]) -> Iterator[tuple[int, Vectors]]:
    """Where each part begins, and its vectors."""
    for start in range(0, len(texts), _AT_ONCE):
        yield start, embedder.embed(texts[start : start + _AT_ONCE])


def packed(parts: Iterable[tuple[int, Vectors]], count: int, told: Told) -> bytes:
    """One array of ``count`` rows, of parts that come with where they begin, in any order; in half precision."""
    done, found = 0, np.empty((0, 0), np.float16)
    for start, vectors in parts:
        if not len(found):
            found = np.empty((count, vectors.shape[1]), np.float16)
        found[start : start + len(vectors)] = vectors
        done += len(vectors)
        told(done / count)
    buffer = io.BytesIO()
    np.save(buffer, found, allow_pickle=False)
    return buffer.getvalue()


def unpacked(body: bytes) -> Vectors:
    """What `packed` gave, in half precision."""
    vectors: Vectors = np.load(io.BytesIO(body), allow_pickle=False).astype(np.float32)
    return vectors
