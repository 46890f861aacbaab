"""What the detector expects of each topic within a beat: its share of the robust volume, and how far to doubt it."""

from datetime import timedelta

import numpy as np

from models import dispersion, share, volume
from models.beat import Beat
from models.memory import Memory
from models.rows import square
from models.season import FloatArray

WITNESS_BEATS, WITNESS_Z = 3, 3.0


class Expectation(Memory):
    """Memory that looks ahead. What holds still within a beat is worked out once."""

    def _features(self, bucket: int, lift: float = 0.0) -> FloatArray:
        """What the calendar says about the beat of ``bucket``, at its middle, and the lift of the volume."""
        middle = (bucket // self.cadence.beat + 0.5) * self.cadence.beat
        x = self._season.features(middle * self.settings.bucket + self.settings.utc_offset)
        if self._season.offset:
            x[-1] = lift
        return x

    def _slot(self, bucket: int) -> int:
        hours = (bucket * self.settings.bucket + self.settings.utc_offset) // timedelta(hours=1)
        return (hours + 72) % self._season.slots  # 1970-01-01 was a Thursday

    def _this_beat(self, bucket: int) -> Beat:
        number = bucket // self.cadence.beat
        if self._beat is None or self._beat.number != number:
            rows = self._rows
            x = self._features(bucket)
            m, P = rows["m"].astype(float), square(rows["p"], self._season.size)
            f, doubt = share.predict(m, P, x)
            expected = np.exp(np.clip(f, share.LOG_FLOOR, share.LOG_CEILING))
            sums, scale = rows["phi"].astype(float), rows["scale"].astype(float)
            phi = dispersion.phi_of(sums[:, 0], sums[:, 1])
            alpha = dispersion.alpha_of(scale[:, 0], scale[:, 1], self._pool)
            witness = self._witness(number, doubt, phi, alpha)
            self._beat = Beat(
                number=number,
                x=x,
                share=expected,
                heard=float((expected * witness).sum()),
                doubt=doubt,
                witness=witness,
                response=m[:, -1],
                cross=share._dot(P[:, -1, :], x),
                response_doubt=P[:, -1, -1],
                phi=phi,
                alpha=alpha,
            )
        return self._beat

    def _witness(self, number: int, doubt: FloatArray, phi: FloatArray, alpha: FloatArray) -> FloatArray:
        """How much each topic's count says of the volume: none while it rings, or is far too low for some hours.

        A large topic's own ups and downs do not average out over a day's buckets, so that it says little more
        than a middling one.
        """
        if not self._season.offset:
            return np.ones(len(doubt))
        ring, wide = self.cadence.rings[1], alpha[self.cadence.reading]
        # Whole beats only, so that it is the same all along this one.
        lately = ring.newest_first(number * self.cadence.beat - 1)[:WITNESS_BEATS]
        y, mean = self._y[1][lately].sum(0).astype(float), self._mu[1][lately].sum(0).astype(float)
        far = y - mean < -WITNESS_Z * np.sqrt(phi * mean + (wide + doubt) * mean * mean)
        fit = (doubt < 1.0) & (number - self._rows["hot"] >= self.cadence.hot_beats) & ~far
        if fit.sum() < min(5, len(fit) / 2):
            fit = np.ones(len(fit), bool)
        weight: FloatArray = fit / (1.0 + wide * mean / phi)
        return weight

    def _level(self, bucket: int, y: FloatArray, beat: Beat, promised: float) -> float:
        """The volume of everything in this bucket; 1 where counts are judged as they are. Where a promotion is
        announced to begin or to end, the volume is looked for where it was, times what was ``promised``."""
        if not self._season.offset:
            return 1.0
        here, there = self._usual[self._slot(bucket)], self._usual[self._slot(bucket - 1)]
        before = float(self._volume[-1]) * (here / there if here > 0.0 and there > 0.0 else 1.0)
        before *= promised / self._promised
        self._promised = promised
        return volume.robust_volume(y, beat.share, beat.phi, beat.witness, before=before)

    def _lift(self, bucket: int) -> float:
        usual = self._usual[self._slot(bucket)]
        if bucket - self._start < self.cadence.settled or usual <= 0.0 or not self._season.offset:
            return 0.0
        return float(np.clip(np.log(max(self._volume.mean(), 1e-9) / usual), -1.0, 2.5))

    @staticmethod
    def _doubt(beat: Beat, lift: float) -> FloatArray:
        doubt = beat.doubt if not lift else beat.doubt + 2 * lift * beat.cross + lift**2 * beat.response_doubt
        return np.clip(doubt, 1e-6, share.MOST_DOUBT)
