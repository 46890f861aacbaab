"""What alerts tell of already, so that one event is one alert: seen as a topic, a crowd, a hidden cell or a swell."""

from collections.abc import Sequence

from models.alert import Alert
from models.buckets import BUCKETS_PER_DAY
from models.culprit import Cell, goes_with
from models.kin import is_named
from models.surge import Reading, Surge
from service.pipeline.bench import Bench
from service.pipeline.docket import Docket
from service.pipeline.hidden import HIDDEN, Hidden
from service.pipeline.lookout import Lookout, Sighting
from service.pipeline.tide import SILENT, SWELL, Turn
from service.pipeline.witness import Witness

CROWD = "c"
"""What the names of crowds' episodes begin with."""
_MUCH = 0.5  # of a topic's customers in a crowd, from which the crowd's alert is the topic's too


class Told:
    """Asks the alerts that are open, or lately were, and the witness what is behind a topic."""

    def __init__(self, docket: Docket, lookout: Lookout, hidden: Hidden, witness: Witness) -> None:
        self._docket = docket
        self._lookout = lookout
        self._hidden = hidden
        self._witness = witness
        self._behind: dict[str, tuple[int, Cell | None]] = {}  # by topic, as of which bucket

    async def turn(self, bench: Bench, turn: Turn) -> bool:
        """Whether alerts that are open, or lately were, tell of what swells or is hidden."""
        if turn.excess is not None:
            return await self._in_parts(bench, turn.excess, turn.reading.onset)
        return turn.part is not None and turn.reading.alarm and await self._hidden_in(bench, *turn.part, turn.reading)

    async def _hidden_in(self, bench: Bench, topic: str, cell: Cell, reading: Reading) -> bool:
        """Whether an alert tells of a hidden cell: the topic's, with that culprit, or that of another cell."""
        alert = await self._telling(bench.surges.get(topic), reading.onset)
        if alert is not None and is_named(cell, [], alert.evidence.cells):
            return True
        told = [name for name in _names(bench, reading.onset) if name.startswith(HIDDEN)]
        return self._hidden.in_another(topic, cell, told)

    async def _telling(self, surge: Surge | None, first: int) -> Alert | None:
        """The alert of an episode, unless it was over before bucket ``first``."""
        if surge is None or surge.fired is None or (surge.resolved is not None and first > surge.resolved):
            return None
        return await self._docket.alert(surge)

    async def _in_parts(self, bench: Bench, excess: float, onset: int) -> bool:
        """Whether alerts that are open tell of much of what a channel, or everything, has too many of since bucket ``onset``,
        or one on another channel, or on everything, that was not over by then."""
        told = 0.0
        for name, surge in {**bench.surges, **bench.crowds}.items():
            if surge.fired is None or name.startswith(SILENT):
                continue
            if name.startswith(SWELL) and (surge.resolved is None or onset <= surge.resolved):
                return True
            if surge.open:
                alert = await self._docket.alert(surge)  # one that sales excuse explains the volume all the same
                told += alert.evidence.window.observed - alert.evidence.window.expected if alert else 0.0
        return told >= _MUCH * excess

    async def as_crowd(self, bench: Bench, topic: str, reading: Reading) -> bool:
        """Whether a crowd that was told makes up much of what a topic counts beyond what is expected, or its alert is of the
        same topic, or names the same value."""
        much = max(_MUCH * (reading.observed - reading.expected), 1.0)
        told = _names(bench, reading.onset)
        if self._hidden.excess(topic, told) >= much:
            return True
        kin: list[Alert] = []
        for number, alert in await self._crowds(bench, reading.onset):
            shared = self._lookout.customers(number, topic, reading.onset, reading.bucket)
            if shared >= much:
                return True
            if alert is not None and (alert.evidence.topic.id == topic or (alert.evidence.cells and shared)):
                kin.append(alert)
        return bool(kin) and self._names_one_of(kin, topic, await self._cell_behind(topic, reading))

    def _names_one_of(self, kin: Sequence[Alert], topic: str, cell: Cell | None) -> bool:
        """Whether a topic behind which is this value, or none, is what one of these alerts tells of."""
        return any(
            one.evidence.topic.id == topic
            if cell is None or not one.evidence.cells
            else goes_with(cell, one.evidence.cells[0])
            for one in kin
        )

    async def _cell_behind(self, topic: str, reading: Reading) -> Cell | None:
        """The value that an alert on a topic would name first: found once a bucket, which is looked at often."""
        bucket, cell = self._behind.get(topic, (None, None))
        if bucket != reading.bucket:
            found = await self._witness.culprits(topic, reading.onset, reading.bucket)
            cell = (found[0].attribute, found[0].value) if found else None
            self._behind[topic] = reading.bucket, cell
        return cell

    async def _crowds(self, bench: Bench, since: int) -> list[tuple[int, Alert | None]]:
        """Crowds that were told lately, as of bucket ``since``, by the number of their place; what sales excuse is not
        told."""
        told: list[tuple[int, Alert | None]] = []
        for name in (one for one in _names(bench, since) if one.startswith(CROWD)):
            alert = await self._docket.alert(bench.crowds[name])
            if alert is None or not alert.evidence.excused:
                told.append((int(name.removeprefix(CROWD)), alert))
        return told

    async def crowd(self, bench: Bench, sighting: Sighting) -> bool:
        """Whether an alert on another crowd, or on the topics that it is of, says the same already, or said so of its place
        within a day: an alert may be over while long windows still see what it told."""
        number, cell = sighting.place.number, sighting.crowd.cell
        last, named = bench.faces.get(number, (None, None))
        lately = last is not None and sighting.place.last - last <= BUCKETS_PER_DAY
        one_thing = cell is None or named is None or goes_with(cell, named)
        told = (lately and one_thing) or await self._is_told(bench, sighting)
        if told:
            bench.faces[number] = sighting.place.last, cell or named
        return told

    async def _is_told(self, bench: Bench, sighting: Sighting) -> bool:
        """Whether an alert tells of a crowd that is loud enough for one of its own, by what that one would name."""
        cell = self._lookout.named(sighting)
        return await self._is_face(bench, sighting, cell) or (
            cell is not None and await self._named(bench, sighting, cell)
        )

    async def is_face(self, bench: Bench, sighting: Sighting) -> bool:
        """Whether a crowd, however faint, is of what an alert on another crowd, or on its topics, tells."""
        return await self._is_face(bench, sighting, sighting.crowd.cell)

    async def is_another(self, bench: Bench, sighting: Sighting) -> bool:
        """Whether what is seen is another event than what was told of its own place."""
        if self._lookout.is_another(sighting):
            return True
        number, told = sighting.place.number, sighting.place.told
        surge = bench.crowds.get(f"{CROWD}{number}") if told else None
        alert = await self._docket.alert(surge) if surge is not None else None
        return self._is_beside(sighting, sighting.crowd.cell, number, alert)

    def _is_beside(self, sighting: Sighting, cell: Cell | None, number: int, alert: Alert | None) -> bool:
        """Whether what is seen, and names this value, is another event than the alert on the place of this number, which names
        none, tells."""
        return alert is not None and self._lookout.is_beside(sighting, cell, number, alert.evidence.window)

    async def _is_face(self, bench: Bench, sighting: Sighting, cell: Cell | None) -> bool:
        if any(
            self._lookout.is_kin(sighting, cell, number) and not self._is_beside(sighting, cell, number, alert)
            for number, alert in await self._crowds(bench, sighting.first)
        ):
            return True
        told = {topic: share for topic, share in sighting.parts.items() if await self._on(bench, topic, sighting)}
        return sum(told.values()) >= _MUCH or (
            not sighting.parts and await self._on(bench, sighting.topic.id, sighting)
        )

    async def _named(self, bench: Bench, sighting: Sighting, cell: Cell) -> bool:
        """Whether an alert on a topic names the rare value that an alert on a crowd would name: one batch with one defect,
        whatever it is called."""
        if not self._lookout.is_rare(cell, sighting.place.last):
            return False
        for surge in bench.surges.values():
            alert = await self._telling(surge, sighting.first)
            if (
                alert is not None
                and not alert.evidence.excused
                and any(goes_with(cell, one) for one in alert.evidence.cells[:1])
            ):
                return True
        return False

    async def _on(self, bench: Bench, topic: str, sighting: Sighting) -> bool:
        """Whether an alert on a topic tells of a crowd in it: another value's defect gets its own, unless most of it is of
        the value that the alert names.

        One that has ended tells of what came before its end, which long windows still see.
        """
        alert, cell = await self._telling(bench.surges.get(topic), sighting.first), sighting.crowd.cell
        if alert is None or alert.evidence.excused:
            return False
        attributes = [one.message.attributes for one in sighting.crowd.members]
        return cell is None or is_named(cell, attributes, alert.evidence.cells)


def _names(bench: Bench, since: int) -> list[str]:
    """Episodes of crowds, and of what is hidden, that were told no earlier than a day before bucket ``since``, and are
    not over for a day: what was told long before something begins does not tell of it."""
    return sorted(
        name for name, one in bench.crowds.items() if one.fired is not None and one.fired >= since - BUCKETS_PER_DAY
    )
