"""Finding topics among messages that have none.

At the start everything is divided (`partition`), since a surge is seen only where its messages are counted
together, and what density clustering calls noise is a third of them. Later only crowded places count (`discover`).
Either groups one message of each wording and measures the groups in the full space. Nothing here makes a topic: a
`Candidate` is what a person, or the pipeline's rule, may make a topic of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.fingerprint import normalise
from models.groups import Groups, GroupSettings, dense_groups, even_groups
from models.leaning import ILL, WELL, Leanings, are_opposite, mean_of
from models.neighbours import nearest_within
from models.portrait import RADIUS_SHARE, SMALLEST_RADIUS, others_of, shape_of
from models.topic import TopicId
from models.topics import TopicModel

_OPPOSITE_SHARE = 0.1
"""Of a group's wordings that must say the opposite of the rest to be a group of their own. Of complaints .01 to .025 are
taken for their opposite (docs/measured.md), and these are no issue."""


_NEW, _NEW_SHARE = 5, 1 / 3  # messages, as many as a group needs; of a smaller one a third


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """How candidates are found. Figures behind the defaults: tests/benchmarks/topics.py."""

    grouping: GroupSettings = field(default_factory=GroupSettings)
    min_customers: int = 5
    """Distinct customers that a candidate needs: ten messages of one angry customer are no topic."""
    radius_share: float = RADIUS_SHARE
    max_rows: int = 20_000
    """Above this many wordings a sample is grouped, and the rest goes to its groups by radius."""
    same_topic: float = 0.25
    """A candidate whose centroid is nearer to a topic's than this times the smaller radius is that topic. On the
    development streams 15 messages of an issue lie at .09 (English) and .15 (Chinese) of its radius, nine in ten
    within .15 and .25; those of the nearest other issue at .58, nine in ten beyond .38 and .25."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A group of messages that may become a topic.

    ``rows`` are the members' places in what was searched, copies among them, ascending; ``centroid`` (d,) is
    a unit vector, ``radius`` a cosine distance, ``customers`` the number of distinct customers, copies apart,
    ``leaning`` the mean of its members' (`models.leaning`).
    """

    rows: NDArray[np.intp]
    centroid: NDArray[np.float32]
    radius: float
    customers: int
    leaning: float = 0.0


def discover(
    vectors: Vectors,
    customers: Sequence[str],
    texts: Sequence[str],
    settings: DiscoverySettings | None = None,
    *,
    leanings: Leanings | None = None,
    seed: int = 0,
) -> list[Candidate]:
    """Candidates among these messages, those with most customers first.

    ``vectors`` (n, d) are unit vectors after centring; ``customers``, ``texts`` and ``leanings`` have n entries. Copies
    of a wording are grouped as one; a group that holds a thing and its opposite makes a candidate of each. The same
    input and seed give the same result; time and memory are bounded by ``settings.max_rows``, whatever n. Raises
    ValueError for unequal lengths.
    """
    return _search(vectors, customers, texts, settings or DiscoverySettings(), dense_groups, leanings, seed)


def partition(
    vectors: Vectors,
    customers: Sequence[str],
    texts: Sequence[str],
    settings: DiscoverySettings | None = None,
    *,
    leanings: Leanings | None = None,
    seed: int = 0,
) -> list[Candidate]:
    """All of these messages divided into candidates: for a first model, from messages that nobody has named.

    As `discover`, but nothing is noise; only groups that too few wordings or customers support are left out.
    """
    return _search(vectors, customers, texts, settings or DiscoverySettings(), even_groups, leanings, seed)


def still_said(candidates: Sequence[Candidate], times: Sequence[datetime], since: datetime) -> list[Candidate]:
    """The candidates of which enough is new: what nobody says any more is no topic to be born.

    ``times`` are of the messages that were searched. A third of a candidate's messages, or five, must have come ``since``.
    """
    new = np.array([time >= since for time in times], dtype=bool)
    return [one for one in candidates if new[one.rows].sum() >= min(_NEW, len(one.rows) * _NEW_SHARE)]


def same_topic(candidate: Candidate, model: TopicModel, settings: DiscoverySettings | None = None) -> TopicId | None:
    """The topic that this candidate is about already, to be merged with instead of born; None if it is new.

    Scale-free, since comparable distances differ between languages: the centroids must be nearer than
    ``settings.same_topic`` times the smaller of the two radii.
    """
    settings = settings or DiscoverySettings()
    if not model.places:
        return None
    apart = 1 - model.centroids @ candidate.centroid
    in_radii = apart / np.maximum(np.minimum(model.radii, candidate.radius), SMALLEST_RADIUS)
    in_radii[[are_opposite(place.leaning, candidate.leaning) for place in model.places]] = np.inf
    best = int(in_radii.argmin())
    return model.heir(model.places[best].id) if in_radii[best] < settings.same_topic else None


def held_out_assign(vectors: Vectors, candidates: Sequence[Candidate], texts: Sequence[str]) -> Groups:
    """The candidate, by its place, that each message of a history would have gone to, had it come after they were found.

    The nearest within whose radius it lies, -1 for none; to its own candidate the distance of a member is that to the
    centroid of the other wordings there, as a newcomer's would be (leave one out). Rates learnt from this are those that
    later messages show: where each half of the wordings went by the places of the other half, small candidates got two
    fifths of them (docs/measured.md). ``vectors`` (n, d) and ``texts`` are those that the candidates were found among.

    >>> from models.embed import unit
    >>> at = unit(np.array([[1, 0.1], [1, -0.1], [1, 0], [0, 1]]))  # the first two are near to the centroid as they made it
    >>> three = Candidate(np.arange(3), np.array([1, 0], np.float32), radius=0.01, customers=3)
    >>> held_out_assign(at, [three], ["one", "other", "third", "else"]).tolist()
    [-1, -1, 0, -1]
    """
    own, apart = np.full(len(vectors), -1, dtype=np.intp), np.zeros(len(vectors), dtype=np.float32)
    if not candidates:
        return own
    wordings = wordings_of(texts)
    for name, rows in enumerate(candidate.rows for candidate in candidates):
        _, firsts, which = np.unique(wordings[rows], return_index=True, return_inverse=True)
        others = others_of(vectors[rows[firsts]])[which]
        own[rows], apart[rows] = name, 1 - np.einsum("ij,ij->i", vectors[rows], others)
    shapes = [(candidate.centroid, candidate.radius) for candidate in candidates]
    return nearest_within(vectors, *_stacked(shapes), own=(own, apart))


def wordings_of(texts: Sequence[str]) -> NDArray[np.intp]:
    """A number a text, from 0, equal for copies: texts of one normal form.

    >>> wordings_of(["Late!", "broken", "late"]).tolist()
    [0, 1, 0]
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalise(text), len(numbers)) for text in texts], dtype=np.intp)


def one_of_each(texts: Sequence[str], limit: int, seed: int) -> NDArray[np.intp]:
    """Rows of different wording, ascending: one of each, or so many as the limit allows.

    >>> one_of_each(["Late!", "broken", "late"], 9, 0).tolist()
    [0, 1]
    """
    return _sample(_firsts(wordings_of(texts)), limit, seed)


def _search(
    vectors: Vectors,
    customers: Sequence[str],
    texts: Sequence[str],
    settings: DiscoverySettings,
    grouped: Callable[[Vectors, GroupSettings, int], Groups],
    leanings: Leanings | None,
    seed: int,
) -> list[Candidate]:
    """Group one message of each wording, or a sample of them; then place them all, and measure the groups."""
    if not len(vectors) == len(customers) == len(texts):
        raise ValueError(f"{len(vectors)} vectors, {len(customers)} customers, {len(texts)} texts")
    wordings = wordings_of(texts)
    firsts = _firsts(wordings)
    searched = _sample(firsts, settings.max_rows, seed)
    groups = grouped(vectors[searched], settings.grouping, seed)
    if not (groups >= 0).any():
        return []
    placed = _place(vectors, firsts, searched, groups, settings)[wordings]
    if leanings is None:
        leanings = np.zeros(len(vectors), dtype=np.int8)
    leanings = leanings[firsts][wordings]  # copies lean alike
    found = [
        _candidate(rows, firsts, vectors, customers, leanings, settings)
        for name in _names(groups)
        for rows in _sides(np.flatnonzero(placed == name), firsts, leanings, settings.grouping.min_messages)
    ]
    supported = [candidate for candidate in found if candidate.customers >= settings.min_customers]
    return sorted(supported, key=lambda candidate: -candidate.customers)


def _firsts(wordings: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first row of each wording."""
    return np.unique(wordings, return_index=True)[1].astype(np.intp)


def _sample(rows: NDArray[np.intp], limit: int, seed: int) -> NDArray[np.intp]:
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))


def _place(
    vectors: Vectors,
    firsts: NDArray[np.intp],
    sampled: NDArray[np.intp],
    groups: Groups,
    settings: DiscoverySettings,
) -> Groups:
    """A group for every wording: its own where it was sampled, else the nearest within its radius."""
    placed = np.full(len(firsts), -1, dtype=np.intp)
    placed[np.searchsorted(firsts, sampled)] = groups
    left = np.setdiff1d(np.arange(len(firsts)), np.searchsorted(firsts, sampled))
    if len(left):
        shapes = [shape_of(vectors[sampled[groups == name]], settings.radius_share) for name in _names(groups)]
        placed[left] = nearest_within(vectors[firsts[left]], *_stacked(shapes))
    return placed


def _sides(rows: NDArray[np.intp], firsts: NDArray[np.intp], leanings: Leanings, least: int) -> list[NDArray[np.intp]]:
    """The members of a group without those that say the opposite of most, and these where they are enough of it."""
    against = leanings[rows] == (ILL if mean_of(leanings[rows]) > 0 else WELL)
    others = len(np.intersect1d(rows[against], firsts))
    enough = others >= max(least, _OPPOSITE_SHARE * len(np.intersect1d(rows, firsts)))
    return [rows[~against], rows[against]] if enough else [rows[~against]]


def _candidate(
    rows: NDArray[np.intp],
    firsts: NDArray[np.intp],
    vectors: Vectors,
    customers: Sequence[str],
    leanings: Leanings,
    settings: DiscoverySettings,
) -> Candidate:
    """Measured and supported by one message of each wording: copies are members, no evidence."""
    different = rows[np.isin(rows, firsts)]
    centroid, radius = shape_of(vectors[different], settings.radius_share)
    return Candidate(rows, centroid, radius, len({customers[row] for row in different}), mean_of(leanings[rows]))


def _stacked(shapes: Sequence[tuple[NDArray[np.float32], float]]) -> tuple[Vectors, NDArray[np.float32]]:
    centroids, radii = zip(*shapes, strict=True)
    return np.stack(centroids), np.array(radii, dtype=np.float32)


def _names(groups: Groups) -> NDArray[np.intp]:
    return np.unique(groups[groups >= 0])
