"""How much of a tuning is worth keeping, asked of texts that it did not learn from and that no later score uses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bridge import carried, rotation
from models.embed import Centring, Vectors, language_of, unit
from training.lowrank import UpperLayers

STAYS = 0.95
"""Least share of known texts that stay nearest to the same topic. Chosen: a promotion asks for .90 (`training.scoring`),
and regrouping without tuning took .05."""
_MOST = 200  # texts asked of a kind: a share is then known to ±.03
_OF_A_LABEL = 8  # texts that tell where a label lies

Grouped = Mapping[str, Sequence[str]]
_At = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Texts that have a topic, and ``places`` (k, d) where the topics lie, measured after ``centring``."""

    texts: Sequence[str]
    places: Vectors
    centring: Centring


@dataclass(frozen=True, slots=True)
class Mark:
    """``rank``: mean of 1 / rank of the right label (or text) among all, None where nothing was asked.
    ``stays``: share of known texts nearest to the topic they were nearest to, None where there is none.
    ``margin``: by how much cosine texts are nearer to their label than to the nearest other label, on the mean; None
    where that was not asked.
    """

    rank: float | None
    stays: float | None
    margin: float | None = None

    def passes(self, before: "Mark") -> bool:
        """Whether a change is worth keeping: labels are told apart better, and what was known stays.

        >>> was = Mark(0.7, 1.0)
        >>> Mark(0.8, 0.96).passes(was), Mark(0.8, 0.9).passes(was), was.passes(was)
        (True, False, False)
        """
        return self._better(before) and (self.stays is None or self.stays >= STAYS)

    def _better(self, before: "Mark") -> bool:
        """Where margins were asked they decide. The rank of few questions tips by chance, cannot rise where all are found,
        and rises for labels that mean nothing, since the named are told from the known all the same. Below 0 texts lie
        elsewhere than their label does, and there is nothing to widen.

        >>> was = Mark(1.0, 1.0, 0.1)
        >>> Mark(1.0, 1.0, 0.2).passes(was), Mark(1.0, 1.0, 0.05).passes(was)
        (True, False)
        >>> Mark(0.6, 1.0, -0.1).passes(Mark(0.5, 1.0, -0.2))
        False
        """
        if self.margin is not None and before.margin is not None:
            return self.margin > max(before.margin, 0.0)
        return self.rank is not None and before.rank is not None and self.rank > before.rank


def together(marks: Sequence[tuple[Mark, int]]) -> Mark:
    """The mark of several sittings of so many questions each.

    >>> together([(Mark(1.0, 0.9, 0.5), 1), (Mark(0.5, 1.0, 0.25), 3)])
    Mark(rank=0.625, stays=0.95, margin=0.3125)
    """
    stays = [mark.stays for mark, _ in marks if mark.stays is not None]
    return Mark(
        _weighed([(mark.rank, asked) for mark, asked in marks]),
        float(np.mean(stays)) if stays else None,
        _weighed([(mark.margin, asked) for mark, asked in marks]),
    )


def _weighed(figures: Sequence[tuple[float | None, int]]) -> float | None:
    """The mean, each as often as it was asked; None where none was."""
    told = [(figure, asked) for figure, asked in figures if figure is not None]
    every = sum(asked for _, asked in told)
    return sum(figure * asked for figure, asked in told) / every if every else None


class Exam:
    """The same questions before and after; ``encoder`` as it is now is the before.

    ``asked`` texts by label beside those ``learnt``; without labels, ``thin`` forms by their texts. ``known`` texts are
    asked whether they stay; ``held`` ones tell how the space turned.
    """

    def __init__(
        self,
        encoder: UpperLayers,
        learnt: Grouped,
        asked: Grouped,
        thin: Mapping[str, str],
        held: Sequence[str],
        known: Known | None,
    ) -> None:
        self._learnt = {name: list(texts)[:_OF_A_LABEL] for name, texts in learnt.items()}
        every = [(name, text) for name, texts in asked.items() for text in texts]
        self._asked = every[:: -(-len(every) // _MOST) or 1]
        self._thin = dict(list(thin.items())[:_MOST])
        self._standing = _Standing(encoder, held, known) if known and held and known.texts else None

    def mark(self, encoder: UpperLayers) -> Mark:
        """What ``encoder`` gets."""
        texts = list(dict.fromkeys(self._texts()))
        stays = self._standing.stays(encoder) if self._standing else None
        if not texts:
            return Mark(None, stays)
        vectors = encoder.embed(texts)
        centred = _centred(vectors, texts, Centring.fit(vectors, [language_of(text) for text in texts]))
        return Mark(self._rank(dict(zip(texts, centred, strict=True))), stays)

    def _texts(self) -> list[str]:
        labelled = [text for texts in self._learnt.values() for text in texts] + [text for _, text in self._asked]
        return [*labelled, *self._thin, *self._thin.values()]

    def _rank(self, at: _At) -> float | None:
        if self._asked:
            names = list(self._learnt)
            places = unit(np.stack([np.mean([at[text] for text in self._learnt[name]], axis=0) for name in names]))
            return mean_rank(
                _rows(at, [text for _, text in self._asked]) @ places.T, [names.index(n) for n, _ in self._asked]
            )
        if self._thin:
            return mean_rank(_rows(at, self._thin.values()) @ _rows(at, self._thin).T, range(len(self._thin)))
        return None


class _Standing:
    """Which topic known texts are nearest to, before and after."""

    def __init__(self, encoder: UpperLayers, held: Sequence[str], known: Known) -> None:
        self._held, self._asked = list(held), list(known.texts)[:_MOST]
        self._known = known
        self._before = encoder.embed(self._held)
        self._nearest = self._of(encoder, known.centring, known.places)

    def stays(self, encoder: UpperLayers) -> float:
        """As a retraining carries topics over: the mean moves along, then they turn."""
        after, languages = encoder.embed(self._held), [language_of(text) for text in self._held]
        was = self._known.centring
        now = carried(was, self._before, after, languages)
        turned = rotation(was.apply(self._before, languages), now.apply(after, languages))
        return float(np.mean(self._of(encoder, now, unit(self._known.places @ turned)) == self._nearest))

    def _of(self, encoder: UpperLayers, centring: Centring, places: Vectors) -> NDArray[np.intp]:
        vectors = _centred(encoder.embed(self._asked), self._asked, centring)
        nearest: NDArray[np.intp] = (vectors @ places.T).argmax(axis=1)
        return nearest


def mean_rank(scores: NDArray[np.float32], right: Sequence[int]) -> float:
    """The mean of 1 / rank of the ``right`` column (n) in each row of ``scores`` (n, k).

    >>> mean_rank(np.array([[0.9, 0.1], [0.8, 0.2]], np.float32), [0, 1])
    0.75
    """
    own = scores[np.arange(len(scores)), list(right)][:, None]
    return float(np.mean(1 / (1 + (scores > own).sum(axis=1))))


def mean_margin(scores: NDArray[np.float32], right: Sequence[int]) -> float:
    """The mean of by how much the ``right`` column (n) is above the highest other in each row of ``scores`` (n, k >= 2).

    >>> round(mean_margin(np.array([[0.75, 0.25, 0.5], [0.5, 0.75, 0.25]], np.float32), [0, 0]), 3)
    0.0
    """
    rows = np.arange(len(scores))
    others = scores.copy()
    others[rows, list(right)] = -np.inf
    return float(np.mean(scores[rows, list(right)] - others.max(axis=1)))


def _rows(at: _At, texts: Iterable[str]) -> Vectors:
    return np.stack([at[text] for text in texts])


def _centred(vectors: Vectors, texts: Sequence[str], centring: Centring) -> Vectors:
    return centring.apply(vectors, [language_of(text) for text in texts])
