"""The page on the real service: a real store, the real resources, keys asked for."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from models.alert import Alert
from models.buckets import bucket_of
from service import wiring
from service.app import create_app
from service.clock import wall_clock
from service.metrics import Metrics
from service.settings import Settings
from service.store.embedded import EmbeddedStore
from service.store.judgement import Tick
from service.store.lease import Lease
from tests.service.web.acts import NOW, alert
from tests.service.web.person import Person
from tests.service.web.stage import Theatre

KEY = "a-key-for-this-test"
Tell = Callable[[Sequence[Alert], str], None]


class _Teller:
    """Commits ticks as the judge does."""

    def __init__(self, settings: Settings, store_url: str) -> None:
        self._settings = settings
        self.url = store_url
        self._position = bucket_of(NOW) - 1
        self._token = ""

    def __call__(self, alerts: Sequence[Alert], kind: str) -> None:
        asyncio.run(self._tell(alerts, kind))

    async def _tell(self, alerts: Sequence[Alert], kind: str) -> None:
        rooms = wiring.open_rooms(self._settings, self.url)
        if not self._token:
            lease = Lease(rooms.store, "judge")
            assert await lease.hold()
            self._token = lease.token
            await wiring.lay_out(rooms, self._settings)
            judge = wiring.build_judge(self._settings, rooms, lease, Metrics())
            await judge.begin(self._position + 1, self._position + 1)
        events = [(kind, one.id) for one in alerts]
        await rooms.judge.commit(Tick(self._position, self._position + 1, alerts=alerts, events=events), self._token)
        self._position += 1
        await rooms.store.close()


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    with EmbeddedStore(tmp_path / "store", durable=False) as store:
        yield _Teller(Settings(data_dir=tmp_path), store.url)


@pytest.fixture
def url(tell: _Teller, tmp_path: Path) -> Iterator[str]:
    settings = Settings.model_validate({"data_dir": tmp_path, "auth": "on", "admin_key": KEY})
    tell([alert(0)], "fired")
    parts = wiring.build_api_parts(settings, wiring.open_rooms(settings, tell.url), wall_clock, b"0" * 32)
    with Theatre(create_app(parts)) as address:
        yield address


def test_a_person_with_a_key_sees_an_alert_arrive_and_works_on_it(person: Person, tell: Tell) -> None:
    person.browser.get(person.url)
    person.types("dialog input[type=password]", f"{KEY}\n")
    person.sees(".row", "Charger overheats")
    person.sees(".live", "Live")
    tell([alert(1)], "fired")
    person.clicks(".news", "1 new")
    person.clicks(".feed li h3 a", "Parcel")
    person.sees(".stage svg")
    person.clicks("[data-deed=acknowledge]")
    person.types("dialog input", "Li Na\n")
    person.sees(".marks .tag", "Acknowledged by Li Na")
    for deed, tag in (("snooze", "Snoozed until"), ("real", "Real"), ("resolve", "Closed")):
        person.clicks(f"[data-deed={deed}]")
        person.clicks("dialog button[type=submit]")
        person.sees(".marks .tag", tag)
    person.clicks("nav a", "Topics")
    person.sees(".quiet", "No topics yet")
    person.clicks("nav a", "Health")
    person.sees(".ready", "Ready")
    person.sees(".pairs", "Judged until")


def test_noise_shows_how_far_the_bar_rose_and_is_taken_back(person: Person) -> None:
    person.browser.get(person.url)
    person.types("dialog input[type=password]", f"{KEY}\n")
    person.clicks(".feed li h3 a", "Charger")
    person.sees(".stage svg")
    person.clicks("[data-deed=noise]")
    person.clicks("dialog button[type=submit]")
    person.sees(".timeline", "Bar raised from 3.2 to 4.2")
    person.clicks("[data-deed=unjudge]")
    person.sees(".toast", "Judgement taken back")
    person.sees(".timeline", "Judgement taken back")
    assert person.all("[data-deed=unjudge]") == []
