"""An embedder with a memory of its last vectors: customers and macros repeat themselves, word for word or nearly.

Two texts share a vector where `alike` gives them one key: where they differ in how they were typed alone. What may
turn the meaning stays in the key, so that opposites never share: every word, each kind of symbol (👍 and 👎, ✅ and ❌),
whether it asks, signs of numbers, and letters that are a size or a number (XL and XXXL).
"""

import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from models.embed import Embedder, Vectors
from models.fingerprint import normalise

CACHE_ENTRIES = 50_000
"""About 90 MB at 384 dimensions: the vector, its key and the table's own cost."""

_SIZE = re.compile(r"(?<![a-z])[ivxlsm]*([ivxl])\1\1[ivxlsm]*(?![a-z])")
_SIGNED = re.compile(r"(?<!\w)[-−](?=\d)|%")
_ASKS = "?"
_KEY_BYTES = 16


def alike(text: str) -> bytes:
    """The key of a text: equal for texts that say the same, whatever the width, case, script, order number or marks.

    >>> alike("订单20260302118877还没到！！！") == alike("訂單 20260302990011 还没到")
    True
    >>> alike("能退吗") == alike("不能退吗"), alike("great 👍") == alike("great 👎"), alike("XXXL") == alike("XL")
    (False, False, False)
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    symbols = {character for character in folded if unicodedata.category(character)[0] == "S"}
    turning = sorted({*symbols, *_SIGNED.findall(folded), *({_ASKS} & {*folded})})
    sizes = [match[0] for match in _SIZE.finditer(folded)]
    said = "\x1f".join([normalise(text), "".join(turning), *sizes])
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


class CachedEmbedder:
    """Another embedder with a memory of its last vectors.

    The text itself is never kept. A text gets the vector of the first text alike that was embedded. At most
    ``entries`` vectors, the longest unused goes first. Safe to share among threads; all callers of one worker do. To
    replay a file, embed all its texts once (`prefetch`, in large and fast batches) with ``entries`` at least their
    number; the small calls that follow are then hits.
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
        keys = [alike(text) for text in texts]
        self._learn(keys, texts, self._look_up(keys))

    def embed(self, texts: Sequence[str]) -> Vectors:
        keys = [alike(text) for text in texts]
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
        new: dict[bytes, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if key not in found:
                new.setdefault(key, text)
        if not new:
            return found
        learnt = dict(zip(new, self._inner.embed(list(new.values())), strict=True))
        with self._lock:
            for key, vector in learnt.items():
                self._kept[key] = vector.copy()  # a row of a batch would keep the whole batch alive
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)
        return found | learnt
