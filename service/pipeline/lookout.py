"""The lookout: reads what was counted, hour by hour, and tells the crowds and the silences in it."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from models.bridge import turn
from models.buckets import BUCKET, BUCKETS_PER_HOUR, bucket_of, start_of
from models.crowds import Crowd, in_campaigns, scan
from models.culprit import Cell, CellCounts, Culprit, find_culprits, narrowed, pair_of, related
from models.embed import Vectors, unit
from models.evidence import CulpritFigures, CurvePoint, Evidence, TopicName, WindowFigures
from models.gist import gist
from models.kin import is_another, is_beside, is_kin, is_rare
from models.message import CustomerKey
from models.samples import choose_samples
from models.scan import upper_bound
from models.space import CrowdSettings, Ints, Silence, Space
from models.surge import ratio
from models.terms import describe
from models.topic import Topic, TopicId, TopicState
from models.topics import TopicModel
from models.usual import expectation_parts
from models.watch import Place, Watch
from service.pipeline.witness import sample_of
from service.pipeline.worker import assign_held, centred
from service.store.model import ModelStore
from service.store.pools import Held, Pools, of_space
from service.views import topic_label, topic_name

CHANNEL = "channel"
_WARM_UP = timedelta(days=14)  # of the past that is scanned to set the first bar
_CURVE = timedelta(hours=72)
_SAME_DAYS = timedelta(days=2)
_AFFINITY = timedelta(days=7)
_AT_ONCE, _READS = 5_000, 32  # messages of a partition that are read at a time, and how often before a look
_BACKGROUND = 500  # other messages that a crowd's words are told from
_LEAST_SPAN = timedelta(days=4)  # twice the longest window
_SLOW = 2  # times the usual windows, from which a stream is slow: 75 messages a day and fewer
_SPECIAL = 2  # times its share of all else, from which a value says something of the place that it crowds at
_LEAST_SHARE = 1 / 3  # of a crowd's messages in one topic, from which the crowd is a part of that topic


@dataclass(frozen=True, slots=True)
class Sighting:
    """A crowd that is beyond the bar, or was at the last look: at which place, and of which topic it is a part."""

    place: Place
    crowd: Crowd[Held]
    topic: Topic
    parts: Mapping[TopicId, float]
    """Shares of its messages by topic."""
    score: float

    @property
    def first(self) -> int:
        """The bucket of the first message of the crowd."""
        return bucket_of(self.crowd.members[0].message.occurred_at)

    @property
    def last(self) -> int:
        """The bucket of its last message."""
        return bucket_of(self.crowd.members[-1].message.occurred_at)


class Lookout:
    """Look at every closed hour. Holds the messages of the last weeks in memory, bounded; reads each once."""

    def __init__(self, pools: Pools, models: ModelStore, false_alarms_per_week: float) -> None:
        self._pools = pools
        self._models = models
        self._read_upto = pools.beginning
        self._space: Space[Held] | None = None
        self._model: TopicModel | None = None
        self._looked = 0
        self._loud = False
        self.watch = Watch(false_alarms_per_week)

    @property
    def every(self) -> int:
        """Buckets between two looks: an hour, of slow streams a third of the shortest window."""
        if self._space is None:
            return BUCKETS_PER_HOUR
        return max(BUCKETS_PER_HOUR, self._space.settings.windows[0] // (3 * BUCKET))

    @property
    def slow(self) -> bool:
        """Whether so little comes that topics have no count to speak of in a day, and crowds alone tell, in longer windows:
        once there is a past to hold them against."""
        space, usual = self._space, CrowdSettings().windows[0]
        return space is not None and space.settings.windows[0] >= _SLOW * usual and space.ready

    @property
    def busy(self) -> bool:
        """Whether so much comes that the messages held reach back less than four days: crowds have no past to be held
        against then, and counts must tell (`service.pipeline.hidden`)."""
        space = self._space
        if space is None or len(space) < space.settings.max_rows:
            return False
        return int(space.buckets[-1] - space.buckets[0]) * BUCKET < _LEAST_SPAN

    async def begin(self) -> None:
        """Read what was counted so far, where nothing was read yet, so that the pace is known."""
        model = (await self._models.current()).model
        if self._space is None and model is not None:
            await self._read(model)

    def restore(self, packed: bytes | None) -> None:
        """Go on from what was packed; the messages are read again from the store."""
        self._space, self._read_upto, self._looked = None, self._pools.beginning, 0
        self.watch = Watch.unpack(packed) if packed else Watch(self.watch.per_week)

    async def look(self, now: int, campaigns: Sequence[range] = ()) -> list[Sighting]:
        """Every place that crowds as of bucket ``now``, however faintly, the most telling first; ``campaigns`` by their
        buckets."""
        current = await self._models.current()
        model = self._model = current.model
        if model is None:
            return []
        if self.watch.space not in ("", model.space):
            self._move(current.before, model)
        self.watch.space = model.space
        await self._read(model)
        space = self._space
        if space is None or self.busy or not (self._loud or space.heard(self._looked, now)):
            return []
        self._looked = now
        if not self.watch.begun:
            await asyncio.to_thread(self._warm_up, space, now, campaigns)
        crowds = in_campaigns(await asyncio.to_thread(scan, space, now), space, now, campaigns)
        seen = self.watch.follow(crowds, now, space.nearest)
        self._loud = bool(seen)
        return [self._sighting(model, place, crowd) for place, crowd in seen]

    @staticmethod
    def _sighting(model: TopicModel, place: Place, crowd: Crowd[Held]) -> Sighting:
        parts = _parts_of(model, crowd.members)
        return Sighting(place, crowd, _topic_of(model, crowd.members, parts), parts, crowd.score)

    def named(self, sighting: Sighting) -> Cell | None:
        """The value that an alert on what is seen would name first."""
        crowd, last = sighting.crowd, sighting.place.last
        if self._space is None or crowd.cell is not None:
            return crowd.cell
        found = self._culprits(self._space, crowd, last - crowd.window // BUCKET, last)
        return (found[0].attribute, found[0].value) if found else None

    def is_rare(self, cell: Cell, now: int) -> bool:
        """Whether few of the last days' messages have a value."""
        return self._space is not None and is_rare(self._space.share(cell, now))

    def is_kin(self, sighting: Sighting, cell: Cell | None, other: int) -> bool:
        """Whether what is seen, and names this value, is of the event at the place of this number, which was told."""
        space, place, crowd = self._space, self.watch.place(other), sighting.crowd
        if space is None or self._model is None or place is None:
            return False
        value = place.cell or cell
        return is_kin(
            _evened(self._model, crowd.members),
            [one.message.attributes for one in crowd.members],
            crowd.expected,
            cell,
            place,
            near=space.nearest,
            far=space.alike,
            share=space.share(value, sighting.place.last) if value else 1.0,
        )

    def is_another(self, sighting: Sighting) -> bool:
        """Whether what is seen is another event than what was told of its own place."""
        space, cell = self._space, sighting.crowd.cell
        if space is None or cell is None or not sighting.place.told:
            return False
        attributes = [one.message.attributes for one in sighting.crowd.members]
        return is_another(cell, attributes, sighting.place, share=space.share(cell, sighting.place.last))

    def is_beside(self, sighting: Sighting, cell: Cell | None, other: int, window: WindowFigures) -> bool:
        """Whether what is seen, and names this value, is another event than is told of the place of this number, where that
        names none; the alert tells of what was there in a window."""
        space, place = self._space, self.watch.place(other)
        if space is None or cell is None or place is None or place.cell is not None:
            return False
        rows, _ = space.around(place.centroid, bucket_of(window.start), bucket_of(window.end) - 1)
        told = _attributes([space.handles[row] for row in rows])
        return is_beside(cell, told, window.expected, share=space.share(cell, sighting.place.last))

    def customers(self, number: int, topic: str, first: int, last: int) -> int:
        """Distinct customers of a topic at a place, or with the value that crowds there, in buckets ``first`` to ``last``."""
        space, place = self._space, self.watch.place(number)
        if space is None or self._model is None or place is None:
            return 0
        rows, others = space.around(place.centroid, first, last)
        if place.cell is not None:
            rows = np.concatenate([rows, [row for row in others if _has(space.handles[row], place.cell)]]).astype(int)
        held = [space.handles[row] for row in rows]
        assigned = assign_held(self._model, held)
        return len({one.message.customer for one, to in zip(held, assigned, strict=True) if to.topic == topic})

    def said(self, sighting: Sighting, cell: Cell | None, first: int, last: int) -> dict[int, float]:
        """Customers at the place of a crowd by hour over ``[first, last)``, each once a day, in all or with one value."""
        if self._space is None:
            return {}
        rows, _ = self._at(sighting.crowd, first * BUCKETS_PER_HOUR, last * BUCKETS_PER_HOUR - 1)
        seen, found = set[tuple[str, int]](), Counter[int]()
        for row in sorted(rows.tolist()):
            held, hour = self._space.handles[row], int(self._space.buckets[row]) // BUCKETS_PER_HOUR
            mark = (str(held.message.customer), hour // 24)
            if mark not in seen and (cell is None or _has(held, cell)):
                seen.add(mark)
                found[hour] += 1
        return {hour: float(count) for hour, count in found.items()}

    def _at(self, crowd: Crowd[Held], first: int, last: int) -> tuple[Ints, Ints]:
        """Rows in buckets ``first`` to ``last`` that say what a crowd says, and all others there."""
        assert self._space is not None and self._model is not None
        if crowd.anywhere and crowd.cell is not None:
            return self._space.beside(_evened(self._model, crowd.members), crowd.cell, first, last)
        return self._space.around(crowd.centroid, first, last)

    def held(self, first: int, last: int) -> list[Held]:
        """The messages held of buckets ``first`` to ``last``, oldest first."""
        if self._space is None:
            return []
        begin, end = np.searchsorted(self._space.buckets, [first, last + 1])
        return self._space.handles[begin:end]

    def erase(self, customer: CustomerKey) -> int:
        """Let go of a customer's messages; answers how many were held."""
        return self._space.drop(lambda one: one.message.customer == customer) if self._space else 0

    def silences(self, now: int) -> list[Silence]:
        """Channels that have fallen silent."""
        return [] if self._space is None else self._space.silences(now, CHANNEL)

    def _move(self, before: TopicModel | None, model: TopicModel) -> None:
        """Over to the space of another embedder: messages are read anew, places go over by the turn of the topics."""
        self._space, self._read_upto = None, self._pools.beginning
        if before is not None and before.space == self.watch.space:
            self.watch.turn(turn(before, model))
        else:
            self.watch.places.clear()

    async def _read(self, model: TopicModel) -> None:
        """Take in what was counted since the last time; what goes on coming meanwhile is for the next."""
        for _ in range(_READS):
            read, self._read_upto = await self._pools.recent(self._read_upto, _AT_ONCE)
            if held := of_space(read, model.embedder):
                self._hold(model, held)
            if len(read) < _AT_ONCE:
                return

    def _hold(self, model: TopicModel, held: Sequence[Held]) -> None:
        self._space = self._space or Space(model.centring.dimension, CrowdSettings.for_pace(_pace(held)))
        self._space.extend(
            held,
            _evened(model, held),
            [bucket_of(one.message.occurred_at) for one in held],
            [str(one.message.customer) for one in held],
            [one.message.text for one in held],
            [one.message.attributes for one in held],
        )

    def _warm_up(self, space: Space[Held], now: int, campaigns: Sequence[range]) -> None:
        """Look back, so that the bar is this tenant's own from the first day on, or from the first of other scores."""
        told, self.watch.places = [place for place in self.watch.places if place.told], []
        first = max(now - _WARM_UP // BUCKET, int(space.buckets[0]) + space.settings.windows[-1] // BUCKET)
        for then in range(first, now, self.every):
            self.watch.follow(in_campaigns(scan(space, then), space, then, campaigns), then, space.nearest)
        self.watch.go_on(told, space.nearest)
        self.watch.calibrate(now)

    # ------------------------------------------------------------------ testify

    def testify(self, sighting: Sighting, bar: float, before: Evidence | None, samples: int = 8) -> Evidence:
        """All that an alert shows of a crowd. Its name and its beginning stay what they were ``before``."""
        space, crowd = self._space, sighting.crowd
        assert space is not None and self._model is not None
        last = sighting.place.last
        first = last - crowd.window // BUCKET
        culprits = self._culprits(space, crowd, first, last)
        rows = choose_samples(
            [one.message for one in crowd.members],
            _evened(self._model, crowd.members),
            space.vectors[self._at(crowd, 0, first - 1)[0]],
            prefer=(culprits[0].attribute, culprits[0].value) if culprits else None,
            most=samples,
        )
        figures = WindowFigures(
            start=start_of(first),
            end=start_of(last),
            observed=crowd.observed + 1,
            expected=crowd.expected,
            upper_bound=min(int(upper_bound(bar, crowd.expected, crowd.variance)) + 1, crowd.observed),
        )
        return Evidence(
            topic=before.topic if before else _name(sighting, space),
            window=figures,
            onset=min(crowd.members[0].message.occurred_at, before.onset if before else start_of(last)),
            customers=len({one.message.customer for one in crowd.members}),
            messages=len(crowd.members),
            windows=(figures,),
            culprits=culprits,
            samples=tuple(sample_of(crowd.members[row]) for row in rows),
            curve=self._curve(space, crowd, last),
            contributions=expectation_parts(space.buckets, first, last, crowd.expected),
        )

    def _culprits(self, space: Space[Held], crowd: Crowd[Held], first: int, last: int) -> tuple[CulpritFigures, ...]:
        """Values over-represented at the place, beside the other messages of the same days."""
        here, _ = self._at(crowd, first, last - 1)
        _, others = self._at(crowd, min(first, last - _SAME_DAYS // BUCKET), last - 1)
        here_before, others_before = self._at(crowd, first - _AFFINITY // BUCKET, first - 1)
        place = _attributes(crowd.members if crowd.cell is None else [space.handles[row] for row in here])
        rest = _attributes([space.handles[row] for row in others])
        at_place, elsewhere = _cells(place), _cells(rest)
        found = find_culprits(
            at_place,
            elsewhere,
            _cells(_attributes([space.handles[row] for row in here_before])),
            _cells(_attributes([space.handles[row] for row in others_before])),
        )
        pair = pair_of(found, place, rest)
        figures = tuple(_figures(one) for one in (*found[:1], *([pair] if pair else []), *found[1:]))
        if crowd.cell is None:
            return figures
        members = _attributes(crowd.members)
        cell = narrowed(crowd.cell, members, crowd.expected)
        named = [one for one in figures if (one.attribute, one.value) == cell]
        if not named and cell == crowd.cell and not self._is_own(cell, figures, at_place, elsewhere):
            return figures
        observed = sum(row.get(cell[0]) == cell[1] for row in members)
        own = CulpritFigures(*cell, observed, crowd.expected, ratio(observed, crowd.expected), 10**-crowd.score)
        besides = (one for one in figures if (one.attribute, one.value) not in (cell, crowd.cell))
        return (named[0] if named else own, *besides)

    @staticmethod
    def _is_own(cell: Cell, figures: Sequence[CulpritFigures], at_place: CellCounts, elsewhere: CellCounts) -> bool:
        """Whether the value that crowds is behind it though it is not among the culprits found: one of them may explain
        it, as a batch its product, or it may be no more usual at the place than elsewhere."""
        explained = any(related(cell, (one.attribute, one.value)) and len(one.value) > len(cell[1]) for one in figures)
        return not explained and _share(at_place, cell) >= _SPECIAL * _share(elsewhere, cell)

    def _curve(self, space: Space[Held], crowd: Crowd[Held], last: int) -> tuple[CurvePoint, ...]:
        """Messages at the place by the hour, beside what the volume of everything lets expect."""
        hours = _CURVE // timedelta(hours=1)
        first = last - _CURVE // BUCKET
        here, others = self._at(crowd, first, last - 1)
        here = np.array([row for row in here if crowd.cell is None or _has(space.handles[row], crowd.cell)], int)
        observed = np.bincount((space.buckets[here] - first) // 12, minlength=hours)
        volume = np.bincount((space.buckets[others] - first) // 12, minlength=hours).astype(float)
        inside = volume[-(crowd.window // timedelta(hours=1)) :].sum()
        expected = crowd.expected * volume / max(inside, 1.0)
        upper = expected + 2 * np.sqrt(expected + 0.1 * expected**2)
        return tuple(
            CurvePoint(start_of(first + 12 * hour), int(observed[hour]), float(expected[hour]), float(upper[hour]))
            for hour in range(hours)
        )


def _pace(held: Sequence[Held]) -> float:
    """Messages a day."""
    times = [one.message.occurred_at for one in held]
    return len(held) / max((max(times) - min(times)) / timedelta(days=1), 1.0)


def _parts_of(model: TopicModel, held: Sequence[Held]) -> dict[TopicId, float]:
    """The share of messages in each topic."""
    counts = Counter(one.topic for one in assign_held(model, held) if one.topic is not None)
    return {topic: count / len(held) for topic, count in counts.most_common()}


def _evened(model: TopicModel, held: Sequence[Held]) -> Vectors:
    """Unit vectors of messages as crowds are looked for in."""
    return model.centring.even(centred(model, held))


def _topic_of(model: TopicModel, held: Sequence[Held], parts: Mapping[TopicId, float]) -> Topic:
    """The topic that most of a crowd's messages are in, else the one nearest to their middle."""
    topic, share = next(iter(parts.items()), (None, 0.0))
    if topic is not None and share >= _LEAST_SHARE:
        return model.topic(topic)
    nearest = model.assign(unit(centred(model, held).mean(axis=0)[None]))[0].nearest
    assert nearest is not None
    return model.topic(nearest)


def is_told(topic: Topic) -> bool:
    """Whether alerts on this topic are wanted."""
    return topic.state is TopicState.LIVE


def _name(sighting: Sighting, space: Space[Held]) -> TopicName:
    """The topic's id, with words of the crowd's own: what is being said, not what the topic is about."""
    texts = [gist(one.message.text) for one in sighting.crowd.members]
    _, others = space.around(sighting.crowd.centroid, sighting.place.last - _AFFINITY // BUCKET, sighting.place.last)
    words = describe([texts], [gist(space.handles[row].message.text) for row in others[-_BACKGROUND:]])[0]
    plain = topic_name(sighting.topic)
    label = next((text for text in words.labels.values() if text), None) or topic_label(sighting.topic)
    return TopicName(
        plain.id, label, {str(name): text for name, text in words.labels.items()} or plain.labels, words.terms
    )


def _has(held: Held, cell: Cell) -> bool:
    return held.message.attributes.get(cell[0]) == cell[1]


def _attributes(held: Sequence[Held]) -> list[Mapping[str, str]]:
    """The attributes of each customer, as last told."""
    return list({one.message.customer: one.message.attributes for one in held}.values())


def _cells(rows: Sequence[Mapping[str, str]]) -> CellCounts:
    """Customers by attribute and value."""
    cells: dict[str, Counter[str]] = {}
    for attributes in rows:
        for name, value in attributes.items():
            cells.setdefault(name, Counter())[value] += 1
    return cells


def _share(cells: CellCounts, cell: Cell) -> float:
    """Of the customers of whom an attribute is known, those with one value of it."""
    counts = cells.get(cell[0], {})
    return counts.get(cell[1], 0) / max(sum(counts.values()), 1)


def _figures(one: Culprit) -> CulpritFigures:
    return CulpritFigures(one.attribute, one.value, one.observed, one.expected, one.lift, one.p)
