"""The detector: counts of every topic in, verdicts out, one closed bucket at a time.

Per bucket it expects (share of the robust volume), remembers, and scans windows for counts that the expectation
does not explain; per hour it learns what it saw, the less the more surprising it was. Everything that it knows
is in arrays that `pack` writes and `unpack` restores bit for bit, so that it can stop and start anywhere.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import dispersion, share, volume
from models.buckets import BUCKET, BUCKETS_PER_HOUR
from models.calibration import FIT_DAYS, LEAST_DAYS, Calibration, CalibrationReason, threshold_for
from models.ring import Ring
from models.scan import Window, nb_midp_log10, upper_bound
from models.season import DAY_WEEK, FloatArray, Season, SeasonKind

FINE, HOURLY, COARSE = Ring(1, 36), Ring(12, 24), Ring(72, 12)
RINGS = (FINE, HOURLY, COARSE)

# Handicaps and stretches: DETECTION.md, formulas 4 and 5.
WINDOWS = (
    (FINE, Window(1, 4.52, 1.0)),
    (FINE, Window(3, 2.92, 1.0)),
    (FINE, Window(6, 2.74, 1.0)),
    (FINE, Window(12, 1.99, 1.0)),
    (FINE, Window(24, 1.64, 1.1)),
    (FINE, Window(36, 1.38, 1.1)),
    (HOURLY, Window(72, -0.07, 1.15)),
    (HOURLY, Window(144, 0.41, 1.2)),
    (HOURLY, Window(288, -0.40, 1.2)),
)
LEAST_COUNT = 3  # fewer customers than this are no surge in any window
MOST_COUNT = 10_000_000  # customers of one topic in one bucket; more is a mistake of the caller
LEAST_Z = 1.5  # below it a tail is not worth computing: the score is 0

HOT_SCORE, HOT_HOURS = 5.0, 3  # a topic that rings is no witness to the volume, nor a teacher, for three hours
HOT_WEIGHT = 0.03
SHIFT_HOURS, COOL_HOURS = 22, 24
ROBUST_Z = 2.58
EPISODE_GAP = 72  # buckets: alarms nearer than six hours are one episode
EPISODE_FLOOR = 0.5  # below any threshold worth having
MOST_EPISODES = 5_000
PRIOR_HOURS = (240, 500, 672)
SETTLED_HOURS = 168
VOLUME_HOURS = 28 * 24  # how far back a topic's past can be learnt from when it is found
GUARD_HOURS = 24


class DetectorError(ValueError):
    """The detector was given something that cannot be right."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How to watch: the operator's one knob, and the cadence of the counts."""

    false_alarms_per_week: float = 2.0
    bucket: timedelta = BUCKET
    season: SeasonKind = "day_week"
    utc_offset: timedelta = timedelta(0)
    first_threshold: float = 3.2

    def __post_init__(self) -> None:
        if not 0.0 < self.false_alarms_per_week < 1e6:
            raise DetectorError("false_alarms_per_week must be above 0")


@dataclass(frozen=True, slots=True)
class Tick:
    """What the detector made of one bucket. Arrays have one value a topic, in the order of `Detector.topics`.

    ``window``, ``observed``, ``expected`` and ``variance`` speak of each topic's most telling window.
    """

    bucket: int
    topics: Sequence[str]
    score: FloatArray
    alarm: NDArray[np.bool_]
    window: NDArray[np.int64]
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    threshold: float
    new_normal: tuple[str, ...]
    quiet: frozenset[str]

    def upper_bound(self, row: int) -> int:
        """The largest count of the topic's most telling window at which it would not have alarmed."""
        handicap = WINDOWS[int(self.window[row])][1].handicap
        return int(
            upper_bound(self.threshold + handicap, self.expected[row], self.variance[row], least=LEAST_COUNT - 1)
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """One window's word on a topic: half-open run of buckets, counts and score over its handicap."""

    first: int
    end: int
    observed: int
    expected: float
    upper_bound: int
    score: float


@dataclass(frozen=True, slots=True)
class Factor:
    """What one cause multiplies the expectation by."""

    name: str
    times: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a topic alarms, or does not: its most telling window, those that spoke, and what made the expectation."""

    telling: Evidence
    spoke: tuple[Evidence, ...]
    onset: int
    factors: tuple[Factor, ...]


def _row_type(season: Season, windows: int) -> np.dtype[Any]:
    k = season.size
    return np.dtype(
        [
            ("m", "f4", (k,)),
            ("p", "f4", (k * (k + 1) // 2,)),
            ("phi", "f4", (2,)),
            ("alpha", "f4", (2, windows)),
            *[(f"y{i}", "u4", (ring.size,)) for i, ring in enumerate(RINGS)],
            *[(f"mu{i}", "f4", (ring.size,)) for i, ring in enumerate(RINGS)],
            ("born", "i8"),
            ("hot", "i8"),
            ("episode_end", "i8"),
            ("episode_peak", "f4"),
            ("residual", "f4"),
            ("doubt", "f4"),
            ("peak", "f4"),
            ("alarmed_hours", "u1"),
            ("cooling_hours", "u1"),
            ("quiet", "u1"),
        ]
    )


class Detector:
    """Watches the topics of one tenant. Not safe for several threads.

    ``start`` is the first bucket that will be known. Buckets then come in order; those left out between two
    steps are taken as zero counts, unless `blind` says that nothing is known of them.
    """

    def __init__(self, settings: DetectorSettings, start: int) -> None:
        self.settings = settings
        self.topics: list[str] = []
        self.threshold = settings.first_threshold
        self._season = DAY_WEEK
        self._offset = int(settings.utc_offset / settings.bucket)
        self._start = int(start)
        self._bucket = int(start) - 1
        self._rows = np.zeros(0, _row_type(self._season, len(WINDOWS)))
        self._index: dict[str, int] = {}
        self._prior = share.first_prior(self._season)
        self._pool = np.full(len(WINDOWS), dispersion.ALPHA_FIRST)
        self._usual = np.zeros(self._season.slots)
        self._volume = np.zeros(6)
        self._heard = np.zeros(3)  # of the current hour: sum of volumes, sum of L, buckets
        self._volumes = np.zeros((VOLUME_HOURS, 2))  # of past hours: sum of volumes, mean L
        self._total = [np.zeros(ring.size) for ring in RINGS]
        self._episodes = np.zeros((0, 2))  # bucket of the end, peak
        self._calibrated = False
        self._hour: _Hour | None = None

    # ------------------------------------------------------------------ topics

    def add(self, topic: str, past: Mapping[int, int] | None = None, *, known_from: int | None = None) -> None:
        """Watch a topic from the next bucket on.

        ``past`` has its counts in earlier buckets, complete from ``known_from`` on (by default the earliest bucket
        named): a bucket that is missing there held none. The last day of it is judged but not learnt from, since
        a surge may be what brought the topic to light.
        """
        if topic in self._index:
            raise DetectorError(f"topic {topic!r} is watched already")
        for bucket, count in (past or {}).items():
            self._check(topic, count)
            if bucket > self._bucket:
                raise DetectorError(f"bucket {bucket} of topic {topic!r} is not in the past")
        row: Any = np.zeros(1, self._rows.dtype)
        mean = self._prior.mean.copy()
        young = self._bucket + 1 - self._start < BUCKETS_PER_HOUR
        levels = self._rows["m"][:, 0]
        mean[0] = -np.log(300) if young or not len(levels) else float(levels.astype(float).mean())
        row["m"], row["p"] = mean, _triangle(self._prior.covariance[None])
        row["phi"] = dispersion.PHI_WEIGHT * dispersion.PHI_EXCESS, dispersion.PHI_WEIGHT
        row["born"] = self._bucket + 1
        row["hot"] = row["episode_end"] = -(10**9)
        self._rows = np.concatenate([self._rows, row])
        self._index[topic] = len(self.topics)
        self.topics.append(topic)
        self._hour = None
        if past:
            self._recall(len(self.topics) - 1, past, min(past) if known_from is None else known_from)

    def _recall(self, row: int, past: Mapping[int, int], known_from: int) -> None:
        """Learn from a topic's own past up to a day ago, then remember what came since."""
        end, rows = self._bucket + 1, self._rows[row : row + 1]
        first = max(known_from, self._start, end - 12 * VOLUME_HOURS)
        hourly: dict[int, int] = {}
        for bucket, count in past.items():
            hourly[bucket // 12] = hourly.get(bucket // 12, 0) + count
        m, P = rows["m"].astype(float), _square(rows["p"], self._season.size)
        drift = self._season.drift_sd**2 / 24
        for number in range(-(-first // 12), (end - GUARD_HOURS * 12) // 12):
            total, lift = self._volumes[number % VOLUME_HOURS]
            if total <= 0.0:
                continue
            x = self._season.features(self._slot(number * 12) + 0.5)
            x[-1] = lift
            y = np.array([float(hourly.get(number, 0))])
            mean = np.exp(share.predict(m, P, x)[0]) * total
            weight = self._surprise(y, mean, 1.4 * mean + (1.0 + 0.03) * mean**2) / (1.4 + 0.03 * mean)
            P = share.drift(P, self._prior, drift)
            m, P = share.learn(m, P, x=x, y=y, exposure=np.array([total]), weight=weight)
        rows["m"], rows["p"] = m, _triangle(P)
        rows["born"] = first
        for bucket in range(max(first, end - 864), end):
            total, lift = self._volumes[bucket // 12 % VOLUME_HOURS]
            x = self._season.features(self._slot(bucket) + 0.5)
            x[-1] = lift
            mean = float(np.exp(share.predict(m, P, x)[0][0])) * total / 12
            for i, ring in enumerate(RINGS):
                if ring.remembers(bucket, self._bucket):
                    rows[f"y{i}"][0, ring.slot(bucket)] += past.get(bucket, 0)
                    rows[f"mu{i}"][0, ring.slot(bucket)] += mean

    def remove(self, topic: str) -> None:
        """Watch a topic no longer and forget what is known of it."""
        row = self._row(topic)
        self._rows = np.delete(self._rows, row)
        del self.topics[row]
        self._index = {name: i for i, name in enumerate(self.topics)}
        self._hour = None

    def _row(self, topic: str) -> int:
        try:
            return self._index[topic]
        except KeyError:
            raise DetectorError(f"topic {topic!r} is not watched") from None

    # ------------------------------------------------------------------ time

    def step(self, bucket: int, counts: Mapping[str, int], *, promotion: float | None = None) -> Tick:
        """Take the counts of distinct customers in one closed bucket and judge every topic."""
        if bucket <= self._bucket:
            raise DetectorError(f"bucket {bucket} is not after {self._bucket}")
        y = self._counts(counts)
        silence = np.zeros(len(self.topics))
        for missed in range(self._bucket + 1, bucket):
            self._step(missed, silence, None)
        return self._step(bucket, y, promotion)

    def blind(self, bucket_from: int, bucket_to: int) -> None:
        """Nothing is known of the buckets from ``bucket_from`` up to, not with, ``bucket_to``."""
        if bucket_from <= self._bucket or bucket_to <= bucket_from:
            raise DetectorError(f"buckets {bucket_from} to {bucket_to} are not ahead of {self._bucket}")
        silence = np.zeros(len(self.topics))
        for missed in range(self._bucket + 1, bucket_from):
            self._step(missed, silence, None)
        for bucket in range(bucket_from, bucket_to):
            self._turn(bucket)
            self._bucket = bucket
            self._volumes[bucket // 12 % VOLUME_HOURS] = 0.0
            if (bucket + 1) % self._season.learn_every == 0:
                self._forget_hour()

    def _counts(self, counts: Mapping[str, int]) -> FloatArray:
        y = np.zeros(len(self.topics))
        for topic, count in counts.items():
            self._check(topic, count)
            y[self._row(topic)] = count
        return y

    @staticmethod
    def _check(topic: str, count: int) -> None:
        if not 0 <= count <= MOST_COUNT or count != int(count):
            raise DetectorError(f"count {count!r} of topic {topic!r} is no number of customers")

    def _step(self, bucket: int, y: FloatArray, promotion: float | None) -> Tick:
        rows, hour = self._rows, self._this_hour(bucket)
        hot = bucket // 12 - rows["hot"] < HOT_HOURS
        use = (hour.known & ~hot).astype(float)
        if use.sum() < 5:
            use = np.ones(len(y))
        level = volume.robust_volume(y, hour.share, hour.phi, use)
        self._volume = np.append(self._volume[1:], level)
        lift = self._lift(bucket, hour)
        mean = np.maximum(level * hour.share * np.exp(hour.response * lift), 1e-9)
        doubt = np.clip(hour.doubt + 2 * lift * hour.cross + lift**2 * hour.response_doubt, 1e-6, share.MOST_DOUBT)
        self._turn(bucket)
        for i, ring in enumerate(RINGS):
            slot = ring.slot(bucket)
            rows[f"y{i}"][:, slot] += y.astype(np.uint32)
            rows[f"mu{i}"][:, slot] += mean.astype(np.float32)
            self._total[i][slot] += level * hour.share_sum
        if bucket % 12 == 0:
            self._volumes[bucket // 12 % VOLUME_HOURS] = 0.0
        self._heard += (level, lift, 1.0)
        self._volumes[bucket // 12 % VOLUME_HOURS] += (level, 0.0)
        rows["residual"] += dispersion.bucket_residual(y, mean, doubt).astype(np.float32)
        rows["doubt"] += doubt.astype(np.float32)
        self._bucket = bucket
        scanned = self._scan(bucket, doubt, hour)
        rows["peak"] = np.maximum(rows["peak"], scanned.raw.max(0, initial=0.0))
        new_normal: tuple[str, ...] = ()
        if (bucket + 1) % self._season.learn_every == 0:
            new_normal = self._learn(bucket, doubt, scanned)
        return self._verdict(bucket, scanned, new_normal)

    def _turn(self, bucket: int) -> None:
        """Empty the slots of the rings that ``bucket`` is the first of."""
        for i, ring in enumerate(RINGS):
            if ring.begins(bucket):
                slot = ring.slot(bucket)
                self._rows[f"y{i}"][:, slot] = 0
                self._rows[f"mu{i}"][:, slot] = 0
                self._total[i][slot] = 0.0

    def _forget_hour(self) -> None:
        self._heard[:] = 0.0
        for name in ("residual", "doubt", "peak"):
            self._rows[name] = 0
        self._hour = None

    # ------------------------------------------------------------------ expect

    def _slot(self, bucket: int) -> int:
        return ((bucket + self._offset) // 12 + 72) % self._season.slots

    def _this_hour(self, bucket: int) -> _Hour:
        if self._hour is None or self._hour.number != bucket // 12:
            rows = self._rows
            x = self._season.features(self._slot(bucket) + 0.5)
            m, P = rows["m"].astype(float), _square(rows["p"], self._season.size)
            f, doubt = share.predict(m, P, x)
            unit = np.zeros(self._season.size)
            unit[-1] = 1.0
            self._hour = _Hour(
                number=bucket // 12,
                x=x,
                share=np.exp(np.clip(f, share.LOG_FLOOR, 5.0)),
                doubt=doubt,
                response=m[:, -1],
                cross=share._dot(P[:, -1, :], x),
                response_doubt=P[:, -1, -1],
                phi=dispersion.phi_of(rows["phi"][:, 0].astype(float), rows["phi"][:, 1].astype(float)),
                alpha=np.stack(
                    [
                        dispersion.alpha_of(
                            rows["alpha"][:, 0, w].astype(float), rows["alpha"][:, 1, w].astype(float), self._pool[w]
                        )
                        for w in range(len(WINDOWS))
                    ]
                ),
            )
        return self._hour

    def _lift(self, bucket: int, hour: _Hour) -> float:
        usual = self._usual[self._slot(bucket)]
        if bucket - self._start < SETTLED_HOURS * 12 or usual <= 0.0:
            return 0.0
        return float(np.clip(np.log(max(self._volume.mean(), 1e-9) / usual), -1.0, 2.5))

    # ------------------------------------------------------------------ scan

    def _scan(self, bucket: int, doubt: FloatArray, hour: _Hour) -> _Scanned:
        rows = self._rows
        seen = [ring.sums(rows[f"y{i}"], bucket) for i, ring in enumerate(RINGS)]
        due = [ring.sums(rows[f"mu{i}"], bucket) for i, ring in enumerate(RINGS)]
        total = [ring.sums(self._total[i], bucket) for i, ring in enumerate(RINGS)]
        y, mean, variance, plain = [], [], [], []
        for w, (ring, window) in enumerate(WINDOWS):
            i, last = RINGS.index(ring), window.buckets // ring.unit - 1
            relative = hour.alpha[w] + doubt + 1.0 / max(total[i][last], 1.0)
            y.append(seen[i][:, last])
            mean.append(due[i][:, last] * window.stretch)
            variance.append(hour.phi * mean[-1] + relative * mean[-1] ** 2)
            plain.append(relative)
        scanned = _Scanned(np.array(y), np.array(mean), np.array(variance), np.array(plain))
        z = (scanned.y - scanned.mean) / np.sqrt(np.maximum(scanned.variance, 1e-12))
        telling = (z > LEAST_Z) & (scanned.y >= LEAST_COUNT)
        if telling.any():
            scanned.raw[telling] = nb_midp_log10(scanned.y[telling], scanned.mean[telling], scanned.variance[telling])
        return scanned

    def _verdict(self, bucket: int, scanned: _Scanned, new_normal: tuple[str, ...]) -> Tick:
        best, each = scanned.best, np.arange(len(self.topics))
        score = scanned.score[best, each] if len(each) else np.zeros(0)
        alarm = score >= self.threshold
        self._note_episodes(bucket, score)
        rows = self._rows
        calm = self._calm(scanned)
        rows["quiet"] = np.where(calm, np.minimum(rows["quiet"] + 1, 250), 0)
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
            quiet=frozenset(self.topics[i] for i in np.nonzero((rows["quiet"] >= 2) & ~alarm)[0]),
        )

    def _calm(self, scanned: _Scanned) -> NDArray[np.bool_]:
        w = next(i for i, (_, window) in enumerate(WINDOWS) if window.buckets == 12)
        y, mean, variance = scanned.y[w], scanned.mean[w], scanned.variance[w]
        calm: NDArray[np.bool_] = (nb_midp_log10(y, mean, variance) < -np.log10(0.05)) & (y < 1.3 * mean + 1)
        return calm

    def _note_episodes(self, bucket: int, score: FloatArray) -> None:
        rows = self._rows
        over = (score >= EPISODE_FLOOR) & (bucket - rows["born"] >= SETTLED_HOURS * 12)
        closing = (rows["episode_peak"] > 0) & (bucket - rows["episode_end"] > EPISODE_GAP)
        if closing.any():
            closed = np.stack([rows["episode_end"][closing], rows["episode_peak"][closing]], 1)
            kept = self._episodes[self._episodes[:, 0] > bucket - FIT_DAYS * 288]
            self._episodes = np.concatenate([kept, closed])[-MOST_EPISODES:]
            rows["episode_peak"][closing] = 0
        rows["episode_end"] = np.where(over, bucket, rows["episode_end"])
        rows["episode_peak"] = np.where(over, np.maximum(rows["episode_peak"], score), rows["episode_peak"])

    def calibrate(self) -> Calibration:
        """Set the threshold from the tenant's own history, and say what became of it."""
        before = self.threshold
        seen = (self._bucket + 1 - self._start) / 288 - SETTLED_HOURS / 24
        days = min(max(seen, 0.0), FIT_DAYS)
        open_ = self._rows["episode_peak"].astype(float)
        peaks = np.concatenate([self._episodes[:, 1], open_[open_ > 0]])
        if days < LEAST_DAYS:
            return Calibration(before, before, "too little history", days, len(peaks))
        self.threshold = threshold_for(peaks, days, per_week=self.settings.false_alarms_per_week)
        reason: CalibrationReason = "history has grown" if self._calibrated else "first fit"
        self._calibrated = True
        return Calibration(before, self.threshold, reason, days, len(peaks))

    # ------------------------------------------------------------------ learn

    def _learn(self, bucket: int, doubt: FloatArray, scanned: _Scanned) -> tuple[str, ...]:
        rows, hour, number = self._rows, self._this_hour(bucket), bucket // 12
        volume_sum, lift_sum, heard = self._heard
        age = (bucket + 1 - self._start) // 12
        ordinary = 1.0 / (1.0 + (abs(lift_sum / heard) / 0.5) ** 4)
        was_hot = number - rows["hot"] < HOT_HOURS
        self._learn_alpha(age, doubt, hour, scanned, ordinary, ~was_hot)
        hourly = HOURLY.slot(bucket)
        y, mean = rows["y1"][:, hourly].astype(float), rows["mu1"][:, hourly].astype(float)
        mean = np.maximum(mean, 1e-9)
        mean_doubt = rows["doubt"] / heard
        surprise = self._surprise(y, mean, hour.phi * mean + (mean_doubt + 0.03) * mean**2)
        new_normal, hot = self._shift(bucket, number)
        x = hour.x.copy()
        x[-1] = lift_sum / heard
        m, P = rows["m"].astype(float), _square(rows["p"], self._season.size)
        P = share.drift(P, self._prior, self._season.drift_sd**2 / 24)
        exposure = np.full(len(y), volume_sum)
        m_now = np.exp(np.clip(share._dot(m, x), share.LOG_FLOOR, share.LOG_CEILING)) * volume_sum
        weight = np.maximum(surprise * np.where(hot, HOT_WEIGHT, 1.0) / (hour.phi + 0.03 * m_now), 1e-9)
        m, P = share.learn(m, P, x=x, y=y, exposure=exposure, weight=weight)
        if age in PRIOR_HOURS and (new := share.pooled_prior(m, P, self._season)) is not None:
            m, P = share.change_prior(m, P, self._prior, new)
            self._prior = new
        rows["m"], rows["p"] = m, _triangle(P)
        if age % 6 == 0 and age > 200:
            self._shift_down(bucket, hour)
        trust = ((surprise > 0.5) & ~hot) * ordinary
        excess, weight = dispersion.learn_phi(
            rows["phi"][:, 0].astype(float),
            rows["phi"][:, 1].astype(float),
            rows["residual"].astype(float),
            mean,
            trust,
        )
        rows["phi"][:, 0], rows["phi"][:, 1] = excess, weight
        volume.learn_usual(self._usual, self._slot(bucket), volume_sum / heard)
        self._volumes[number % VOLUME_HOURS] = volume_sum, lift_sum / heard
        self._forget_hour()
        return new_normal

    def _surprise(self, y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
        from scipy.special import ndtri

        p = np.clip(10.0 ** -nb_midp_log10(y, mean, variance), 1e-15, 1 - 1e-15)
        z = -ndtri(p)
        return np.where(z > ROBUST_Z, (ROBUST_Z / np.maximum(z, 1e-9)) ** 2, 1.0)

    def _learn_alpha(
        self, age: int, doubt: FloatArray, hour: _Hour, scanned: _Scanned, ordinary: float, calm: NDArray[np.bool_]
    ) -> None:
        if age <= 72:
            return
        rows = self._rows
        for w, (_, window) in enumerate(WINDOWS):
            hours = max(1, window.buckets // 12)
            if (age - 1) % hours:
                continue
            excess, weight = dispersion.learn_alpha(
                rows["alpha"][:, 0, w].astype(float),
                rows["alpha"][:, 1, w].astype(float),
                y=scanned.y[w],
                mean=scanned.mean[w] / window.stretch,
                variance=scanned.variance[w],
                known=scanned.relative[w] - hour.alpha[w],
                phi=hour.phi,
                pool=self._pool[w],
                trust=np.asarray(ordinary * calm, dtype=np.float64),
                hours=hours,
            )
            rows["alpha"][:, 0, w], rows["alpha"][:, 1, w] = excess, weight
            if (age - 1) % 24 == 0:
                self._pool[w] = dispersion.pooled_alpha(float(self._pool[w]), excess, weight)

    def _shift(self, bucket: int, number: int) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
        """Count the hours that topics have been alarmed; those alarmed for too long have a new normal."""
        rows = self._rows
        ringing = (rows["peak"] > HOT_SCORE) & (rows["cooling_hours"] == 0)
        alarmed = rows["alarmed_hours"].astype(int)
        alarmed = np.where(ringing, alarmed + 1, np.maximum(alarmed - 2, 0))
        rows["hot"] = np.where(ringing, number, rows["hot"])
        accepted = alarmed > SHIFT_HOURS
        hot = (number - rows["hot"] < HOT_HOURS) & ~accepted
        rows["cooling_hours"] = np.maximum(rows["cooling_hours"].astype(int) - 1, 0)
        if accepted.any():
            self._rescale(bucket, accepted, low=0.0, high=np.inf)
            p = _square(rows["p"], self._season.size)
            p[accepted, 0, 0] += 0.02
            rows["p"] = _triangle(p)
            rows["cooling_hours"][accepted] = COOL_HOURS - 1
            rows["hot"][accepted] = -(10**9)
            alarmed = np.where(accepted, 0, alarmed)
        rows["alarmed_hours"] = np.minimum(alarmed, 250)
        return tuple(self.topics[i] for i in np.nonzero(accepted)[0]), hot

    def _shift_down(self, bucket: int, hour: _Hour) -> None:
        rows = self._rows
        y = rows["y1"].sum(1).astype(float)
        mean = rows["mu1"].sum(1).astype(float)
        z = (y - mean) / np.sqrt(np.maximum(hour.phi * mean + 0.1 * mean**2, 1e-9))
        self._rescale(bucket, (mean > 10) & (z < -3.5) & (bucket - rows["born"] > 48 * 12), low=0.2, high=1.0)

    def _rescale(self, bucket: int, which: NDArray[np.bool_], *, low: float, high: float) -> None:
        """Move the level of some topics, and all that was expected of them, to what the last day counted."""
        rows = self._rows
        ratio = (rows["y1"].sum(1) + 0.5) / (rows["mu1"].sum(1) + 0.5)
        ratio = np.where(which, np.clip(ratio, low, high), 1.0)
        rows["m"][:, 0] += np.log(ratio).astype(np.float32)
        for i in range(len(RINGS)):
            rows[f"mu{i}"] *= ratio.astype(np.float32)[:, None]
        self._hour = None

    # ------------------------------------------------------------------ explain

    def explain(self, topic: str) -> Explanation:
        """Why the topic alarms or not, as of the last bucket."""
        row, bucket = self._row(topic), self._bucket
        hour = self._this_hour(bucket)
        lift = self._lift(bucket, hour)
        doubt = np.clip(hour.doubt + 2 * lift * hour.cross + lift**2 * hour.response_doubt, 1e-6, share.MOST_DOUBT)
        scanned = self._scan(bucket, doubt, hour)
        evidence = [self._evidence(scanned, w, row, bucket) for w in range(len(WINDOWS))]
        telling = evidence[int(scanned.best[row])]
        spoke = tuple(e for e in evidence if e.score >= self.threshold)
        return Explanation(telling, spoke, self._onset(row, bucket, telling), self._factors(row, telling))

    def _evidence(self, scanned: _Scanned, w: int, row: int, bucket: int) -> Evidence:
        ring, window = WINDOWS[w]
        first, end = ring.span(bucket, window.buckets // ring.unit)
        mean, variance = float(scanned.mean[w, row]), float(scanned.variance[w, row])
        return Evidence(
            first=max(first, int(self._rows["born"][row])),
            end=end,
            observed=int(scanned.y[w, row]),
            expected=mean,
            upper_bound=int(upper_bound(self.threshold + window.handicap, mean, variance, least=LEAST_COUNT - 1)),
            score=float(scanned.score[w, row]),
        )

    def _onset(self, row: int, bucket: int, telling: Evidence) -> int:
        """The start that explains the surge best: the largest Poisson likelihood ratio among those remembered."""
        best, onset = 0.0, telling.first
        for i, ring in enumerate(RINGS):
            y = ring.sums(self._rows[f"y{i}"][row], bucket)
            mean = np.maximum(ring.sums(self._rows[f"mu{i}"][row], bucket), 1e-9)
            gain = np.where(y > mean, y * np.log(np.maximum(y, 1.0) / mean) - (y - mean), 0.0)
            n = int(gain.argmax())
            if gain[n] > best:
                best, onset = float(gain[n]), ring.span(bucket, n + 1)[0]
        return max(onset, int(self._rows["born"][row]))

    def _factors(self, row: int, telling: Evidence) -> tuple[Factor, ...]:
        """Hour, weekday and volume (promotions among it), each as the factor it puts on the expected count."""
        buckets = np.arange(telling.first, telling.end)
        slots = ((buckets + self._offset) // 12 + 72) % self._season.slots
        usual = np.where(self._usual > 0, self._usual, max(self._usual.mean(), 1e-9))
        days = usual.reshape(-1, 24).mean(1)
        m = self._rows["m"][row].astype(float)
        x = np.stack([self._season.features(slot + 0.5) for slot in slots])
        hour = usual[slots] / days[slots // 24] * np.exp(x[:, 1:7] @ m[1:7])
        weekday = days[slots // 24] / usual.mean() * np.exp(x[:, 7:9] @ m[7:9])
        base = float(np.exp(m[0]) * usual.mean()) * len(buckets)
        by_hour, by_both = float(hour.mean()), float((hour * weekday).mean())
        return (
            Factor("level", base),
            Factor("hour", by_hour),
            Factor("weekday", by_both / by_hour),
            Factor("volume", telling.expected / max(base * by_both, 1e-9)),
        )

    def curve(self, topic: str, buckets: Sequence[int]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Expected, lower and upper count of each of ``buckets``, which must lie in the last three days."""
        row = self._row(topic)
        hour = self._this_hour(self._bucket)
        expected = np.full(len(buckets), np.nan)
        for i, ring in reversed(list(enumerate(RINGS))):
            for n, bucket in enumerate(buckets):
                age = self._bucket // ring.unit - bucket // ring.unit
                if 0 <= age < ring.size and bucket <= self._bucket:
                    length = min(ring.unit, self._bucket - bucket // ring.unit * ring.unit + 1)
                    expected[n] = self._rows[f"mu{i}"][row, ring.slot(bucket)] / length
        variance = hour.phi[row] * expected + (hour.alpha[0, row] + hour.doubt[row]) * expected**2
        sd = np.sqrt(variance)
        return expected, np.maximum(expected - 2 * sd, 0.0), expected + 2 * sd

    # ------------------------------------------------------------------ keep

    def pack(self) -> dict[str, bytes]:
        """All that is known: ``shared`` for the tenant, ``topics`` with one row of fixed size a topic."""
        head = {
            "format": 1,
            "settings": {
                **asdict(self.settings),
                "bucket": self.settings.bucket.total_seconds(),
                "utc_offset": self.settings.utc_offset.total_seconds(),
            },
            "topics": self.topics,
            "start": self._start,
            "bucket": self._bucket,
            "threshold": self.threshold,
            "calibrated": self._calibrated,
        }
        out = io.BytesIO()
        np.savez(
            out,
            head=np.frombuffer(json.dumps(head).encode(), np.uint8),
            prior_mean=self._prior.mean,
            prior_covariance=self._prior.covariance,
            pool=self._pool,
            usual=self._usual,
            volume=self._volume,
            heard=self._heard,
            volumes=self._volumes,
            episodes=self._episodes,
            **{f"total{i}": total for i, total in enumerate(self._total)},  # type: ignore[arg-type]  # arrays, no flags
        )
        return {"shared": out.getvalue(), "topics": self._rows.tobytes()}

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Detector:
        """The detector that was packed. Raises `DetectorError` on a format that this version does not know."""
        with np.load(io.BytesIO(packed["shared"]), allow_pickle=False) as shared:
            head = json.loads(shared["head"].tobytes())
            if head["format"] != 1:
                raise DetectorError(f"detector state of format {head['format']}, known is 1")
            settings = head["settings"]
            for name in ("bucket", "utc_offset"):
                settings[name] = timedelta(seconds=settings[name])
            detector = cls(DetectorSettings(**settings), head["start"])
            detector.topics = head["topics"]
            detector._index = {topic: i for i, topic in enumerate(detector.topics)}
            detector._bucket, detector.threshold = head["bucket"], head["threshold"]
            detector._calibrated = head["calibrated"]
            detector._prior = share.Prior(shared["prior_mean"], shared["prior_covariance"])
            for name in ("pool", "usual", "volume", "heard", "volumes", "episodes"):
                setattr(detector, f"_{name}", shared[name])
            detector._total = [shared[f"total{i}"] for i in range(len(RINGS))]
        detector._rows = np.frombuffer(packed["topics"], detector._rows.dtype).copy()
        return detector


@dataclass(frozen=True, slots=True)
class _Hour:
    """What does not change within an hour."""

    number: int
    x: FloatArray
    share: FloatArray
    doubt: FloatArray
    response: FloatArray
    cross: FloatArray
    response_doubt: FloatArray
    phi: FloatArray
    alpha: FloatArray

    @property
    def known(self) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = self.doubt < 1.0
        return known

    @property
    def share_sum(self) -> float:
        return float(self.share.sum())


class _Scanned:
    """Counts, expectations and scores of all windows (W, J) at one bucket."""

    def __init__(self, y: FloatArray, mean: FloatArray, variance: FloatArray, relative: FloatArray) -> None:
        self.y, self.mean, self.variance, self.relative = y, mean, variance, relative
        self.raw = np.zeros(y.shape)

    @cached_property
    def score(self) -> FloatArray:
        score: FloatArray = self.raw - _HANDICAPS[:, None]
        return score

    @cached_property
    def best(self) -> NDArray[np.int64]:
        best: NDArray[np.int64] = self.score.argmax(0)
        return best


_HANDICAPS = np.array([window.handicap for _, window in WINDOWS])


def _triangle(P: FloatArray) -> FloatArray:
    i, j = np.tril_indices(P.shape[-1])
    return P[:, i, j]


def _square(p: np.ndarray, k: int) -> FloatArray:
    P = np.empty((len(p), k, k))
    i, j = np.tril_indices(k)
    P[:, i, j] = p
    P[:, j, i] = p
    return P
