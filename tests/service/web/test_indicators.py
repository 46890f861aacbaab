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
from service.store.campaigns import Campaign
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
    await rooms.campaigns.put([Campaign("c1", "Spring sale", NOW - timedelta(hours=2), NOW + timedelta(hours=2), 1.5)])
    lease = Lease(rooms.store, "gauge")
    assert await lease.hold()
    judge = wiring.build_gauge(settings, rooms, lease, Metrics())
    await judge.advance(NOW - timedelta(hours=3), NOW)
    await judge.advance(NOW, NOW)
    await rooms.access.note(Access(NOW, "desk (1f2e)", "context", "k3v7q2m5"))
    await rooms.store.close()


CONTRACT = """
[waiting_time]
ceiling = 0.10
floor = 0.02
"""


async def keep_to(rooms: Rooms, settings: Settings) -> None:
    """Fifteen days in which one in twenty waits, and an hour in which three in twenty do: more than the contract allows."""
    last, said = NOW.replace(minute=0, second=0, microsecond=0), []
    for hour in range(15 * 24, 0, -1):
        at = last - timedelta(hours=hour - 1, minutes=20)
        late = 30 if hour == 1 else 10 + hour % 2
        said.append(Observation(WAIT.name, f"h{hour}", at, observation(WAIT, late, 200), {"queue": "returns"}))
    await rooms.gauges.observe(said, NOW)
    lease = Lease(rooms.store, "gauge", timedelta(hours=1))
    assert await lease.hold()
    judge = wiring.build_gauge(settings, rooms, lease, Metrics())
    await judge.advance(last - timedelta(hours=1), NOW)
    await judge.advance(last, NOW)
    await rooms.store.close()


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    furnished, lines = request.param
    (tmp_path / "lines.toml").write_text(lines)
    settings = Settings.model_validate({"data_dir": tmp_path, "indicators": tmp_path / "lines.toml"})
    with EmbeddedStore(tmp_path / "store", durable=False) as store:
        asyncio.run(furnished(wiring.open_rooms(settings, store.url), settings))
        parts = wiring.build_api_parts(settings, wiring.open_rooms(settings, store.url), wall_clock, b"0" * 32)
        with Theatre(create_app(parts)) as address:
            yield address


starting = pytest.mark.parametrize("url", [(furnish, "")], ids=["starting"], indirect=True)
contract = pytest.mark.parametrize("url", [(keep_to, CONTRACT)], ids=["contract"], indirect=True)


@contract
def test_a_contracts_ceiling_stands_beside_what_was_learnt_and_why_and_rings(person: Person) -> None:
    person.goes("/#/indicators").sees(".gauge .tag", "Beyond its threshold")
    assert "10%" in person.sees(".gauge").text
    person.clicks(".indicators summary")
    pairs = [one.split("\n") for one in person.sees(".indicators .pairs", "a contract's line").text.split("In force")]
    told = dict(zip(pairs[1][2::2], pairs[1][3::2], strict=False))
    assert (told["Starting threshold"], told["Ceiling by contract"], told["Floor by contract"]) == ("20%", "10%", "2%")
    assert float(told["Learnt threshold now"].rstrip("%")) > 10
    for part in ("hour of the day ×", "day of the week ×", "load of the last hours ×"):
        assert part in told["Why it is where it is"]
    person.clicks(".language")
    person.sees(".indicators", "等待超过 15 分钟")
    person.clicks(".indicators summary")
    text = person.sees(".indicators .pairs", "合同界限").text
    assert "合同上限" in text and "合同下限" in text
    person.clicks(".language")
    person.goes("/").sees(".feed a.open", "Waiting over 15 minutes")
    person.clicks(".feed a.open")
    person.sees(".alert", "beyond what a contract allows")


@starting
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


@starting
def test_the_month_in_hindsight_stands_beside_the_cost(person: Person) -> None:
    person.goes("/#/indicators").sees(".hindsight", "Waiting over 15 minutes")
    person.clicks(".language")
    person.sees(".hindsight h2", "本月回顾")


@starting
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


@starting
def test_an_alert_on_an_indicator_says_what_it_crossed_what_it_may_cost_and_which_campaign_runs(person: Person) -> None:
    person.goes("/").clicks(".feed a.open")
    assert "Spring sale" in person.sees(".alert .note", "Too few were seen before").text
    crossed = person.sees(".alert .pairs", "the starting threshold").text
    assert "Starting threshold" in crossed and "20%" in crossed
    assert "campaign ×" in person.sees(".alert", "far beyond the threshold").text
    cost = person.sees(".alert", "write again").text
    assert "10% to 50%" in cost and "30 yuan a ticket" in cost
    person.clicks(".language")
    person.sees(".alert .note", "促销进行中：Spring sale")
    person.sees(".alert .pairs", "起始阈值")
    person.sees(".alert", "促销活动 ×")
    assert "其中不良" in person.sees(".culprits", "returns").text
    assert "阈值" in person.sees(".alert .tiles", "通常").text
    assert "每张工单 30 元" in person.sees(".alert", "会再次来询").text


@starting
def test_the_months_costs_are_told_in_the_readers_language(person: Person) -> None:
    person.goes("/#/indicators").sees(".costly", "Waiting over 15 minutes")
    person.clicks(".language")
    assert "元" in person.sees(".costly", "等待超过 15 分钟").text
    person.sees(".cost", "每天 3,000 元，30 天共 90,000 元")


@starting
def test_what_blind_spots_cost_is_worked_out_with_ones_own_figures(person: Person) -> None:
    person.goes("/#/indicators").sees(".cost", "3,000 yuan a day, 90,000 yuan in 30 days")
    person.runs(
        "const f = document.querySelector('.cost input[name=tickets]'); f.value = 10; f.dispatchEvent(new Event('change'))"
    )
    person.sees(".cost", "300 yuan a day, 9,000 yuan in 30 days")


@starting
def test_what_is_kept_and_who_looked_is_told_in_plain_words(person: Person) -> None:
    person.goes("/").sees("footer a", "What is kept")
    person.goes("/#/privacy")
    text = person.sees(".privacy table", "messages").text
    assert "90 days" in text and "keyed hash" in text
    assert "Nothing about an agent is kept" in person.sees(".privacy").text
    person.sees(".privacy li", "desk (1f2e)")
    person.clicks(".language")
    person.sees(".privacy", "顾客原文从不存储")


@starting
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
