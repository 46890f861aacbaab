"""The bar: how much more than the threshold a topic must score to ring, after people called its alerts noise.

Each alert judged noise adds a step, which fades, so that a topic is never silenced for good by an old judgement.
A score is -log10 of a probability: a step of 1 asks for ten times less chance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from models.verdict import Tick

STEP = 1.0
"""A surge that is ten times less likely by chance than the one that people called noise."""
MOST = 3.0
"""Three judgements' worth: the surges of planted defects score 5 and more beyond any threshold, and still ring."""
HALF_LIFE = timedelta(days=28)
"""Four weeks, over which the detector's own baseline forgets too."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What one judgement added to what its topic must score; ``before`` and ``after`` are scores to reach."""

    alert: str
    topic: str
    at: datetime
    step: float
    before: float
    after: float

    def now(self, at: datetime) -> float:
        """What is left of the step: half of it after each `HALF_LIFE`.

        >>> from datetime import UTC
        >>> day = datetime(2026, 3, 1, tzinfo=UTC)
        >>> Bar("a", "t1", day, 1.0, 3.2, 4.2).now(day + HALF_LIFE)
        0.5
        """
        age = max(at - self.at, timedelta(0))
        return float(self.step * 0.5 ** (age / HALF_LIFE))


def extras(bars: Iterable[Bar], at: datetime) -> dict[str, float]:
    """What each topic must score beyond the threshold at a time; topics without any are left out."""
    found: dict[str, float] = {}
    for bar in bars:
        found[bar.topic] = min(MOST, found.get(bar.topic, 0.0) + bar.now(at))
    return found


def raise_bar(bars: Iterable[Bar], *, alert: str, topic: str, threshold: float, at: datetime) -> Bar:
    """The bar that a judgement of noise adds to those there are; its own earlier one does not count.

    >>> from datetime import UTC
    >>> bar = raise_bar([], alert="a", topic="t1", threshold=3.2, at=datetime(2026, 3, 1, tzinfo=UTC))
    >>> bar.before, bar.after
    (3.2, 4.2)
    """
    extra = extras((bar for bar in bars if bar.alert != alert), at).get(topic, 0.0)
    step = min(STEP, MOST - extra)
    before = threshold + extra
    return Bar(alert, topic, at, step, round(before, 3), round(before + step, 3))


def held(tick: Tick, extra: Mapping[str, float]) -> Tick:
    """The tick with the alarms left out that do not reach their topic's bar."""
    if not extra:
        return tick
    required = tick.threshold + np.array([extra.get(topic, 0.0) for topic in tick.topics])
    return replace(tick, alarm=tick.alarm & (tick.score >= required), extra=extra)
