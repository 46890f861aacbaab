"""What the page does when the service asks for a key, is away, or comes back; topics and health."""

from datetime import timedelta

from tests.service.web.acts import NOW, alert, topics
from tests.service.web.person import Person
from tests.service.web.stage import Stage

ROW = ".feed li h3 a"


def test_a_key_is_asked_for_kept_for_the_tab_and_sent(person: Person, stage: Stage) -> None:
    stage.key = "right"
    stage.put(alert(0))
    person.browser.get(person.url)
    person.types("dialog input[type=password]", "wrong\n")
    person.sees("dialog", "not accepted")
    person.types("dialog input[type=password]", "right\n")
    person.sees(ROW)
    person.sees(".live", "Live")
    person.browser.refresh()
    person.sees(ROW)
    assert person.runs("return [sessionStorage['tocsin.key'], localStorage.length]") == ["right", 0]


def test_whoever_has_no_key_is_told_and_may_try_again(person: Person, stage: Stage) -> None:
    stage.key = "right"
    stage.put(alert(0))
    person.browser.get(person.url)
    person.clicks("dialog button.plain")
    person.sees(".quiet", "A key is needed")
    person.clicks(".quiet button")
    person.types("dialog input[type=password]", "right\n")
    person.sees(ROW)


def test_a_service_that_is_away_is_named_and_comes_back_by_itself(person: Person, stage: Stage) -> None:
    stage.away = True
    stage.put(alert(0))
    person.goes()
    person.sees(".quiet", "The store cannot be reached")
    person.sees(".live", "Reconnecting")
    stage.away = False
    person.sees(ROW)
    person.sees(".live", "Live")


def test_a_cut_stream_resumes_from_the_last_event_and_misses_nothing(person: Person, stage: Stage) -> None:
    stage.put(alert(0))
    person.goes().sees(".live", "Live")
    stage.tell(alert(1))
    person.sees(".news", "1 new")
    stage.cut += 1
    stage.tell(alert(2))
    person.sees(".news", "2 new")
    person.waits(lambda: "1-0" in stage.resumed, "the stream was not taken up after the last event")


def test_topics_are_listed_searched_and_opened(person: Person, stage: Stage) -> None:
    stage.topics = topics()
    stage.put(alert(0))
    person.goes("/#/topics").sees(".topics summary", "Charger overheats")
    assert len(person.all(".topics summary.topic")) == 5
    person.sees(".topics .tag", "alert open")
    person.types("input[type=search]", "退款")
    person.waits(lambda: len(person.all(".topics summary.topic")) == 1, "the search did not narrow the topics")
    person.clicks(".topics summary.topic")
    person.sees(".examples", "退货都签收六天了")


def test_a_topic_shows_its_week_as_a_curve(person: Person, stage: Stage) -> None:
    stage.topics = topics()
    stage.put(alert(0))
    person.goes("/#/topics").clicks(".topics summary", "Charger overheats")
    person.sees(".topics .stage svg")
    assert not person.all(".topics .stage rect.surge")


def test_health_says_how_things_stand(person: Person, stage: Stage) -> None:
    stage.status = {
        "version": "9.8.7",
        "lag_seconds": 3700.0,
        "waiting": 1234,
        "dead": 0,
        "noise_share": 0.184,
        "judged_until": NOW.isoformat(),
        "threshold": 3.41,
        "outbox": {"waiting": 2, "dead": 1},
        "something_new": 5,
    }
    text = person.goes("/#/health").sees(".health .block", "Version").text
    for part in ("1,234", "18.4%", "3.41", "2 waiting, 1 given up", "9.8.7", "1 h 2 min", "something new"):
        assert part in text
    person.sees(".ready", "Ready")
    person.sees(".banner", "alerts come late")


def test_what_was_given_up_is_listed_with_its_reason_and_sent_again(person: Person, stage: Stage) -> None:
    stage.status = {"dead": 2, "outbox": {"waiting": 0, "dead": 1}}
    person.goes("/#/health").clicks(".health summary", "Notifications given up")
    person.sees(".health .dead li", "signature_refused")
    person.clicks(".health button", "Send them again")
    person.sees(".toast", "1 notification is sent again")
    person.clicks(".health summary", "Messages put aside")
    person.sees(".health .dead li", "unreadable")
    person.clicks(".health button", "Take them in again")
    person.sees(".toast", "2 messages taken in again")


def test_learning_and_blind_spots_stand_above_every_view(person: Person, stage: Stage) -> None:
    stage.status = {
        "learning_until": (NOW + timedelta(days=2)).isoformat(),
        "blind": [{"from": (NOW - timedelta(hours=3)).isoformat(), "to": (NOW - timedelta(hours=2)).isoformat()}],
    }
    person.goes()
    person.sees(".banner", "Still learning")
    person.sees(".banner", "Blind from")
