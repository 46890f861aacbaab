"""Text to unit vector: what an Embedder promises, and the mean per language taken off its vectors.

Sentence encoders put all texts of one language into a narrow cone: two unrelated Chinese messages have a
cosine near .8. Taking off the mean widens the cone (Mu & Viswanath, "All-but-the-Top", 2018). With two
languages one mean is not enough: what is left is mostly the language, and one issue makes two topics.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Unit vectors as rows, shape (n, dimension)."""

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

HAN_SHARE = 0.3
"""From this share of Han characters among Han characters and Latin words a text is Chinese. Below one half,
since Chinese messages quote brand and model names ("iPhone 15 Pro Max 发烫") far oftener than the reverse."""

PRIOR_TEXTS = 12
"""How many texts the mean of all texts weighs in the mean of one language. Few texts may all be of one issue,
and their own mean would then take the issue away. Measured by tests/benchmarks/encoder.py: 12 costs nothing
with 120 texts a language."""

WHITENED = 0.25
"""How far `Centring.even` evens directions out: 0 not at all, 1 whitened. Of the pairs of one label in the development
streams a radius that holds one pair in a hundred takes in .17 for .15 in Chinese and .41 for .40 in English. Crowds alone
found 65 of the 120 surges where they found 58; at .5, 58. Topics gain nothing by it: NMI of banking77 .779 for .794."""

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_WHITENING, _STRETCH, _FOCUS = "whitening", "stretch", "focus"  # the names of their arrays
_TOO_SHORT = 1e-6  # a difference this short is rounding error of float32, its direction means nothing


class Embedder(Protocol):
    """Turns texts into vectors. Implementations: `models.sentence`."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def name(self) -> str:
        """Identity and revision; equal names mean comparable vectors. Kept in manifests."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, in order, shape (len(texts), dimension), float32.

        Any text has a vector, the empty one too; what a text gets does not depend on its neighbours
        beyond the tolerance that the implementation states.
        """


def language_of(text: str) -> Language:
    """The language whose mean is taken off this text: Chinese where enough of it is Han, else English.

    >>> language_of("iPhone 15 Pro Max 发烫"), language_of("Refund please"), language_of("👍")
    ('zh', 'en', 'en')
    """
    han = len(_HAN.findall(text))
    words = len(_LATIN_WORD.findall(text))
    return "zh" if han and han / (han + words) >= HAN_SHARE else "en"


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Rows scaled to length 1. A row of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Centring:
    """The mean vector of each language, and how to take it off; and what evens out what is left.

    ``means`` holds one float32 vector of length d for every `Language`. The maps are (d, d), for rows from the right, and
    None where there was none: ``stretch`` of what is left, that a retraining learnt from labels; ``focus`` behind it, in
    which the first topics were found (`models.focus`), symmetric; ``whitening``, which undoes the focus and evens out
    what is before it, by a symmetric map too, so that directions stay nearly what they are. Arrays go to an npz file and
    back by `arrays` and `from_arrays`.
    """

    means: Mapping[Language, NDArray[np.float32]]
    whitening: NDArray[np.float32] | None = None
    stretch: NDArray[np.float32] | None = None
    focus: NDArray[np.float32] | None = None

    @classmethod
    def none(cls, dimension: int) -> Self:
        """Takes nothing off: for a stream that has not been seen yet."""
        return cls({language: np.zeros(dimension, dtype=np.float32) for language in LANGUAGES})

    @classmethod
    def fit(cls, vectors: Vectors, languages: Sequence[Language]) -> Self:
        """The mean of each language's vectors (n, d), drawn towards the mean of all by few texts; and the whitening.

        mean_l = (n_l · m_l + k · m) / (n_l + k), k = `PRIOR_TEXTS`; a language without texts gets m.
        The whitening is that of what is left (`whitening_of`), by `WHITENED`; 300 texts give it as well as 8,000.
        Raises ValueError without vectors or when ``languages`` is not as long as ``vectors``.

        >>> vectors = np.eye(2, dtype=np.float32).repeat(12, axis=0)
        >>> centring = Centring.fit(vectors, ["zh"] * 12 + ["en"] * 12)
        >>> centring.means["zh"].tolist()
        [0.75, 0.25]
        """
        _check_paired(vectors, languages)
        if not len(vectors):
            raise ValueError("no vectors: a mean needs at least one")
        overall = vectors.mean(axis=0, dtype=np.float64)
        spoken = np.asarray(languages)
        means: dict[Language, NDArray[np.float32]] = {}
        for language in LANGUAGES:
            own = vectors[spoken == language]
            total = own.sum(axis=0, dtype=np.float64) + PRIOR_TEXTS * overall
            means[language] = (total / (len(own) + PRIOR_TEXTS)).astype(np.float32)
        return cls(means, whitening_of(cls(means).apply(vectors, languages), WHITENED))

    @property
    def dimension(self) -> int:
        return len(self.means[LANGUAGES[0]])

    def apply(self, vectors: Vectors, languages: Sequence[Language]) -> Vectors:
        """Unit vectors of what is left of ``vectors`` (n, d) without their language's mean, stretched and in focus.

        A vector that equals the mean has no direction left and stays as it was, so that every text keeps
        a valid unit vector. Raises ValueError when the lengths differ.
        """
        _check_paired(vectors, languages)
        if not len(vectors):
            return vectors
        left = vectors - np.stack([self.means[language] for language in languages])
        gone = np.linalg.norm(left, axis=1) < _TOO_SHORT
        left[gone] = vectors[gone]
        for further in (self.stretch, self.focus):
            left = left if further is None else left @ further
        return unit(left)

    def stretched(self, further: NDArray[np.float32], behind: Vectors) -> Self:
        """This and then ``further`` (d, d); what evens out is fitted anew to the vectors ``behind`` it (n, d)."""
        if self.focus is not None:  # it stays the last, for `even` to undo
            undo, bare = _inverse(self.focus), replace(self, focus=None)
            before = (self.focus @ further @ undo).astype(np.float32)
            return bare.stretched(before, unit(behind @ undo)).focused(self.focus)
        stretch = further if self.stretch is None else self.stretch @ further
        whitening = None if self.whitening is None else whitening_of(behind, WHITENED)
        return replace(self, stretch=stretch, whitening=whitening)

    def focused(self, focus: NDArray[np.float32]) -> Self:
        """This and then ``focus`` (d, d), symmetric and positive; what `even` makes of a text stays as it is. Raises
        ValueError where there is one."""
        if self.focus is not None:
            raise ValueError("a centring with a focus already")
        undo = _inverse(focus)
        return replace(self, focus=focus, whitening=undo if self.whitening is None else undo @ self.whitening)

    def even(self, vectors: Vectors) -> Vectors:
        """Unit vectors of ``vectors`` (n, d), which `apply` gave, out of focus and with the directions in which all differ
        shortened.

        What messages share beside their issue, such as mood and length, then counts for less in who is near whom.
        """
        return vectors if self.whitening is None else unit(vectors @ self.whitening)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """One array a language, by its name, and the maps where there are such, for ``numpy.savez``."""
        arrays = {str(language): mean for language, mean in self.means.items()}
        maps = {_WHITENING: self.whitening, _STRETCH: self.stretch, _FOCUS: self.focus}
        return arrays | {name: array for name, array in maps.items() if array is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Self:
        """What `arrays` gave. Raises ValueError where a language is missing or the lengths differ."""
        missing = [language for language in LANGUAGES if language not in arrays]
        if missing:
            raise ValueError(f"centring without the mean of {', '.join(missing)}")
        means = {language: np.asarray(arrays[language], dtype=np.float32) for language in LANGUAGES}
        if len({mean.shape for mean in means.values()}) > 1 or means[LANGUAGES[0]].ndim != 1:
            raise ValueError("centring whose means are not vectors of one length")
        maps = {name: arrays.get(name) for name in (_WHITENING, _STRETCH, _FOCUS)}
        for name, array in maps.items():
            if array is not None and array.shape != 2 * means[LANGUAGES[0]].shape:
                raise ValueError(f"centring whose {name} does not fit its means")
        return cls(means, maps[_WHITENING], maps[_STRETCH], maps[_FOCUS])


def whitening_of(directions: Vectors, share: float) -> NDArray[np.float32]:
    """What evens out directions (n, d), of length 1 on the whole: C^(-share/2), symmetric, (d, d).

    C are their second moments, drawn towards no preference by d directions (zero-phase: Bell & Sejnowski, "The
    'independent components' of natural scenes are edge filters", 1997; drawn as by Ledoit & Wolf, 2004).
    """
    count, dimension = directions.shape
    moments = (directions.T.astype(np.float64) @ directions + np.eye(dimension)) / (count + dimension)
    lengths, axes = np.linalg.eigh(moments)
    evened: NDArray[np.float32] = ((axes * lengths ** (-share / 2)) @ axes.T).astype(np.float32)
    return evened


def _inverse(of: NDArray[np.float32]) -> NDArray[np.float32]:
    inverse: NDArray[np.float32] = np.linalg.inv(of.astype(np.float64)).astype(np.float32)
    return inverse


def _check_paired(vectors: Vectors, languages: Sequence[Language]) -> None:
    if len(vectors) != len(languages):
        raise ValueError(f"{len(vectors)} vectors but {len(languages)} languages")
