"""From a message posted to a webhook that rings: the whole service, in processes of its own."""

import base64
import hashlib
import hmac
import json
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from models.buckets import bucket_of, end_of
from service.store import keys
from tests.flows.conftest import Stage
from tests.flows.topics import OTHERS, one_topic

KEY = b"w" * 32
START = datetime(2026, 3, 9, tzinfo=UTC)
HISTORY = timedelta(hours=60)
BURST = START + HISTORY
COMPLAINT = "用了三天就充不进电了"


@dataclass
class Hook:
    """A receiver that keeps what it hears, and believes no message whose signature is not right."""

    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            signed = b".".join((self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), body))
            right = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
            if self.headers["webhook-signature"].split() == [f"v1,{right}"]:
                hook.heard.append(json.loads(body))
            else:
                hook.forged += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is no place for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hook
        server.shutdown()
        thread.join()


def message(number: int, text: str, at: datetime, **attributes: str) -> dict[str, object]:
    return {
        "id": f"m{number}",
        "source": "shop",
        "text": text,
        "customer_id": f"customer {number}",
        "channel": "chat",
        "occurred_at": at.isoformat(),
        "attributes": attributes,
    }


def history() -> list[dict[str, object]]:
    """Two and a half days of what people usually say, the complaint among it twice a day."""
    said = [
        message(number, f"{OTHERS[number % len(OTHERS)]}，第{number % 13}次", START + number * timedelta(minutes=6))
        for number in range(int(HISTORY / timedelta(minutes=6)))
    ]
    for number in range(5):
        said[number * 120] = message(number * 120, COMPLAINT, START + number * timedelta(hours=12))
    return said


def burst(first: int = 10_000, start: datetime = BURST) -> list[dict[str, object]]:
    """Twenty customers in ten minutes."""
    endings = ("", "，怎么办", "，刚买的", "，换了线也不行", "，插上没反应")
    return [
        message(first + n, f"{COMPLAINT}{endings[n % 5]}", start + n * timedelta(seconds=30), batch="PB20-3")
        for n in range(20)
    ]


def test_a_burst_rings_a_signed_webhook_can_be_read_and_forgets_who_is_erased_without_a_restart(
    stage: Stage, hook: Hook
) -> None:
    one_topic(stage, "charging", COMPLAINT, first=bucket_of(START))
    stage.settings = {
        "TOCSIN_TIME": "event",
        "TOCSIN_WORKER_BATCH": "256",
        "TOCSIN_WEBHOOKS": f"http://127.0.0.1:{hook.port}/hook",
        "TOCSIN_WEBHOOK_SECRET": "whsec_" + base64.b64encode(KEY).decode(),
        "TOCSIN_ALLOW_HOSTS": "127.0.0.1",
    }
    for role in ("api", "worker", "deliver"):
        stage.start(role)
    with stage.client() as client:

        def post(messages: list[dict[str, object]]) -> None:
            receipt = client.post("/v1/messages:batch", json=messages)
            assert (receipt.status_code, receipt.json()["accepted"]) == (202, len(messages))
            stage.wait(lambda: client.get("/v1/status").json()["waiting"] == 0)

        post(history())
        stage.start("judge")
        stage.wait(lambda: judged(stage) >= BURST - timedelta(minutes=15))
        assert client.get("/v1/alerts").json()["alerts"] == []
        post(burst())
        stage.wait(lambda: bool(rung(hook)))
        (listed,) = [one for one in client.get("/v1/alerts").json()["alerts"] if one["topic"]["id"] == "charging"]
        post([message(20_000, "物流一周没更新了", BURST + timedelta(minutes=11))])  # the bucket of the burst closes
        stage.wait(lambda: judged(stage) >= BURST + timedelta(minutes=10))
        alert = client.get(f"/v1/alerts/{listed['alert_id']}").json()
        series = client.get("/v1/topics/charging/series").json()
        gone = {one["message_id"] for one in alert["samples"]}
        for name in gone:
            assert client.delete(f"/v1/customers/customer {name[1:]}").json()["erased"]["samples"] >= 1
        stage.wait(lambda: "let go of erased customers" in stage.log("judge"))
        post(burst(30_000, BURST + timedelta(minutes=12)))
        post([message(40_000, "物流一周没更新了", BURST + timedelta(minutes=90))])
        stage.wait(lambda: judged(stage) >= BURST + timedelta(minutes=85))
        renewed = client.get(f"/v1/alerts/{listed['alert_id']}").json()
    assert renewed["updated_at"] > alert["updated_at"] and renewed["samples"]
    assert not gone & {one["message_id"] for one in renewed["samples"]}
    told = rung(hook)
    assert (told[0]["type"], told[0]["data"]["alert_id"]) == ("alert.fired", listed["alert_id"])
    assert [one["type"] for one in told].count("alert.fired") == 1
    assert told[0]["data"]["samples"]
    assert hook.forged == 0
    assert (alert["state"], alert["fired_at"]) == ("firing", listed["fired_at"])
    assert alert["observed"] >= 10 > alert["expected"]
    assert BURST.isoformat() <= alert["fired_at"].replace("Z", "+00:00") <= (BURST + timedelta(minutes=10)).isoformat()
    complaints = {one["id"] for one in burst()}
    assert alert["samples"]
    assert {one["message_id"] for one in alert["samples"]} & complaints
    assert all("充不进电" in one["text"] for one in alert["samples"])
    assert "customer 1" not in json.dumps(alert)
    assert {"hour", "weekday", "volume"} <= alert["contributions"].keys()
    assert math.prod(alert["contributions"].values()) == pytest.approx(alert["expected"], rel=0.02, abs=0.01)
    why = series["why"]
    assert why["score"] > why["required"] and why["window"] in why["windows"]
    assert why["window"]["observed"] > why["window"]["upper_bound"] > why["window"]["expected"]
    assert math.prod(why["contributions"].values()) == pytest.approx(why["window"]["expected"], rel=0.02, abs=0.01)
    assert sum(point["observed"] for point in series["points"]) >= 20


def rung(hook: Hook) -> list[dict[str, Any]]:
    """What was heard of the topic that the burst is about."""
    return [one for one in hook.heard if one["data"]["topic"]["id"] == "charging"]


def judged(stage: Stage) -> datetime:
    """The end of the last judged bucket; long ago before the first."""
    return end_of(int(stage.redis().hget(keys.JUDGE, "position") or 0))
