"""The detector's account of itself: why a topic alarms or not, its curve, and what is expected of all."""

from collections.abc import Collection, Sequence

import numpy as np

from models.beat import Scanned
from models.scanning import Scanning
from models.season import FloatArray
from models.verdict import Explanation, Factor, Outlook, WindowVerdict, bound_of


class Account(Scanning):
    """Scanning that explains itself."""

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

    def factors(self, topic: str, first: int, end: int, expected: float) -> tuple[Factor, ...]:
        """What made the ``expected`` count of a topic in buckets ``first`` up to, not with, ``end``; their product."""
        return self._factors(self._row(topic), WindowVerdict(first, end, 0, expected, 0, 0.0))

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

    def outlook(self, loud: Collection[str] = ()) -> Outlook:
        """What is expected of every topic by the beat, newest first: what `models.cells` judges hidden cells against.

        Of topics that are ``loud`` already it is what they counted, where that is more: only what grew more than they
        did is news there.
        """
        beat, ring = self._this_beat(self._bucket), self.cadence.rings[1]
        order = ring.newest_first(self._bucket)
        expected = self._mu[1][order].astype(float)
        rows = [row for row, topic in enumerate(self.topics) if topic in loud]
        if rows:
            expected[:, rows] = np.maximum(expected[:, rows], self._y[1][order][:, rows])
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
