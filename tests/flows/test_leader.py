"""Two judges, one leader: the other takes over from one that is killed or paused, and who wakes does not lead."""

import signal

import pytest

from service.store import keys
from tests.flows.conftest import Stage

LEASE = keys.lease("judge")


@pytest.fixture
def judges(stage: Stage) -> Stage:
    """A stage with a leader, and one that stands by."""
    stage.settings = {"TOCSIN_TIME": "event"}
    stage.start("judge")
    stage.wait(lambda: leader(stage) is not None)
    stage.start("judge")
    stage.wait(lambda: len(stage.redis().keys(keys.metrics("judge-*"))) == 2)
    return stage


def leader(stage: Stage) -> bytes | None:
    return stage.redis().get(LEASE)


def test_the_other_takes_over_from_a_killed_leader(judges: Stage) -> None:
    first, _ = judges.processes
    token = leader(judges)
    judges.kill(first)
    judges.wait(lambda: leader(judges) not in (None, token))


def test_a_paused_leader_that_wakes_stands_by(judges: Stage) -> None:
    first, _ = judges.processes
    token = leader(judges)
    first.send_signal(signal.SIGSTOP)
    judges.wait(lambda: leader(judges) not in (None, token))
    second = leader(judges)
    first.send_signal(signal.SIGCONT)
    judges.wait(lambda: judges.log("judge").count("standing by") == 1)
    assert leader(judges) == second
    assert first.poll() is None
