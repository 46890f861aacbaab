"""The scan for issues that have no topic yet: places in the space of meaning where messages crowd as never before.

Every recent message is a centre. Its neighbours in the last hours are counted and judged against its neighbours
in a reservoir of past messages, scaled by volume: a scan statistic over meaning (compare Nobles et al.,
"Presyndromic surveillance for improved detection of emerging public health threats", Science Advances 2022).

It is not `models.crowds`, which tells of surges. This one gives birth to topics, and so looks at messages of no topic
alone: at a busy tenant those held reach back weeks where the last of all messages reach back hours and crowds have no past.
Its past is a uniform sample of them, and a place that expects much is no news to it, while to a crowd it may surge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.buckets import BUCKET
from models.discovery import wordings_of
from models.embed import Vectors, unit
from models.neighbours import rows_at_once
from models.scan import nb_midp_log10

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]

SPREAD = 1.3  # variance over mean of the counts of one place in an hour, on the development streams
DAY_NOISE = 0.06  # squared coefficient of variation of an issue's level from day to day, there too
_PAIRS = 50_000  # random pairs that the radius is read from: a quantile of .003 rests on 150 of them
_AT_ONCE = 4_096  # pairs: the copies of their vectors are 13 MB in 384 dimensions, those of all pairs were 150
SAME_PLACE = 0.5  # a place that shares this much of its messages with a more telling one is that one


@dataclass(frozen=True, slots=True)
class EmergingSettings:
    """How the scan looks. Figures behind the defaults: tests/benchmarks/topics.py."""

    windows: tuple[timedelta, ...] = tuple(timedelta(hours=hours) for hours in (3, 6, 12, 24, 48))
    near_share: float = 0.003
    """The share of random pairs of past messages that lie within the radius. A share and no distance:
    comparable cosines are .55 in English and .25 to .3 in Chinese."""
    prior: float = 3.0
    """Past neighbours that every place is given: without them a place with no past would expect nothing. Surges found by
    the scan alone in English: .33 with 1, .37 with 3."""
    max_expected: float = 3.0
    """A place that expects more is no news, and topics see it better. Surges found by the scan alone in English are .37
    with and without this, false ones fewer."""
    min_customers: int = 4
    """Distinct customers at a place, the centre's own among them."""
    min_score: float = 4.0
    """-log10 of the chance from which a place is told. Callers calibrate on their own past."""
    max_centres: int = 3_000
    """Only the newest messages are centres; all count as neighbours."""
    most: int = 20
    """Places told at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Emerging:
    """A place where messages crowd.

    ``rows`` are the messages there in the window, ascending, copies among them; ``centre`` is the one they lie
    around, ``centroid`` (d,) their mean direction. ``observed`` and ``expected`` count distinct customers,
    without the centre's own; ``score`` is -log10 of the chance.
    """

    rows: Rows
    centre: int
    centroid: NDArray[np.float32]
    window: timedelta
    customers: int
    observed: int
    expected: float
    score: float


def scan(
    vectors: Vectors,
    buckets: Sequence[int],
    customers: Sequence[str],
    texts: Sequence[str],
    past: Vectors,
    *,
    now: int,
    settings: EmergingSettings | None = None,
    seed: int = 0,
) -> list[Emerging]:
    """Places where recent messages crowd, the least likely first.

    The first four are of the recent messages, n each: unit vectors after centring, buckets before ``now`` (the
    first bucket not judged), customers, redacted texts. ``past`` (m, d) is a uniform sample of the messages
    before the longest window, one a wording, in the same space.

    The centre is not counted, a customer and a wording count once. Of a window with V countable messages a place
    expects (a + prior) · V / m customers, a its neighbours in the past, with the variance of a Gamma-Poisson mixture.
    Time and memory are bounded: ``max_centres`` rows against n and m, by blocks. Raises ValueError for unequal
    lengths.
    """
    settings = settings or EmergingSettings()
    if not len(vectors) == len(buckets) == len(customers) == len(texts):
        raise ValueError(
            f"{len(vectors)} vectors, {len(buckets)} buckets, {len(customers)} customers, {len(texts)} texts"
        )
    recent = _recent(vectors, buckets, customers, texts, now, settings)
    if len(past) < 2 or len(recent.rows) < settings.min_customers:
        return []
    radius = near_cosine(past, settings.near_share, seed=seed)
    return _places(recent, vectors, wordings_of(texts), past, radius, settings)


def near_cosine(past: Vectors, share: float, *, seed: int = 0) -> float:
    """The cosine that this share of random pairs of ``past`` (m, d) exceeds.

    >>> near_cosine(np.eye(4, dtype=np.float32), 0.1)
    0.0
    """
    rng = np.random.default_rng(seed)
    one, apart = rng.integers(len(past), size=_PAIRS), rng.integers(1, len(past), size=_PAIRS)
    other = (one + apart) % len(past)
    steps = range(0, _PAIRS, _AT_ONCE)
    cosines = [np.einsum("ij,ij->i", past[one[at : at + _AT_ONCE]], past[other[at : at + _AT_ONCE]]) for at in steps]
    return float(np.quantile(np.concatenate(cosines), 1 - share))


@dataclass(frozen=True, slots=True, eq=False)
class _Recent:
    """The countable recent messages, sorted by customer: rows, ages in buckets, where each customer begins."""

    rows: Rows
    ages: NDArray[np.int64]
    owner: Rows  # a number a message, of its customer
    begins: Rows  # the place of each customer's first message


def _recent(
    vectors: Vectors,
    buckets: Sequence[int],
    customers: Sequence[str],
    texts: Sequence[str],
    now: int,
    settings: EmergingSettings,
) -> _Recent:
    """The newest message of each wording within the longest window."""
    ages = now - np.asarray(buckets, dtype=np.int64)
    newest_first = np.argsort(ages, kind="stable")
    inside = newest_first[(ages[newest_first] > 0) & (ages[newest_first] <= max(_lengths(settings)))]
    rows = inside[np.unique(wordings_of(texts)[inside], return_index=True)[1]]
    owner = np.unique(np.asarray(customers, dtype=np.str_)[rows], return_inverse=True)[1]
    order = np.argsort(owner, kind="stable")
    owner = owner[order]
    return _Recent(rows[order], ages[rows][order], owner, np.unique(owner, return_index=True)[1])


def _lengths(settings: EmergingSettings) -> list[int]:
    return [window // BUCKET for window in settings.windows]


def _places(
    recent: _Recent, vectors: Vectors, wordings: Rows, past: Vectors, radius: float, settings: EmergingSettings
) -> list[Emerging]:
    centres = np.argsort(recent.ages, kind="stable")[: settings.max_centres]
    observed, known = _count(recent, centres, vectors, past, radius, settings)
    volumes = np.array([(recent.ages <= length).sum() for length in _lengths(settings)])
    seen = known + settings.prior
    expected = seen[:, None] * volumes / len(past)
    variance = SPREAD * expected + (DAY_NOISE + 1 / seen[:, None]) * expected**2
    news = (observed + 1 >= settings.min_customers) & (expected <= settings.max_expected)
    scores = np.where(news, nb_midp_log10(observed, expected, variance), 0.0)
    best = scores.argmax(axis=1)
    found: list[Emerging] = []
    taken = np.zeros(len(vectors), dtype=bool)
    for place in np.argsort(-scores.max(axis=1), kind="stable"):
        window = int(best[place])
        if scores[place, window] < settings.min_score or len(found) == settings.most:
            break
        rows = _rows_at(recent, int(centres[place]), vectors, wordings, radius, _lengths(settings)[window])
        if taken[rows].mean() >= SAME_PLACE:
            continue
        taken[rows] = True
        found.append(
            Emerging(
                rows=rows,
                centre=int(recent.rows[centres[place]]),
                centroid=unit(vectors[rows].mean(axis=0)[None])[0],
                window=settings.windows[window],
                customers=int(observed[place, window]) + 1,
                observed=int(observed[place, window]),
                expected=float(expected[place, window]),
                score=float(scores[place, window]),
            )
        )
    return found


def _count(
    recent: _Recent, centres: Rows, vectors: Vectors, past: Vectors, radius: float, settings: EmergingSettings
) -> tuple[NDArray[np.int64], Floats]:
    """Other customers within the radius of each centre, by window, (c, windows); and past neighbours, (c,)."""
    lengths = _lengths(settings)
    everyone = vectors[recent.rows]
    observed = np.zeros((len(centres), len(lengths)), dtype=np.int64)
    known = np.zeros(len(centres))
    step = rows_at_once(max(len(everyone), len(past)))
    for start in range(0, len(centres), step):
        block = centres[start : start + step]
        here = everyone[block]
        known[start : start + step] = (here @ past.T > radius).sum(axis=1)
        near = (here @ everyone.T > radius) & (recent.owner != recent.owner[block][:, None])
        for place, length in enumerate(lengths):
            customers = np.logical_or.reduceat(near & (recent.ages <= length), recent.begins, axis=1)
            inside = recent.ages[block] <= length
            observed[start : start + step, place] = np.where(inside, customers.sum(axis=1), 0)
    return observed, known


def _rows_at(recent: _Recent, centre: int, vectors: Vectors, wordings: Rows, radius: float, length: int) -> Rows:
    """Every message at a place within a window, with the copies that counted once."""
    near = vectors[recent.rows] @ vectors[recent.rows[centre]] > radius
    near[centre] = True
    rows = recent.rows[near & (recent.ages <= length)]
    return np.flatnonzero(np.isin(wordings, wordings[rows]))
