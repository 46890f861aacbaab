"""An episode: when it fires, ends, opens again."""

from models.surge import Reading, Surge, SurgeRules, SurgeState, advance

RULES = SurgeRules(rest=3, reopen=10)


def told(marks: str, rules: SurgeRules = RULES) -> list[Surge | None]:
    """The episode after each tick: ``!`` alarm, ``.`` quiet, ``-`` neither, ``~`` an alarm of what is over."""
    surge, found = None, []
    for bucket, mark in enumerate(marks):
        reading = Reading(bucket, mark in "!~", mark in ".~", bucket, 9, 1.0)
        surge = advance("t", surge, reading, rules)
        found.append(surge)
    return found


def states(marks: str, rules: SurgeRules = RULES) -> str:
    return "".join("_" if surge is None else surge.state.value[0] for surge in told(marks, rules))


def test_an_alarm_fires_at_once_and_rests_before_it_ends() -> None:
    assert states("-!-...-") == "_ffffrr"


def test_a_loud_hour_starts_the_rest_anew() -> None:
    assert states("!..-..!...") == "f" * 9 + "r"


def test_a_long_window_that_still_alarms_does_not_hold_it_open() -> None:
    assert states("!~~~~~") == "fffrrr"


def test_an_alarm_soon_after_opens_the_same_episode_again() -> None:
    before, after = told("!...--!")[0], told("!...--!")[-1]
    assert before is not None and after is not None
    assert after.state is SurgeState.firing and after.fired == before.fired


def test_an_alarm_long_after_is_another_episode() -> None:
    surge = told("!..." + "-" * 12 + "!")[-1]
    assert surge is not None and surge.fired == 16


def test_a_single_alarm_is_dropped_where_two_are_asked_for() -> None:
    assert states("!-!!", SurgeRules(hold=2)) == "p_pf"
