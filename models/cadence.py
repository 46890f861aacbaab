"""The cadence of counts: how long a bucket is, what the detector remembers of it, and how fast it lives.

Counts of minutes live by the hour and the week, counts of days and weeks by the year. A *beat* is the time between
two steps of learning: an hour where buckets are shorter, else the bucket itself.
"""

from dataclasses import dataclass
from datetime import timedelta

from models.ring import Ring
from models.scan import Window
from models.season import ALL, WEEK, YEAR, Season, SeasonKind, year_season

HOUR, DAY, SEVEN_DAYS = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)

# Handicap and stretch of each window: DETECTION.md, formulas 4 and 5, set anew on the development seed.
_MINUTES = (
    (5, 4.52, 1.0),
    (15, 2.92, 1.0),
    (30, 3.24, 1.0),
    (60, 1.49, 1.0),
    (120, 1.14, 1.1),
    (180, 1.38, 1.1),
    (360, -0.07, 1.15),
    (720, 0.16, 1.2),
    (1440, -1.0, 1.2),
)
_DAYS = ((1, 0.0, 1.0), (2, 0.0, 1.0), (3, 0.2, 1.0), (5, 0.3, 1.0), (7, 0.4, 1.0), (14, 0.6, 1.0))
_WEEKS = ((1, 0.0, 1.0), (2, 0.0, 1.0), (3, 0.6, 1.0))


class CadenceError(ValueError):
    """A length of bucket that no cadence is known for."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """One way to count. Times are in buckets or, where the name says so, in beats.

    ``rings``: single buckets, beats, and a coarse one, each as (unit, size). ``windows``: index of a ring (the
    first or the second, in this order) and the window read from it, ascending. ``settled``: age from which a
    topic's episodes are believed. ``grace``: age up to which a new topic is learnt
    and not judged. ``gap``: alarms nearer than this are one episode. ``fit`` and ``least``: how much
    of the past the threshold is fitted on.
    """

    bucket: timedelta
    season: Season
    beat: int
    rings: tuple[Ring, Ring, Ring]
    windows: tuple[tuple[int, Window], ...]
    settled: int
    gap: int
    fit: int
    least: int
    grace: int
    hot_beats: int
    shift_beats: int
    cool_beats: int
    guard_beats: int
    half_life_beats: float
    alpha_first: float
    alpha_range: tuple[float, float]
    wobble: float
    """Relative variance of a beat's count that learning allows for beside the topic's own spread."""

    @property
    def per_week(self) -> float:
        return SEVEN_DAYS / self.bucket

    @property
    def beat_days(self) -> float:
        return self.beat * self.bucket / DAY

    @property
    def slots(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Lengths of the windows in slots, by ring."""
        fine, beats = ([w.buckets // self.rings[i].unit for n, w in self.windows if n == i] for i in (0, 1))
        return tuple(fine), tuple(beats)

    @property
    def reading(self) -> int:
        """The window by which a topic is found to be quiet again: an hour, or the shortest."""
        lengths = [window.buckets for _, window in self.windows]
        return lengths.index(self.beat) if self.beat in lengths else 0


def cadence_of(
    bucket: timedelta, season: SeasonKind | None = None, *, year: timedelta = YEAR, offset: bool = True
) -> Cadence:
    """The cadence of a length of bucket; by default, days and weeks have a yearly season and all else a weekly one.

    ``offset``: whether quick counts are shares of the volume of everything; slow ones never are.

    Raises `CadenceError` unless buckets divide an hour, or are one day or one week long.

    >>> cadence_of(timedelta(minutes=5)).beat, cadence_of(timedelta(weeks=1)).beat
    (12, 1)
    """
    if bucket in (DAY, SEVEN_DAYS):
        if season == "week":
            raise CadenceError(f"buckets of {bucket.days} days need the season 'year'")
        return _slow(bucket, year)
    if bucket <= timedelta(0) or bucket > HOUR or HOUR % bucket:
        raise CadenceError(f"buckets of {bucket} are not supported: they must divide an hour, or be a day or a week")
    if season == "year":
        raise CadenceError(f"buckets of {bucket} need the season 'week'; for 'year' count by the day or the week")
    return _quick(bucket, WEEK if offset else ALL)


def _quick(bucket: timedelta, season: Season) -> Cadence:
    beat, day = HOUR // bucket, DAY // bucket
    return Cadence(
        bucket=bucket,
        season=season,
        beat=beat,
        rings=(Ring(1, beat), Ring(beat, 24), Ring(6 * beat, 12)),
        windows=tuple(
            (0 if minutes <= 60 else 1, Window(buckets, handicap, stretch))
            for minutes, handicap, stretch in _MINUTES
            if (buckets := timedelta(minutes=minutes) // bucket) and not timedelta(minutes=minutes) % bucket
        ),
        settled=7 * day,
        gap=6 * beat,
        fit=14 * day,
        least=3 * day,
        grace=12 * beat,
        hot_beats=3,
        shift_beats=22,
        cool_beats=24,
        guard_beats=24,
        half_life_beats=24.0 * 14,
        alpha_first=0.02,
        alpha_range=(0.004, 0.5),
        wobble=0.03,
    )


def _slow(bucket: timedelta, year: timedelta) -> Cadence:
    days = bucket // DAY
    lengths = _DAYS if days == 1 else _WEEKS
    return Cadence(
        bucket=bucket,
        season=year_season(bucket, year),
        beat=1,
        rings=(Ring(1, 1), Ring(1, 24), Ring(4, 12)),
        windows=tuple((1, Window(buckets, handicap, stretch)) for buckets, handicap, stretch in lengths),
        settled=364 // days,
        gap=2,
        fit=5 * 364 // days,
        least=182 // days,
        grace=8,
        hot_beats=3,
        shift_beats=26 if days > 1 else 21,
        cool_beats=8,
        guard_beats=2,
        half_life_beats=260.0 if days > 1 else 365.0,
        alpha_first=0.001,
        alpha_range=(0.0002, 0.5),
        wobble=0.0,
    )
