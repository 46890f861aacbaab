from dataclasses import replace
from datetime import timedelta
from string import Formatter

from models.alert import Former, Judgement
from service.notify.card import MOST_LISTED, Voice, card_of
from service.notify.words import WORDS
from tests.service.notify.payloads import AT, alert, digest, payload


def test_both_languages_say_the_same_things_with_the_same_figures() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, text in WORDS["en"].items():
        figures = [sorted(name for _, name, _, _ in Formatter().parse(one) if name) for one in (text, WORDS["zh"][key])]
        assert figures[0] == figures[1], key


def test_a_card_says_what_how_bad_since_when_where_from_and_who_has_it() -> None:
    card = card_of(payload(acknowledged_at=AT, acknowledged_by="Li"), Voice("en"))
    assert card.title == "[critical] New alert: does not charge"
    lines = dict(card.lines)
    assert lines["How much"] == "45 customers in 3 h; 5.2 expected, at most 9 normal"
    assert lines["Since"] == "2026-03-10 06:00 UTC"
    assert lines["Where from"] == "batch = PB20-3 (19 where 1.1 expected, lift 17.3)"
    assert lines["In hand"] == "Li"
    assert card.quotes == ("用了三天就充不进电", "The power bank stopped charging")


def test_a_long_digest_says_how_many_it_leaves_out() -> None:
    card = card_of(digest(*(alert(n) for n in range(MOST_LISTED + 5))), Voice("zh"))
    assert card.title == "25 个告警"
    assert len(card.lines) == MOST_LISTED + 1
    assert card.lines[-1] == ("", "… 另有 5 个")


def test_a_card_says_that_it_came_back_where_to_read_of_the_time_before_and_who_is_to_see_to_it() -> None:
    again = replace(alert(2), former=Former("20260210T0900-t2", AT - timedelta(days=28), Judgement.noise))
    lines = dict(card_of(payload(again, assigned_to="Chen @all"), Voice("en")).lines)
    assert lines["Came back"].startswith("it rang before, until 2026-02-10 09:00 UTC, and was called noise")
    assert lines["Came back"].endswith("/#/alerts/20260210T0900-t2")
    assert lines["Assigned to"] == "Chen @all"
    assert "再次出现" in dict(card_of(payload(again), Voice("zh")).lines)
