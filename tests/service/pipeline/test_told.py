"""One event is one alert, however long it lasts and whatever else says the same; another is another, even at its place."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.buckets import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, start_of
from models.crowds import Crowd
from models.culprit import Cell
from models.embed import unit
from models.evidence import CulpritFigures, Evidence, WindowFigures
from models.kin import is_another
from models.message import CustomerKey, Message, RedactedText
from models.surge import Reading, Surge, SurgeState
from service.pipeline.lookout import Lookout, Sighting
from service.pipeline.told import Told
from service.store.embedded import EmbeddedStore
from service.store.pools import Held
from service.store.redis import Store
from service.views import topic_name
from tests.service.pipeline.court import CALM, FIRST, Court

FROM = FIRST + CALM
HERE, THERE = (unit(np.array([row], np.float32))[0] for row in ([1.0, 0, 0, 0], [0, 1.0, 0, 0]))
A, B = ("batch", "A1-B1"), ("batch", "A7-B2")


@dataclass(frozen=True)
class Seen:
    """A crowd of six messages, as it is seen in some hours from the start on."""

    hours: range
    at: np.ndarray  # type: ignore[type-arg]
    cell: Cell | None
    score: float
    names: Cell | None = None
    """The value that its alert names, where its messages are not of one value alone."""

    def crowd(self, now: int) -> Crowd[Held]:
        members = tuple(
            Held(
                0,
                f"{row}-0",
                Message(
                    f"m{row}", "test", RedactedText("zip"), start_of(now - 6 + row), CustomerKey(f"c{row}"),
                    attributes=dict([self.cell] if self.cell else []),
                ),
                True,
                b"",
            )
            for row in range(6)
        )  # fmt: skip
        attribute, value = self.cell or (None, None)
        window = timedelta(hours=3)
        return Crowd(members, self.at, window, round(self.score), 0.5, 1.0, self.score, attribute, value)


class Sees(Lookout):
    """What is seen is given; what of it is one event is told by the values alone."""

    given: Sequence[Seen] = ()
    kin = True
    beside = False

    async def look(self, now: int, campaigns: Sequence[range] = ()) -> list[Sighting]:
        model = (await self._models.current()).model
        hour = (now - FROM) // BUCKETS_PER_HOUR
        crowds = [one.crowd(now) for one in self.given if hour in one.hours]
        seen = self.watch.follow(sorted(crowds, key=lambda one: -one.score), now, 0.9)
        return [Sighting(place, one, model.topic("t1"), {}, one.score) for place, one in seen] if model else []

    def named(self, sighting: Sighting) -> Cell | None:
        names = next(one.names for one in self.given if one.score == sighting.score)
        return sighting.crowd.cell or names

    def is_kin(self, sighting: Sighting, cell: Cell | None, other: int) -> bool:
        place = self.watch.place(other)
        return self.kin and place is not None and place.cell == cell

    def is_another(self, sighting: Sighting) -> bool:
        attributes = [one.message.attributes for one in sighting.crowd.members]
        return is_another(sighting.crowd.cell, attributes, sighting.place, share=0.02)

    def is_beside(self, sighting: Sighting, cell: Cell | None, other: int, window: WindowFigures) -> bool:
        place = self.watch.place(other)
        return self.beside and cell is not None and place is not None and place.cell is None

    def testify(self, sighting: Sighting, bar: float, before: Evidence | None, samples: int = 8) -> Evidence:
        crowd, last = sighting.crowd, sighting.place.last
        start, end = start_of(last) - crowd.window, start_of(last)
        window = WindowFigures(start, end, crowd.observed + 1, crowd.expected, 2)
        cell = self.named(sighting)
        culprits = (CulpritFigures(*cell, 6, 0.5, 12.0, 1e-6),) if cell else ()
        return Evidence(topic_name(sighting.topic), window, start, 6, 6, culprits=culprits)


@pytest.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    with EmbeddedStore(tmp_path, durable=False) as embedded:
        store = Store.connect(embedded.url)
        court = Court(store, Sees)
        await court.open()
        yield court
        await store.close()


async def told(court: Court, days: float, *given: Seen) -> list[Cell | None]:
    """The values that the alerts name after so many days in which these were seen, oldest first."""
    Sees.given = given
    await court.until(FROM + round(days * BUCKETS_PER_DAY))
    return [
        next(((culprit.attribute, culprit.value) for culprit in alert.evidence.culprits), None)
        for alert in await court.alerts()
    ]


async def test_another_batch_at_the_place_of_an_alert_is_an_alert_of_its_own(court: Court) -> None:
    first, second = Seen(range(1, 8), HERE, A, 6.0), Seen(range(8, 20), HERE, B, 9.0)
    assert await told(court, 1, first, second) == [A, B]


@pytest.mark.parametrize("beside", [True, False])
async def test_a_value_at_the_place_of_an_alert_that_names_none_is_told_where_that_alert_is_not_of_it(
    court: Court, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    monkeypatch.setattr(Sees, "beside", beside)
    first, second = Seen(range(1, 8), HERE, None, 6.0), Seen(range(8, 20), HERE, B, 9.0)
    assert len(await told(court, 1, first, second)) == 1 + beside


async def test_of_two_faces_that_are_loud_at_once_the_more_telling_rings(court: Court) -> None:
    faint = Seen(range(3), HERE, None, 2.0)
    await told(court, 1, faint, replace(faint, hours=range(3, 8), score=6.0), Seen(range(3, 8), THERE, None, 9.0))
    (alert,) = await court.alerts()
    assert alert.evidence.window.observed == 10, "not the 7 of the one that was seen first"


@pytest.mark.parametrize("cell", [A, ("sku", "A1"), None])
async def test_the_batch_its_product_or_no_value_at_its_place_are_one_alert(court: Court, cell: Cell | None) -> None:
    first, second = Seen(range(1, 8), HERE, A, 6.0), Seen(range(8, 20), HERE, cell, 9.0)
    assert len(await told(court, 1, first, second)) == 1


@pytest.mark.parametrize("first", [Seen(range(1, 8), HERE, A, 6.0), Seen(range(1, 8), HERE, None, 6.0, names=A)])
@pytest.mark.parametrize("second", [Seen(range(8, 40), THERE, A, 9.0), Seen(range(20, 60), THERE, None, 9.0, names=A)])
async def test_crowds_whose_alerts_would_name_one_batch_are_one_alert(court: Court, first: Seen, second: Seen) -> None:
    assert await told(court, 2.6, first, second) == [A]


async def test_what_would_name_another_batch_is_an_alert_of_its_own(court: Court) -> None:
    first, second = Seen(range(1, 8), HERE, A, 6.0), Seen(range(8, 20), THERE, None, 9.0, names=B)
    assert await told(court, 1, first, second) == [A, B]


async def test_another_face_of_an_event_stays_told_though_the_alert_is_long_over(court: Court) -> None:
    face = Seen(range(2, 60), THERE, A, 9.0)
    assert await told(court, 2.6, Seen(range(1, 4), HERE, A, 6.0), face) == [A]


async def test_a_face_that_is_seen_again_after_a_day_of_quiet_is_news(court: Court) -> None:
    faces = Seen(range(2, 20), THERE, A, 9.0), Seen(range(60, 70), THERE, A, 9.0)
    assert await told(court, 3, Seen(range(1, 4), HERE, A, 6.0), *faces) == [A, A]


async def test_another_batch_at_the_place_of_a_face_is_news(court: Court) -> None:
    faces = Seen(range(2, 20), THERE, A, 9.0), Seen(range(20, 24), THERE, B, 9.0)
    assert await told(court, 1, Seen(range(1, 4), HERE, A, 6.0), *faces) == [A, B]


@pytest.mark.parametrize(("named", "rare", "expected"), [(A, True, True), (A, False, False), (B, True, False)])
async def test_a_crowd_that_names_the_rare_batch_of_a_topics_alert_is_told(
    named: Cell, rare: bool, expected: bool
) -> None:
    alert = SimpleNamespace(evidence=SimpleNamespace(cells=(A,), excused=False))

    async def filed(surge: Surge) -> object:
        return alert

    lookout = SimpleNamespace(named=lambda _: named, is_rare=lambda *_: rare)
    teller = Told(SimpleNamespace(alert=filed), lookout, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    surge = Surge("t1", SurgeState.firing, FROM, FROM, 1, 0, 9.0, fired=FROM)
    bench = SimpleNamespace(surges={"t1": surge}, crowds={}, faces={})
    crowd = SimpleNamespace(cell=None, members=())
    place = SimpleNamespace(number=9, last=FROM + 5)
    sighting = SimpleNamespace(place=place, crowd=crowd, first=FROM, parts={"t1": 0.2}, topic=SimpleNamespace(id="t1"))
    assert await teller.crowd(bench, sighting) is expected  # type: ignore[arg-type]


ELSEWHERE = "t9"


@pytest.mark.parametrize(
    ("on", "names", "behind", "shared", "expected"),
    [
        (ELSEWHERE, None, None, 5, True),  # half of what the topic has too many of lies in the crowd
        (ELSEWHERE, None, None, 4, False),
        ("t1", None, None, 0, True),  # the crowd's alert is on the topic
        ("t1", None, A, 0, True),
        ("t1", A, None, 0, True),
        ("t1", A, A, 0, True),
        ("t1", A, B, 0, False),  # and names another batch
        (ELSEWHERE, A, A, 1, True),  # one batch, though most lies elsewhere
        (ELSEWHERE, A, A, 0, False),
        (ELSEWHERE, A, B, 1, False),
        (ELSEWHERE, A, None, 1, False),
    ],
)
async def test_a_topic_is_told_by_the_crowd_that_makes_it_loud_or_is_on_it_or_names_its_batch(
    on: str, names: Cell | None, behind: Cell | None, shared: int, expected: bool
) -> None:
    evidence = SimpleNamespace(topic=SimpleNamespace(id=on), cells=(names,) if names else (), excused=False)
    asked: list[str] = []

    async def filed(surge: Surge) -> object:
        return SimpleNamespace(evidence=evidence)

    async def culprits(topic: str, first: int, last: int) -> object:
        asked.append(topic)
        return [SimpleNamespace(attribute=behind[0], value=behind[1])] if behind else []

    lookout = SimpleNamespace(customers=lambda *_: shared)
    hidden = SimpleNamespace(excess=lambda *_: 0.0)
    teller = Told(SimpleNamespace(alert=filed), lookout, hidden, SimpleNamespace(culprits=culprits))  # type: ignore[arg-type]
    surge = Surge("c3", SurgeState.firing, FROM, FROM, 1, 0, 9.0, fired=FROM)
    bench = SimpleNamespace(surges={}, crowds={"c3": surge})
    reading = Reading(FROM + 5, True, False, FROM, 12, 2.0)
    for _ in range(2):
        assert await teller.as_crowd(bench, "t1", reading) is expected  # type: ignore[arg-type]
    assert len(asked) <= 1, "a topic is looked at often, what is behind it found once a bucket"


@pytest.mark.parametrize(
    ("resolved", "onset", "expected"),
    [(None, FROM + 9, True), (FROM + 9, FROM + 5, True), (FROM + 9, FROM + 20, False)],
)
async def test_a_channel_that_swells_while_everything_does_is_not_told_when_that_is_over(
    resolved: int | None, onset: int, expected: bool
) -> None:
    state = SurgeState.firing if resolved is None else SurgeState.resolved
    whole = Surge("swell-", state, FROM, FROM, 1, 0, 9.0, fired=FROM, resolved=resolved)
    teller = Told(SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    reading = Reading(FROM + 30, True, False, onset, 90, 30.0)
    turn = SimpleNamespace(excess=60.0, reading=reading, part=None)
    bench = SimpleNamespace(surges={}, crowds={"swell-": whole})
    assert await teller.turn(bench, turn) is expected  # type: ignore[arg-type]
