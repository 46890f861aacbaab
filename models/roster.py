"""The topics that are watched: added with their past, removed, merged, split and scaled without a false surge."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models import dispersion, share, succession
from models.beat import surprise as surprise_of
from models.learning import Learning
from models.memory import NEVER, VOLUME_BEATS, DetectorError
from models.rows import square, triangle

MOST_COUNT = 10_000_000  # customers of one topic in one bucket; more is a mistake of the caller


class Roster(Learning):
    """Learning over topics that come and go."""

    def add(self, topic: str, past: Mapping[int, int] | None = None, *, known_from: int | None = None) -> None:
        """Watch a topic from the next bucket on.

        ``past`` has its counts in earlier buckets, complete from ``known_from`` on (by default the earliest bucket
        named): a bucket that is missing there held none. The last day of it is judged but not learnt from, since
        a surge may be what brought the topic to light.
        """
        self.add_all({topic: past}, known_from=known_from)

    def add_all(self, topics: Mapping[str, Mapping[int, int] | None], *, known_from: int | None = None) -> None:
        """`add` for many topics with their pasts, at the cost of one."""
        for topic, past in topics.items():
            if topic in self._index:
                raise DetectorError(f"topic {topic!r} is watched already")
            for bucket, count in (past or {}).items():
                self._check(topic, count)
                if bucket > self._bucket:
                    raise DetectorError(f"bucket {bucket} of topic {topic!r} is not in the past")
        rows: Any = np.zeros(len(topics), self._rows.dtype)
        mean = self._prior.mean.copy()
        mean[0] = self._first_level()
        rows["m"], rows["p"] = mean, triangle(self._prior.covariance[None])
        rows["phi"] = dispersion.PHI_WEIGHT * dispersion.PHI_EXCESS, dispersion.PHI_WEIGHT
        rows["born"] = self._bucket + 1
        rows["hot"] = rows["episode_end"] = NEVER
        self._rows = np.concatenate([self._rows, rows])
        self._y = [np.pad(y, ((0, 0), (0, len(topics)))) for y in self._y]
        self._mu = [np.pad(mu, ((0, 0), (0, len(topics)))) for mu in self._mu]
        first = len(self.topics)
        self.topics += topics
        self._index |= {topic: first + n for n, topic in enumerate(topics)}
        self._beat = None
        for n, past in enumerate(topics.values()):
            if past:
                self._recall(first + n, past, min(past) if known_from is None else known_from)

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

    @staticmethod
    def _check(topic: str, count: int) -> None:
        if not 0 <= count <= MOST_COUNT or count != int(count):
            raise DetectorError(f"count {count!r} of topic {topic!r} is no number of customers")
