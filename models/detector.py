"""The detector: counts of every topic in, verdicts out, one closed bucket at a time.

Per bucket it expects (share of the robust volume), remembers, and scans windows for counts that the expectation
does not explain; per beat it learns what it saw, the less the more surprising it was. Everything that it knows
is in arrays that `pack` writes and `unpack` restores bit for bit, so that it can stop and start anywhere.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models import dispersion, share, succession, volume
from models.beat import Beat, Scanned
from models.beat import surprise as surprise_of
from models.buckets import BUCKET
from models.cadence import Cadence, CadenceError, cadence_of
from models.calibration import Calibration, CalibrationReason, quiet_peaks, threshold_for
from models.rows import row_type, square, triangle
from models.scan import nb_midp_log10
from models.season import YEAR, FloatArray, SeasonKind
from models.verdict import LEAST_COUNT, Explanation, Factor, Outlook, Tick, WindowVerdict, bound_of

MOST_COUNT = 10_000_000  # customers of one topic in one bucket; more is a mistake of the caller
LEAST_Z = 1.5  # below it a tail is not worth computing: the score is 0
CALM_Z, CALM_P, CALM_RATIO = 1.0, 0.05, 1.3  # when a topic counts as quiet: DETECTION.md, formula 10

HOT_SCORE = 2.8  # a topic that rings so loud is no witness to the volume, nor a teacher
HOT_WEIGHT = 0.03
WITNESS_BEATS, WITNESS_Z = 3, 3.0
EPISODE_FLOOR = 0.5  # below any threshold worth having
MOST_EPISODES = 20_000
PRIOR_BEATS = (240, 500, 672)
VOLUME_BEATS = 28 * 24  # how far back a topic's past can be learnt from when it is found
FORMAT = 2
_NEVER = -(10**9)


class DetectorError(ValueError):
    """The detector was given something that cannot be right."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How to watch: the operator's one knob, and the cadence of the counts.

    ``year`` is the length of the yearly season: that of the calendar, or of the made-up one of numbered weeks.
    """

    false_alarms_per_week: float = 2.0
    bucket: timedelta = BUCKET
    season: SeasonKind | None = None
    utc_offset: timedelta = timedelta(0)
    first_threshold: float = 3.2
    year: timedelta = YEAR
    offset: bool = True
    """Whether counts are shares of all the topics' volume; False for a total, whose volume is its own."""

    def __post_init__(self) -> None:
        if not 0.0 < self.false_alarms_per_week < 1e6:
            raise DetectorError("false_alarms_per_week must be above 0")


class Detector:
    """Watches the topics of one tenant. Not safe for several threads.

    ``start`` is the first bucket that will be known. Buckets then come in order; those left out between two
    steps are taken as zero counts, unless `blind` says that nothing is known of them.
    Raises `DetectorError` on a cadence that is not supported.
    """

    def __init__(self, settings: DetectorSettings, start: int) -> None:
        self.settings = settings
        self.topics: list[str] = []
        self.threshold = settings.first_threshold
        try:
            self.cadence: Cadence = cadence_of(
                settings.bucket, settings.season, year=settings.year, offset=settings.offset
            )
        except CadenceError as error:
            raise DetectorError(str(error)) from error
        self._season = self.cadence.season
        windows = [window for _, window in self.cadence.windows]
        self._lengths, self._told = self.cadence.slots, tuple(windows)
        self._handicap = np.array([window.handicap for window in windows])[:, None]
        self._stretch = np.array([window.stretch for window in windows])[:, None]
        self._start = int(start)
        self._bucket = int(start) - 1
        self._rows = np.zeros(0, row_type(self._season.size))
        self._y = [np.zeros((ring.size, 0), np.uint32) for ring in self.cadence.rings]
        self._mu = [np.zeros((ring.size, 0), np.float32) for ring in self.cadence.rings]
        self._index: dict[str, int] = {}
        self._prior = share.first_prior(self._season)
        self._pool = np.full(len(self.cadence.windows), self.cadence.alpha_first)
        self._pooled = np.zeros((2, len(self._pool)))
        self._usual = np.zeros(self._season.slots)
        self._volume = np.zeros(6)
        self._heard = np.zeros(3)  # of the current beat: sum of volumes, sum of L, buckets
        self._volumes = np.zeros((VOLUME_BEATS, 2))  # of past beats: sum of volumes, mean L
        self._total = [np.zeros(ring.size) for ring in self.cadence.rings]
        self._episodes = np.zeros((0, 3))  # row of the topic, bucket of the end, peak
        self._calibrated = False
        self._beat: Beat | None = None

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
        mean[0] = self._first_level()
        row["m"], row["p"] = mean, triangle(self._prior.covariance[None])
        row["phi"] = dispersion.PHI_WEIGHT * dispersion.PHI_EXCESS, dispersion.PHI_WEIGHT
        row["born"] = self._bucket + 1
        row["hot"] = row["episode_end"] = _NEVER
        self._rows = np.concatenate([self._rows, row])
        self._y = [np.pad(y, ((0, 0), (0, 1))) for y in self._y]
        self._mu = [np.pad(mu, ((0, 0), (0, 1))) for mu in self._mu]
        self._index[topic] = len(self.topics)
        self.topics.append(topic)
        self._beat = None
        if past:
            self._recall(len(self.topics) - 1, past, min(past) if known_from is None else known_from)

    def _first_level(self) -> float:
        if not self._season.offset:
            return 0.0
        young = self._bucket + 1 - self._start < self.cadence.beat
        levels = self._rows["m"][:, 0]
        return float(-np.log(300)) if young or not len(levels) else float(levels.astype(float).mean())

    def _recall(self, row: int, past: Mapping[int, int], known_from: int) -> None:
        """Learn from a topic's own past up to a day ago, then remember what came since."""
        cadence, beat = self.cadence, self.cadence.beat
        end, rows = self._bucket + 1, self._rows[row : row + 1]
        first = max(known_from, self._start, end - beat * VOLUME_BEATS)
        by_beat: dict[int, int] = {}
        for bucket, count in past.items():
            by_beat[bucket // beat] = by_beat.get(bucket // beat, 0) + count
        m, P = rows["m"].astype(float), square(rows["p"], self._season.size)
        for number in range(-(-first // beat), (end - cadence.guard_beats * beat) // beat):
            total, lift = self._volumes[number % VOLUME_BEATS]
            if total <= 0.0:
                continue
            x = self._features(number * beat, lift)
            y = np.array([float(by_beat.get(number, 0))])
            mean = np.exp(share.predict(m, P, x)[0]) * total
            spread = 1.4 * mean + (1.0 + cadence.wobble) * mean**2
            weight = surprise_of(y, mean, spread) / (1.4 + cadence.wobble * mean)
            m, P = self._pass(m, P)
            m, P = share.learn(m, P, x=x, y=y, exposure=np.array([total]), weight=weight)
        rows["m"], rows["p"] = m, triangle(P)
        rows["born"] = first
        coarse = cadence.rings[2]
        for bucket in range(max(first, end - coarse.unit * coarse.size), end):
            total, lift = self._volumes[bucket // beat % VOLUME_BEATS]
            mean = float(np.exp(share.predict(m, P, self._features(bucket, lift))[0][0])) * total / beat
            for i, ring in enumerate(cadence.rings):
                if ring.remembers(bucket, self._bucket):
                    self._y[i][ring.slot(bucket), row] += past.get(bucket, 0)
                    self._mu[i][ring.slot(bucket), row] += mean

    def remove(self, topic: str) -> None:
        """Watch a topic no longer and forget what is known of it."""
        row = self._row(topic)
        self._rows = np.delete(self._rows, row)
        self._episodes = self._episodes[self._episodes[:, 0] != row]
        self._episodes[:, 0] -= self._episodes[:, 0] > row
        self._y = [np.delete(y, row, axis=1) for y in self._y]
        self._mu = [np.delete(mu, row, axis=1) for mu in self._mu]
        del self.topics[row]
        self._index = {name: i for i, name in enumerate(self.topics)}
        self._beat = None

    def merge(self, gone: str, into: str) -> None:
        """Watch two topics as one from the next bucket on: what was counted and expected of both adds up."""
        lost, kept = self._row(gone), self._row(into)
        if lost == kept:
            raise DetectorError(f"topic {gone!r} is one topic already")
        rows = self._rows
        rows[[kept]] = succession.joined(rows[[kept]], rows[[lost]], self._season.size)
        for y, mu in zip(self._y, self._mu, strict=True):
            y[:, kept] += y[:, lost]
            mu[:, kept] += mu[:, lost]
        self._episodes[self._episodes[:, 0] == lost, 0] = kept
        self.remove(gone)

    def split(self, topic: str, part: str, share: float, counted: Mapping[int, int], *, known_from: int) -> None:
        """Watch a part of a topic for itself from the next bucket on.

        ``share`` (0 to 1) is the part's of the topic's customers. ``counted`` has the part's by bucket, complete from
        ``known_from`` on; before that, the share tells. What was counted and expected of both is what was of one.
        """
        row = self._row(topic)
        share = float(np.clip(share, 0.01, 0.99))
        messages = sum(counted.values())
        self.add(part)
        rest, new = succession.parted(self._rows[[row]], share, self._season.size, max(messages, 1))
        self._rows[[row]], self._rows[[-1]] = rest, new
        for ring, y, mu in zip(self.cadence.rings, self._y, self._mu, strict=True):
            y[:, -1] = succession.part_of(ring, y[:, row], share, counted, known_from, self._bucket)
            mu[:, -1] = share * mu[:, row]
            y[:, row] -= y[:, -1]
            mu[:, row] -= mu[:, -1]
        self._beat = None

    def scale(self, topic: str, times: float) -> None:
        """Go on with a topic that counts so many ``times`` as many of the same messages from the next bucket on.

        What was counted and expected of it becomes what it would have been, so that a new way of counting is no surge.
        """
        row = self._row(topic)
        self._rows["m"][row, 0] += np.log(times)
        for y, mu in zip(self._y, self._mu, strict=True):
            y[:, row] = np.round(y[:, row] * times)
            mu[:, row] *= times
        self._beat = None

    @property
    def start(self) -> int:
        """The first bucket that is known."""
        return self._start

    def _row(self, topic: str) -> int:
        try:
            return self._index[topic]
        except KeyError:
            raise DetectorError(f"topic {topic!r} is not watched") from None

    # ------------------------------------------------------------------ time

    def step(self, bucket: int, counts: Mapping[str, int], *, promotion: float | None = None) -> Tick:
        """Take the counts of distinct customers in one closed bucket and judge every topic."""
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
        """Nothing is known of the buckets from ``bucket_from`` up to, not with, ``bucket_to``."""
        if bucket_from <= self._bucket or bucket_to <= bucket_from:
            raise DetectorError(f"buckets {bucket_from} to {bucket_to} are not ahead of {self._bucket}")
        silence = np.zeros(len(self.topics))
        for missed in range(self._bucket + 1, bucket_from):
            self._step(missed, silence, None)
        for bucket in range(bucket_from, bucket_to):
            self._turn(bucket)
            self._bucket = bucket
            self._volumes[bucket // self.cadence.beat % VOLUME_BEATS] = 0.0
            if (bucket + 1) % self.cadence.beat == 0:
                self._forget_beat()

    @staticmethod
    def _check(topic: str, count: int) -> None:
        if not 0 <= count <= MOST_COUNT or count != int(count):
            raise DetectorError(f"count {count!r} of topic {topic!r} is no number of customers")

    def _step(self, bucket: int, y: FloatArray, promotion: float | None) -> Tick:
        rows, beat = self._rows, self._this_beat(bucket)
        level = self._level(bucket, y, beat)
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

    def _turn(self, bucket: int) -> None:
        """Empty the slots of the rings that ``bucket`` is the first of."""
        for i, ring in enumerate(self.cadence.rings):
            if ring.begins(bucket):
                slot = ring.slot(bucket)
                self._y[i][slot] = 0
                self._mu[i][slot] = 0
                self._total[i][slot] = 0.0

    def _forget_beat(self) -> None:
        self._heard[:] = 0.0
        for name in ("residual", "doubt", "peak"):
            self._rows[name] = 0
        self._beat = None

    # ------------------------------------------------------------------ expect

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

    def _level(self, bucket: int, y: FloatArray, beat: Beat) -> float:
        """The volume of everything in this bucket; 1 where counts are judged as they are."""
        if not self._season.offset:
            return 1.0
        here, there = self._usual[self._slot(bucket)], self._usual[self._slot(bucket - 1)]
        before = float(self._volume[-1]) * (here / there if here > 0.0 and there > 0.0 else 1.0)
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

    # ------------------------------------------------------------------ scan

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

    def _windows(self, kept: list[NDArray[Any]], bucket: int) -> FloatArray:
        """Sums of each window over what two rings keep."""
        rings, lengths = self.cadence.rings, self._lengths
        return np.concatenate([rings[i].window_sums(kept[i], bucket, lengths[i]) for i in (0, 1) if lengths[i]])

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

    def _calm(self, scanned: Scanned) -> NDArray[np.bool_]:
        w = self.cadence.reading
        y, mean, variance = scanned.y[w], scanned.mean[w], scanned.variance[w]
        calm: NDArray[np.bool_] = y < CALM_RATIO * mean + 1
        unsure = calm & (y > mean + CALM_Z * np.sqrt(variance))
        if unsure.any():
            calm[unsure] = nb_midp_log10(y[unsure], mean[unsure], variance[unsure]) < -np.log10(CALM_P)
        return calm

    def _note_episodes(self, bucket: int, score: FloatArray) -> None:
        rows, cadence = self._rows, self.cadence
        over = (score >= EPISODE_FLOOR) & (bucket - rows["born"] >= cadence.settled)
        closing = (rows["episode_peak"] > 0) & (bucket - rows["episode_end"] > cadence.gap)
        if closing.any():
            closed = np.stack([np.nonzero(closing)[0], rows["episode_end"][closing], rows["episode_peak"][closing]], 1)
            kept = self._episodes[self._episodes[:, 1] > bucket - cadence.fit]
            self._episodes = np.concatenate([kept, closed])[-MOST_EPISODES:]
            rows["episode_peak"][closing] = 0
        if over.any():
            rows["episode_end"] = np.where(over, bucket, rows["episode_end"])
            rows["episode_peak"] = np.where(over, np.maximum(rows["episode_peak"], score), rows["episode_peak"])

    def calibrate(self) -> Calibration:
        """Set the threshold from the tenant's own history, and say what became of it."""
        before, cadence = self.threshold, self.cadence
        days, episodes = 7 * self._history() / cadence.per_week, len(self._peaks())
        if self._history() < cadence.least:
            return Calibration(before, before, "too little history", days, episodes)
        self.threshold = self.threshold_for(self.settings.false_alarms_per_week)
        reason: CalibrationReason = "history has grown" if self._calibrated else "first fit"
        self._calibrated = True
        return Calibration(before, self.threshold, reason, days, episodes)

    def threshold_for(self, per_week: float) -> float:
        """The threshold that the history so far gives for a budget of false alarms a week."""
        if self._history() < self.cadence.least:
            return self.threshold
        return threshold_for(self._peaks(), self._history() / self.cadence.per_week, per_week=per_week)

    def reached(self, threshold: float, since: int) -> int:
        """How many episodes of topics ended at ``since`` or later, or go on, and reached a threshold."""
        ended = (self._episodes[:, 1] >= since) & (self._episodes[:, 2] >= threshold)
        return int(ended.sum()) + int((self._rows["episode_peak"] >= threshold).sum())

    def _history(self) -> int:
        """Buckets that the threshold may be fitted on."""
        seen = min(max(self._bucket + 1 - self._start - self.cadence.settled, 0), self.cadence.fit)
        if len(self._episodes) < MOST_EPISODES:
            return seen
        return min(seen, max(self._bucket - int(self._episodes[0, 1]), 1))

    def _peaks(self) -> FloatArray:
        """Highest scores of the episodes in these buckets, those still open among them."""
        rows, day = self._rows, round(self.cadence.per_week / 7)
        now = np.nonzero(rows["episode_peak"] > 0)[0]
        open_ = np.stack([now, rows["episode_end"][now], rows["episode_peak"][now]], 1)
        return quiet_peaks(np.concatenate([self._episodes, open_]), before=day, after=3 * day)

    # ------------------------------------------------------------------ learn

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
            rows["hot"][accepted] = _NEVER
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

    # ------------------------------------------------------------------ explain

    def explain(self, topic: str, *, extra: float = 0.0) -> Explanation:
        """Why the topic alarms or not, as of the last bucket; ``extra`` is what it must score beyond the threshold."""
        row, bucket = self._row(topic), self._bucket
        scanned = self._scanned(bucket)
        required = self.threshold + extra
        verdicts = [self._window_verdict(scanned, w, row, bucket, required) for w in range(len(self.cadence.windows))]
        telling = verdicts[int(scanned.best[row])]
        spoke = tuple(one for one in verdicts if one.score >= required)
        return Explanation(telling, spoke, self._onset(row, bucket, telling), self._factors(row, telling))

    def onset(self, topic: str) -> int:
        """The bucket from which the counts of a topic are best explained by a surge, as of the last bucket."""
        row, bucket = self._row(topic), self._bucket
        scanned = self._scanned(bucket)
        telling = self._window_verdict(scanned, int(scanned.best[row]), row, bucket, self.threshold)
        return self._onset(row, bucket, telling)

    def _scanned(self, bucket: int) -> Scanned:
        beat = self._this_beat(bucket)
        return self._scan(bucket, self._doubt(beat, self._lift(bucket)), beat)

    def _window_verdict(self, scanned: Scanned, w: int, row: int, bucket: int, required: float) -> WindowVerdict:
        i, window = self.cadence.windows[w]
        ring = self.cadence.rings[i]
        first, end = ring.span(bucket, window.buckets // ring.unit)
        mean, variance = float(scanned.mean[w, row]), float(scanned.variance[w, row])
        return WindowVerdict(
            first=max(first, int(self._rows["born"][row])),
            end=end,
            observed=int(scanned.y[w, row]),
            expected=mean,
            upper_bound=bound_of(required, window, mean, variance),
            score=float(scanned.score[w, row]),
        )

    def _onset(self, row: int, bucket: int, telling: WindowVerdict) -> int:
        """The start that explains the surge best: the largest Poisson likelihood ratio among those remembered."""
        best, onset = 0.0, telling.first
        for i, ring in enumerate(self.cadence.rings):
            y = ring.sums(self._y[i][:, row], bucket)
            mean = np.maximum(ring.sums(self._mu[i][:, row], bucket), 1e-9)
            gain = np.where(y > mean, y * np.log(np.maximum(y, 1.0) / mean) - (y - mean), 0.0)
            n = int(gain.argmax())
            if gain[n] > best:
                best, onset = float(gain[n]), ring.span(bucket, n + 1)[0]
        return max(onset, int(self._rows["born"][row]))

    def _factors(self, row: int, telling: WindowVerdict) -> tuple[Factor, ...]:
        """Level, then what the calendar and the volume (promotions among it) multiply it by."""
        buckets = np.arange(telling.first, telling.end)
        m, names = self._rows["m"][row].astype(float), self._season.names
        beats, which = np.unique(buckets // self.cadence.beat, return_inverse=True)
        x = np.stack([self._features(int(beat) * self.cadence.beat) for beat in beats])[which]
        weekday = [n for n, name in enumerate(names) if name.startswith("day")]
        wave = [n for n, name in enumerate(names) if name.startswith(("cos", "sin"))]
        if not self._season.offset:
            base = float(np.exp(m[0])) * len(buckets)
            by_year = float(np.exp(x[:, wave] @ m[wave]).mean())
            by_both = float(np.exp(x[:, wave + weekday] @ m[wave + weekday]).mean())
            return Factor("level", base), Factor("year", by_year), Factor("weekday", by_both / by_year)
        slots = np.array([self._slot(int(beat) * self.cadence.beat) for beat in beats])[which]
        usual = np.where(self._usual > 0, self._usual, max(self._usual.mean(), 1e-9))
        days = usual.reshape(-1, 24).mean(1)
        by_hour = usual[slots] / days[slots // 24] * np.exp(x[:, wave] @ m[wave])
        by_day = days[slots // 24] / usual.mean() * np.exp(x[:, weekday] @ m[weekday])
        base = float(np.exp(m[0]) * usual.mean()) * len(buckets)
        hour, both = float(by_hour.mean()), float((by_hour * by_day).mean())
        return (
            Factor("level", base),
            Factor("hour", hour),
            Factor("weekday", both / hour),
            Factor("volume", telling.expected / max(base * both, 1e-9)),
        )

    def outlook(self) -> Outlook:
        """What is expected of every topic by the beat, newest first: what `models.cells` judges hidden cells against."""
        beat, ring = self._this_beat(self._bucket), self.cadence.rings[1]
        expected = self._mu[1][ring.newest_first(self._bucket)].astype(float)
        return Outlook(tuple(self.topics), expected, beat.phi, beat.alpha[self.cadence.reading] + beat.doubt)

    def curve(self, topic: str, buckets: Sequence[int]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Expected, lower and upper count of each of ``buckets``, which must lie in the last three days."""
        row = self._row(topic)
        beat = self._this_beat(self._bucket)
        expected = np.full(len(buckets), np.nan)
        for i, ring in reversed(list(enumerate(self.cadence.rings))):
            for n, bucket in enumerate(buckets):
                if bucket <= self._bucket and ring.remembers(bucket, self._bucket):
                    length = min(ring.unit, self._bucket - bucket // ring.unit * ring.unit + 1)
                    expected[n] = self._mu[i][ring.slot(bucket), row] / length
        variance = beat.phi[row] * expected + (beat.alpha[0, row] + beat.doubt[row]) * expected**2
        sd = np.sqrt(variance)
        return expected, np.maximum(expected - 2 * sd, 0.0), expected + 2 * sd

    # ------------------------------------------------------------------ keep

    def pack(self) -> dict[str, bytes]:
        """All that is known: ``shared`` for the tenant, ``topics`` with some 930 bytes a topic (five-minute buckets)."""
        settings = asdict(self.settings)
        head = {
            "format": FORMAT,
            "settings": settings | {name: settings[name].total_seconds() for name in _SPANS},
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
            **{name: getattr(self, f"_{name}") for name in _SHARED},
            **{f"total{i}": total for i, total in enumerate(self._total)},  # type: ignore[arg-type]  # arrays, no flags
        )
        parts = [self._rows, *self._y, *self._mu]
        return {"shared": out.getvalue(), "topics": b"".join(part.tobytes() for part in parts)}

    @classmethod
    def unpack(cls, packed: Mapping[str, bytes]) -> Detector:
        """The detector that was packed. Raises `DetectorError` on a format that this version does not know."""
        with np.load(io.BytesIO(packed["shared"]), allow_pickle=False) as shared:
            head = json.loads(shared["head"].tobytes())
            if head["format"] != FORMAT:
                raise DetectorError(f"detector state of format {head['format']}, known is {FORMAT}")
            settings = head["settings"] | {n: timedelta(seconds=head["settings"][n]) for n in _SPANS}
            detector = cls(DetectorSettings(**settings), head["start"])
            detector.topics = head["topics"]
            detector._index = {topic: i for i, topic in enumerate(detector.topics)}
            detector._bucket, detector.threshold = head["bucket"], head["threshold"]
            detector._calibrated = head["calibrated"]
            detector._prior = share.Prior(shared["prior_mean"], shared["prior_covariance"])
            for name in _SHARED:
                setattr(detector, f"_{name}", shared[name])
            detector._total = [shared[f"total{i}"] for i in range(len(detector.cadence.rings))]
        detector._fill(packed["topics"])
        return detector

    def _fill(self, packed: bytes) -> None:
        """Restore the arrays that have one value a topic."""
        count, at = len(self.topics), 0

        def part(dtype: np.dtype[Any], size: int) -> NDArray[Any]:
            nonlocal at
            array = np.frombuffer(packed, dtype, size, at).copy()
            at += array.nbytes
            return array

        self._rows = part(self._rows.dtype, count)
        self._y = [part(y.dtype, len(y) * count).reshape(len(y), count) for y in self._y]
        self._mu = [part(mu.dtype, len(mu) * count).reshape(len(mu), count) for mu in self._mu]


_SPANS = ("bucket", "utc_offset", "year")
_SHARED = ("pool", "pooled", "usual", "volume", "heard", "volumes", "episodes")
