"""The life of an episode and of its alert, over any sequence of readings and of what people do."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.alert import Alert, Facts, Reason, alert_id, decide, mark_sent, open_alert, update_alert
from models.buckets import end_of, start_of
from models.evidence import Evidence, TopicName, WindowFigures
from models.severity import Grade, Severity
from models.surge import Reading, Surge, SurgeRules, SurgeState, advance

START = 5_000
NOW = start_of(START)

RULES = st.builds(
    SurgeRules,
    hold=st.integers(1, 3),
    rest=st.integers(1, 4),
    reopen=st.one_of(st.integers(0, 12), st.just(SurgeRules().reopen)),
)
SOUNDS = st.lists(
    st.tuples(
        st.integers(1, 8),  # buckets since the reading before
        st.sampled_from(["alarm", "alarm", "quiet", "quiet", "between", "both"]),
        st.integers(0, 6),  # buckets back to the onset
        st.integers(0, 80),  # observed
        st.floats(0, 40),  # expected
    ),
    max_size=60,
)


def readings(drawn: list) -> list[Reading]:  # type: ignore[type-arg]
    """In order, each with its own bucket."""
    found, bucket = [], START
    for passed, sound, back, observed, expected in drawn:
        bucket += passed
        alarm, quiet = sound in ("alarm", "both"), sound in ("quiet", "both")
        found.append(Reading(bucket, alarm, quiet, bucket - back, observed, expected))
    return found


@settings(max_examples=100, deadline=None)
@given(SOUNDS, RULES)
def test_an_episode_only_goes_the_ways_there_are(drawn: list, rules: SurgeRules) -> None:  # type: ignore[type-arg]
    pending, firing, resolved = SurgeState.pending, SurgeState.firing, SurgeState.resolved
    ways = {
        (None, None), (None, pending), (None, firing),
        (pending, pending), (pending, firing), (pending, None),
        (firing, firing), (firing, resolved),
        (resolved, resolved), (resolved, firing), (resolved, None), (resolved, pending),
    }  # fmt: skip
    surge: Surge | None = None
    for reading in readings(drawn):
        before, surge = surge, advance("t1", surge, reading, rules)
        old, new = before and before.state, surge and surge.state
        assert (old, new) in ways
        if surge is None:
            assert not reading.alarm
            continue
        same = before is not None and before.fired is not None and surge.fired == before.fired
        if old is firing:
            assert same, "what an episode is named by never changes"
        if old is resolved and new is firing and same:
            assert before is not None and before.resolved is not None
            assert reading.alarm and not reading.quiet
            assert reading.bucket - before.resolved <= rules.reopen
        if old is resolved and not same:
            assert before is not None and before.resolved is not None
            assert reading.bucket - before.resolved > rules.reopen
            assert surge.opened == reading.bucket
        if new is resolved and old is firing:
            assert surge.resolved == reading.bucket and reading.quiet
        assert (surge.fired is None) == (new is pending)
        assert (surge.resolved is not None) == (new is resolved)
        assert surge.open == (new is not resolved)
        assert surge.onset <= surge.opened <= reading.bucket
        if same and before is not None:
            assert surge.onset == before.onset
            assert surge.peak >= before.peak


@settings(max_examples=100, deadline=None)
@given(SOUNDS, RULES)
def test_an_episode_fires_after_as_many_alarms_in_a_row_as_asked_for(drawn: list, rules: SurgeRules) -> None:  # type: ignore[type-arg]
    surge, row = None, 0
    for reading in readings(drawn):
        surge = advance("t1", surge, reading, rules)
        kept = surge is not None and surge.state is SurgeState.resolved
        row = row + 1 if reading.alarm and not kept else 0
        if surge is not None and surge.fired == reading.bucket:
            assert row >= rules.hold
        if row >= rules.hold:
            assert surge is not None
            assert surge.state is SurgeState.firing


@settings(max_examples=100, deadline=None)
@given(SOUNDS, RULES)
def test_an_episode_ends_after_as_many_quiet_readings_in_a_row_as_asked_for(drawn: list, rules: SurgeRules) -> None:  # type: ignore[type-arg]
    surge, row = None, 0
    for reading in readings(drawn):
        before, surge = surge, advance("t1", surge, reading, rules)
        living = before is not None and before.open
        row = (row if living else 0) + 1 if reading.quiet else 0
        if before is not None and before.state is SurgeState.firing:
            assert surge is not None
            assert (surge.state is SurgeState.resolved) == (row >= rules.rest)


def test_an_episode_that_has_not_fired_has_no_name() -> None:
    surge = advance("t1", None, Reading(START, True, False, START, 5, 1.0), SurgeRules(hold=2))
    assert surge is not None
    with pytest.raises(ValueError, match="never fired"):
        alert_id(surge)


# ---------------------------------------------------------------------- the alert


DEEDS = st.sampled_from(["", "", "", "", "acknowledge", "snooze", "close", "reopen"])
TURNS = st.lists(st.tuples(st.sampled_from(list(Severity)), DEEDS), min_size=60, max_size=60)


def evidence(reading: Reading) -> Evidence:
    window = WindowFigures(start_of(reading.onset), end_of(reading.bucket), reading.observed, reading.expected, 9)
    return Evidence(
        TopicName("t1", "late", {}, ()), window, start_of(reading.onset), reading.observed, reading.observed
    )


def done(facts: Facts, deed: str, at: datetime) -> Facts:
    match deed:
        case "acknowledge":
            return replace(facts, acknowledged_at=at)
        case "snooze":
            return replace(facts, snoozed_until=at + timedelta(minutes=20))
        case "close":
            return replace(facts, closed_at=at)
        case "reopen":
            return replace(facts, closed_at=None, snoozed_until=None)
        case _:
            return facts


def silent(facts: Facts, at: datetime) -> bool:
    return facts.closed_at is not None or (facts.snoozed_until is not None and at < facts.snoozed_until)


@settings(max_examples=100, deadline=None)
@given(SOUNDS, RULES, TURNS)
def test_people_are_told_each_change_once_and_nothing_they_asked_not_to_hear(
    drawn: list,  # type: ignore[type-arg]
    rules: SurgeRules,
    turns: list[tuple[Severity, str]],
) -> None:
    surge: Surge | None = None
    alerts: dict[str, Alert] = {}
    facts: dict[str, Facts] = {}
    told: dict[str, list[Reason]] = {}
    for reading, (severity, deed) in zip(readings(drawn), turns, strict=False):
        before, surge = surge, advance("t1", surge, reading, rules)
        if surge is None or surge.fired is None or (not surge.open and surge == before):
            continue
        name, at = alert_id(surge), end_of(reading.bucket)
        if name in alerts:
            facts[name] = done(facts[name], deed, at)
            old = alerts[name]
            grade = Grade(severity, ()) if reading.alarm else None
            alert = update_alert(old, surge, evidence(reading) if grade else None, grade, reading.bucket)
            assert alert.severity.rank >= old.severity.rank
            assert (alert.fired_at, alert.noticed_at, alert.id) == (old.fired_at, old.noticed_at, old.id)
        else:
            facts[name], told[name] = Facts(), []
            alert = open_alert(surge, evidence(reading), Grade(severity, ()), at)
            assert [one for one in alerts.values() if one.open] == [], "at most one is open on a topic"
        assert alert.open == (surge.state is SurgeState.firing)
        assert (alert.resolved_at is None) == alert.open
        reason = decide(alert, facts[name], at)
        if reason is not None:
            assert not silent(facts[name], at)
            alert = mark_sent(alert, reason, at)
            assert decide(alert, facts[name], at) is None, "told once"
            told[name].append(reason)
        alerts[name] = alert
    for reasons in told.values():
        assert reasons[0] is Reason.fired
        assert Counter(reasons)[Reason.fired] == 1
        ends = [one for one in reasons if one in (Reason.resolved, Reason.reopened)]
        assert ends == [(Reason.resolved, Reason.reopened)[number % 2] for number in range(len(ends))]
        last_end = max((i for i, one in enumerate(reasons) if one is Reason.resolved), default=-1)
        after = reasons[last_end + 1 :]
        assert last_end < 0 or not after or after[0] is Reason.reopened, "nothing between an end and its return"


@settings(max_examples=100, deadline=None)
@given(SOUNDS, RULES)
def test_where_nobody_does_anything_every_end_is_told_once(drawn: list, rules: SurgeRules) -> None:  # type: ignore[type-arg]
    surge, alert, ends, told = None, None, 0, []
    for reading in readings(drawn):
        before, surge = surge, advance("t1", surge, reading, rules)
        if surge is None or surge.fired is None or surge == before:
            continue
        fresh = alert is None or alert.id != alert_id(surge)
        if fresh:
            alert = open_alert(surge, evidence(reading), Grade(Severity.info, ()), end_of(reading.bucket))
        else:
            assert alert is not None
            alert = update_alert(alert, surge, None, None, reading.bucket)
        ends += surge.resolved == reading.bucket
        reason = decide(alert, Facts(), end_of(reading.bucket))
        if reason is not None:
            told.append(reason)
            alert = mark_sent(alert, reason, end_of(reading.bucket))
    assert told.count(Reason.resolved) == ends


FIRING = Surge("t1", SurgeState.firing, START, START, 1, 0, 3.0, fired=START)
FIRED = mark_sent(
    open_alert(FIRING, evidence(Reading(START, True, False, START, 10, 1.0)), Grade(Severity.warning, ()), NOW),
    Reason.fired,
    NOW,
)


def grown(observed: int, severity: Severity = Severity.warning) -> Alert:
    reading = Reading(START + 3, True, False, START, observed, 1.0)
    return update_alert(FIRED, FIRING, evidence(reading), Grade(severity, ()), START + 3)


def test_twice_as_many_customers_are_told_again_unless_somebody_has_it_in_hand() -> None:
    taken = Facts(acknowledged_at=NOW)
    assert decide(grown(19), Facts(), NOW) is None
    assert decide(grown(20), Facts(), NOW) is Reason.grew
    assert decide(grown(20), taken, NOW) is None
    assert decide(grown(20, Severity.critical), taken, NOW) is Reason.escalated


def test_a_surge_where_an_alert_has_been_open_for_days_is_told_again_though_the_old_one_was_larger() -> None:
    def after(days: int, hours: int, observed: int) -> Alert:
        """The alert of 24 customers in a day, as a later window shows it."""
        last = START + days * 288
        old = replace(evidence(Reading(START, True, False, START - 287, 24, 1.0)))
        told = mark_sent(open_alert(FIRING, old, Grade(Severity.warning, ()), NOW), Reason.fired, end_of(START))
        reading = Reading(last, True, False, last + 1 - 12 * hours, observed, 1.0)
        return update_alert(told, FIRING, evidence(reading), Grade(Severity.warning, ()), last)

    def reason(alert: Alert) -> Reason | None:
        return decide(alert, Facts(), alert.updated_at)

    assert reason(after(days=3, hours=3, observed=14)) is Reason.grew
    assert reason(after(days=3, hours=3, observed=9)) is None, "not half as many"
    assert reason(after(days=3, hours=24, observed=40)) is None, "not twice the pace"
    assert reason(after(days=0, hours=3, observed=14)) is None, "the same surge"
    assert decide(after(days=3, hours=3, observed=14), Facts(acknowledged_at=NOW), NOW + timedelta(days=9)) is None


def test_a_snooze_ends_at_its_time() -> None:
    snoozed = Facts(snoozed_until=NOW + timedelta(hours=1))
    assert decide(grown(50), snoozed, NOW + timedelta(minutes=59)) is None
    assert decide(grown(50), snoozed, NOW + timedelta(hours=1)) is Reason.grew
    assert decide(grown(50), Facts(closed_at=NOW), NOW + timedelta(days=9)) is None


def test_an_alert_noticed_long_after_it_fired_is_late() -> None:
    shown = evidence(Reading(START, True, False, START, 10, 1.0))
    grade = Grade(Severity.info, ())
    fired = end_of(START)
    assert not open_alert(FIRING, shown, grade, fired + timedelta(hours=1)).late
    assert open_alert(FIRING, shown, grade, fired + timedelta(hours=1, seconds=1)).late
