"""All windows of all topics at one bucket: counts against what was expected of them."""

import numpy as np
from numpy.typing import NDArray

from models import volume
from models.beat import Beat, Scanned
from models.expectation import Expectation
from models.scan import nb_midp_log10
from models.season import FloatArray
from models.verdict import LEAST_COUNT

LEAST_Z = 1.5  # below it a tail is not worth computing: the score is 0
CALM_Z, CALM_P, CALM_RATIO = 1.0, 0.05, 1.3  # when a topic counts as quiet: DETECTION.md, formula 10


class Scanning(Expectation):
    """Expectation held against the counts."""

    def _scan(self, bucket: int, doubt: FloatArray, beat: Beat) -> Scanned:
        y = self._windows(self._y, bucket)
        mean = self._windows(self._mu, bucket) * self._stretch
        relative = beat.alpha + doubt
        if self._season.offset:
            relative += 1.0 / (self._windows(self._total, bucket) + volume.MEMORY)[:, None]
        variance = beat.phi * mean + relative * mean * mean
        scanned = Scanned(y, mean, variance, relative, self._handicap)
        judged = bucket - self._rows["born"] >= self.cadence.grace
        over = y - mean
        telling = judged & (over > 0) & (y >= LEAST_COUNT) & (over * over > LEAST_Z**2 * variance)
        if telling.any():
            scanned.raw[telling] = nb_midp_log10(y[telling], mean[telling], variance[telling])
        return scanned

    def _scanned(self, bucket: int) -> Scanned:
        beat = self._this_beat(bucket)
        return self._scan(bucket, self._doubt(beat, self._lift(bucket)), beat)

    def _calm(self, scanned: Scanned) -> NDArray[np.bool_]:
        w = self.cadence.reading
        y, mean, variance = scanned.y[w], scanned.mean[w], scanned.variance[w]
        calm: NDArray[np.bool_] = y < CALM_RATIO * mean + 1
        unsure = calm & (y > mean + CALM_Z * np.sqrt(variance))
        if unsure.any():
            calm[unsure] = nb_midp_log10(y[unsure], mean[unsure], variance[unsure]) < -np.log10(CALM_P)
        return calm
