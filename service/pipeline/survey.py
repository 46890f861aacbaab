"""The survey: crowds, swells, silences and what is hidden, looked for beside the topics, and their episodes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from models.alert import Alert
from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from models.culprit import Cell
from models.evidence import Evidence
from models.surge import Reading, Surge, SurgeRules, SurgeState, advance
from models.topic import Topic
from service.pipeline.bench import Bench
from service.pipeline.docket import Changes, Docket
from service.pipeline.exposure import Said
from service.pipeline.hearing import Hearing
from service.pipeline.hidden import Hidden
from service.pipeline.lookout import Lookout, Sighting, is_told
from service.pipeline.tide import Tide, Turn
from service.pipeline.told import CROWD, Told
from service.pipeline.witness import Witness
from service.store.model import ModelStore

_CROWD_OVER = 6 * BUCKETS_PER_HOUR  # since the last message of a crowd, after which it is no news that it was
_CROWD_REST = 2  # looks, one an hour, without a crowd until its episode ends
_CALM = 0.6  # times the bar, below which a crowd is no crowd any more


class Survey:
    """Puts what is seen beside the topics on the docket of one judge."""

    def __init__(
        self,
        lookout: Lookout,
        tide: Tide,
        hidden: Hidden,
        witness: Witness,
        models: ModelStore,
        docket: Docket,
        told: Told,
        hearing: Hearing,
        rules: SurgeRules,
    ) -> None:
        self._lookout = lookout
        self._tide = tide
        self._hidden = hidden
        self._witness = witness
        self._models = models
        self._docket = docket
        self._told = told
        self._hearing = hearing
        self._rules = rules

    async def take(
        self,
        bench: Bench,
        bucket: int,
        extra: Mapping[str, float],
        campaigns: Sequence[range],
        now: datetime,
        changes: Changes,
    ) -> None:
        """Look for crowds, swells and silences, and advance their episodes; ``campaigns`` by their buckets."""
        watch = self._lookout.watch
        seen = {f"{CROWD}{one.place.number}": one for one in await self._seen(bench, bucket + 1, extra, campaigns)}
        bench.faces = {number: face for number, face in bench.faces.items() if bucket - face[0] <= BUCKETS_PER_DAY}
        model = (await self._models.current()).model
        live: dict[str, Topic] = {topic.id: topic for topic in model.topics if is_told(topic)} if model else {}
        hidden = self._hidden.turns(bucket + 1, live, bench.detector, extra, bench.crowds)
        turns = self._tide.turns(bucket + 1) | hidden
        if (bucket + 1) % BUCKETS_PER_DAY == 0:
            watch.calibrate(bucket + 1)
        for name in sorted({*seen, *turns, *bench.crowds}, key=lambda name: (-_loud(seen.get(name)), name)):
            sighting, turn, before = seen.get(name), turns.get(name), bench.crowds.get(name)
            if sighting is not None:
                bar = self._bar(sighting, extra)
                alarm = sighting.score >= bar and is_told(sighting.topic)
                if before is None and await self._told_of(bench, sighting, alarm=alarm):
                    watch.face(sighting.place.number)
                    continue
                if alarm and before is None and bucket - sighting.last > _CROWD_OVER:
                    continue
                reading = Reading(
                    bucket,
                    alarm,
                    sighting.score < _CALM * bar,
                    min(sighting.first, bucket),
                    sighting.crowd.observed + 1,
                    sighting.crowd.expected,
                )
            elif turn is not None:
                if before is None and await self._told.turn(bench, turn):
                    continue
                reading = turn.reading
            else:
                reading = Reading(bucket, False, True, bucket, 0, 0.0)
            surge = advance(name, before, reading, replace(self._rules, rest=_CROWD_REST))
            if surge is None:
                bench.crowds.pop(name, None)
                continue
            bench.crowds[name] = surge
            if surge.state is not SurgeState.pending and (surge.open or surge != before):
                case = self._hearing.case(
                    bench,
                    surge,
                    before,
                    reading.alarm,
                    reading.observed,
                    lambda sighting=sighting, turn=turn, surge=surge: self._testify(  # type: ignore[misc]
                        sighting, turn, surge, extra
                    ),
                )
                alert = await self._docket.record(case, bucket, now, changes)
                bench.note(alert)
                if sighting is not None and alert is not None and (before is None or before.fired != surge.fired):
                    watch.tell(sighting.place.number, _named(sighting, alert))

    async def _told_of(self, bench: Bench, sighting: Sighting, *, alarm: bool) -> bool:
        return await (self._told.crowd(bench, sighting) if alarm else self._told.is_face(bench, sighting))

    async def _seen(
        self, bench: Bench, now: int, extra: Mapping[str, float], campaigns: Sequence[range]
    ) -> list[Sighting]:
        """What the lookout sees as of bucket ``now``: what is loud and another event than was told of its place, at a place
        of its own."""
        return [
            replace(one, place=self._lookout.watch.part(one.crowd, now))
            if one.score >= self._bar(one, extra) and await self._told.is_another(bench, one)
            else one
            for one in await self._lookout.look(now, campaigns)
        ]

    def _bar(self, sighting: Sighting, extra: Mapping[str, float]) -> float:
        """The score that a crowd must reach to be told."""
        bars = self._lookout.watch.bars
        return bars.of(anywhere=sighting.crowd.anywhere) + extra.get(sighting.topic.id, 0.0)

    async def _testify(
        self, sighting: Sighting | None, turn: Turn | None, surge: Surge, extra: Mapping[str, float]
    ) -> Evidence:
        alert = await self._docket.alert(surge)
        before = alert.evidence if alert else None
        if sighting is not None:
            bar = self._bar(sighting, extra)
            told = asyncio.to_thread(self._lookout.testify, sighting, bar, before)
            return await self._hearing.weighed(
                told, lambda *asked: asyncio.to_thread(self._lookout.said, sighting, *asked)
            )
        assert turn is not None
        said: Said | None = self._tide.said if turn.excess is not None else None
        if turn.part is not None:
            said = partial(self._witness.said, turn.part[0])
        return await self._hearing.weighed(turn.testify(before), said)


def _loud(sighting: Sighting | None) -> float:
    """By what the most telling comes first: it is what the others are faces of."""
    return sighting.score if sighting is not None else 0.0


def _named(sighting: Sighting, alert: Alert) -> Cell | None:
    """The attribute value that the alert of a crowd names."""
    return sighting.crowd.cell or next(iter(alert.evidence.cells), None)
