"""The witness: gathers the evidence of a surge from detector, counts and kept messages."""

from dataclasses import dataclass
from datetime import timedelta

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, end_of, start_of
from models.culprit import Culprit, find_culprits
from models.detector import Detector
from models.embed import language_of
from models.evidence import CulpritFigures, CurvePoint, Evidence, Sample, WindowFigures
from models.samples import choose_samples
from models.surge import Surge
from models.topics import Topic, TopicModel
from service.store.counts import NOISE, Counts
from service.store.model import ModelStore
from service.store.pools import Held, Pools, vectors_of
from service.views import topic_name

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
