"""Two API processes share a port: either takes what comes while the other is gone."""

import httpx

from service.store import keys
from tests.flows.conftest import Stage

PARTITIONS = 4


def post(stage: Stage, number: int) -> int:
    """Post a message over a connection of its own; answers the status."""
    body = {"id": f"d{number}", "text": "the zip of my bag broke", "customer_id": f"c{number}"}
    return httpx.post(f"http://127.0.0.1:{stage.port}/v1/messages", json=body, timeout=30).status_code


def test_one_of_two_apis_on_a_port_takes_messages_while_the_other_is_gone(stage: Stage) -> None:
    stage.settings = {"TOCSIN_APIS": "2"}
    first, _ = stage.start("api"), stage.start("api")
    stage.wait(lambda: len(stage.redis().keys(keys.metrics("api-*"))) == 2, seconds=120)
    with stage.client():
        assert [post(stage, number) for number in range(8)] == [202] * 8
    stage.kill(first)
    assert [post(stage, number) for number in range(8, 16)] == [202] * 8
    assert sum(stage.redis().xlen(keys.inbox(partition)) for partition in range(PARTITIONS)) == 16
