"""The detector's memory: every array that it keeps, how a topic's row is found in them, and how all are written."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models import share
from models.beat import Beat
from models.buckets import BUCKET
from models.cadence import Cadence, CadenceError, cadence_of
from models.rows import row_type
from models.season import YEAR, FloatArray, SeasonKind

VOLUME_BEATS = 28 * 24  # how far back a topic's past can be learnt from when it is found
FORMAT = 2
NEVER = -(10**9)
_SPANS = ("bucket", "utc_offset", "year")
_SHARED = ("pool", "pooled", "usual", "volume", "heard", "volumes", "episodes")


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


class Memory:
    """What is kept of one tenant: one row and one column of each ring a topic, and what all topics share.

    ``start`` is the first bucket that will be known. Raises `DetectorError` on a cadence that is not supported.
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
        self._promised = 1.0  # times the usual volume that was announced for the last bucket
        self._beat: Beat | None = None

    @property
    def start(self) -> int:
        """The first bucket that is known."""
        return self._start

    def _row(self, topic: str) -> int:
        try:
            return self._index[topic]
        except KeyError:
            raise DetectorError(f"topic {topic!r} is not watched") from None

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

    def _windows(self, kept: list[NDArray[Any]], bucket: int) -> FloatArray:
        """Sums of each window over what two rings keep."""
        rings, lengths = self.cadence.rings, self._lengths
        return np.concatenate([rings[i].window_sums(kept[i], bucket, lengths[i]) for i in (0, 1) if lengths[i]])

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
            "promised": self._promised,
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
    def unpack(cls, packed: Mapping[str, bytes]) -> Self:
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
            detector._calibrated, detector._promised = head["calibrated"], head.get("promised", 1.0)
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
