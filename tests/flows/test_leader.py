"""Two judges, one leader: the other takes over from one that is killed or paused, and who wakes does not lead."""

import signal

from service.store import keys
from tests.flows.conftest import Stage

LEASE = keys.lease("judge")


def leader(stage: Stage) -> bytes | None:
    return stage.redis().get(LEASE)


def test_the_other_takes_over_from_a_paused_or_killed_leader_and_who_wakes_stands_by(stage: Stage) -> None:
    stage.settings = {"TOCSIN_TIME": "event"}
    first = stage.start("judge")
    stage.wait(lambda: leader(stage) is not None)
    second = stage.start("judge")
    stage.wait(lambda: len(stage.redis().keys(keys.metrics("judge-*"))) == 2)
    token = leader(stage)
    first.send_signal(signal.SIGSTOP)
    stage.wait(lambda: leader(stage) not in (None, token))
    other = leader(stage)
    first.send_signal(signal.SIGCONT)
    stage.wait(lambda: stage.log("judge").count("standing by") == 1)
    assert leader(stage) == other
    stage.kill(second)
    stage.wait(lambda: leader(stage) == token)
    assert first.poll() is None
