"""How grave a surge is, with the reasons in words that people can check."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from models.culprit import Cell
from models.surge import ratio


class Severity(StrEnum):
    info = "info"
    warning = "warning"
    critical = "critical"

    @property
    def rank(self) -> int:
        return ("info", "warning", "critical").index(self.value)


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """The lines between the grades: distinct customers beyond the expected, times the expected, customers an hour.

    Starting points for a mid-sized shop, to be set by the company: 30 customers more than usual within a day is
    a batch problem in every defect that the benchmark plants as plain; a third of it deserves a look.
    """

    warning_excess: float = 10.0
    critical_excess: float = 30.0
    warning_ratio: float = 3.0
    critical_ratio: float = 6.0
    critical_per_hour: float = 10.0
    wide: int = 2
    """Values of one attribute that a surge comes from (batches, regions), from which it is one grade graver: it is not
    contained by stopping one of them."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A severity and the reasons for it, as stable words: size, ratio, speed, spread, silence; of indicators limit and
    size."""

    severity: Severity
    reasons: tuple[str, ...]


def grade(
    observed: float, expected: float, window: timedelta, rules: SeverityRules = SeverityRules(), *, spread: int = 0
) -> Grade:
    """Grade a surge by size (distinct customers), by how many times the usual, by speed, and by its spread over culprits:
    ``spread`` is how many values of one attribute it comes from (`spread_of`).

    >>> grade(45, 5.0, timedelta(hours=3))
    Grade(severity=<Severity.critical: 'critical'>, reasons=('size', 'ratio', 'speed'))
    >>> grade(4, 1.0, timedelta(hours=24)).severity
    <Severity.info: 'info'>
    >>> grade(18, 5.0, timedelta(hours=24), spread=2)
    Grade(severity=<Severity.critical: 'critical'>, reasons=('spread', 'size', 'ratio'))
    """
    excess = observed - expected
    times = ratio(observed, expected)
    per_hour = excess / max(window / timedelta(hours=1), 1.0)
    wide = spread >= rules.wide
    critical = [
        reason
        for reason, holds in (
            ("spread", wide and excess >= rules.warning_excess),
            ("size", excess >= rules.critical_excess),
            ("ratio", times >= rules.critical_ratio and excess >= rules.warning_excess),
            ("speed", per_hour >= rules.critical_per_hour),
        )
        if holds
    ]
    warning = [
        reason
        for reason, holds in (
            ("spread", wide and excess >= rules.warning_excess / 2),
            ("size", excess >= rules.warning_excess),
            ("ratio", times >= rules.warning_ratio and excess >= rules.warning_excess / 2),
        )
        if holds
    ]
    if critical:
        plain = [reason for reason in warning if reason not in critical] if critical == ["spread"] else []
        return Grade(Severity.critical, (*critical, *plain))
    return Grade(Severity.warning if warning else Severity.info, tuple(warning))


def spread_of(cells: Iterable[Cell]) -> int:
    """How many values of one attribute there are among culprits, at the most.

    >>> spread_of([("batch", "B1"), ("region", "north"), ("batch", "B2")]), spread_of([])
    (2, 0)
    """
    return max(Counter(attribute for attribute, _ in cells).values(), default=0)


_FAR, _VERY_FAR = 1.5, 3.0
"""Times as far from the usual as the threshold is: as far again is grave, half as far again deserves a look."""


def grade_gauge(value: float, usual: float, bound: float, *, limit: bool) -> Grade:
    """Grade an indicator by how far it is beyond its threshold; a contract's limit is always critical.

    >>> grade_gauge(0.34, 0.15, 0.22, limit=False)
    Grade(severity=<Severity.warning: 'warning'>, reasons=('size',))
    """
    if limit:
        return Grade(Severity.critical, ("limit",))
    far = abs(value - usual) / max(abs(bound - usual), 1e-9)
    if far < _FAR:
        return Grade(Severity.info, ())
    return Grade(Severity.critical if far >= _VERY_FAR else Severity.warning, ("size",))
