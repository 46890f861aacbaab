"""The episodes that topics went through, and the threshold that they give: the one knob."""

import numpy as np

from models.calibration import Calibration, CalibrationReason, quiet_peaks, threshold_for
from models.memory import Memory
from models.season import FloatArray

EPISODE_FLOOR = 0.5  # below any threshold worth having
MOST_EPISODES = 20_000


class Episodes(Memory):
    """Memory of when topics were over the floor, and how high."""

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
