"""The gauge: what is usual of every indicator at this hour, weekday and load, and whether now is not.

Of each indicator it knows a level with the season of `models.season.WEEK`, as a random walk that every hour corrects
(extended Kalman filter; surprising hours count less, after Huber, 1964; hours that alarm hardly at all). Windows of 15
minutes to a day are held against it (`models.measure`), each given the same share of false alarms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.beat import ROBUST_Z
from models.buckets import BUCKET, BUCKETS_PER_DAY, BUCKETS_PER_HOUR, hour_of_week
from models.gaugebar import bar_for
from models.habit import CAMPAIGN, DIFFERS, DRIFT, LOAD, PRIOR, calendar
from models.indicator import Indicator, Tally
from models.limits import Cause, Lines
from models.measure import Mask, Measures, Sums, heard
from models.season import FloatArray

_WEEK = 7 * BUCKETS_PER_DAY
WINDOWS = np.array([3, 6, 12, 24, 48, 96, 288])
"""In buckets: 15 minutes to a day."""
HOUR = 2
"""The place of the hour among them."""
_LINES = [2, 4, 6]  # windows that a person's line is held against: an hour, four, a day
HANDICAP: FloatArray = np.log10(_WEEK / WINDOWS)[:, None]
"""A window of 15 minutes is looked at a hundred times as often as one of a day: each may be wrong as often a week."""
_RECENT, _HALF = np.clip(WINDOWS // 3, 3, 24), 0.5
"""The last third of each window, of two hours at most: what was half as far off in it is not over yet. Without that a window
of eight hours rings long after the queue is short again."""
_DAY, _EIGHT_HOURS = 6, 5
_DENSE = 2.0  # times ``least`` of waits in eight hours, from which a day tells nothing that they do not
RING = int(WINDOWS[-1]) + 1
CURVE = 7 * 24
"""Hours that are remembered as figures."""


LEARNING = timedelta(days=14)
"""Until there is so much history the starting threshold holds: each weekday was seen twice."""
_YOUNG = BUCKETS_PER_DAY  # in which nothing is too surprising to learn from
_FIT, _LEAST_FIT = 8 * _WEEK, 4 * BUCKETS_PER_DAY
_GAP = 6 * BUCKETS_PER_HOUR  # between two episodes
_NOTED = -0.5  # scores that begin an episode: low enough to be chance, most of the time
_HOT_WEIGHT, _COOL = 0.05, 3 * BUCKETS_PER_HOUR
_SHIFT, _SHIFT_VARIANCE = 24 * BUCKETS_PER_HOUR, 0.25  # alarmed for a day: the new normal, to be learnt at once
_ALPHA, _ALPHA_WEIGHT = 0.01, 10.0  # variance of eta beyond chance, and how many windows that guess weighs
_LEAST_ALPHA = 1e-4
_ROUGH_WEIGHT = 3.0  # days that a first guess of an hour's roughness weighs
_KEPT = 0.5 ** (1 / 28)  # a day: what is known of the spread is half forgotten in four weeks
_USUAL_RATE, _MOST_USUAL = 0.3, 0.3  # of a week's log volume, which counts no more than so far off
_LONG = 4  # hours over which a queue builds up
_DRY = 5.0  # observations an hour below which volume says little
_CALM = 1.3  # -log10 p under which the last hour is as usual: one in twenty
_NEAR_WIDTH = 0.4  # of the log values that `models.measure.heard` counts as near


@dataclass(frozen=True, slots=True, eq=False)
class GaugeTick:
    """One bucket of all indicators, in the order of ``names``. ``window`` is the place in `WINDOWS` that tells most."""

    bucket: int
    names: tuple[str, ...]
    score: FloatArray
    window: NDArray[np.int64]
    cause: tuple[Cause | None, ...]
    calm: Mask
    shifted: tuple[str, ...] = ()


class Gauge:
    """All indicators of a tenant, bucket after bucket. ``per_week``: false alarms allowed over all of them."""

    def __init__(self, indicators: Sequence[Indicator], per_week: float) -> None:
        self.indicators = tuple(indicators)
        self.per_week = per_week
        self.measures, self.lines = Measures.of(indicators), Lines(indicators)
        count, size = len(indicators), len(PRIOR)
        self.bucket: int | None = None
        self.bar = bar_for(np.zeros(0), 0.0, per_week / max(count, 1))
        """Until it is fitted: what is usual elsewhere."""
        self.fitted = False
        self.born = np.full(count, -1)
        self.m = np.zeros((count, size))
        self.P = np.tile(PRIOR, (count, 1, 1))
        self.spread, self.density = np.ones(count), np.ones(count)
        self.told = np.zeros((2, count))
        self.alpha = np.full((len(WINDOWS), count), _ALPHA)
        self.seen = np.zeros((2, *self.alpha.shape))
        self.rough, self.noted = np.ones((24, count)), np.zeros((2, 24, count))
        self.usual = np.full((168, count), np.nan)
        self.campaign, self.campaigned = np.zeros(count), np.zeros(count)
        """The log of times as much that runs now, and the hours of campaigns learnt from."""
        self.alarmed, self.hot = np.zeros(count, int), np.full(count, -_WEEK)
        self.episodes, self.open = np.zeros((0, 3)), np.full((2, count), -np.inf)  # end and peak
        self.sums = np.zeros((5, RING, count))  # running totals
        self.hours = np.full((CURVE, 5, count), np.nan)  # value, usual, lower, upper, n

    # ------------------------------------------------------------------ judge

    def step(
        self,
        bucket: int,
        tallies: Mapping[str, Tally],
        extra: Mapping[str, float] | None = None,
        campaign: FloatArray | float = 0.0,
    ) -> GaugeTick:
        """Judge one closed bucket, then learn from it. ``extra``: what a topic must score beyond the bar; ``campaign``: the log
        of how many times as much an announced campaign brings, 0 where none runs.

        Buckets come in order; those that are left out were empty.
        """
        self._come_to(bucket, campaign)
        eta = self._eta(self.features(bucket))
        said = np.zeros((3, len(self.indicators)))
        for row, one in enumerate(self.indicators):
            tally = tallies.get(one.name, Tally())
            if self.born[row] < 0 and (value := tally.value(one)) is not None and tally.n > 0:
                self._begin(row, bucket, value, tally.n)
                eta[row] = self.m[row, 0]
            usual = float(np.exp(np.clip(eta[row], -30.0, 30.0)))
            said[:, row] = heard(one, tally, usual, float(self.spread[row]))
        self.told += said[[2, 0]]
        return self.take(bucket, said[0], said[1], extra, campaign)

    def take(
        self,
        bucket: int,
        n: FloatArray,
        y: FloatArray,
        extra: Mapping[str, float] | None = None,
        campaign: FloatArray | float = 0.0,
    ) -> GaugeTick:
        """The same of sums that `models.measure.heard` made."""
        self._come_to(bucket, campaign)
        for row in np.flatnonzero((self.born < 0) & (n > 0)):
            self._begin(int(row), bucket, y[row] / n[row], n[row])
        self.bucket, x = bucket, self.features(bucket)
        eta = self._eta(x)
        now = self.measures.sums(n, y, eta, self.spread, self.density)
        stacked = np.stack([now.n, now.y, now.mean, now.gain, now.weight]) * (self.born >= 0)
        self.sums[:, bucket % RING] = self.sums[:, (bucket - 1) % RING] + stacked
        windows, doubt = self.windows(bucket), np.einsum("ji,jik,jk->j", x, self.P, x)
        surprise = self.measures.surprise(windows, self.restless(bucket) + doubt)
        handicapped = np.where(self._going_on(bucket, windows), surprise, 0.0) - HANDICAP
        score, best = handicapped.max(0), handicapped.argmax(0)
        cause = self._causes(bucket, score, best, windows, eta, extra or {})
        loud = np.array([one is not None for one in cause], bool)
        self.hot = np.where(loud, bucket, self.hot)
        self.alarmed = np.where(loud, self.alarmed + 1, np.maximum(self.alarmed - 2, 0))
        self._note(bucket, score)
        shifted = self._learn(bucket, x, eta, windows, doubt) if (bucket + 1) % BUCKETS_PER_HOUR == 0 else ()
        names = tuple(one.name for one in self.indicators)
        return GaugeTick(bucket, names, score, best, cause, ~loud & (surprise[HOUR] < _CALM), shifted)

    def _come_to(self, bucket: int, campaign: FloatArray | float) -> None:
        """Nothing was observed between the last bucket and this one, in which these campaigns run."""
        before, self.campaign = self.campaign, np.broadcast_to(np.asarray(campaign, float), self.born.shape)
        self.P[(before == 0) & (self.campaign != 0), CAMPAIGN, CAMPAIGN] += DIFFERS
        for missing in range(bucket if self.bucket is None else self.bucket + 1, bucket):
            self.sums[:, missing % RING] = self.sums[:, (missing - 1) % RING]

    def _causes(
        self,
        bucket: int,
        score: FloatArray,
        best: NDArray[np.int64],
        windows: Sums,
        eta: FloatArray,
        extra: Mapping[str, float],
    ) -> tuple[Cause | None, ...]:
        """Which threshold each is beyond, if any."""
        values = self.measures.values(windows, eta, WINDOWS[:, None] / BUCKETS_PER_HOUR)
        lined = _places(windows, _LINES)
        bars = self.bar + np.array([extra.get(one.topic, 0.0) for one in self.indicators])
        learnt = self.learnt(bucket)
        telling = values[best, np.arange(len(best))]
        beyond = learnt & (score >= bars) & self.lines.lets(telling)
        starting = ~learnt & self.lines.starting(self.measures, lined, values[_LINES])
        limit = self.lines.limits(self.measures, lined, values[_LINES])
        return tuple(
            Cause.limit if limit[row] else Cause.learnt if beyond[row] else Cause.starting if starting[row] else None
            for row in range(len(best))
        )

    def learnt(self, bucket: int) -> Mask:
        """Which have history enough that the learnt threshold holds."""
        known: Mask = (self.born >= 0) & (bucket - self.born >= LEARNING // BUCKET)
        return known

    # ------------------------------------------------------------------ expect

    def features(self, bucket: int) -> FloatArray:
        """A row of features an indicator: the calendar, by how much the volume of the last hour and of the last four stands
        above its usual height (what waits longest came in before), and the campaign that runs."""
        rows = np.tile(calendar(bucket), (len(self.indicators), 1))
        slots = (hour_of_week(bucket) - np.arange(_LONG)) % 168
        usual = self.usual[slots]
        for place, hours in ((LOAD.start, 1), (LOAD.stop - 1, _LONG)):
            load = np.log((self._volume(bucket, hours) + _DRY) / (usual[:hours].sum(0) + _DRY))
            rows[:, place] = np.where(self.measures.counts | np.isnan(load), 0.0, np.clip(load, -1.5, 1.5))
        rows[:, CAMPAIGN] = self.campaign[:, None]
        return rows

    def _volume(self, bucket: int, hours: int) -> FloatArray:
        """Observations of the hours before a bucket."""
        volume: FloatArray = self.sums[0, (bucket - 1) % RING] - self.sums[0, (bucket - 1 - 12 * hours) % RING]
        return volume

    def _eta(self, x: FloatArray) -> FloatArray:
        eta: FloatArray = np.einsum("jk,jk->j", self.m, x)
        return eta

    def windows(self, bucket: int, lengths: NDArray[np.int64] = WINDOWS) -> Sums:
        now = self.sums[:, bucket % RING]
        n, y, mean, gain, weight = (now[:, None] - self.sums[:, (bucket - lengths) % RING]).clip(0.0)
        return Sums(n, y, mean, gain, weight)

    def _going_on(self, bucket: int, windows: Sums) -> Mask:
        """Which windows tell of now: not those whose last part is as usual again, nor a day of many waits."""
        recent, off = self.windows(bucket, _RECENT), windows.off
        going: Mask = (recent.off * np.sign(off) >= _HALF * np.abs(off)) | (recent.weight <= 0)
        going[_DAY] &= ~(self.measures.waits & (windows.n[_EIGHT_HOURS] >= _DENSE * self.measures.least))
        return going

    def restless(self, bucket: int) -> FloatArray:
        """Variance of eta beyond chance, window by window, at these hours of the day."""
        hour = bucket // BUCKETS_PER_HOUR
        back = np.cumsum(self.rough[(hour - np.arange(24)) % 24], 0)
        hours = np.maximum(WINDOWS // BUCKETS_PER_HOUR, 1)
        restless: FloatArray = self.alpha * back[hours - 1] / hours[:, None]
        return restless

    def _begin(self, row: int, bucket: int, value: float, n: float) -> None:
        """Take the first figure as the level."""
        every = np.full(len(self.indicators), value), np.full(len(self.indicators), n)
        self.m[row, 0] = self.measures.first(*every)[row]
        self.m[row, CAMPAIGN] = float(self.measures.counts[row])  # of twice as much, a count is twice as much
        self.born[row] = bucket

    # ------------------------------------------------------------------ learn

    def _learn(self, bucket: int, x: FloatArray, eta: FloatArray, windows: Sums, doubt: FloatArray) -> tuple[str, ...]:
        """What the last hour teaches: level and season, spread, usual volume; and who has a new normal."""
        hot, young = bucket - self.hot < _COOL, bucket - self.born < _YOUNG
        shifted = (self.alarmed >= _SHIFT) & hot
        self.P[shifted, 0, 0] += _SHIFT_VARIANCE
        self.alarmed[shifted] = 0
        self._remember(bucket, eta, windows, doubt)
        self._learn_alpha(bucket, windows, doubt, ~hot & ~young)
        self._learn_rough(bucket, windows, doubt, ~hot & ~young)
        hour = _places(windows, HOUR)
        noise = hour.doubt + self.restless(bucket)[HOUR]
        far = np.abs(hour.off) / np.sqrt(doubt + noise)
        trust = np.where(young, 1.0, np.minimum(1.0, (ROBUST_Z / np.maximum(far, 1e-9)) ** 2))
        trust = np.where(hot & ~shifted & ~young, trust * _HOT_WEIGHT, trust)
        heard_of = (hour.weight > 1e-6) & (self.born >= 0)
        reach = np.einsum("jik,jk->ji", self.P, x)
        pull = np.where(heard_of, 1.0 / (np.einsum("ji,ji->j", reach, x) + noise / np.maximum(trust, 1e-6)), 0.0)
        self.m += reach * (pull * np.clip(hour.off, -2.0, 2.0))[:, None]
        self.P -= np.einsum("ji,jk,j->jik", reach, reach, pull)
        self.P += DRIFT / 24 * (self.born >= 0)[:, None, None]
        self._learn_spread(trust)
        self._learn_usual(bucket, hour.n)
        self.campaigned += (self.campaign != 0.0) & heard_of
        return tuple(one.name for one, new in zip(self.indicators, shifted, strict=True) if new)

    def _learn_usual(self, bucket: int, volume: FloatArray) -> None:
        """The usual volume of this hour of the week; a campaign moves it no further than an ordinary good week would."""
        slot = hour_of_week(bucket)
        before = self.usual[slot]
        step = np.clip(np.log((volume + _DRY) / (before + _DRY)), -_MOST_USUAL, _MOST_USUAL)
        moved = (before + _DRY) * np.exp(_USUAL_RATE * step) - _DRY
        self.usual[slot] = np.where(self.born < 0, np.nan, np.where(np.isnan(before), volume, moved))

    def _learn_spread(self, trust: FloatArray) -> None:
        """How far single values of a mean lie apart, how densely those of a quantile lie around it."""
        told, n = self.told
        self.told = np.zeros_like(self.told)
        rate = np.minimum(0.05, n / 1_000.0) * trust
        per = told / np.maximum(n, 1e-9)
        self.spread += rate * (np.clip(per, 0.01, 25.0) - self.spread) * self.measures.means
        self.density += rate * (np.clip(per / _NEAR_WIDTH, 0.05, 2.0) - self.density) * self.measures.beyond

    def _learn_alpha(self, bucket: int, windows: Sums, doubt: FloatArray, trusted: Mask) -> None:
        """How much eta varies beyond chance, window by window, from windows that do not overlap."""
        for place, length in enumerate(WINDOWS.tolist()):
            if (bucket + 1) % length:
                continue
            one, alpha = _places(windows, place), self.alpha[place]
            chance = one.doubt + doubt
            excess = np.minimum(one.off**2, 9.0 * (chance + alpha)) - chance
            weight = np.where(trusted & (one.weight > 1e-6), 1.0 / (chance + alpha) ** 2, 0.0)
            kept = _KEPT ** (max(length, BUCKETS_PER_HOUR) / BUCKETS_PER_DAY)
            self.seen[:, place] = self.seen[:, place] * kept + np.stack([weight * excess, weight])
            guess = _ALPHA_WEIGHT / _ALPHA**2
            found = (guess * _ALPHA + self.seen[0, place]) / (guess + self.seen[1, place])
            self.alpha[place] = np.maximum(found, _LEAST_ALPHA)

    def _learn_rough(self, bucket: int, windows: Sums, doubt: FloatArray, trusted: Mask) -> None:
        """How much more, or less, it varies at this hour of the day than at others."""
        one, alpha, at = _places(windows, HOUR), self.alpha[HOUR], bucket // BUCKETS_PER_HOUR % 24
        chance = one.doubt + doubt
        excess = np.minimum(one.off**2, 16.0 * (chance + alpha * self.rough[at])) - chance
        weight = np.where(trusted & (one.weight > 1e-6), (alpha / (chance + alpha * self.rough[at])) ** 2, 0.0)
        self.noted[:, at] = self.noted[:, at] * _KEPT + np.stack([weight * excess / alpha, weight])
        found = (_ROUGH_WEIGHT + self.noted[0, at]) / (_ROUGH_WEIGHT + self.noted[1, at])
        self.rough[at] = np.clip(found, 0.1, 10.0)

    def _remember(self, bucket: int, eta: FloatArray, windows: Sums, doubt: FloatArray) -> None:
        """The hour as the curve shows it, with the band of the normal: two standard deviations."""
        hour, place = _places(windows, HOUR), bucket // BUCKETS_PER_HOUR % CURVE
        reach = 2.0 * np.sqrt(np.minimum(hour.doubt + self.restless(bucket)[HOUR] + doubt, 1.0))
        shown = (
            np.where(hour.n > 0, self.measures.values(hour, eta, 1.0), np.nan),
            *(self.measures.hourly(eta + far) for far in (0.0, -reach, reach)),
            hour.n,
        )
        self.hours[place] = np.where(self.born >= 0, np.stack(shown), np.nan)

    # ------------------------------------------------------------------ calibrate

    def _note(self, bucket: int, score: FloatArray) -> None:
        """Follow the episodes: runs over `_NOTED` less than `_GAP` apart."""
        end, peak = self.open
        over = np.flatnonzero((end > -np.inf) & (bucket - end > _GAP))
        closed = np.stack([over, end[over], peak[over]], 1)
        self.episodes = np.concatenate([self.episodes[self.episodes[:, 1] > bucket - _FIT], closed])
        end[over], peak[over] = -np.inf, -np.inf
        loud = score > _NOTED
        self.open = np.stack([np.where(loud, bucket, end), np.where(loud, np.maximum(peak, score), peak)])

    def calibrate(self) -> float:
        """Fit the bar to the budget on the tenant's own past; answers it. Nothing is fitted on less than four days."""
        settled = self.born[self.born >= 0] + LEARNING // BUCKET // 2
        if self.bucket is None or not len(settled):
            return self.bar
        spans = np.clip(self.bucket - settled, 0, _FIT)
        if spans.max() < _LEAST_FIT:
            return self.bar
        born = self.born[self.episodes[:, 0].astype(int)] + LEARNING // BUCKET // 2
        peaks = self.episodes[self.episodes[:, 1] >= born, 2]
        rate = self.per_week / len(settled)
        self.bar, self.fitted = bar_for(peaks, float(spans.sum()) / _WEEK, rate), True
        return self.bar


def _places(windows: Sums, place: int | list[int]) -> Sums:
    """Some of the windows."""
    return Sums(windows.n[place], windows.y[place], windows.mean[place], windows.gain[place], windows.weight[place])
