"""Finding topics among messages that have none.

Vectors are reduced, grouped, and each group is measured in the full space. At the start everything is divided
(`partition`, k-means), since a surge is seen only where its messages are counted together, and what density
clustering calls noise is a third of them. Later only crowded places count (`discover`, HDBSCAN: Campello, Moulavi
& Sander, "Density-based clustering based on hierarchical density estimates", 2013). Nothing here makes a topic: a
`Candidate` is what a person, or the pipeline's rule, may make a topic of.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors, unit
from models.fingerprint import normalise
from models.neighbours import nearest_within
from models.reduction import Reduction, places, reduce
from models.topics import TopicId, TopicModel, radius_of

Groups = NDArray[np.intp]
"""A group number a row, -1 for noise, shape (n,)."""

_LEAST_DENSE = 0.17  # times √n, the least size of a dense group: 5 among 800 messages, 15 among 8,000
_SMALLEST_RADIUS = 1e-4  # a group of one wording has no extent; it still needs a rim


class Selection(StrEnum):
    """Which nodes of HDBSCAN's tree are groups: the most persistent ones (coarse), or its leaves (fine)."""

    COARSE = "eom"
    FINE = "leaf"


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """How candidates are found. Figures behind the defaults: tests/benchmarks/topics.py."""

    reduction: Reduction = Reduction.DIFFUSION
    dimensions: int = 60
    selection: Selection = Selection.COARSE
    groups_a_place: float = 1.5
    """Groups of a `partition` to a place where messages dwell (`models.reduction.places`): a little finer than issues,
    since a surge is better seen in a part of its issue than mixed with another. Surges found at 8,000 messages with
    25, 40, 60, 90, 120 groups: English (61 places) .43 .47 .51 .53 .53, Chinese (17) .48 .43 .40 .38 .37."""
    least_groups: int = 12
    """Of a `partition`: a few hundred messages show no places yet, and still speak of more than one thing."""
    messages_a_group: int = 8
    """Different wordings to a group of a `partition` on average, at least."""
    min_messages: int = 5
    """Different wordings that a candidate needs."""
    min_customers: int = 5
    """Distinct customers that a candidate needs: ten messages of one angry customer are no topic."""
    radius_share: float = 0.98
    """The share of a candidate's own messages that its radius holds. With .9 a third of what comes later is noise,
    and a quarter of the English surges are lost."""
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
    a unit vector, ``radius`` a cosine distance, ``customers`` the number of distinct customers, copies apart.
    """

    rows: NDArray[np.intp]
    centroid: NDArray[np.float32]
    radius: float
    customers: int


def discover(
    vectors: Vectors,
    customers: Sequence[str],
    texts: Sequence[str],
    settings: DiscoverySettings | None = None,
    *,
    seed: int = 0,
) -> list[Candidate]:
    """Candidates among these messages, those with most customers first.

    ``vectors`` (n, d) are unit vectors after centring; ``customers`` and ``texts`` have n entries. Copies of a
    wording are grouped as one. The same input and seed give the same result; time and memory are bounded by
    ``settings.max_rows``, whatever n. Raises ValueError for unequal lengths.
    """
    return _search(vectors, customers, texts, settings or DiscoverySettings(), dense_groups, seed)


def partition(
    vectors: Vectors,
    customers: Sequence[str],
    texts: Sequence[str],
    settings: DiscoverySettings | None = None,
    *,
    seed: int = 0,
) -> list[Candidate]:
    """All of these messages divided into candidates: for a first model, from messages that nobody has named.

    As `discover`, but nothing is noise; only groups that too few wordings or customers support are left out.
    """
    return _search(vectors, customers, texts, settings or DiscoverySettings(), even_groups, seed)


def even_groups(vectors: Vectors, settings: DiscoverySettings, seed: int) -> Groups:
    """Every row in a group; -1 only where there are too few for any."""
    if len(vectors) < 2 * settings.min_messages:
        return np.full(len(vectors), -1, dtype=np.intp)
    wanted = max(settings.least_groups, round(settings.groups_a_place * places(vectors, seed=seed)))
    wanted = max(1, min(wanted, len(vectors) // settings.messages_a_group))
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    reduced = reduce(vectors, settings.reduction, settings.dimensions, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct places than groups: fewer groups, then
        groups = KMeans(wanted, n_init=3, random_state=seed).fit_predict(reduced)
    return _without_small(reduced, groups.astype(np.intp), settings.min_messages)


def _without_small(reduced: NDArray[np.float32], groups: Groups, least: int) -> Groups:
    """Rows of groups too small moved to the nearest of the others; -1 where no group is large enough."""
    sizes = np.bincount(groups)
    large = np.flatnonzero(sizes >= least)
    if not len(large):
        return np.full(len(groups), -1, dtype=np.intp)
    centres = np.stack([reduced[groups == name].mean(axis=0) for name in large])
    moving = np.flatnonzero(sizes[groups] < least)
    apart = np.square(reduced[moving][:, None] - centres).sum(axis=2)
    moved = groups.copy()
    moved[moving] = large[apart.argmin(axis=1)]
    return moved


def dense_groups(vectors: Vectors, settings: DiscoverySettings, seed: int) -> Groups:
    """Groups of these rows by density, numbered from 0; -1 for rows in no group."""
    if len(vectors) < 2 * settings.min_messages:
        return np.full(len(vectors), -1, dtype=np.intp)
    from hdbscan import HDBSCAN

    reduced = reduce(vectors, settings.reduction, settings.dimensions, seed=seed)
    clusterer = HDBSCAN(
        min_cluster_size=max(settings.min_messages, round(_LEAST_DENSE * len(vectors) ** 0.5)),
        min_samples=1,  # more turns a third of the messages into noise (EMBEDDING.md)
        cluster_selection_method=settings.selection.value,
        core_dist_n_jobs=1,
    )
    return np.asarray(clusterer.fit_predict(reduced.astype(np.float64)), dtype=np.intp)


def same_topic(candidate: Candidate, model: TopicModel, settings: DiscoverySettings | None = None) -> TopicId | None:
    """The topic that this candidate is about already, to be merged with instead of born; None if it is new.

    Scale-free, since comparable distances differ between languages: the centroids must be nearer than
    ``settings.same_topic`` times the smaller of the two radii.
    """
    settings = settings or DiscoverySettings()
    if not model.assignable:
        return None
    apart = 1 - model.centroids @ candidate.centroid
    in_radii = apart / np.maximum(np.minimum(model.radii, candidate.radius), _SMALLEST_RADIUS)
    best = int(in_radii.argmin())
    return model.assignable[best].id if in_radii[best] < settings.same_topic else None


def split_half_assign(
    vectors: Vectors, groups: Groups, texts: Sequence[str], *, radius_share: float, seed: int = 0
) -> Groups:
    """The group that each message of a history would have gone to, had it come after the groups were found.

    Wordings are dealt into two halves, and each half goes to the centroids and radii of the other. Rates
    learnt from this are those that later messages will show; learnt from the messages that made the groups
    they would be too high, and hide surges. ``groups`` (n,) are of the fit; noise is -1 in both.
    """
    wordings = wordings_of(texts)
    deal = np.random.default_rng(seed).permutation(int(wordings.max()) + 1 if len(wordings) else 0) % 2
    side = deal[wordings]
    placed: Groups = np.full(len(groups), -1, dtype=np.intp)
    for half in (0, 1):
        fit, judged = side == half, side != half
        names = _names(groups[fit])
        shapes = [_shape(vectors[fit & (groups == name)], radius_share) for name in names]
        if shapes:
            inside = nearest_within(vectors[judged], *_stacked(shapes))
            placed[judged] = np.where(inside >= 0, names[inside], -1)
    return placed


def wordings_of(texts: Sequence[str]) -> NDArray[np.intp]:
    """A number a text, from 0, equal for copies: texts of one normal form.

    >>> wordings_of(["Late!", "broken", "late"]).tolist()
    [0, 1, 0]
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalise(text), len(numbers)) for text in texts], dtype=np.intp)


def _search(
    vectors: Vectors,
    customers: Sequence[str],
    texts: Sequence[str],
    settings: DiscoverySettings,
    grouped: Callable[[Vectors, DiscoverySettings, int], Groups],
    seed: int,
) -> list[Candidate]:
    """Group one message of each wording, or a sample of them; then place them all, and measure the groups."""
    if not len(vectors) == len(customers) == len(texts):
        raise ValueError(f"{len(vectors)} vectors, {len(customers)} customers, {len(texts)} texts")
    wordings = wordings_of(texts)
    firsts = np.unique(wordings, return_index=True)[1] if len(texts) else np.empty(0, dtype=np.intp)
    sampled = _sample(firsts, settings.max_rows, seed)
    groups = grouped(vectors[sampled], settings, seed)
    if not (groups >= 0).any():
        return []
    placed = _place(vectors, firsts, sampled, groups, settings)[wordings]
    found = [
        _candidate(np.flatnonzero(placed == name), firsts, vectors, customers, settings) for name in _names(groups)
    ]
    supported = [candidate for candidate in found if candidate.customers >= settings.min_customers]
    return sorted(supported, key=lambda candidate: -candidate.customers)


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
        shapes = [_shape(vectors[sampled[groups == name]], settings.radius_share) for name in _names(groups)]
        placed[left] = nearest_within(vectors[firsts[left]], *_stacked(shapes))
    return placed


def _candidate(
    rows: NDArray[np.intp],
    firsts: NDArray[np.intp],
    vectors: Vectors,
    customers: Sequence[str],
    settings: DiscoverySettings,
) -> Candidate:
    """Measured and supported by one message of each wording: copies are members, no evidence."""
    different = rows[np.isin(rows, firsts)]
    centroid, radius = _shape(vectors[different], settings.radius_share)
    return Candidate(rows, centroid, radius, len({customers[row] for row in different}))


def _shape(members: Vectors, radius_share: float) -> tuple[NDArray[np.float32], float]:
    """Centroid and radius. Each member's distance is to the centroid of the others, as a newcomer's would be."""
    total = members.sum(axis=0)
    centroid = unit(total[None])[0]
    others = unit(total - members) if len(members) > 2 else np.broadcast_to(centroid, members.shape)
    distances = 1 - np.einsum("ij,ij->i", members, others)
    return centroid, max(radius_of(distances, radius_share), _SMALLEST_RADIUS)


def _stacked(shapes: Sequence[tuple[NDArray[np.float32], float]]) -> tuple[Vectors, NDArray[np.float32]]:
    centroids, radii = zip(*shapes, strict=True)
    return np.stack(centroids), np.array(radii, dtype=np.float32)


def _names(groups: Groups) -> NDArray[np.intp]:
    return np.unique(groups[groups >= 0])
