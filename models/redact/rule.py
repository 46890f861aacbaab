"""`Rule`: one kind of personal data, how it is found in a shadow, and the placeholder left in its place."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Half-open, in characters of the shadow."""
Find: TypeAlias = Callable[[str], Iterator[Span]]
Placeholder: TypeAlias = Callable[[str], str]
"""From the value, as the shadow has it, to what is left in its place."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``find`` yields the spans of one kind in ascending order, none overlapping.

    A ``placeholder`` of ``None`` claims the value and leaves it as it is.
    Rules must be linear by construction: every repetition is bounded, possessive, or starts only where the
    character before cannot start it too.
    """

    name: str
    find: Find
    placeholder: Placeholder | None


def fixed(name: str) -> Placeholder:
    """The placeholder of a kind, the same for every value: the kind's name in square brackets."""
    return lambda _value: f"[{name}]"


def candidates(pattern: re.Pattern[str], line: str, accept: Callable[[re.Match[str]], Span | None]) -> Iterator[Span]:
    """Spans that ``accept`` takes out of the pattern's matches.

    After a refusal the search goes on one character further, not after the match: in "3 138…" the quantity
    must not hide the number behind it. Matches are bounded in length, so this stays linear.
    """
    position = 0
    while match := pattern.search(line, position):
        span = accept(match)
        position = span[1] if span else match.start() + 1
        if span:
            yield span


def always(match: re.Match[str]) -> Span:
    """Take the group ``value``, or the whole match where the pattern names none."""
    return match.span("value") if "value" in match.re.groupindex else match.span()
