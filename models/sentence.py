"""Embedders over sentence-transformers: the reference in torch, the int8 fast path, and a cache before either."""

import json
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.embed import Embedder, Vectors, unit
from models.encoder import int8
from models.encoder.errors import FolderDamaged
from models.encoder.folder import MAX_TOKENS
from models.encoder.prepare import MANIFEST
from models.encoder.quiet import quietly

Backend = Literal["auto", "onnx", "torch"]

BATCH = 64
"""Texts in one run of the network: past this the speed on two cores no longer grows, the memory does."""

INT8_COSINE = 0.98
"""Least cosine between the int8 vector of a text and the reference's. Measured by tests/benchmarks/encoder.py."""

CACHE_ENTRIES = 50_000
"""About 90 MB at 384 dimensions: the vector, its key and the table's own cost."""


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
        self._prefix = _prefix(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(folder / int8.FILE, threads)
        self.dimension = int(self._session.get_outputs()[0].shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens = [
            encoded.ids
            for encoded in self._tokenizer.encode_batch_fast([self._prefix + _encodable(text) for text in texts])
        ]
        for batch in _by_length(tokens):
            vectors[batch] = self._run([tokens[index] for index in batch])
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


class CachedEmbedder:
    """Another embedder with a memory of its last vectors: customers and macros repeat themselves word for word.

    Keyed by a hash of the text after NFKC and with single spaces, which is what the default tokenizer sees; the
    text itself is never kept. At most ``entries`` vectors, the longest unused goes first. Safe to share among
    threads. To replay a file, embed all its texts once (`prefetch`, in large and fast batches) with ``entries``
    at least their number; the small calls that follow are then hits.
    """

    def __init__(self, inner: Embedder, entries: int = CACHE_ENTRIES) -> None:
        self._inner = inner
        self._entries = entries
        self._kept: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    @property
    def name(self) -> str:
        return self._inner.name

    def __len__(self) -> int:
        return len(self._kept)

    def prefetch(self, texts: Sequence[str]) -> None:
        """Embed what is not known yet; counted as neither hit nor miss."""
        keys = [_key(text) for text in texts]
        self._learn(keys, texts, self._look_up(keys))

    def embed(self, texts: Sequence[str]) -> Vectors:
        keys = [_key(text) for text in texts]
        found = self._look_up(keys)
        known = sum(key in found for key in keys)
        with self._lock:
            self.hits += known
            self.misses += len(keys) - known
        vectors = self._learn(keys, texts, found)
        return np.stack([vectors[key] for key in keys]) if keys else self._inner.embed([])

    def _look_up(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        return found

    def _learn(
        self, keys: Sequence[bytes], texts: Sequence[str], found: dict[bytes, NDArray[np.float32]]
    ) -> dict[bytes, NDArray[np.float32]]:
        """``found`` with the vectors of the other texts, each embedded once and remembered."""
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if not new:
            return found
        learnt = dict(zip(new, self._inner.embed(list(new.values())), strict=True))
        with self._lock:
            for key, vector in learnt.items():
                self._kept[key] = vector.copy()  # a row of a batch would keep the whole batch alive
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)
        return found | learnt


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A waiting thread that spins takes the core from the one it waits for: with the cores shared, speed collapses.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _by_length(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Indices in batches of `BATCH`, shortest texts first, so that little is padded."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    for start in range(0, len(order), BATCH):
        yield order[start : start + BATCH]


def _directed(vectors: Vectors) -> Vectors:
    """Unit rows; a row without a direction (zeros, as some models give for no words at all) points anywhere."""
    rows = np.nan_to_num(vectors)
    rows[~rows.any(axis=1)] = 1
    return unit(rows)


def _encodable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which JSON can carry and UTF-8 can't."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _key(text: str) -> bytes:
    seen = " ".join(unicodedata.normalize("NFKC", text).split())
    return blake2b(seen.encode("utf-8", "surrogatepass"), digest_size=16).digest()


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


def _prefix(folder: Path) -> str:
    """What `SentenceTransformer.encode` puts before a text by itself in this folder."""
    settings = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8"))
    prefix: str = settings["prompts"][settings["default_prompt_name"]]
    return prefix
