"""Redaction: personal data leaves a text before anything keeps it.

The only maker of `RedactedText`. Each value found is replaced by a placeholder: the name of its kind in
square brackets, such as ``[phone]`` or ``[address]``. One ASCII style serves Chinese and English alike; it
reads as what it is, needs no legend, and no input method writes it by accident.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.message import RedactedText
from models.redact.fold import CALLED, HIDDEN, fold, origins
from models.redact.hints import Hints
from models.redact.rule import Rule, Span
from models.redact.rules import PLACEHOLDER, Numbers, RedactSettings, rules_of

__all__ = ["WITHHELD", "Found", "Numbers", "RedactSettings", "Redaction", "Redactor", "redact"]

WITHHELD = RedactedText("[withheld]")
"""What is left of a text that keeps showing new personal data after every sweep."""
_SWEEPS = 6
"""Ordinary texts need two: one that finds, one that finds nothing more."""


@dataclass(frozen=True, slots=True)
class Found:
    """How often a rule found something; never what."""

    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text without its personal data, and what kinds were in it."""

    text: RedactedText
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: Rule
    span: Span


_DEFAULT = RedactSettings()


class Redactor:
    """Redaction under one choice of settings."""

    def __init__(self, settings: RedactSettings = _DEFAULT) -> None:
        self._rules, self._hints = rules_of(settings)

    def __call__(self, text: str) -> Redaction:
        """The text with its personal data replaced by placeholders; all else exactly as it was written.

        Takes any string and raises nothing; linear in its length. Redacting twice changes nothing more:
        placeholders, whoever wrote them, are plain text that no rule matches and that hides nothing around it.
        """
        shadow = fold(text)
        line = PLACEHOLDER.sub(_covered, shadow) if "[" in shadow else shadow
        hits: list[_Hit] = []
        for _ in range(_SWEEPS):
            fresh = _sweep(line, self._rules, self._hints)
            if not fresh:
                return Redaction(_rendered(text, shadow, hits), _counted(hits, self._rules))
            hits += fresh
            line = _cover(line, fresh)
        return Redaction(WITHHELD, _counted(hits, self._rules))


def redact(text: str, settings: RedactSettings = _DEFAULT) -> Redaction:
    """What a `Redactor` of these settings makes of a text.

    >>> redact("我叫张三，电话１３８-0013-8000，充电器冒烟了").text
    '我叫[name]，电话[phone]，充电器冒烟了'
    """
    return _redactor(settings)(text)


_redactor = lru_cache(maxsize=16)(Redactor)


def _sweep(line: str, rules: tuple[Rule, ...], hints: Hints) -> list[_Hit]:
    """What the rules find, each on what those before it left."""
    may = hints.of(line)
    if not may:
        return []
    hits: list[_Hit] = []
    for number, rule in enumerate(rules):
        if number not in may:
            continue
        found = [_Hit(rule, span) for span in rule.find(line)]
        if not found:
            continue
        line = _cover(line, found)
        may = hints.of(line)
        if rule.placeholder:
            hits += found
    return hits


def _cover(line: str, hits: list[_Hit]) -> str:
    return _replaced(line, [(hit.span, hit.rule.mark * (hit.span[1] - hit.span[0])) for hit in hits])


def _rendered(text: str, shadow: str, hits: list[_Hit]) -> RedactedText:
    if not hits:
        return RedactedText(text)
    places = origins(text)
    return RedactedText(_replaced(text, [(_origin(hit.span, places), _placeholder(hit, shadow)) for hit in hits]))


def _origin(span: Span, places: Sequence[int]) -> Span:
    """The span in the original, with the invisible characters on either side: a lone half of a pair of
    direction marks would turn the rest of the text around."""
    start, end = span
    before = places[start - 1] + 1 if start else 0
    return min(before, places[start]), max(places[end], places[end - 1] + 1)


def _placeholder(hit: _Hit, shadow: str) -> str:
    return hit.rule.placeholder(shadow[slice(*hit.span)]) if hit.rule.placeholder else ""


def _replaced(text: str, replacements: list[tuple[Span, str]]) -> str:
    pieces: list[str] = []
    done = 0
    for (start, end), replacement in sorted(replacements):
        pieces += (text[done:start], replacement)
        done = end
    return "".join((*pieces, text[done:]))


def _counted(hits: list[_Hit], rules: tuple[Rule, ...]) -> tuple[Found, ...]:
    if not hits:
        return ()
    counts = {rule.name: 0 for rule in rules}
    for hit in hits:
        counts[hit.rule.name] += 1
    return tuple(Found(name, count) for name, count in counts.items() if count)


def _covered(match: re.Match[str]) -> str:
    return (CALLED if match[0] == "[phone]" else HIDDEN) * len(match[0])
