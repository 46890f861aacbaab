"""What the detector learns by the beat: shares, spreads, the usual volume, and levels that have shifted for good."""

import numpy as np
from numpy.typing import NDArray

from models import dispersion, share, volume
from models.beat import Beat, Scanned
from models.beat import surprise as surprise_of
from models.memory import NEVER, VOLUME_BEATS
from models.rows import square, triangle
from models.scanning import Scanning
from models.season import FloatArray

HOT_SCORE = 2.8  # a topic that rings so loud is no witness to the volume, nor a teacher
HOT_WEIGHT = 0.03
PRIOR_BEATS = (240, 500, 672)


class Learning(Scanning):
    """Scanning that learns from what it saw, the less the more surprising it was."""

    def _learn(self, bucket: int, doubt: FloatArray, scanned: Scanned) -> tuple[str, ...]:
        rows, cadence, beat = self._rows, self.cadence, self._this_beat(bucket)
        number, age = bucket // cadence.beat, (bucket + 1 - self._start) // cadence.beat
        volume_sum, lift_sum, heard = self._heard
        ordinary = 1.0 / (1.0 + (abs(lift_sum / heard) / 0.5) ** 4)
        kept = dispersion.decay(cadence.half_life_beats)
        self._learn_alpha(age, beat, scanned, ordinary * (number - rows["hot"] >= cadence.hot_beats), kept)
        slot = cadence.rings[1].slot(bucket)
        y, mean = self._y[1][slot].astype(float), np.maximum(self._mu[1][slot].astype(float), 1e-9)
        mean_doubt = rows["doubt"] / heard
        surprise = surprise_of(y, mean, beat.phi * mean + (mean_doubt + cadence.wobble) * mean**2)
        new_normal, hot = self._shift(number)
        young = bucket - rows["born"] < 2 * cadence.grace
        surprise, hot = np.where(young, 1.0, surprise), hot & ~young
        x = self._features(bucket, lift_sum / heard)
        m, P = self._pass(rows["m"].astype(float), square(rows["p"], self._season.size))
        m_now = np.exp(np.clip(share._dot(m, x), share.LOG_FLOOR, share.LOG_CEILING)) * volume_sum
        weight = np.maximum(surprise * np.where(hot, HOT_WEIGHT, 1.0) / (beat.phi + cadence.wobble * m_now), 1e-9)
        m, P = share.learn(m, P, x=x, y=y, exposure=np.full(len(y), volume_sum), weight=weight)
        if age in PRIOR_BEATS and (new := share.pooled_prior(m, P, self._season)) is not None:
            m, P = share.change_prior(m, P, self._prior, new)
            self._prior = new
        rows["m"], rows["p"] = m, triangle(P)
        self._start_over((bucket + 1 - rows["born"]) == cadence.grace // 2)
        if age % 6 == 0 and age > 200:
            self._shift_down(bucket, beat)
        trust = ((surprise > 0.5) & ~hot) * ordinary
        phi, residual = rows["phi"].astype(float), rows["residual"].astype(float)
        phi[:, 0], phi[:, 1] = dispersion.learn_phi(phi[:, 0], phi[:, 1], residual, mean, trust, kept)
        rows["phi"] = phi
        volume.learn_usual(self._usual, self._slot(bucket), volume_sum / heard)
        self._volumes[number % VOLUME_BEATS] = volume_sum, lift_sum / heard
        self._forget_beat()
        return new_normal

    def _start_over(self, which: NDArray[np.bool_]) -> None:
        """Forget the first counts of topics, which were held against next to no knowledge."""
        if which.any():
            for kept in (*self._y, *self._mu):
                kept[:, which] = 0

    def _pass(self, m: FloatArray, P: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A beat of time passes over what is believed."""
        if self._season.slope is not None:
            m, P = share.slide(m, P, self._season.slope)
        return m, share.drift(P, self._prior, self._season.drift_sd**2 * self.cadence.beat_days)

    def _learn_alpha(self, age: int, beat: Beat, scanned: Scanned, trust: FloatArray, kept: float) -> None:
        if age <= 72:
            return
        scale = self._rows["scale"].astype(float) * kept
        for w, (_, window) in enumerate(self.cadence.windows):
            beats = max(1, window.buckets // self.cadence.beat)
            if (age - 1) % beats:
                continue
            found, said = dispersion.window_excess(
                scanned.y[w],
                scanned.mean[w] / window.stretch,
                variance=scanned.variance[w],
                known=scanned.relative[w] - beat.alpha[w],
                phi=beat.phi,
                pool=self._pool[w],
                trust=trust,
            )
            self._pooled[:, w] = self._pooled[:, w] * kept**beats + (float((said * found).sum()), float(said.sum()))
            thin, pool = dispersion.SCALE_THINNING, self._pool[w]
            scale[:, 0] += thin * said * found * pool
            scale[:, 1] += thin * said * pool * pool
        self._rows["scale"] = scale
        if (age - 1) % 24 == 0:
            self._pool = dispersion.next_pool(self._pool, self._pooled[0], self._pooled[1], self.cadence.alpha_range)

    def _shift(self, number: int) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
        """Count the beats that topics have been alarmed; those alarmed for too long have a new normal."""
        rows, cadence = self._rows, self.cadence
        ringing = (rows["peak"] > HOT_SCORE) & (rows["cooling_beats"] == 0)
        alarmed = rows["alarmed_beats"].astype(int)
        alarmed = np.where(ringing, alarmed + 1, np.maximum(alarmed - 2, 0))
        rows["hot"] = np.where(ringing, number, rows["hot"])
        accepted = alarmed > cadence.shift_beats
        hot = (number - rows["hot"] < cadence.hot_beats) & ~accepted
        rows["cooling_beats"] = np.maximum(rows["cooling_beats"].astype(int) - 1, 0)
        if accepted.any():
            self._rescale(accepted, low=0.0, high=np.inf)
            p = square(rows["p"], self._season.size)
            p[accepted, 0, 0] += 0.02
            rows["p"] = triangle(p)
            rows["cooling_beats"][accepted] = cadence.cool_beats - 1
            rows["hot"][accepted] = NEVER
            alarmed = np.where(accepted, 0, alarmed)
        rows["alarmed_beats"] = np.minimum(alarmed, 250)
        return tuple(self.topics[i] for i in np.nonzero(accepted)[0]), hot

    def _shift_down(self, bucket: int, beat: Beat) -> None:
        y, mean = self._y[1].sum(0).astype(float), self._mu[1].sum(0).astype(float)
        z = (y - mean) / np.sqrt(np.maximum(beat.phi * mean + 0.1 * mean**2, 1e-9))
        old = bucket - self._rows["born"] > 48 * self.cadence.beat
        self._rescale((mean > 10) & (z < -3.5) & old, low=0.2, high=1.0)

    def _rescale(self, which: NDArray[np.bool_], *, low: float, high: float) -> None:
        """Move the level of some topics, and all that was expected of them, to what the last day counted."""
        ratio = (self._y[1].sum(0) + 0.5) / (self._mu[1].sum(0) + 0.5)
        ratio = np.where(which, np.clip(ratio, low, high), 1.0)
        self._rows["m"][:, 0] += np.log(ratio).astype(np.float32)
        for mu in self._mu:
            mu *= ratio.astype(np.float32)
        self._beat = None
