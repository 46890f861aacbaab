"""Whether a message says that a thing went well or ill, so that a topic does not hold an issue and its opposite.

An encoder hears the thing more than what became of it: "the refund has arrived" lies beside "the refund has not arrived".
A line through the space of meaning, found among written sentences of both kinds (`training.leaning`), together with the
words that say so (`models.cues`), tells them apart. Only what is sure counts: an issue must not lose its own messages.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.cues import CUES, cues
from models.embed import LANGUAGES, Language, Vectors, language_of
from models.gist import gist

Leanings = NDArray[np.int8]
"""One a message: `WELL`, `ILL`, or 0 where neither is sure; shape (n,)."""

WELL, ILL = 1, -1

WEIGHTS = Path(__file__).parent / "encoder" / "intent" / "leaning.json"
FORMAT = 1

_SURE = 1.0
"""Of the score, the log of the odds. Of issues whose theme the weights had not seen, .019 of the Chinese and .013 of the
English complaints score higher, and .64 and .74 of the sentences that say the opposite."""
_CLEAR = 0.5
"""The mean leaning of its messages from which a topic has one: of complaints nine in ten lean to ill."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A line for unit vectors before centring (d,), weights of `CUES` and a constant by language. ``encoder``: whose vectors."""

    encoder: str
    vector: NDArray[np.float32]
    cues: Mapping[Language, NDArray[np.float32]]
    constant: Mapping[Language, float]

    def scores(self, texts: Sequence[str], vectors: Vectors) -> NDArray[np.float64]:
        """The log of the odds that a text says that a thing went well, (n,)."""
        spoken = [language_of(text) for text in texts]
        said = np.array(
            [
                self.constant[language] + np.dot(self.cues[language], cues(gist(text), language))
                for text, language in zip(texts, spoken, strict=True)
            ],
            dtype=np.float64,
        )
        return np.asarray(vectors @ self.vector + said, dtype=np.float64)

    def leanings(self, texts: Sequence[str], vectors: Vectors) -> Leanings:
        """How redacted texts lean, by their unit vectors (n, d) before centring."""
        scores = self.scores(texts, vectors)
        return np.where(scores > _SURE, WELL, np.where(scores < -_SURE, ILL, 0)).astype(np.int8)

    def fits(self, embedder: str) -> bool:
        """Whether an embedder of this name makes such vectors: its adapter hardly turns the line (docs/measured.md)."""
        return embedder.partition("@")[0] == self.encoder

    def to_words(self) -> dict[str, object]:
        """Plain values for JSON; `weights_from` reads them back."""
        return {
            "format": FORMAT,
            "encoder": self.encoder,
            "cues": list(CUES),
            "constant": {language: round(self.constant[language], 4) for language in LANGUAGES},
            "weights": {language: _rounded(self.cues[language]) for language in LANGUAGES},
            "vector": _rounded(self.vector),
        }


def weights_from(words: Mapping[str, object]) -> Weights:
    """What `Weights.to_words` gave. Raises ValueError for a format or cues that this version does not know."""
    if words["format"] != FORMAT or words["cues"] != list(CUES):
        raise ValueError(
            f"leaning of format {words['format']} and cues {words['cues']}; make it with `tocsin-train leaning`"
        )
    constant, weights = words["constant"], words["weights"]
    assert isinstance(constant, dict) and isinstance(weights, dict)
    return Weights(
        encoder=str(words["encoder"]),
        vector=np.array(words["vector"], dtype=np.float32),
        cues={language: np.array(weights[language], dtype=np.float32) for language in LANGUAGES},
        constant={language: float(constant[language]) for language in LANGUAGES},
    )


def leanings(embedder: str, texts: Sequence[str], vectors: Vectors) -> Leanings:
    """How redacted texts lean by the shipped weights; all 0 where these are for another encoder."""
    weights = _shipped()
    if not len(texts) or not weights.fits(embedder) or vectors.shape[1] != len(weights.vector):
        return np.zeros(len(texts), dtype=np.int8)
    return weights.leanings(texts, vectors)


def opposed(message: Leanings, topic: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which messages (n,) say the opposite of which topics, of mean leanings (m,); shape (n, m).

    >>> opposed(np.array([WELL, ILL, 0], dtype=np.int8), np.array([-0.9, 0.2, 1.0])).tolist()
    [[True, False, False], [False, False, True], [False, False, False]]
    """
    clear = np.where(np.abs(topic) >= _CLEAR, np.sign(topic), 0)
    return np.asarray(message[:, None] * clear[None] < 0)


def is_clear(leaning: float) -> bool:
    """Whether the messages of a topic say one thing, so that the opposite is not of it."""
    return abs(leaning) >= _CLEAR


def are_opposite(one: float, other: float) -> bool:
    """Whether two topics of such mean leanings say the opposite of each other.

    >>> are_opposite(0.8, -0.9), are_opposite(0.8, -0.2)
    (True, False)
    """
    return is_clear(one) and is_clear(other) and one * other < 0


def mean_of(some: Leanings) -> float:
    """The leaning of a topic of these messages, -1 to 1; 0 of none."""
    return float(some.mean()) if len(some) else 0.0


@lru_cache(maxsize=1)
def _shipped() -> Weights:
    return weights_from(json.loads(WEIGHTS.read_text(encoding="utf-8")))


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 4) for value in values]
