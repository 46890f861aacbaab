"""Whether people who see, hear or move differently can use it, as far as axe-core can tell."""

from datetime import timedelta

import pytest

from models.alert import Facts, Judgement
from tests.service.web.acts import NOW, alert, topics
from tests.service.web.person import LAPTOP, PHONE, Person
from tests.service.web.stage import Stage


@pytest.mark.parametrize(("scheme", "size"), [("light", LAPTOP), ("dark", PHONE)])
def test_axe_finds_no_fault_in_any_view(person: Person, stage: Stage, scheme: str, size: tuple[int, int]) -> None:
    first, second, third = alert(0), alert(1), alert(2, ended=True)
    stage.put(first, second, third)
    stage.facts[second.id] = Facts(NOW, "Li Na", NOW + timedelta(days=1))
    stage.facts[third.id] = Facts(judgement=Judgement.noise, note="known")
    stage.topics = topics()
    stage.status = {"version": "1", "waiting": 0, "learning_until": (NOW + timedelta(days=1)).isoformat()}
    person.prefers(scheme).holds(size)
    places = ("/", f"/#/alerts/{first.id}", f"/#/alerts/{third.id}", "/#/topics", "/#/health")
    for place, wanted in zip(places, (".row", ".tiles", ".timeline", "summary", ".pairs"), strict=True):
        person.goes(place).sees(wanted)
        assert person.faults() == [], place
    person.presses("?")
    person.sees("dialog")
    assert person.faults() == []


def test_axe_would_tell(person: Person) -> None:
    person.goes()
    person.runs("document.querySelector('main').append(document.createElement('button'))")
    assert [one.partition(":")[0] for one in person.faults()] == ["button-name"]
