"""Which rules may find something in a line, told in one pass over it.

RE2 runs the hints of all rules as one automaton, linear in the line whatever it holds. It only spares work: what a
rule finds is decided by the rule.
"""

from collections.abc import Sequence

import re2

from models.redact.rule import Rule

_MEMORY = 32 << 20
"""Bytes that the automaton may grow to; a full one is emptied and grows again."""
_ALWAYS = ""
"""Matches every line. Where RE2 does not report it, it has not looked (it was out of memory)."""

_LOOKED, _DIGIT = -1, -2  # owners of the first two patterns
_NOTHING = ([0], [0, 1])


class Hints:
    """The hints of rules, compiled. ``digit`` is what a line must hold for the rules that want a digit."""

    def __init__(self, rules: Sequence[Rule], digit: str) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        options.case_sensitive = False
        self._patterns = re2.Set.SearchSet(options)
        self._all = tuple(range(len(rules)))
        self._wordy = frozenset(number for number, rule in enumerate(rules) if not rule.digits)
        self._owners: list[int] = []
        for owner, pattern in [(_LOOKED, _ALWAYS), (_DIGIT, digit), *_owned(rules)]:
            self._patterns.Add(pattern)
            self._owners.append(owner)
        self._patterns.Compile()

    def of(self, line: str) -> Sequence[int]:
        """The numbers of the rules that may find something, ascending; all of them where that cannot be told.

        ``line`` holds no lone surrogate.
        """
        matched = self._patterns.Match(line)
        if matched in _NOTHING:
            return ()
        owners = {self._owners[number] for number in matched}
        if _LOOKED not in owners:
            return self._all
        if _DIGIT not in owners:
            owners &= self._wordy
        return sorted(owners - {_LOOKED, _DIGIT})


def _owned(rules: Sequence[Rule]) -> list[tuple[int, str]]:
    return [(number, hint) for number, rule in enumerate(rules) for hint in rule.hints]
