"""A bundle goes live under the eyes of two workers, in the middle of traffic: nothing lost, nothing twice, no restart."""

import asyncio
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.bundle import FORMAT, TOPICS, Data, Encoder, Manifest, topics_bytes, write
from models.gist import gist
from models.sentence import load_embedder
from models.topic import Topic, TopicId
from service.store.model import ModelStore
from service.store.redis import Store
from tests.flows.conftest import HASH_KEY, Stage
from tests.flows.test_kill import counted, waiting
from tests.flows.topics import one_topic

KNOWN, NEW = "充电宝充不进电了", "猫粮有股霉味"
AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def bundle(stage: Stage, folder: Path) -> None:
    """The topics that the store knows, and one for the new category."""

    async def read() -> Manifest:
        store = Store.connect(stage.url)
        model = (await ModelStore(store).current()).model
        await store.close()
        assert model is not None
        place = model.centring.apply(load_embedder(stage.encoder).embed([gist(NEW)]), ["zh"])[0]
        found = model.add([Topic(TopicId("new-1"), place.astype(np.float32), 0.2, 9, AT)])
        blank = Manifest(
            format=FORMAT, kind="trained", name="", made=AT,
            encoder=Encoder(name=model.embedder, dimension=model.centring.dimension, base=model.embedder),
            data=Data(fingerprint="", messages=0, labelled=0, rejected=0), recipe={}, scores={}, objections=(), files={},
        )  # fmt: skip
        return write(folder, blank, {TOPICS: topics_bytes(found)})

    asyncio.run(read())


def of_topic(stage: Stage, topic: str) -> int:
    store = stage.redis()
    return sum(int(store.hget(key, topic) or 0) for key in store.scan_iter("tocsin:*:counts:*"))


def test_a_bundle_goes_live_in_the_middle_of_traffic(stage: Stage, tmp_path: Path) -> None:
    stage.settings = {"TOCSIN_TIME": "event", "TOCSIN_WORKER_BATCH": "16", "TOCSIN_CLAIM_AFTER": "PT1S"}
    stage.start("api")
    workers = [stage.start("worker") for _ in range(2)]
    stage.wait(lambda: stage.log("worker").count("working") == 2)
    stage.redis().set("tocsin:{tenant}:ids", 1)
    one_topic(stage, "t1", KNOWN)
    bundle(stage, tmp_path / "petfood")
    sent, stop = 0, threading.Event()

    def post(count: int) -> None:
        nonlocal sent
        messages = [
            {"id": f"p{sent + n}", "source": "t", "text": f"{(KNOWN, NEW)[n % 2]}{'！' * (n % 3)}",
             "customer_id": f"c{sent + n}", "occurred_at": AT.isoformat()}
            for n in range(count)
        ]  # fmt: skip
        assert client.post("/v1/messages:batch", json=messages).json()["accepted"] == count
        sent += count

    def traffic() -> None:
        while not stop.is_set():
            post(20)
            stop.wait(0.05)

    with stage.client() as client:
        sender = threading.Thread(target=traffic)
        sender.start()
        promoted = subprocess.run(
            [sys.executable, "-m", "service", "bundles", "promote", str(tmp_path / "petfood")],
            env=os.environ | {"TOCSIN_STORE_URL": stage.url, "TOCSIN_HASH_KEY": HASH_KEY, "TOCSIN_ENCODER": str(stage.encoder)},
            capture_output=True, text=True,
        )  # fmt: skip
        since = int(stage.redis().hget("tocsin:{tenant}:model", "since") or 0)
        stage.wait(lambda: int(stage.redis().time()[0]) * 1_000 > since)
        stop.set()
        sender.join()
        assert promoted.returncode == 0, promoted.stderr
        stage.wait(lambda: waiting(stage.redis()) == 0)
        before = of_topic(stage, "t2")
        post(40)
        stage.wait(lambda: waiting(stage.redis()) == 0)
    assert counted(stage.redis()) == (sent, sent)
    assert of_topic(stage, "t2") == before + 20
    assert of_topic(stage, "t1") == sent // 2
    assert all(worker.poll() is None for worker in workers)
