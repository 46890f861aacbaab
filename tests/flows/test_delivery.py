"""Notifications over real HTTP, with a delivery that is killed while it sends, and the page's test button."""

import base64
import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.store import keys
from service.store.outbox import EVERYBODY, pack_due
from tests.flows.conftest import Stage
from tests.service.notify import platforms
from tests.service.notify.payloads import alert, payload

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
ALERTS = 40
KILLS = 4


@dataclass
class Group:
    """A chat's server and a program's, on one port; each takes a moment over every notification."""

    port: int = 0
    pause: float = 0.02
    ids: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    status: int = 204
    rest: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def group() -> Iterator[Group]:
    group = Group()
    dingtalk = platforms.dingtalk("SECx", "t", datetime.now(UTC).timestamp())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers: Mapping[str, str] = {name.lower(): value for name, value in self.headers.items()}
            group.rest.wait(group.pause)
            status, said = group.status, b""
            if self.path.startswith("/bot"):
                status, said = dingtalk(self.path, headers, body)
                group.cards.append(json.loads(body)["markdown"]["title"])
            else:
                group.ids.append(headers["webhook-id"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is no place for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        group.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield group
        group.rest.set()
        server.shutdown()
        thread.join()


def receivers(stage: Stage, group: Group, dingtalk: str = "SECx") -> dict[str, str]:
    path: Path = stage.folder / "receivers.toml"
    path.write_text(
        f"""
        [[receivers]]
        name = "program"
        kind = "webhook"
        url = "http://127.0.0.1:{group.port}/hook"
        secret = "{SECRET}"

        [[receivers]]
        name = "chat"
        kind = "dingtalk"
        language = "zh"
        url = "http://127.0.0.1:{group.port}/bot?access_token=t"
        secret = "{dingtalk}"
        """
    )
    return {"receivers": str(path), "allow_hosts": "127.0.0.1"}


def command(stage: Stage, *words: str) -> str:
    """What `tocsin failures` prints, on the store of the stage."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    environment |= {"TOCSIN_STORE_URL": stage.url, "COLUMNS": "200"}
    done = subprocess.run([sys.executable, "-m", "service", "failures", *words], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def write(stage: Stage, number: int) -> None:
    """A transition, as the judge's tick leaves it in the outbox."""
    store = stage.redis()
    name = f"t{number}:fired"
    store.hset(keys.OUTBOX_BODIES, name, pack_due(EVERYBODY, payload(alert(number))))
    store.zadd(keys.OUTBOX, {name: datetime.now(UTC).timestamp()})


def test_a_delivery_that_is_killed_loses_nothing_and_repeats_only_what_was_on_its_way(
    stage: Stage, group: Group
) -> None:
    settings = receivers(stage, group)
    for number in range(ALERTS):
        write(stage, number)
    chance = random.Random(7)
    for _ in range(KILLS):
        deliver = stage.start("deliver", **settings)
        heard = len(group.ids) + chance.randint(1, ALERTS // KILLS - 2)
        stage.wait(lambda heard=heard: len(group.ids) >= heard)
        stage.kill(deliver)
        stage.redis().delete(keys.lease("deliver"))  # as if its term had run out
    stage.start("deliver", **settings)
    stage.wait(lambda: stage.redis().zcard(keys.OUTBOX) == 0)
    counts = Counter(group.ids)
    assert len(counts) == ALERTS
    assert sum(counts.values()) <= ALERTS + KILLS  # at most the one in flight, each time
    assert stage.redis().xlen(keys.OUTBOX_DEAD) == 0
    assert len(group.cards) <= 1 + KILLS and "40 个告警" in group.cards[0]


def test_a_receiver_is_tried_out_and_its_failures_are_sent_again(stage: Stage, group: Group) -> None:
    stage.start("api")
    deliver = stage.start("deliver", **receivers(stage, group, dingtalk="SECwrong"))
    with stage.client() as client:
        stage.wait(lambda: len(client.get("/v1/receivers").json()["receivers"]) == 2)
        assert client.post("/v1/receivers/program/test").json() == {"outcome": "delivered", "reason": None}
        refused = {"outcome": "dead", "reason": "signature_refused"}
        assert client.post("/v1/receivers/chat/test").json() == refused
        assert client.post("/v1/receivers/nobody/test").status_code == 404
        write(stage, 1)
        stage.wait(lambda: bool(client.get("/v1/failures").json()["failures"]))
        (failure,) = client.get("/v1/failures").json()["failures"]
        assert (failure["receiver"], failure["reason"], failure["type"]) == ("chat", "signature_refused", "alert.fired")
        stage.kill(deliver)
        stage.redis().delete(keys.lease("deliver"))
        stage.start("deliver", **receivers(stage, group))
        assert client.post("/v1/failures:replay", json={"receiver": "program"}).json() == {"replayed": 0}
        listed = command(stage, "list")
        assert "signature_refused" in listed and "20260310T0900-t1" in listed
        assert command(stage, "replay", "--receiver", "chat").strip() == "1"
        stage.wait(lambda: "【严重】新告警：充不进电" in group.cards)
        assert client.get("/v1/failures").json()["failures"] == []
        group.status = 410
        write(stage, 2)
        stage.wait(lambda: client.get("/v1/receivers").json()["receivers"][1]["off"] == "receiver_gone")
        assert client.post("/v1/receivers/program/enable").json()["off"] is None
        shown = client.get("/v1/receivers").text + client.get("/v1/failures").text + stage.logs()
    for secret in ("SECx", "SECwrong", "access_token", SECRET):
        assert secret not in shown
