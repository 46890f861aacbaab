"""Which attribute value is over-represented in a surge: the batch, product, warehouse or region behind it.

A value is compared with the *same* hours: its share among the other messages of the surge's window, times the
affinity that the topic had to it before. Against the topic's own past every new batch would be a culprit, since
batches come and go.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Counts: TypeAlias = Mapping[str, int]
"""Customers (or messages) by value of one attribute."""
CellCounts: TypeAlias = Mapping[str, Counts]
"""Counts by attribute and value. A pair of attributes is an attribute too: see `pair_of`."""
Cell: TypeAlias = tuple[str, str]
"""An attribute and one of its values."""
Shares: TypeAlias = NDArray[np.float64]

PAIR = " + "
"""Between the names, and between the values, of a pair of attributes."""

_PAST_WEIGHT = 20.0
"""Counts that the others' past shares weigh in their shares of the window: an hour of a shop with 400 messages
a day. More, and the turnover of batches is not followed; less, and a quiet night makes rare values culprits."""
_AFFINITY_WEIGHT = 5.0
"""Expected counts that affinity 1 weighs in a topic's affinity to a value: as many as it takes to doubt it."""
_TOGETHER = 0.5  # of the customers of the rarer of two values, those who have both, from which the two go together
_UNSEEN = 0.5  # Jeffreys' prior, in counts, for a value never seen among the others
_NEARLY_ALL = 0.8  # of a product's customers in a crowd, those of one batch, from which that is behind it


@dataclass(frozen=True, slots=True)
class Culprit:
    """``observed`` of the surge's customers have this value where ``expected`` would; lift is their ratio.

    ``p`` is the probability that the most conspicuous of *all* values of all attributes would be as
    conspicuous, were no value special.
    """

    attribute: str
    value: str
    observed: int
    expected: float
    lift: float
    p: float


@dataclass(frozen=True, slots=True)
class CulpritSettings:
    max_p: float = 0.01
    """False culprits in a hundred surges that have none: one."""
    min_lift: float = 1.5
    """Below this nobody would look there first, however sure the statistics are."""
    min_observed: int = 3
    draws: int = 999
    """Draws of the null, so that p is as small as .001."""
    most: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Tested:
    """One attribute: its values, what was counted, the expected shares, and how much is known of these."""

    attribute: str
    values: tuple[str, ...]
    observed: NDArray[np.int64]
    shares: Shares
    certainty: float


def find_culprits(
    topic_now: CellCounts,
    others_now: CellCounts,
    topic_before: CellCounts,
    others_before: CellCounts,
    settings: CulpritSettings | None = None,
    *,
    seed: int = 0,
) -> tuple[Culprit, ...]:
    """The values over-represented in a surge, the most telling first; none where chance explains them all.

    ``topic_now`` counts the topic's customers in the surge's window, ``others_now`` those of all other
    messages in the same window; the ``before`` counts are of a longer past without the surge, and may be empty.

    Each value's binomial log-likelihood ratio, observed against expected, is ranked against the largest that
    the same number of customers shows by chance (Monte Carlo of the maximum over all values of all attributes;
    Kulldorff, "A spatial scan statistic", 1997). The null draws the shares themselves too, as uncertain as the
    window's other messages leave them. A value that holds a more telling one (the product of a batch) is left
    out where the batch explains it.
    """
    settings = settings or CulpritSettings()
    tested = [
        _tested(
            attribute,
            counts,
            others_now.get(attribute, {}),
            topic_before.get(attribute, {}),
            others_before.get(attribute, {}),
        )
        for attribute, counts in sorted(topic_now.items())
        if sum(counts.values()) >= settings.min_observed
    ]
    if not tested:
        return ()
    null = np.sort(_largest_by_chance(tested, settings.draws, np.random.default_rng(seed)))
    found = sorted(
        (one for attribute in tested for one in _conspicuous(attribute, null, settings)),
        key=lambda one: (-one[0], one[1].attribute, one[1].value),
    )
    return _without_explained([culprit for _, culprit in found])[: settings.most]


def expected_shares(values: Sequence[str], others_now: Counts, topic_before: Counts, others_before: Counts) -> Shares:
    """The share of a topic's messages that each value would have, were it not special; sums to 1.

    share_v ∝ s_v · a_v, where s_v is its share among the window's other messages, drawn to their past share by
    `_PAST_WEIGHT`, and a_v the topic's past affinity, (t_v + k) / (e_v + k), k = `_AFFINITY_WEIGHT`, with t_v
    the topic's past count and e_v what the others' past shares expected of it.

    >>> expected_shares(["a", "b"], {"a": 30, "b": 10}, {}, {}).round(2).tolist()
    [0.74, 0.26]
    """
    now, before, own = (_column(counts, values) for counts in (others_now, others_before, topic_before))
    past = (before + _UNSEEN) / (before + _UNSEEN).sum()
    weight = _PAST_WEIGHT if before.sum() else 0.0
    present = (now + _UNSEEN + weight * past) / (now + _UNSEEN + weight * past).sum()
    affinity = (own + _AFFINITY_WEIGHT) / (own.sum() * past + _AFFINITY_WEIGHT)
    shares: Shares = present * affinity / (present * affinity).sum()
    return shares


def pair_of(
    found: Sequence[Culprit],
    here: Sequence[Mapping[str, str]],
    others: Sequence[Mapping[str, str]],
    settings: CulpritSettings | None = None,
) -> Culprit | None:
    """The first two culprits of different attributes as one, where they go together; None where they do not.

    ``here`` and ``others`` are the attributes of each customer in the surge, and of the others of the same days. They
    go together where most of the customers of the rarer have both, more than the others' share lets expect.

    >>> here = [{"sku": "A1", "region": "north"}] * 8 + [{"sku": "A2", "region": "south"}] * 4
    >>> others = [{"sku": f"A{n % 4}", "region": ("north", "south")[n % 2]} for n in range(100)]
    >>> one, other = Culprit("sku", "A1", 8, 3.0, 2.7, 0.001), Culprit("region", "north", 8, 5.0, 1.6, 0.01)
    >>> pair_of([one, other], here, others).value
    'north + A1'
    """
    first = next(iter(found), None)
    second = next((one for one in found if first and not _alike(one, first)), None)
    if first is None or second is None:
        return None
    cells = sorted([(first.attribute, first.value), (second.attribute, second.value)])
    name, value = (PAIR.join(part) for part in zip(*cells, strict=True))
    now, then = ({name: _pairs_in(rows, cells)} for rows in (here, others))
    if now[name].get(value, 0) <= _TOGETHER * min(first.observed, second.observed):
        return None
    return next((one for one in find_culprits(now, then, {}, {}, settings) if one.value == value), None)


def _alike(one: Culprit, other: Culprit) -> bool:
    return one.attribute == other.attribute or related((one.attribute, one.value), (other.attribute, other.value))


def _pairs_in(rows: Sequence[Mapping[str, str]], cells: Sequence[Cell]) -> Counter[str]:
    """How many have which values of two attributes."""
    (one, _), (other, _) = cells
    return Counter(f"{row[one]}{PAIR}{row[other]}" for row in rows if one in row and other in row)


def _tested(
    attribute: str, topic_now: Counts, others_now: Counts, topic_before: Counts, others_before: Counts
) -> _Tested:
    values = tuple(sorted({*topic_now, *others_now, *others_before}))
    return _Tested(
        attribute,
        values,
        _column(topic_now, values).astype(np.int64),
        expected_shares(values, others_now, topic_before, others_before),
        sum(others_now.values()) + _PAST_WEIGHT,
    )


def _column(counts: Counts, values: Sequence[str]) -> NDArray[np.float64]:
    return np.array([counts.get(value, 0) for value in values], dtype=np.float64)


def _log_likelihood_ratio(
    observed: NDArray[np.int64], shares: Shares, total: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Of "this value has its own share" over "it has the expected one"; 0 where it has no more than expected.

    n·log(n/e) + (N - n)·log((N - n)/(N - e)); broadcasts.
    """
    expected = shares * total
    rest = total - observed
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = observed * np.log(observed / expected) + np.where(
            rest > 0, rest * np.log(rest / (total - expected)), 0.0
        )
    return np.where(observed > expected, ratio, 0.0)


def _largest_by_chance(tested: Sequence[_Tested], draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The largest ratio of all values in each draw of a surge without a culprit, shape (draws,)."""
    largest = np.zeros(draws)
    for one in tested:
        total, count = int(one.observed.sum()), len(one.values)
        shares = rng.standard_gamma(np.maximum(one.certainty * one.shares, 1e-9), size=(draws, count))
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
        ratios = _log_likelihood_ratio(rng.multinomial(total, shares), one.shares, total)
        largest = np.maximum(largest, ratios.max(axis=1))
    return largest


def _conspicuous(one: _Tested, null: NDArray[np.float64], settings: CulpritSettings) -> list[tuple[float, Culprit]]:
    """The values of one attribute that pass the gates, each with its ratio."""
    total = int(one.observed.sum())
    ratios = _log_likelihood_ratio(one.observed, one.shares, total)
    above = len(null) - np.searchsorted(null, ratios, side="left")
    p = (1 + above) / (1 + len(null))
    expected = one.shares * total
    lifts = one.observed / expected
    passing = (p <= settings.max_p) & (lifts >= settings.min_lift) & (one.observed >= settings.min_observed)
    return [
        (
            float(ratios[place]),
            Culprit(
                one.attribute,
                one.values[place],
                int(one.observed[place]),
                float(expected[place]),
                float(lifts[place]),
                float(p[place]),
            ),
        )
        for place in np.flatnonzero(passing)
    ]


def _without_explained(ranked: Sequence[Culprit]) -> tuple[Culprit, ...]:
    """Without values that only show what a more telling one shows."""
    kept: list[Culprit] = []
    for culprit in ranked:
        if not any(related((culprit.attribute, culprit.value), (better.attribute, better.value)) for better in kept):
            kept.append(culprit)
    return tuple(kept)


def narrowed(cell: Cell, rows: Sequence[Mapping[str, str]], due: float = 0.0) -> Cell:
    """The part of a value that nearly all of the customers with it have, but for as many as were ``due``: one batch of a
    product; else the value itself.

    ``rows`` are the attributes of those customers. On the development streams a batch behind a crowd of its product had seven in
    eight of it or all, and where the product was behind it no batch had more than five in eight; counting those due, five of
    seven and seven of ten were of the batch behind it.

    >>> rows = [{"sku": "A1", "batch": "A1-B2"}] * 7 + [{"sku": "A1", "batch": "A1-B1"}]
    >>> narrowed(("sku", "A1"), rows), narrowed(("sku", "A1"), rows[3:])
    (('batch', 'A1-B2'), ('batch', 'A1-B2'))
    >>> narrowed(("sku", "A1"), rows[5:]), narrowed(("sku", "A1"), rows[5:], due=0.7)
    (('sku', 'A1'), ('batch', 'A1-B2'))
    """
    counts = Counter(
        part for row in rows for part in row.items() if len(part[1]) > len(cell[1]) and related(part, cell)
    )
    part, count = next(iter(counts.most_common(1)), (cell, 0))
    return part if count + due >= _NEARLY_ALL * len(rows) and 2 * count > len(rows) else cell


def goes_with(cell: Cell, other: Cell) -> bool:
    """Whether two values are one thing: the same, or one a part of the other as a batch of its product.

    >>> goes_with(("sku", "A1"), ("batch", "A1-B2")), goes_with(("batch", "A1-B1"), ("batch", "A1-B2"))
    (True, False)
    """
    return cell == other or related(cell, other)


def related(one: Cell, other: Cell) -> bool:
    """Whether one (attribute, value) is part of the other by name: batch SKU04-B2 of product SKU04, a pair of its own.

    >>> related(("batch", "SKU04-B2"), ("sku", "SKU04")), related(("sku", "SKU04"), ("sku", "SKU041"))
    (True, False)
    """
    if one[0] == other[0]:
        return False
    long, short = (one, other) if len(one[1]) >= len(other[1]) else (other, one)
    if PAIR in long[0]:
        return short[1] in long[1].split(PAIR)
    return long[1].startswith(short[1])
