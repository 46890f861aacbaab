"""Killed anywhere, nothing is lost and nothing counted twice."""

import random
from datetime import UTC, datetime, timedelta

from redis import Redis

from service.clock import sleep_until
from service.store import keys
from tests.flows.conftest import Stage

PARTITIONS = 4
START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def message(number: int) -> dict[str, object]:
    at = START + timedelta(seconds=7 * number)
    return {
        "id": f"k{number}",
        "source": "kill",
        "text": f"parcel {number} is late again, still nothing after {number % 17} days, please look into it",
        "customer_id": f"customer {number}",
        "occurred_at": at.isoformat(),
    }


def waiting(store: Redis) -> int:
    return sum(store.xlen(keys.inbox(partition)) for partition in range(PARTITIONS))


def counted(store: Redis) -> tuple[int, int]:
    """Customers and messages over all buckets."""
    customers = messages = 0
    for key in store.scan_iter("tocsin:*:counts:*"):
        for field, value in store.hgetall(key).items():
            if field.endswith(b"\x1fm"):
                messages += int(value)
            else:
                customers += int(value)
    return customers, messages


def test_a_worker_killed_in_the_middle_of_batches_loses_and_doubles_nothing(stage: Stage) -> None:
    stage.settings = {"TOCSIN_TIME": "event", "TOCSIN_WORKER_BATCH": "16", "TOCSIN_CLAIM_AFTER": "PT0.5S"}
    stage.start("api")
    total, rng, store = 2_400, random.Random(5), stage.redis()
    with stage.client() as client:
        for begin in range(0, total, 300):
            batch = [message(number) for number in range(begin, begin + 300)]
            receipt = client.post("/v1/messages:batch", json=batch)
            assert (receipt.status_code, receipt.json()["accepted"]) == (202, 300)
        for _ in range(4):
            before = waiting(store)
            worker = stage.start("worker")
            assert sleep_until(lambda seen=before: waiting(store) < seen, seconds=60, every=0.005), stage.logs()  # type: ignore[misc]
            sleep_until(lambda: False, seconds=rng.uniform(0.0, 0.1))
            stage.kill(worker)
        pending = sum(store.xpending(keys.inbox(p), keys.GROUP)["pending"] for p in range(PARTITIONS))
        assert waiting(store) > 0, "the kills came too late to prove anything"
        assert pending > 0, "no batch was in hand when the workers were killed"
        repeated = client.post("/v1/messages:batch", json=[message(number) for number in range(300)])
        assert repeated.json() == {"accepted": 0, "duplicates": 300, "rejected": []}
        stage.start("worker")
        stage.wait(lambda: waiting(store) == 0)
    assert counted(store) == (total, total)


def test_the_store_killed_and_started_again_keeps_what_was_accepted(stage: Stage) -> None:
    import os
    import signal

    from service.store.embedded import EmbeddedStore

    stage.settings = {"TOCSIN_TIME": "event"}
    stage.start("api")
    with stage.client() as client:
        receipt = client.post("/v1/messages:batch", json=[message(number) for number in range(200)])
        assert receipt.json()["accepted"] == 200
        store = stage.redis()
        # The append-only file is synced every second; what is older than that survives a killed server.
        sleep_until(lambda: store.info("persistence")["aof_pending_bio_fsync"] == 0, seconds=3)
        sleep_until(lambda: False, seconds=1.1)
        os.kill(store.info("server")["process_id"], signal.SIGKILL)
        refused = client.post("/v1/messages", json=message(500))
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) >= 1
    folder = stage.folder / "store"
    (folder / "lock").unlink()
    with EmbeddedStore(folder) as again, Redis.from_url(again.url) as store:
        assert waiting(store) == 200
