"""The hidden: defects of one value in a busy topic, told by counts where messages are too many for crowds."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b

from models.buckets import BUCKETS_PER_HOUR, end_of, start_of
from models.cellfile import PARTS
from models.cells import CellVerdict
from models.cellstate import Cell
from models.cellwatch import CellWatch
from models.counted import Counted
from models.detector import Detector
from models.evidence import CulpritFigures, CurvePoint, Evidence, WindowFigures
from models.surge import Reading
from models.topic import Topic
from service.pipeline.tide import Turn
from service.pipeline.witness import Witness
from service.store.counts import Counts

HIDDEN = "hidden-"  # what the names of their episodes begin with
_CALM = 0.6  # times the bar, below which a cell is as usual: as of crowds


@dataclass(frozen=True, slots=True)
class Find:
    """A cell over the floor: the name of its episode, and when its window began."""

    name: str
    verdict: CellVerdict
    first: int
    """A bucket, as all times of episodes."""


class Hidden:
    """Takes every closed hour of a busy tenant once, in order; holds nothing of others."""

    def __init__(self, counts: Counts, witness: Witness, *, past: timedelta) -> None:
        """``past``: how far back counts by value are kept."""
        self._counts = counts
        self._witness = witness
        self._past = past
        self._watch: CellWatch | None = None
        self._finds: tuple[Find, ...] = ()
        self._written = True

    @property
    def watch(self) -> CellWatch | None:
        """The watch of a busy tenant."""
        return self._watch

    def restore(self, packed: Mapping[str, bytes]) -> None:
        """Go on from what was packed."""
        self._watch, self._finds, self._written = CellWatch.unpack(packed) if packed else None, (), True

    def pack(self) -> dict[str, bytes]:
        """What changed since `written`; empty parts where there is nothing any more."""
        if self._written:
            return {}
        return self._watch.pack() if self._watch else dict.fromkeys(("watch", *PARTS), b"")

    def written(self) -> None:
        """What `pack` answered lies in the store."""
        if self._watch is not None and not self._written:
            self._watch.written()
        self._written = True

    async def take(
        self, hour: int, counted: Counted, detector: Detector, false_alarms_per_week: float, loud: Collection[str]
    ) -> None:
        """Take in a closed hour and what it ``counted``; ``loud`` are the topics on which alerts are open. A budget of 0
        is that of a tenant who is not busy."""
        if not false_alarms_per_week:
            self._written = self._written and self._watch is None
            self._watch, self._finds = None, ()
            return
        watch = self._watch = self._watch or CellWatch(false_alarms_per_week)
        watch.per_week = false_alarms_per_week
        begin = hour - self._past // timedelta(hours=1) if watch.hour is None else watch.hour + 1
        for one in range(begin, hour):
            watch.take(one, await self._counts.hour(one))
            await asyncio.sleep(0)  # the lease is renewed beside a long past
        watch.take(hour, counted)
        self._finds = tuple(_find(one, hour) for one in await asyncio.to_thread(watch.judge, detector.outlook(loud)))
        self._written = False

    async def skip(self, hour: int) -> None:
        """Leave out an hour in which nobody listened."""
        if self._watch is not None and self._watch.hour is not None:
            self._watch.take(hour, Counted.of([]))
            self._finds, self._written = (), False

    def turns(
        self,
        now: int,
        topics: Mapping[str, Topic],
        detector: Detector,
        extra: Mapping[str, float],
        going: Collection[str],
    ) -> dict[str, Turn]:
        """Cells of these topics over the floor as of bucket ``now``, by the name of their episode, one a defect: those
        ``going`` on first, then the most telling."""
        watch = self._watch
        if watch is None:
            return {}
        kept: list[Find] = []
        for find in sorted(self._finds, key=lambda one: one.name not in going):
            new = find.name not in going
            if find.verdict.cell.topic in topics and not (
                new and watch.explained(find.verdict, [one.verdict for one in kept])
            ):
                kept.append(find)
        turns = {}
        for find in kept:
            one, topic = find.verdict, topics[find.verdict.cell.topic]
            bar = watch.bar + extra.get(one.cell.topic, 0.0)
            reading = Reading(
                now - 1, one.score >= bar, one.score < _CALM * bar, find.first, one.observed, one.expected
            )
            turns[find.name] = Turn(
                reading,
                lambda before, find=find, topic=topic, bar=bar: self._testify(detector, topic, find, bar, before),  # type: ignore[misc]
                None,
                (one.cell.topic, (one.cell.attribute, one.cell.value)),
            )
        return turns

    def in_another(self, topic: str, cell: tuple[str, str], told: Collection[str]) -> bool:
        """Whether another cell that was told shows the same event as a cell over the floor."""
        assert self._watch is not None
        own = next(one for one in self._finds if one.verdict.cell == Cell(topic, *cell))
        others = [one.verdict for one in self._finds if one.name in told and one is not own]
        return self._watch.explained(own.verdict, others)

    def excess(self, topic: str, going: Collection[str]) -> float:
        """The most customers beyond the expected of any cell of a topic whose episode is going on."""
        found = [one.verdict for one in self._finds if one.name in going and one.verdict.cell.topic == topic]
        return max((one.observed - one.expected for one in found), default=0.0)

    async def _testify(
        self, detector: Detector, topic: Topic, find: Find, bar: float, before: Evidence | None
    ) -> Evidence:
        """All that an alert shows of a hidden cell, as of the end of its window."""
        one = find.verdict
        last = find.first + one.hours * BUCKETS_PER_HOUR - 1
        cell = (one.cell.attribute, one.cell.value)
        shown = await self._witness.testify_part(detector, topic, cell, find.first, last)
        figures = WindowFigures(start_of(find.first), end_of(last), one.observed, one.expected, one.upper_bound)
        own = CulpritFigures(*cell, one.observed, one.expected, one.lift, 10**-one.score)
        others = tuple(found for found in shown.culprits if (found.attribute, found.value) != cell)
        due = sum(point.expected for point in shown.curve[-one.hours :])
        part = one.expected / max(due, 1e-9)
        factors = detector.factors(one.cell.topic, find.first, last + 1, due)
        return replace(
            shown,
            window=figures,
            windows=(figures,),
            onset=before.onset if before else figures.start,
            customers=one.observed,
            culprits=(own, *others),
            curve=await self._curve(shown.curve, one, part),
            contributions={**{factor.name: factor.times for factor in factors}, "share": part},
        )

    async def _curve(self, curve: tuple[CurvePoint, ...], one: CellVerdict, part: float) -> tuple[CurvePoint, ...]:
        """The topic's curve, brought down to the cell's part of it."""
        points = []
        for point in curve:
            hour = int(point.start.timestamp()) // 3600
            cells = (await self._counts.cells_of_hours([hour])).get(one.cell.topic, {})
            seen = cells.get(one.cell.attribute, Counter[str]())[one.cell.value]
            due = part * point.expected
            points.append(CurvePoint(point.start, seen, due, due + part**0.5 * (point.upper - point.expected)))
        return tuple(points)


def _find(verdict: CellVerdict, hour: int) -> Find:
    cell = verdict.cell
    name = blake2b(f"{cell.attribute}\x1f{cell.value}".encode(), digest_size=4).hexdigest()
    return Find(f"{HIDDEN}{cell.topic}-{name}", verdict, (hour + 1 - verdict.hours) * BUCKETS_PER_HOUR)
