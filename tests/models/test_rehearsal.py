"""What a budget of false alarms costs in surges missed and in delay, beside the widest."""

from datetime import UTC, datetime, timedelta

from models.alert import Alert
from models.evidence import Evidence, Sample, TopicName, WindowFigures
from models.message import RedactedText
from models.rehearsal import Rehearsed, rehearsed
from models.severity import Grade, Severity
from models.surge import SurgeState

BEGUN = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(topic: str, fired: float, end: float, message: str = "") -> Alert:
    """An alert that fired so many hours after the beginning."""
    at = BEGUN + fired * HOUR
    window = WindowFigures(at - HOUR, at, 9, 1.0, 4)
    samples = (Sample(message, "shop", RedactedText("late"), at, {}),) if message else ()
    evidence = Evidence(TopicName(topic, "", {}, ()), window, at - HOUR, 9, 9, samples=samples)
    return Alert(
        f"{fired}-{topic}", SurgeState.resolved, at, at, at, Grade(Severity.info, ()), evidence, BEGUN + end * HOUR
    )


def test_a_smaller_budget_is_held_against_the_widest_by_topic_time_and_messages() -> None:
    wide = [alert("t1", 10, 20), alert("t2", 30, 40, "m7"), alert("t1", 100, 110), alert("t3", 200, 210)]
    small = [alert("t1", 12, 20), alert("t9", 36, 40, "m7"), alert("t3", 300, 310)]
    assert rehearsed({8.0: wide, 0.5: small}) == (
        Rehearsed(0.5, 3, 2, 4 * HOUR),
        Rehearsed(8.0, 4, 0, timedelta(0)),
    )


def test_a_budget_that_raises_nothing_misses_everything() -> None:
    assert rehearsed({2.0: [alert("t1", 10, 20)], 0.1: []})[0] == Rehearsed(0.1, 0, 1, None)
    assert rehearsed({}) == ()
