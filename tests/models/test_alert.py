from dataclasses import replace

from models.alert import Facts, Reason, decide, headline, mark_sent
from models.exposure import Pace, Rate
from tests.service.notify.payloads import AT, alert


def test_a_headline_says_what_how_much_and_since_when_in_both_languages() -> None:
    assert headline(alert()) == (
        "does not charge: 45 customers in 3 h, 5.2 expected (8.6 times), since 2026-03-10 06:00 UTC"
    )
    assert (
        headline(alert(), "zh")
        == "充不进电：3 小时内有 45 位顾客提及，预期 5.2 位（8.6 倍），始于 2026-03-10 06:00 UTC"
    )


def test_a_topic_without_a_label_in_that_language_is_called_by_the_one_it_has() -> None:
    one = alert()
    topic = replace(one.evidence.topic, labels={})
    assert headline(replace(one, evidence=replace(one.evidence, topic=topic)), "en").startswith("充不进电: ")


def test_a_sales_peak_is_told_to_nobody_until_complaints_outgrow_the_orders() -> None:
    one, rate = replace(alert(), sent=None), Rate(None, 10.0, 8.0, 12.0, 900.0, 9.0, 3.0, 4.0, Pace.in_step)
    peak = replace(one, evidence=replace(one.evidence, rates=(rate,)))
    assert (decide(peak, Facts(), AT), peak.silent) == (None, True)
    outgrown = replace(peak, evidence=replace(peak.evidence, rates=(replace(rate, pace=Pace.beyond),)))
    assert (decide(outgrown, Facts(), AT), outgrown.silent) == (Reason.fired, False)
    told = mark_sent(peak, Reason.fired, AT)  # whoever heard of it hears how it goes on
    assert not told.silent
