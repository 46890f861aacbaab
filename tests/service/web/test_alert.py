"""One alert, as a person works on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from models.alert import Facts, Former
from models.exposure import Pace, Rate
from tests.service.web.acts import NOW, alert, topics
from tests.service.web.person import Person
from tests.service.web.stage import Stage


def opened(person: Person, stage: Stage, **traits: int) -> str:
    """Put one alert on the stage and open it; answers its id."""
    one = alert(0, **traits)
    stage.put(one)
    person.goes(f"/#/alerts/{one.id}").sees(".alert h1", "Charger overheats")
    person.sees(".live", "Live")
    return one.id


def test_it_answers_what_how_bad_since_when_where_from(person: Person, stage: Stage) -> None:
    opened(person, stage)
    text = person.sees(".alert").text
    for part in ("Critical", "45 customers in 3 h; 4.6 expected", "32 over", "CD65-2511B", "19×", "焦味"):
        assert part in text


def test_it_tells_complaints_per_thousand_orders_of_the_culprit_and_of_all(person: Person, stage: Stage) -> None:
    one = alert(0)
    mine = Rate(("batch", "CD65-2511B"), 41.2, 31.9, 53.1, 922.0, 3.1, 1.06, 4.0, Pace.steady)
    rates = (mine, replace(mine, cell=None, now=9.4))
    stage.put(replace(one, evidence=replace(one.evidence, rates=rates)))
    person.goes(f"/#/alerts/{one.id}").sees(".rates", "Orders did not rise; complaints did.")
    for part in ("batch CD65-2511B", "41.2", "31.9 to 53.1", "3.1", "922", "everything", "9.4"):
        assert part in person.sees(".rates").text
    person.clicks(".language")
    person.sees(".rates", "每千单")


def test_a_sales_peak_says_that_nobody_was_told_and_why(person: Person, stage: Stage) -> None:
    one = alert(0)
    rate = Rate(None, 10.2, 8.0, 13.0, 5_000.0, 9.8, 3.2, 4.0, Pace.in_step)
    stage.put(replace(one, evidence=replace(one.evidence, rates=(rate,))))
    person.goes("/").sees(".feed .tag", "In step with orders")
    person.goes(f"/#/alerts/{one.id}").sees(".rates", "a sales peak, no defect")
    person.sees(".marks .tag", "In step with orders")


def test_the_curve_is_described_in_words_and_has_a_table(person: Person, stage: Stage) -> None:
    one = alert(0)
    opened(person, stage)
    label = person.sees(".stage").get_attribute("aria-label")
    assert label is not None and "customers per hour" in label and "the surge began at" in label
    for mark in ("path.band", "path.upper", "path.bound", "rect.surge"):
        assert person.all(f".stage {mark}"), mark
    person.clicks(".fallback summary")
    person.sees(".fallback table")
    assert len(person.all(".fallback tbody tr")) == len(one.evidence.curve)


def test_the_curve_is_read_with_the_arrow_keys(person: Person, stage: Stage) -> None:
    opened(person, stage)
    last = alert(0).evidence.curve[-1]
    person.runs("document.querySelector('.stage').focus()")
    person.presses("\ue010")  # End
    person.sees(".readout", f"{last.observed} customers")


def test_acknowledging_asks_for_a_name_once_and_shows_it(person: Person, stage: Stage) -> None:
    first = opened(person, stage)
    person.clicks("[data-deed=acknowledge]")
    person.types("dialog input", "王敏")
    person.clicks("dialog button[type=submit]")
    person.sees(".marks .tag", "Acknowledged by 王敏")
    assert not person.sees("[data-deed=acknowledge]").is_enabled()
    other = alert(1)
    stage.put(other)
    person.goes(f"/#/alerts/{other.id}").clicks("[data-deed=acknowledge]")
    person.sees(".marks .tag", "Acknowledged by 王敏")
    assert [deed[:2] for deed in stage.deeds] == [("acknowledge", first), ("acknowledge", other.id)]


def test_leaving_the_question_does_nothing(person: Person, stage: Stage) -> None:
    opened(person, stage)
    person.clicks("[data-deed=resolve]")
    person.sees("dialog")
    person.presses("\ue00c")  # Esc
    person.sees_no("dialog")
    assert stage.deeds == []


def test_snoozing_until_tomorrow_sends_that_instant(person: Person, stage: Stage) -> None:
    one = opened(person, stage)
    person.clicks("[data-deed=snooze]")
    person.clicks("dialog input[value=tomorrow]")
    person.clicks("dialog button[type=submit]")
    person.sees(".marks .tag", "Snoozed until")
    [(deed, which, body)] = stage.deeds
    until = datetime.fromisoformat(body["until"])
    assert (deed, which) == ("snooze", one)
    assert timedelta(0) < until - datetime.now(UTC) < timedelta(hours=48)


def test_closing_and_judging_carry_a_note(person: Person, stage: Stage) -> None:
    one = opened(person, stage)
    person.clicks("[data-deed=noise]")
    person.types("dialog textarea", "a promotion nobody told us of")
    person.clicks("dialog button[type=submit]")
    person.sees(".marks .tag", "Noise")
    assert person.sees("[data-deed=noise]").get_attribute("aria-pressed") == "true"
    person.clicks("[data-deed=resolve]")
    person.clicks("dialog button[type=submit]")
    person.sees(".marks .tag", "Closed")
    assert stage.deeds == [
        ("feedback", one, {"judgement": "noise", "note": "a promotion nobody told us of"}),
        ("resolve", one, {"note": None}),
    ]
    person.sees(".timeline blockquote", "a promotion nobody told us of")


def test_assigning_and_commenting_stand_in_the_timeline(person: Person, stage: Stage) -> None:
    one = opened(person, stage)
    person.clicks("[data-deed=assign]")
    person.types("dialog input", "Chen Jie")
    person.clicks("dialog button[type=submit]")
    person.sees(".marks .tag", "For Chen Jie")
    person.clicks("[data-deed=comment]")
    person.types("dialog input", "王敏")
    person.clicks("dialog button[type=submit]")
    person.types("dialog textarea", "<b>the supplier</b> answers tomorrow")
    person.clicks("dialog button[type=submit]")
    person.sees(".timeline blockquote", "<b>the supplier</b> answers tomorrow")
    person.sees(".timeline li", "Assigned to Chen Jie")
    person.sees(".timeline li", "by 王敏")
    assert stage.deeds == [
        ("assign", one, {"to": "Chen Jie", "by": None}),
        ("comment", one, {"note": "<b>the supplier</b> answers tomorrow", "by": "王敏"}),
    ]


def test_a_topic_that_came_back_leads_to_the_alert_before(person: Person, stage: Stage) -> None:
    before = alert(0, ago=timedelta(days=40), ended=True)
    stage.put(before)
    again = replace(alert(0), former=Former(before.id, NOW - timedelta(days=38)))
    stage.put(again)
    person.goes(f"/#/alerts/{again.id}").sees(".note", "It came back")
    person.sees(".marks .tag", "Came back")
    person.clicks(".note a")
    person.waits(lambda: before.id in person.runs("return location.hash"), "the alert before was not opened")
    person.sees(".marks .tag", "Resolved")


def test_what_another_person_does_shows_at_once_and_new_figures_wait(person: Person, stage: Stage) -> None:
    one = alert(0)
    opened(person, stage)
    stage.facts[one.id] = Facts(acknowledged_at=NOW, acknowledged_by="Zhao")
    stage.tell(one, "acknowledged")
    person.sees(".marks .tag", "Acknowledged by Zhao")
    window = replace(one.evidence.window, observed=99)
    later = replace(one, evidence=replace(one.evidence, window=window), updated_at=NOW + timedelta(hours=1))
    stage.tell(later, "grew")
    person.clicks(".news", "New figures")
    person.sees(".tiles", "99")


def test_an_alert_that_is_gone_says_so(person: Person) -> None:
    person.goes("/#/alerts/none-such")
    person.sees(".quiet", "There is no such alert")


def test_the_language_switches_in_place(person: Person, stage: Stage) -> None:
    opened(person, stage)
    person.clicks(".language")
    person.sees(".alert h1", "充电器发烫")
    person.sees(".headline", "3 小时内有 45 位顾客提及")


def test_the_link_is_handed_over(person: Person, stage: Stage) -> None:
    one = opened(person, stage)
    person.runs("navigator.clipboard.writeText = () => Promise.reject(new Error('no clipboard here'))")
    person.clicks(".link")
    field = person.sees("dialog input")
    assert field.get_property("value") == f"{person.url}/#/alerts/{one}"


def test_what_spoke_and_what_made_the_expectation_stands_on_the_alert_and_on_its_topic(
    person: Person, stage: Stage
) -> None:
    one = alert(0)
    opened(person, stage)
    assert len(person.all(".alert table.figures tbody tr")) == len(one.evidence.windows)
    names = ("usual level of the topic", "hour of the day", "day of the week", "volume of all messages", "expected")
    for part in names:
        assert part in person.sees(".alert .factors").text
    stage.topics = [topic for topic in topics() if topic.id == one.evidence.topic.id]
    person.goes("/#/topics").clicks(".topics summary.topic")
    for part in names:
        assert part in person.sees(".factors").text
    assert f"up to {one.evidence.window.upper_bound:.0f} normal" in person.sees("main").text
