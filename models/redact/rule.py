"""`Rule`: one kind of personal data, how it is found in a shadow, and the placeholder left in its place."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from models.redact.fold import HIDDEN

Span: TypeAlias = tuple[int, int]
"""Half-open, in characters of the shadow."""
Find: TypeAlias = Callable[[str], Iterable[Span]]
Accept: TypeAlias = Callable[[re.Match[str]], Span | None]
Placeholder: TypeAlias = Callable[[str], str]
"""From the value, as the shadow has it, to what is left in its place."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``find`` yields the spans of one kind in ascending order, none overlapping.

    ``hints`` spare most texts most rules: where none of these patterns (of RE2, in any case of letters) matches the
    line, ``find`` finds nothing. `models.redact.hints` looks for those of all rules at once.

    A ``placeholder`` of ``None`` claims the value and leaves it as it is.
    Rules are linear by construction: every repetition in a pattern is bounded, possessive, or starts only where
    the character before could not have started it too.
    """

    name: str
    hints: tuple[str, ...]
    find: Find
    placeholder: Placeholder | None
    mark: str = HIDDEN
    """What covers the value in the line once it is found."""
    digits: bool = True
    """Whether every value holds a digit or a Chinese numeral; most texts hold none."""


def fixed(name: str) -> Placeholder:
    """The placeholder of a kind, the same for every value: the kind's name in square brackets."""
    return lambda _value: f"[{name}]"


def find(line: str, *searches: tuple[re.Pattern[str], Accept]) -> Iterator[Span]:
    """The spans that any of the searches accepts, ascending; those that overlap become one."""
    return _union(sorted(span for pattern, accept in searches for span in _candidates(pattern, line, accept)))


def value(match: re.Match[str]) -> Span:
    """Accept the group ``value``."""
    return match.span("value")


def _candidates(pattern: re.Pattern[str], line: str, accept: Accept) -> Iterator[Span]:
    """After a refusal the search goes on one character further, not after the match: in "3 138…" a quantity
    must not hide the number behind it. Matches are bounded in length, so this stays linear."""
    position = 0
    while match := pattern.search(line, position):
        span = accept(match)
        position = span[1] if span else match.start() + 1
        if span:
            yield span


def _union(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for start, end in spans:
        if current and start < current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current:
            yield current
        current = (start, end)
    if current:
        yield current


def any_of(words: str) -> str:
    """A pattern for any of the words, which spaces or line ends part; "_" stands for a space within one.

    Longer words come first, so that 收货地址 is not taken for 地址.

    >>> any_of("tel telephone")
    '(?:telephone|tel)'
    """
    return f"(?:{'|'.join(word.replace('_', ' ') for word in sorted(words.split(), key=len, reverse=True))})"


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())
