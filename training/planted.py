"""What is hidden in a synthesised stream for a detector to find, or to leave alone."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from training.season import HOUR_OF_DAY

Kind = Literal["bad-batch", "spike", "slow-burn", "new-issue", "silent-channel", "single-customer", "copy-paste"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SHOULD_RING: frozenset[Kind] = frozenset({"bad-batch", "spike", "slow-burn", "new-issue"})
"""As the surge of a topic. The other kinds are traps: many messages of few customers, or a channel that falls silent."""
MARKED_SHARE = 0.85
"""Part of a bad batch's complaints that name the batch; the rest leave the product out, as customers do."""
BATCH_FACTOR = 3.2
"""A bad batch lifts its topic to this multiple of the same hours before: trebled, with a little to spare."""
LEAST_EXCESS = 12
"""A surge of fewer customers than this could be chance however rare its topic."""


@dataclass(frozen=True, slots=True)
class Shape:
    """When and how large a kind of event is; messages at 1500 a day, scaled with the volume."""

    hours: int
    messages: int
    customers: int | None = None
    """How many customers send them; None for one each."""


SHAPES: Mapping[Kind, Shape] = {
    "bad-batch": Shape(hours=8, messages=0),  # as many as BATCH_FACTOR asks
    "spike": Shape(hours=3, messages=30),
    "slow-burn": Shape(hours=60, messages=70),
    "new-issue": Shape(hours=36, messages=40),
    "silent-channel": Shape(hours=24, messages=0),
    "single-customer": Shape(hours=4, messages=25, customers=1),
    "copy-paste": Shape(hours=6, messages=40, customers=4),
}
"""Sizes chosen so that the first is plain on a day's chart and the others are not."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One hidden event, half-open in time."""

    id: str
    kind: Kind
    onset: datetime
    end: datetime
    excess: int
    """Messages beyond the usual."""
    topic: str | None = None
    sku: str | None = None
    batch: str | None = None
    channel: str | None = None
    customers: int | None = None

    def covers(self, at: datetime) -> bool:
        return self.onset <= at < self.end


def arrivals(event: Planted, rng: np.random.Generator) -> list[datetime]:
    """When the messages of ``event`` come, sorted: with the hours of the day, and growing in a slow burn."""
    minutes = np.arange(int((event.end - event.onset) / timedelta(minutes=1)))
    hours = ((event.onset.hour * 60 + event.onset.minute + minutes) // 60) % 24
    weights: NDArray[np.float64] = HOUR_OF_DAY[hours]
    if event.kind == "slow-burn":
        weights = weights * (minutes + 1)
    chosen = np.sort(rng.choice(minutes, event.excess, p=weights / weights.sum()) + rng.random(event.excess))
    return [event.onset + timedelta(minutes=float(minute)) for minute in chosen]


def batch_excess(counts: NDArray[np.int64], hours: range, factor: float) -> int:
    """How many messages lift a topic's ``hours`` to ``factor`` times the mean of the same hours of earlier days.

    ``counts`` are the topic's usual messages per hour from the stream's first midnight on. Where the last day is
    busy of itself, the batch still adds nearly as much, so that most of the surge is the batch's.

    >>> batch_excess(np.full(72, 10), range(57, 59), 3.2)
    44
    """
    before = float(np.mean([_within(counts, hours, back) for back in range(1, hours.start // 24 + 1)]))
    lifting = math.ceil(factor * before) - _within(counts, hours, 0)
    return max(lifting, math.ceil((factor - 1) * before), LEAST_EXCESS)


def _within(counts: NDArray[np.int64], hours: range, days_back: int) -> int:
    return int(counts[hours.start - 24 * days_back : hours.stop - 24 * days_back].sum())
