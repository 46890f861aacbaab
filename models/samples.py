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


@dataclass(frozen=True, slots=True)
class _Ranked:
    row: int
    customer: str
    shingles: frozenset[str]
    preferred: bool


def choose_samples(
    messages: Sequence[Message],
    vectors: Vectors | None = None,
    centroid: NDArray[np.float32] | None = None,
    *,
    prefer: tuple[str, str] | None = None,
    most: int = 8,
) -> list[int]:
    """The rows of at most ``most`` messages to show, in the order to show them.

    Taken in turn from the most typical (nearest to the ``centroid`` where vectors (n, d) are given) and the
    most recent; messages with the attribute value ``prefer`` first, up to `_CULPRIT_SHARE` of all while others
    are there. No two of one wording, and no two of one customer while other customers are there.
    """
    if not messages:
        return []
    turns = _turns(messages, _closeness(messages, vectors, centroid))
    ranked = [_ranked(row, messages[row], prefer) for row in turns]
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


def _closeness(
    messages: Sequence[Message], vectors: Vectors | None, centroid: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Cosine to the centroid; without vectors, how much of its wording a message shares with all others."""
    if vectors is not None and centroid is not None:
        nearness: NDArray[np.float32] = vectors @ centroid
        return nearness
    wordings = [_shingles(message.text) for message in messages]
    spread: dict[str, int] = {}
    for wording in wordings:
        for shingle in wording:
            spread[shingle] = spread.get(shingle, 0) + 1
    return np.array([np.mean([spread[shingle] for shingle in wording]) for wording in wordings], dtype=np.float32)


def _turns(messages: Sequence[Message], closeness: NDArray[np.float32]) -> list[int]:
    """Rows by turns: most typical, most recent, second most typical, …; each once."""
    typical = np.argsort(-closeness, kind="stable").tolist()
    recent = sorted(range(len(messages)), key=lambda row: messages[row].occurred_at, reverse=True)
    return list(dict.fromkeys(row for both in zip(typical, recent, strict=True) for row in both))


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
