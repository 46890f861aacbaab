"""On a cluster: a master and a worker are killed in the middle of the stream, workers come and go, and counts are exact."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import RedisCluster, RedisError

from service.clock import sleep_until
from service.store import keys
from tests.flows.conftest import Stage, free_port
from tests.flows.test_kill import message
from tests.loopback import Loopback, loopback

PARTITIONS = 8
TOTAL, BATCH = 1_500, 100


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Loopback]:
    with loopback(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def stage(cluster: Loopback, tmp_path: Path, encoder_folder: Path) -> Iterator[Stage]:
    stage = Stage(cluster.url, tmp_path, encoder_folder, free_port())
    stage.settings = {
        "TOCSIN_TIME": "event",
        "TOCSIN_PARTITIONS": str(PARTITIONS),
        "TOCSIN_STORE_REPLICAS": "1",
        "TOCSIN_CLAIM_AFTER": "PT1S",
        "TOCSIN_WORKER_BATCH": "16",
    }
    try:
        yield stage
    finally:
        stage.end()


def posted(client: httpx.Client, number: int) -> int:
    """Send a batch until it is accepted, as 503 tells; answers how often it was refused."""
    batch = [message(n) | {"text": f"parcel is late again, {n % 17} days"} for n in range(number, number + BATCH)]
    refused = 0
    while (answer := client.post("/v1/messages:batch", json=batch)).status_code != 202:
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) >= 1
        refused += 1
        assert refused < 300, "the store stayed away"
        sleep_until(lambda: False, seconds=0.1)
    return refused


def counted(store: RedisCluster) -> tuple[int, int]:
    """Customers and messages over all buckets; nothing while the cluster is not whole."""
    customers = messages = 0
    try:
        for key in store.scan_iter("tocsin:*:counts:*"):
            for field, value in store.hgetall(key).items():
                if field.endswith(b"\x1fm"):
                    messages += int(value)
                else:
                    customers += int(value)
    except RedisError:
        return 0, 0
    return customers, messages


def test_a_master_killed_in_the_middle_of_the_stream_loses_and_doubles_nothing(cluster: Loopback, stage: Stage) -> None:
    stage.start("api")
    first = stage.start("worker")
    with stage.client() as client, RedisCluster.from_url(f"redis://127.0.0.1:{cluster.nodes[0].port}") as store:
        assert client.get("/readyz").status_code == 200
        assert posted(client, 0) == 0
        stage.wait(lambda: counted(store)[1] > 0)
        second = stage.start("worker")  # one more, while they come
        stage.wait(lambda: stage.log("worker").count('"working"') == 2)
        for number in range(BATCH, TOTAL // 3, BATCH):
            assert posted(client, number) == 0
        victim = cluster.holder(keys.inbox(0))
        victim.kill()
        assert sleep_until(lambda: client.get("/readyz").status_code == 503, seconds=10), "it is not ready, and says so"
        refused = client.post("/v1/messages:batch", json=[message(n) for n in range(BATCH)])
        assert (refused.status_code, int(refused.headers["retry-after"]) >= 1) == (503, True)
        # Its replica takes over; until that has a replica itself, what it holds is not accepted. (Started before
        # that, a master that keeps nothing on disk would come back empty, and its replica would follow it.)
        stage.wait(lambda: cluster.holder(keys.inbox(0)) is not victim)
        victim.start()
        for number in range(TOTAL // 3, 2 * TOTAL // 3, BATCH):
            posted(client, number)
        stage.kill(first)  # one less
        for number in range(2 * TOTAL // 3, TOTAL, BATCH):
            posted(client, number)
        assert cluster.holder(keys.inbox(0)) is not victim
        stage.wait(lambda: client.get("/readyz").status_code == 200)
        second.terminate()  # told to go: it finishes what it has
        assert second.wait(timeout=60) == 0
        stage.start("worker")
        stage.wait(lambda: counted(store) == (TOTAL, TOTAL), seconds=120)
        assert client.get("/v1/status").json()["waiting"] == 0
        assert all(cluster.count("tocsin:*:counts:*").values()), "every master has its share"
