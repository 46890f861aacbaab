"""The detector: counts of every topic in, verdicts out, one closed bucket at a time.

Per bucket it expects (share of the robust volume), remembers, and scans windows for counts that the expectation
does not explain; per beat it learns what it saw, the less the more surprising it was. Everything that it knows
is in arrays that `pack` writes and `unpack` restores bit for bit, so that it can stop and start anywhere. Its rooms:
`models.memory`, `models.expectation`, `models.scanning`, `models.learning`, `models.roster` (topics come and go),
`models.episodes` (the threshold), `models.account` (why).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from models import dispersion
from models.account import Account
from models.beat import Scanned
from models.episodes import Episodes
from models.memory import VOLUME_BEATS, DetectorError, DetectorSettings
from models.roster import MOST_COUNT, Roster
from models.season import FloatArray
from models.verdict import Tick

__all__ = ["MOST_COUNT", "Detector", "DetectorError", "DetectorSettings"]


class Detector(Roster, Episodes, Account):
    """Watches the topics of one tenant. Not safe for several threads.

    ``start`` is the first bucket that will be known. Buckets then come in order; those left out between two
    steps are taken as zero counts, unless `blind` says that nothing is known of them.
    Raises `DetectorError` on a cadence that is not supported.
    """

    def step(self, bucket: int, counts: Mapping[str, int], *, promotion: float | None = None) -> Tick:
        """Take the counts of distinct customers in one closed bucket and judge every topic.

        ``promotion`` is how many times the usual volume was announced for this bucket: a hint of where the volume goes,
        which a tenant of few topics would else take a quarter of an hour to see. The counts have the last word.
        """
        y = np.zeros(len(self.topics))
        for topic, count in counts.items():
            self._check(topic, count)
            y[self._row(topic)] = count
        return self.take(bucket, y, promotion=promotion)

    def take(self, bucket: int, counts: ArrayLike, *, promotion: float | None = None) -> Tick:
        """`step` for counts (J,) in the order of `topics`, as fast as the detector goes."""
        y = np.asarray(counts, float)
        if y.shape != (len(self.topics),):
            raise DetectorError(f"{y.size} counts for {len(self.topics)} topics")
        if len(y) and not 0 <= y.min() <= y.max() <= MOST_COUNT:
            raise DetectorError("a count is no number of customers")
        if bucket <= self._bucket:
            raise DetectorError(f"bucket {bucket} is not after {self._bucket}")
        silence = np.zeros(len(self.topics))
        for missed in range(self._bucket + 1, bucket):
            self._step(missed, silence, None)
        return self._step(bucket, y, promotion)

    def blind(self, bucket_from: int, bucket_to: int) -> None:
        """Nothing is known of the buckets from ``bucket_from`` up to, not with, ``bucket_to``: nothing is expected of
        them, so that no window counts them, and nothing is learnt of their hours."""
        if bucket_from <= self._bucket or bucket_to <= bucket_from:
            raise DetectorError(f"buckets {bucket_from} to {bucket_to} are not ahead of {self._bucket}")
        silence = np.zeros(len(self.topics))
        for missed in range(self._bucket + 1, bucket_from):
            self._step(missed, silence, None)
        for bucket in range(bucket_from, bucket_to):
            self._turn(bucket)
            self._bucket = bucket
            self._volume = np.append(self._volume[1:], self._usual[self._slot(bucket)] or self._volume[-1])
            self._volumes[bucket // self.cadence.beat % VOLUME_BEATS] = 0.0
            if (bucket + 1) % self.cadence.beat == 0:
                self._forget_beat()

    def _step(self, bucket: int, y: FloatArray, promotion: float | None) -> Tick:
        rows, beat = self._rows, self._this_beat(bucket)
        level = self._level(bucket, y, beat, promotion or 1.0)
        self._volume = np.append(self._volume[1:], level)
        lift = self._lift(bucket)
        mean = level * beat.share
        if lift:
            mean = mean * np.exp(beat.response * lift)
        mean = np.maximum(mean, 1e-9)
        doubt = self._doubt(beat, lift)
        self._turn(bucket)
        seen, due = y.astype(np.uint32), mean.astype(np.float32)
        for i, ring in enumerate(self.cadence.rings):
            slot = ring.slot(bucket)
            self._y[i][slot] += seen
            self._mu[i][slot] += due
            self._total[i][slot] += level * beat.heard
        number = bucket // self.cadence.beat
        if bucket % self.cadence.beat == 0:
            self._volumes[number % VOLUME_BEATS] = 0.0
        self._heard += (level, lift, 1.0)
        self._volumes[number % VOLUME_BEATS] += (level, 0.0)
        rows["residual"] += dispersion.bucket_residual(y, mean, doubt).astype(np.float32)
        rows["doubt"] += doubt.astype(np.float32)
        self._bucket = bucket
        scanned = self._scan(bucket, doubt, beat)
        if len(y):
            rows["peak"] = np.maximum(rows["peak"], scanned.score.max(0))
        new_normal: tuple[str, ...] = ()
        if (bucket + 1) % self.cadence.beat == 0:
            new_normal = self._learn(bucket, doubt, scanned)
        return self._verdict(bucket, scanned, new_normal)

    def _verdict(self, bucket: int, scanned: Scanned, new_normal: tuple[str, ...]) -> Tick:
        best, each = scanned.best, np.arange(len(self.topics))
        score = scanned.score[best, each] if len(each) else np.zeros(0)
        alarm = score >= self.threshold
        self._note_episodes(bucket, score)
        rows = self._rows
        rows["quiet"] = np.where(self._calm(scanned), np.minimum(rows["quiet"] + 1, 250), 0)
        return Tick(
            bucket=bucket,
            topics=tuple(self.topics),
            score=score,
            alarm=alarm,
            window=best,
            observed=scanned.y[best, each],
            expected=scanned.mean[best, each],
            variance=scanned.variance[best, each],
            threshold=self.threshold,
            new_normal=new_normal,
            calm=rows["quiet"] >= 2,
            windows=self._told,
        )
