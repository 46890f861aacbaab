"""The volume of everything: how many messages a bucket would hold in all, told by topics that behave as usual.

Dividing by it is what cancels promotions out: they lift all topics alike, a defect lifts one.
"""

import numpy as np

from models.season import FloatArray

# Caps of a topic's say in the volume (DETECTION.md, formula 2): 3.5 standard deviations of a count whose
# spread is `phi` times Poisson plus 5 % of its square, and a little more for topics of hardly any messages.
CAP_SD, CAP_RELATIVE_VARIANCE, CAP_SLACK, CAP_ROUNDS = 3.5, 0.05, 1.5, 3
LEAST_VOLUME = 1e-9


# Customers that the volume of the bucket before is worth: a tenant of many topics hardly leans on it, and one of few,
# whose buckets hold a handful, takes a quarter of an hour or so to follow a promotion.
MEMORY = 12.0


def robust_volume(y: FloatArray, share: FloatArray, phi: FloatArray, use: FloatArray, *, before: float = 0.0) -> float:
    """Total volume that best explains the counts ``y`` (J,) of the topics to ``use`` (J,), outliers capped.

    ``before`` is the volume of the bucket before, or 0 where it is not known.
    """
    recalled, lent = (MEMORY, MEMORY / before) if before > LEAST_VOLUME else (0.0, 0.0)
    known = float((use * share).sum()) + lent
    if known <= 0.0:
        return LEAST_VOLUME
    volume = max((float((y * use).sum()) + recalled) / known, LEAST_VOLUME)
    for _ in range(CAP_ROUNDS):
        mean = volume * share
        cap = mean + CAP_SD * np.sqrt(phi * mean + CAP_RELATIVE_VARIANCE * mean * mean) + CAP_SLACK
        volume = max((float((np.minimum(y, cap) * use).sum()) + recalled) / known, LEAST_VOLUME)
    return volume


def learn_usual(usual: FloatArray, slot: int, volume: float) -> None:
    """Move the usual volume of a slot of the season, in place, toward ``volume``; far-off hours hardly count."""
    if usual[slot] <= 0.0:
        usual[slot] = volume
        return
    ratio = max(volume, LEAST_VOLUME) / usual[slot]
    usual[slot] *= ratio ** (0.4 if abs(np.log(ratio)) < 0.5 else 0.05)
