"""The witness: gathers the evidence of a surge from detector, counts and kept messages."""

from dataclasses import dataclass
from datetime import timedelta

from service.store.counts import Counts
from service.store.model import ModelStore
from service.store.pools import Pools

_CANDIDATES = 128  # newest messages of the topic that samples are chosen from
_CURVE = timedelta(hours=72)
_AFFINITY = timedelta(days=7)  # the past that tells which products a topic always spoke of
_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class WitnessRules:
    samples: int = _SAMPLES


class Witness:
    """Testify for one surge at one bucket."""

    def __init__(self, counts: Counts, pools: Pools, models: ModelStore, rules: WitnessRules = WitnessRules()) -> None:
        self._counts = counts
        self._pools = pools
        self._models = models
        self._rules = rules
