"""Settings and topics on the real service: what is changed on the page is changed in the store."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.buckets import bucket_of
from models.embed import Centring, unit
from models.message import CustomerKey, Message, RedactedText
from models.severity import Severity
from models.topic import Exemplar, Topic, TopicId
from models.topics import TopicModel
from service import wiring
from service.app import create_app
from service.clock import wall_clock
from service.metrics import Metrics
from service.settings import Settings
from service.store.codec import Entry, pack_vector
from service.store.counts import Tally
from service.store.embedded import EmbeddedStore
from service.store.lease import Lease
from service.store.teams import Entry as Told
from service.store.teams import Teams
from service.wiring import Rooms
from tests.service.web.person import LAPTOP, PHONE, Person
from tests.service.web.stage import Theatre

NOW = datetime.now(UTC)
PLACES = unit(np.random.default_rng(4).normal(size=(3, 16)))
SAID = ("the charger gets hot", "the charger does not charge", "my refund is missing")
NAMES = ({"en": "charger", "zh": "充电器"}, {"en": "refund", "zh": "退款"})


def message(number: int, place: int) -> Message:
    words = "".join(chr(97 + int(digit)) for digit in str(number))
    text = RedactedText(f"{SAID[place]}, <i>{words}</i>")
    return Message(f"m{number}", "chat", text, NOW - timedelta(hours=1 + number % 20), CustomerKey(f"c{number}"))


async def furnish(rooms: Rooms, settings: Settings) -> None:
    """Two topics: one of hot chargers and dead ones together, one of refunds; and a judge that has begun."""
    await wiring.lay_out(rooms, settings)
    centroids = unit(np.stack([PLACES[0] + PLACES[1], PLACES[2]]))
    topics = tuple(
        Topic(TopicId(f"t{n + 1}"), centroids[n], 0.6, 20, NOW - timedelta(days=3), ("charger",), NAMES[n],
              (Exemplar("m0", RedactedText(f"{SAID[2 * n]} <b>now</b>")),))
        for n in range(2)
    )  # fmt: skip
    await rooms.models.save(TopicModel("drawn", Centring.none(16), topics), bucket_of(NOW) - 288, after=0, at=NOW)
    await rooms.inbox.accept([Entry(message(n, n % 3)) for n in range(45)], NOW)
    rng = np.random.default_rng(5)
    for one in await rooms.inbox.take("w", 100):
        assert one.entry is not None
        place = next(n for n, words in enumerate(SAID) if words in one.entry.message.text)
        vector = unit((PLACES[place] + 0.05 * rng.normal(size=16))[None])[0]
        tally = Tally(one.id, one.entry, "t2" if place == 2 else "t1", pack_vector(vector))
        await rooms.counts.count(one.partition, [tally])
    lease = Lease(rooms.store, "judge")
    assert await lease.hold()
    judge = wiring.build_judge(settings, rooms, lease, Metrics())
    await judge.begin(bucket_of(NOW) - 288, bucket_of(NOW))
    await judge.advance(NOW, NOW)
    teams = Teams(rooms.store)
    await teams.settle_on({"quality": 5})
    await teams.note("quality", Told("20260310T0900-t1", Severity.warning, NOW), told=True)
    await teams.note("quality", Told("20260310T0900-t2", Severity.info, NOW), told=False)
    await rooms.store.close()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    settings = Settings.model_validate({"data_dir": tmp_path})
    with EmbeddedStore(tmp_path / "store", durable=False) as store:
        asyncio.run(furnish(wiring.open_rooms(settings, store.url), settings))
        parts = wiring.build_api_parts(settings, wiring.open_rooms(settings, store.url), wall_clock, b"0" * 32)
        with Theatre(create_app(parts)) as address:
            yield address


def asks(person: Person, path: str) -> Any:
    """What the service answers, asked for from the page."""
    return person.runs("return fetch(arguments[0]).then(answer => answer.json())", path)


def opened(person: Person, name: str) -> Callable[[str], None]:
    """Open a topic of the list; answers what clicks a deed of it."""
    person.goes("/#/topics").clicks(".topics summary", name)
    person.sees(".topics .timeline li", "found")
    return lambda deed: person.clicks(f"details[open] [data-deed={deed}]")


def test_a_teams_budget_and_its_week_are_shown(person: Person) -> None:
    person.goes("/#/settings").sees(".settings h3", "quality")
    text = person.sees(".settings").text
    for part in (
        "1 of 5 alerts told in the last seven days",
        "Held back, being less severe",
        "20260310T0900-t2",
        "0 of 1",
    ):
        assert part in text
    person.clicks(".language")
    person.sees(".settings", "团队：告警预算与疲劳")


def test_a_topic_is_renamed_in_both_languages(person: Person) -> None:
    opened(person, "charger")("rename")
    person.types("dialog input[name=en]", "charger trouble")
    person.types("dialog input[name=zh]", "充电器问题")
    person.clicks("dialog button[type=submit]")
    person.sees(".topics summary", "charger trouble")
    person.sees(".timeline li", "called")
    person.clicks(".language")
    person.sees(".topics summary", "充电器问题")


def test_a_hostile_name_is_shown_as_text_wherever_the_topic_stands(person: Person) -> None:
    script = "<img src=x onerror=\"document.title='owned'\"> @all"
    opened(person, "charger")("rename")
    person.types("dialog input[name=en]", script)
    person.clicks("dialog button[type=submit]")
    person.sees(".topics summary", script)
    person.sees(".timeline li", script)
    person.clicks("button[value=map]")
    person.sees(".map a")
    assert any(script in one.get_attribute("aria-label") for one in person.all(".map a"))
    assert person.all("main img") == [] and person.browser.title == "Topics · Tocsin"


def test_two_topics_become_one_and_are_taken_apart_again(person: Person) -> None:
    opened(person, "refund")("merge")
    person.clicks("dialog button[type=submit]")
    person.sees(".topics .tag", "merged into charger")
    person.sees(".timeline li", "merged into t1")
    person.clicks("details[open] [data-deed=part]")
    person.sees(".toast", "a topic of its own again")
    person.sees_no(".topics .tag")
    states = {one["id"]: one["state"] for one in asks(person, "/v1/topics")["topics"]}
    assert states == {"t1": "live", "t2": "live"}


def test_a_topic_of_two_issues_is_split_after_both_are_shown(person: Person) -> None:
    opened(person, "charger")("split")
    person.sees("dialog .parts")
    texts = person.texts("dialog .parts section")
    assert any("gets hot" in one and "does not charge" not in one for one in texts)
    person.clicks("dialog button[type=submit]")
    person.sees(".toast", "Split off as t3")
    person.waits(lambda: len(person.all(".topics summary.topic")) == 3, "the new topic is not listed")


def test_a_topic_is_muted_and_rings_again(person: Person) -> None:
    deed = opened(person, "charger")
    deed("mute")
    person.sees(".topics .tag", "muted")
    person.clicks("details[open] [data-deed=unmute]")
    person.sees_no(".topics .tag")


def test_the_map_leads_to_a_topic_by_keyboard(person: Person) -> None:
    person.goes("/#/topics").clicks("button[value=map]")
    person.sees(".map a")
    person.runs("document.querySelector('.map a[aria-label^=refund]').focus()")
    person.presses("\ue007")  # Enter
    person.sees("details[open] .examples", "my refund is missing <b>now</b>")


def test_topics_are_still_found_by_their_words_where_no_worker_reads_the_meaning(person: Person) -> None:
    person.goes("/#/topics").types("input[type=search]", "refund")
    person.waits(lambda: len(person.all(".topics summary.topic")) == 1, "the search did not narrow the topics")


def test_another_budget_is_chosen_and_taken_back(person: Person) -> None:
    person.goes("/#/settings").sees(".settings tr", "in force")
    person.clicks("button[aria-label='Use: 4']")
    person.sees(".toast", "4 a week")
    assert asks(person, "/v1/budget")["false_alarms_per_week"] == 4
    person.clicks(".settings button", "Back to the setting: 2")
    person.waits(lambda: asks(person, "/v1/budget")["chosen"] is False, "the setting does not count again")


def test_a_campaign_is_announced_and_removed(person: Person) -> None:
    person.goes("/#/settings").clicks(".settings button", "Announce")
    person.types("dialog input[type=text]", "<b>11.11</b>")
    person.types("dialog input[type=number]", "3")
    person.clicks("dialog button[type=submit]")
    person.sees(".lines li", "<b>11.11</b>")
    person.sees(".lines li", "3 times the usual")
    person.clicks("button[aria-label^=Remove]")
    person.sees(".settings", "None is announced")


def test_a_key_is_made_shown_once_and_ended(person: Person) -> None:
    person.goes("/#/settings").clicks(".settings button", "Make a key")
    person.types("dialog input[type=text]", "chatbot")
    person.clicks("dialog button[type=submit]")
    secret = person.sees("dialog input[readonly]").get_property("value")
    assert secret.startswith("tocsin_")
    person.clicks("dialog button.primary")
    person.sees(".lines li", "chatbot")
    assert secret not in person.sees(".settings").text
    person.clicks("button[aria-label='End: chatbot']")
    person.clicks("dialog button[type=submit]")
    person.sees(".lines li", "ended")


def test_every_view_fits_a_phone(person: Person) -> None:
    person.holds(PHONE)
    for place, seen in (("settings", ".settings tr"), ("topics", ".topics summary"), ("health", ".ready")):
        person.goes(f"/#/{place}").sees(seen)
        assert person.runs("return document.documentElement.scrollWidth") <= PHONE[0], place


@pytest.mark.parametrize(("scheme", "size"), [("light", LAPTOP), ("dark", PHONE)])
def test_axe_finds_no_fault_in_settings_topics_and_their_dialogs(
    person: Person, scheme: str, size: tuple[int, int]
) -> None:
    person.prefers(scheme).holds(size).goes("/#/settings").sees(".settings tr")
    assert person.faults() == []
    person.clicks(".settings button", "Make a key")
    person.sees("dialog .choice")
    assert person.faults() == []
    person.clicks("dialog button.plain")
    opened(person, "charger")
    person.sees("details[open] .stage svg")
    assert person.faults() == []
    for deed, seen in (("rename", "dialog input"), ("merge", "dialog select"), ("split", "dialog .parts")):
        person.clicks(f"details[open] [data-deed={deed}]")
        person.sees(seen)
        assert person.faults() == [], deed
        person.clicks("dialog button.plain")
    person.clicks("button[value=map]")
    person.sees(".map a")
    assert person.faults() == []
