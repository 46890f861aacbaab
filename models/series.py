"""A topic's curve by the hour: what was observed, what was expected, and the band's upper edge."""

from collections.abc import Mapping
from itertools import groupby

import numpy as np

from models.buckets import BUCKETS_PER_HOUR, start_of
from models.detector import Detector
from models.evidence import CurvePoint, WindowFigures
from models.verdict import WindowVerdict


def hourly_curve(
    detector: Detector | None, topic: str, observed: Mapping[int, int], first: int, last: int
) -> tuple[CurvePoint, ...]:
    """One point an hour over the buckets ``[first, last]``; the first and the last hour may be cut.

    Expected and upper are NaN-free: 0 where the detector does not remember, or does not know the topic.
    The band is the detector's two standard deviations, added up over the hour as if its buckets moved together.
    """
    buckets = np.arange(first, last + 1)
    expected, upper = np.zeros(len(buckets)), np.zeros(len(buckets))
    if detector is not None and topic in detector.topics and len(buckets):
        mean, _, high = detector.curve(topic, buckets.tolist())
        expected, upper = np.nan_to_num(mean), np.nan_to_num(high)
    points = []
    for hour, run in groupby(range(len(buckets)), key=lambda i: int(buckets[i]) // BUCKETS_PER_HOUR):
        rows = list(run)
        points.append(
            CurvePoint(
                start=start_of(hour * BUCKETS_PER_HOUR),
                observed=sum(observed.get(int(buckets[i]), 0) for i in rows),
                expected=float(expected[rows].sum()),
                upper=float(upper[rows].sum()),
            )
        )
    return tuple(points)


def window_of(verdict: WindowVerdict) -> WindowFigures:
    """One window's word on a topic, in clock time."""
    return WindowFigures(
        start=start_of(verdict.first),
        end=start_of(verdict.end),
        observed=verdict.observed,
        expected=verdict.expected,
        upper_bound=verdict.upper_bound,
    )
