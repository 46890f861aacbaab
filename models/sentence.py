"""Embedders over sentence-transformers: the reference in torch, and the int8 fast path."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.embed import Embedder, Vectors, unit
from models.encoder import int8
from models.encoder.errors import FolderDamaged
from models.encoder.folder import MAX_TOKENS, prefix_of
from models.encoder.prepare import MANIFEST
from models.encoder.quiet import quietly

Backend = Literal["auto", "onnx", "torch"]

BATCH = 64
"""Texts in one run of the network in torch: past this the speed on two cores no longer grows, the memory does."""

RUN_TOKENS = 256
"""Tokens, padding counted in, of one run of the int8 form. What flows through the network then stays in a core's own
cache: measured, runs of 64 texts cost up to 2.9 times as much a text, runs of 96 tokens a tenth more."""

LEAST_TOKENS = 64
"""Shorter runs are not made for the sake of having one for every thread."""

_SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""Rewritings of the graph that onnxruntime is not to make. Its fused sum and normalising takes 46 µs of a text where the
two one after the other take 7; without it a text costs .90 of what it did. Measured by the profiler of onnxruntime 1.32."""

INT8_COSINE = 0.98
"""Least cosine between the int8 vector of a text and the reference's. Measured by tests/benchmarks/encoder.py."""


def load_embedder(source: str | Path, backend: Backend = "auto", *, threads: int = 0) -> Embedder:
    """The embedder of a SentenceTransformer folder or hub id.

    ``auto`` takes the int8 form where the folder has one, else torch. ``threads``: 0 leaves the number to the
    library. Raises FolderDamaged for ``onnx`` on a folder without the int8 form; what sentence-transformers
    raises for an id it cannot find.
    """
    fast = (Path(source) / int8.FILE).is_file()
    chosen = ("onnx" if fast else "torch") if backend == "auto" else backend
    makers: dict[str, Callable[[], Embedder]] = {
        "onnx": lambda: OnnxEmbedder(Path(source), threads=threads),
        "torch": lambda: TorchEmbedder(source, threads=threads),
    }
    return makers[chosen]()


class TorchEmbedder:
    """Any SentenceTransformer, in float32 on the processor: the reference.

    A text's vector depends on its neighbours by rounding only (1e-5 in any coordinate).
    """

    def __init__(self, source: str | Path, *, threads: int = 0) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        if threads:
            torch.set_num_threads(threads)
        with quietly():
            self._model = SentenceTransformer(str(source), device="cpu")
        self._model.max_seq_length = min(self._model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
        self.dimension = self._dimension()
        self.name = _name_of(source, self._model)

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            [_encodable(text) for text in texts],
            batch_size=BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return _directed(np.asarray(vectors, dtype=np.float32))

    def _dimension(self) -> int:
        return len(self._model.encode("", show_progress_bar=False))


class OnnxEmbedder:
    """The int8 form that `models.encoder.prepare` makes: several times faster, a fifth of the memory.

    Vectors agree with the reference to a cosine of at least `INT8_COSINE`. What flows through the network is
    quantised with one scale a batch, so a text embedded among other neighbours agrees with itself to that
    cosine too, not to the bit; the same call gives the same bits.
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        from tokenizers import Tokenizer

        manifest = _manifest(folder)
        if manifest is None or not (folder / int8.FILE).is_file():
            raise FolderDamaged(f"{folder} has no int8 form", fix="Run `tocsin prepare`, or choose the torch backend")
        self.name = _name(manifest)
        self._prefix = prefix_of(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(folder / int8.FILE)
        self._threads = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads, "embed") if self._threads > 1 else None
        self.dimension = int(self._session.get_outputs()[0].shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens = [
            encoded.ids
            for encoded in self._tokenizer.encode_batch_fast([self._prefix + _encodable(text) for text in texts])
        ]
        runs = list(_runs([len(own) for own in tokens], self._threads))
        every: Callable[..., Iterator[NDArray[np.float32]]] = self._pool.map if self._pool and len(runs) > 1 else map
        for run, own in zip(runs, every(self._run, [[tokens[index] for index in run] for run in runs]), strict=True):
            vectors[run] = own
        return _directed(vectors)

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        ids = np.ones((len(tokens), len(tokens[-1])), dtype=np.int64)  # 1 is <pad>
        mask = np.zeros_like(ids)
        for row, own in enumerate(tokens):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        feeds = dict(zip(int8.INPUTS, (ids, mask), strict=True))
        vectors: NDArray[np.float32] = self._session.run([int8.OUTPUT], feeds)[0]
        return vectors


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a run, and several runs at a time. Threads that share a run wait for the slowest at every operator:
    # with the cores busy elsewhere, speed collapses.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW_FUSIONS
    )


def _runs(lengths: Sequence[int], threads: int) -> Iterator[list[int]]:
    """Indices in runs of at most `RUN_TOKENS`, shortest texts first, so that little is padded.

    Few texts are divided among the threads.

    >>> list(_runs([200, 9, 100, 8, 120], threads=1))
    [[3, 1], [2, 4], [0]]
    """
    most = min(RUN_TOKENS, max(LEAST_TOKENS, sum(lengths) // threads))
    run: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if run and (len(run) + 1) * lengths[index] > most:
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _directed(vectors: Vectors) -> Vectors:
    """Unit rows; a row without a direction (zeros, as some models give for no words at all) points anywhere."""
    rows = np.nan_to_num(vectors)
    rows[~rows.any(axis=1)] = 1
    return unit(rows)


def _encodable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which JSON can carry and UTF-8 can't."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return content


def _name(manifest: dict[str, Any]) -> str:
    return f"{manifest['name']}@{manifest['revision']}"


def _name_of(source: str | Path, model: Any) -> str:
    """Name and revision: from our manifest, else the hub's commit, else the weights' checksum."""
    folder = Path(source)
    if (manifest := _manifest(folder)) is not None:
        return _name(manifest)
    if (file := folder / "model.safetensors").is_file():
        return f"{folder.name}@{sha256(file.read_bytes()).hexdigest()[:12]}"
    commit = model.model_card_data.base_model_revision
    return f"{source}@{commit or 'unknown'}"
