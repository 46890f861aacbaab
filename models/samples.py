"""Which messages to show for a surge: a handful that a person reads in one look and then knows what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.embed import Vectors
from models.fingerprint import normalise
from models.message import Message

_SHINGLE = 3  # characters: a Chinese word and its neighbour, half an English word
_SAME_WORDING = 0.6
"""Jaccard similarity of shingles from which two texts are one wording: a greeting before or a thanks after a
message of 20 characters leaves .6 to .8, two complaints of one issue share under .3."""
_CULPRIT_SHARE = 0.7
"""Of the samples with the culprit's value, where there are enough: the rest show that it isn't all of it."""
_KERNEL = 16.0
"""Concentration of the kernel (von Mises and Fisher's) that typicality is read with. Of what is shown of a hundred crowds of
nine streams .96 is about the surge and for 99 the most, with 8 alike; .95 and 96 by nearness to their middle and recency."""


@dataclass(frozen=True, slots=True)
class _Ranked:
    row: int
    customer: str
    shingles: frozenset[str]
    preferred: bool


def choose_samples(
    messages: Sequence[Message],
    vectors: Vectors | None = None,
    before: Vectors | None = None,
    *,
    prefer: tuple[str, str] | None = None,
    most: int = 8,
) -> list[int]:
    """The rows of at most ``most`` messages to show, in the order to show them.

    The most typical first: those with the most of the others near them, and few of what was said there ``before``, where
    vectors are given, (n, d) and (m, d), of unit length: what is new is shown, not what is always said. Messages with the
    attribute value ``prefer`` come first, up to `_CULPRIT_SHARE` of all while others are there. No two of one wording, and
    no two of one customer while other customers are there.
    """
    if not messages:
        return []
    typical = np.argsort(-_typicality(messages, vectors, before), kind="stable").tolist()
    ranked = [_ranked(row, messages[row], prefer) for row in typical]
    chosen: list[_Ranked] = []
    for least_strict in (False, True):
        for wanted, limit in _shares(prefer, most):
            for one in ranked:
                if len(chosen) >= most or (sum(known.preferred for known in chosen) >= limit and one.preferred):
                    continue
                if one.preferred in wanted and _adds(one, chosen, same_customer=least_strict):
                    chosen.append(one)
    return [one.row for one in chosen]


def same_wording(one: str, other: str) -> bool:
    """Whether two texts are one wording: a copy, or a copy with a greeting, a number or a typing error.

    >>> same_wording("快递三天没有更新物流信息了", "你好，快递三天没有更新物流信息了")
    True
    >>> same_wording("快递三天没有更新了", "快递送到了但是破损")
    False
    """
    return _alike(_shingles(one), _shingles(other))


def _typicality(messages: Sequence[Message], vectors: Vectors | None, before: Vectors | None) -> NDArray[np.float64]:
    """How much of the others lies near each message, in logarithms, less what lay there before; without vectors, how much
    of its wording it shares with the others."""
    if vectors is not None:
        others = np.exp(_KERNEL * (vectors @ vectors.T)).astype(float)
        np.fill_diagonal(others, 0.0)
        usual = 0.0 if before is None or not len(before) else np.exp(_KERNEL * (vectors @ before.T)).mean(axis=1)
        typicality: NDArray[np.float64] = np.log1p(others.sum(axis=1)) - np.log1p(usual)
        return typicality
    wordings = [_shingles(message.text) for message in messages]
    spread: dict[str, int] = {}
    for wording in wordings:
        for shingle in wording:
            spread[shingle] = spread.get(shingle, 0) + 1
    return np.array([np.mean([spread[shingle] for shingle in wording]) for wording in wordings])


def _shares(prefer: tuple[str, str] | None, most: int) -> list[tuple[frozenset[bool], int]]:
    """Who may be chosen in each round, and how many preferred ones at most."""
    if prefer is None:
        return [(frozenset({True, False}), most)]
    culprits = max(1, round(most * _CULPRIT_SHARE))
    return [(frozenset({True}), culprits), (frozenset({False}), culprits), (frozenset({True}), most)]


def _ranked(row: int, message: Message, prefer: tuple[str, str] | None) -> _Ranked:
    preferred = prefer is None or _value(message.attributes, prefer[0]) == prefer[1]
    return _Ranked(row, message.customer, _shingles(message.text), preferred)


def _value(attributes: Mapping[str, str], attribute: str) -> str | None:
    return attributes.get(attribute)


def _adds(one: _Ranked, chosen: Sequence[_Ranked], *, same_customer: bool) -> bool:
    return all(
        (same_customer or one.customer != known.customer) and not _alike(one.shingles, known.shingles)
        for known in chosen
    )


def _shingles(text: str) -> frozenset[str]:
    form = normalise(text)
    return frozenset(form[start : start + _SHINGLE] for start in range(max(1, len(form) - _SHINGLE + 1)))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _SAME_WORDING * len(one | other)
