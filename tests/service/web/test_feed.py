"""The feed, as a person sees it."""

from dataclasses import replace
from datetime import timedelta

from models.alert import Facts
from models.surge import SurgeState
from tests.service.web.acts import NOW, alert
from tests.service.web.person import PHONE, Person
from tests.service.web.stage import Stage

ROW = ".feed li h3 a"


def test_an_alert_that_fires_appears_by_itself_where_nothing_is_shown(person: Person, stage: Stage) -> None:
    person.goes()
    person.sees(".quiet", "Nothing is ringing")
    person.sees(".live", "Live")
    stage.tell(alert(0))
    person.sees(ROW, "Charger overheats")


def test_a_new_alert_waits_behind_a_button_and_moves_nothing(person: Person, stage: Stage) -> None:
    stage.put(*(alert(n % 5, ago=timedelta(hours=n), suffix=f"-{n}") for n in range(1, 30)))
    person.goes()
    person.sees(".live", "Live")
    person.runs("window.scrollTo(0, 400)")
    before = person.runs("return document.querySelectorAll('.feed li')[8].getBoundingClientRect().top")

    stage.tell(alert(0, observed=90))

    person.sees(".news", "1 new")
    assert person.runs("return document.querySelectorAll('.feed li')[8].getBoundingClientRect().top") == before
    assert person.browser.title.startswith("(1)")
    person.clicks(".news")
    assert person.sees(".feed li:first-child").text.count("New")
    assert "Charger overheats" in person.texts(ROW)[0]
    assert person.browser.title == "Tocsin"


def test_a_row_shows_what_how_much_since_when_where_from_and_in_whose_words(person: Person, stage: Stage) -> None:
    one = alert(0)
    stage.put(one)
    text = person.goes().sees(".feed li .row").text
    window = one.evidence.window
    for part in ("Critical", "Charger overheats", "batch CD65-2511B", "充电器插上十分钟", "since", "customers in 3 h"):
        assert part in text
    assert f"{window.observed}" in text
    assert f"upper bound {window.upper_bound}" in text
    assert person.all(".feed li svg.spark path.over")


def test_figures_of_a_shown_alert_change_in_place(person: Person, stage: Stage) -> None:
    first, second = alert(0), alert(1)
    stage.put(first, second)
    person.goes().sees(".live", "Live")
    order = person.texts(ROW)
    window = replace(second.evidence.window, observed=777)
    stage.tell(replace(second, evidence=replace(second.evidence, window=window)), "grew")
    person.sees(".numbers", "777")
    assert person.texts(ROW) == order
    person.sees_no(".news")


def test_an_alert_that_ends_stays_where_it_is_read_and_says_so(person: Person, stage: Stage) -> None:
    first, second = alert(0), alert(1)
    stage.put(first, second)
    person.goes().sees(".live", "Live")
    stage.tell(replace(first, state=SurgeState.resolved, resolved_at=NOW), "resolved")
    person.sees(".feed li:first-child .tag", "Resolved")
    assert "Charger" in person.texts(ROW)[0]


def test_open_alerts_come_first_then_snoozed_then_ended(person: Person, stage: Stage) -> None:
    ended, snoozed, firing = alert(2, ended=True), alert(1), alert(0, ago=timedelta(days=2))
    stage.put(ended, snoozed, firing)
    stage.facts[snoozed.id] = Facts(snoozed_until=NOW + timedelta(days=2))
    person.goes().sees(ROW)
    assert [title.split()[0] for title in person.texts(".list h2")] == ["Open", "Snoozed", "Ended"]
    assert [text.split()[0] for text in person.texts(ROW)] == ["Charger", "Parcel", "Coupon"]


def test_filters_narrow_the_list_and_stand_in_the_address(person: Person, stage: Stage) -> None:
    stage.put(alert(0), alert(1, observed=12, expected=3.0), alert(3, ended=True))
    person.goes().sees(ROW)
    person.types("input[type=search]", "华东二仓")
    person.waits(lambda: len(person.all(ROW)) == 1, "the search did not narrow the list")
    assert person.texts(ROW) == ["Parcel stuck in transit"]
    person.browser.refresh()
    person.sees(ROW, "Parcel")
    assert len(person.all(ROW)) == 1
    person.clicks("button", "Clear filters")
    person.clicks("button[value=ended]")
    person.waits(lambda: person.texts(ROW) == ["Wrong colour delivered"], "the state did not narrow the list")


def test_no_fit_says_so_and_offers_the_way_back(person: Person, stage: Stage) -> None:
    stage.put(alert(0))
    person.goes("/#/?q=nothing-like-it")
    person.sees(".quiet", "No alert fits")
    person.clicks(".quiet button")
    person.sees(ROW)


def test_older_alerts_are_loaded_when_asked_for(person: Person, stage: Stage) -> None:
    stage.page = 5
    stage.put(*(alert(n % 5, ago=timedelta(hours=n), suffix=f"-{n}", ended=True) for n in range(12)))
    person.goes().sees(ROW)
    assert len(person.all(ROW)) == 5
    person.clicks(".foot button", "Load older")
    person.waits(lambda: len(person.all(ROW)) == 10, "no older alerts came")


def test_the_keyboard_alone_walks_opens_and_acknowledges(person: Person, stage: Stage) -> None:
    first, second = alert(0), alert(1)
    stage.put(first, second)
    person.goes().sees(ROW)
    person.presses("j")
    person.presses("j")
    person.presses("a")
    person.types("dialog input", "Li Na\n")
    person.sees(".tag", "Acknowledged by Li Na")
    assert stage.deeds == [("acknowledge", second.id, {"by": "Li Na"})]
    person.presses("k")
    person.presses("\ue007")
    person.sees(".alert h1", "Charger overheats")
    person.presses("u")
    person.sees(ROW)
    person.presses("?")
    person.sees("dialog", "Keyboard")


def test_single_keys_can_be_turned_off(person: Person, stage: Stage) -> None:
    stage.put(alert(0))
    person.goes().sees(ROW)
    person.presses("?")
    person.clicks("dialog input[type=checkbox]")
    person.clicks("dialog button.primary")
    person.presses("?")
    person.presses("2")
    assert not person.all("dialog")
    person.sees(ROW)


def test_the_language_is_the_browsers_until_the_person_switches_and_is_remembered(person: Person, stage: Stage) -> None:
    stage.put(alert(0))
    person.speaks("zh-CN").goes().sees(ROW, "充电器发烫")
    assert person.runs("return document.documentElement.lang") == "zh-CN"
    person.clicks(".language")
    person.sees(ROW, "Charger overheats")
    person.browser.refresh()
    person.sees(ROW, "Charger overheats")
    assert person.runs("return document.documentElement.lang") == "en"


def test_dark_is_the_systems_wish_or_the_persons(person: Person, stage: Stage) -> None:
    def paper() -> str:
        return str(person.runs("return getComputedStyle(document.documentElement).backgroundColor"))

    person.goes()
    light = paper()
    person.prefers("dark")
    person.waits(lambda: paper() != light, "the page did not turn dark with the system")
    person.clicks(".theme")
    person.waits(lambda: paper() == light, "the person's wish for light did not hold")
    person.browser.refresh()
    assert paper() == light


def test_a_phone_needs_no_scrolling_sideways(person: Person, stage: Stage) -> None:
    long = alert(2, label="优惠券" * 30, attributes={"a-very-long-attribute-name-without-any-break" * 3: "x" * 300})
    stage.put(alert(0), alert(1, ended=True), long)
    stage.status = {"version": "0.1.0", "waiting": 3, "threshold": 3.1}
    person.holds(PHONE)
    for place in ("/", f"/#/alerts/{long.id}", "/#/topics", "/#/health"):
        person.goes(place).sees("main section")
        wide = person.runs("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1], place


def test_an_old_alert_that_is_still_open_is_shown_however_many_have_ended_since(person: Person, stage: Stage) -> None:
    stage.page = 5
    stage.put(*(alert(1 + n % 4, ago=timedelta(hours=n), suffix=f"-{n}", ended=True) for n in range(12)))
    stage.put(alert(0, ago=timedelta(days=3)))
    person.goes().sees(ROW, "Charger")
    assert "Charger" in person.texts(ROW)[0]


def test_a_thousand_open_alerts_are_listed(person: Person, stage: Stage) -> None:
    stage.put(*(alert(n % 5, ago=timedelta(minutes=7 * n), suffix=f"-{n}") for n in range(1000)))
    person.goes().sees(".news", "900 new")
    person.clicks(".news")
    assert len(person.all(ROW)) == 1000
