"""How the volume of messages breathes: by hour, by weekday, and on promotion days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

HOUR_OF_DAY = np.array(
    [5, 3, 2, 1, 1, 2, 4, 9, 16, 22, 24, 23, 19, 20, 22, 22, 21, 19, 18, 22, 26, 25, 18, 10], dtype=float
)
"""Messages by local hour, relative. A chosen shape: quiet at four, a working-day plateau, a second peak at eight in the
evening when people are home with their parcels."""
DAY_OF_WEEK = np.array([1.12, 1.06, 1.0, 0.98, 0.97, 0.9, 0.97])
"""Monday to Sunday, relative. A chosen shape: Monday brings the weekend's complaints."""
PROMOTION_FACTOR = 3.0
"""A promotion day trebles every issue alike."""
PROMOTION_EVERY = 14
"""Days between promotions in a long stream; a short one has one, in its middle."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """An announced campaign, half-open in time."""

    start: datetime
    end: datetime
    name: str


def promotions(start: datetime, days: int) -> tuple[Promotion, ...]:
    """One promotion day in the middle of the first fortnight, then one each fortnight; never the last two days.

    >>> from datetime import UTC
    >>> [p.start.day for p in promotions(datetime(2026, 3, 2, tzinfo=UTC), 9)]
    [6]
    """
    first = min(days, PROMOTION_EVERY) // 2
    chosen = [day for day in range(first, days - 2, PROMOTION_EVERY) if day > 0]
    return tuple(
        Promotion(start + timedelta(days=day), start + timedelta(days=day + 1), f"promotion {number}")
        for number, day in enumerate(chosen, start=1)
    )


def volume(start: datetime, days: int, campaigns: Sequence[Promotion]) -> NDArray[np.float64]:
    """Relative volume per hour, shape ``(24 * days,)``; an average ordinary week sums to 24 a day."""
    hours = [start + timedelta(hours=hour) for hour in range(24 * days)]
    hour_of_day = HOUR_OF_DAY / HOUR_OF_DAY.mean()
    day_of_week = DAY_OF_WEEK / DAY_OF_WEEK.mean()
    usual = np.array([hour_of_day[at.hour] * day_of_week[at.weekday()] for at in hours])
    promoted = np.array([any(campaign.start <= at < campaign.end for campaign in campaigns) for at in hours])
    return np.where(promoted, usual * PROMOTION_FACTOR, usual)
