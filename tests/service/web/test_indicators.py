"""Indicators, cost and what is kept, on the real service in a real browser."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.indicator import READY, observation
from service import wiring
from service.app import create_app
from service.clock import wall_clock
from service.metrics import Metrics
from service.settings import Settings
from service.store.access import Access
from service.store.embedded import EmbeddedStore
from service.store.gauges import Observation
from service.store.lease import Lease
from service.wiring import Rooms
from tests.service.web.person import LAPTOP, PHONE, Person
from tests.service.web.stage import Theatre

NOW = datetime.now(UTC)
WAIT = READY["waiting_time"]


async def furnish(rooms: Rooms, settings: Settings) -> None:
    """A day of calm waiting, an hour in which returns wait, an alert on it; and somebody who looked at a customer."""
    rng, said = np.random.default_rng(0), []
    for number in range(2_000):
        at = NOW - timedelta(minutes=1_440 * (1 - number / 2_000))
        queue = ("orders", "returns")[number % 2]
        slow = NOW - at < timedelta(minutes=70) and queue == "returns"
        minutes = 40.0 if slow or rng.random() < 0.04 else 4.0
        said.append(Observation(WAIT.name, f"c{number}", at, observation(WAIT, minutes), {"queue": queue}))
    await rooms.gauges.observe(said, NOW)
    lease = Lease(rooms.store, "gauge")
    assert await lease.hold()
    judge = wiring.build_gauge(settings, rooms, lease, Metrics())
    await judge.advance(NOW - timedelta(hours=3), NOW)
    await judge.advance(NOW, NOW)
    await rooms.access.note(Access(NOW, "desk (1f2e)", "context", "k3v7q2m5"))
    await rooms.store.close()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    settings = Settings.model_validate({"data_dir": tmp_path})
    with EmbeddedStore(tmp_path / "store", durable=False) as store:
        asyncio.run(furnish(wiring.open_rooms(settings, store.url), settings))
        parts = wiring.build_api_parts(settings, wiring.open_rooms(settings, store.url), wall_clock, b"0" * 32)
        with Theatre(create_app(parts)) as address:
            yield address


def test_an_indicator_shows_its_hour_its_thresholds_and_why(person: Person) -> None:
    person.goes("/#/indicators").sees(".gauge", "Waiting over 15 minutes")
    person.sees(".gauge .tag", "Beyond its threshold")
    assert "20%" in person.sees(".gauge").text
    person.clicks(".indicators summary")
    text = person.sees(".indicators .pairs", "the starting threshold").text
    for part in ("Starting threshold", "hour of the day ×", "learning until"):
        assert part in text
    person.sees(".indicators .stage")
    person.clicks(".language")
    person.sees(".gauge", "等待超过 15 分钟")


def test_the_month_in_hindsight_stands_beside_the_cost(person: Person) -> None:
    person.goes("/#/indicators").sees(".hindsight", "No alert of the last 30 days stands on a topic")
    person.clicks(".language")
    person.sees(".hindsight h2", "本月回顾")


def test_an_alert_on_an_indicator_speaks_of_its_figure_and_names_the_queue(person: Person) -> None:
    person.goes("/").sees(".feed a.open", "Waiting over 15 minutes")
    assert "%" in person.sees(".feed .numbers").text and "customers" not in person.sees(".feed .numbers").text
    person.clicks(".feed a.open")
    assert "usually" in person.sees(".alert .headline").text
    text = person.sees(".alert .tiles", "%").text
    assert "Observations" in text and "Customers" not in text
    person.sees(".culprits", "returns")
    label = person.sees(".stage").get_attribute("aria-label")
    assert label is not None and "%" in label and "customers" not in label
    person.sees_no(".samples")


def test_what_blind_spots_cost_is_worked_out_with_ones_own_figures(person: Person) -> None:
    person.goes("/#/indicators").sees(".cost", "3,000 yuan a day, 90,000 yuan in 30 days")
    person.runs(
        "const f = document.querySelector('.cost input[name=tickets]'); f.value = 10; f.dispatchEvent(new Event('change'))"
    )
    person.sees(".cost", "300 yuan a day, 9,000 yuan in 30 days")


def test_what_is_kept_and_who_looked_is_told_in_plain_words(person: Person) -> None:
    person.goes("/").sees("footer a", "What is kept")
    person.goes("/#/privacy")
    text = person.sees(".privacy table", "messages").text
    assert "90 days" in text and "keyed hash" in text
    assert "Nothing about an agent is kept" in person.sees(".privacy").text
    person.sees(".privacy li", "desk (1f2e)")
    person.clicks(".language")
    person.sees(".privacy", "顾客原文从不存储")


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("place", ["/#/indicators", "/#/privacy"])
def test_nothing_is_wider_than_the_screen(person: Person, place: str, size: tuple[int, int]) -> None:
    person.holds(size)
    person.goes(place).sees("main section")
    person.sees("main", "Waiting" if "indicators" in place else "messages")
    wide = (
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    )
    assert person.runs(f"{wide}.map(e => e.outerHTML.slice(0, 80))") == []
