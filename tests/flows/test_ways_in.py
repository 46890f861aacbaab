"""Ways in over real HTTP: platforms' events, whole files, the client and its spool, known issues."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.api.client import Client, with_known_issues
from service.store import keys
from service.store.alertcodec import pack
from service.store.codec import unpack_entry
from tests.flows.conftest import Stage
from tests.service.notify.payloads import alert
from tests.service.pipeline.events import CHATWOOT, RASA, ZENDESK
from tests.service.pipeline.test_mapping import zendesk_signs

KEY = "the first key of all"
ADMIN = {"authorization": f"Bearer {KEY}"}
SECRET = "an invented secret"


def stored(stage: Stage) -> dict[str, str]:
    """Text by id of everything that waits in the inbox."""
    bodies = [f[b"m"] for p in range(4) for _, f in stage.redis().xrange(keys.inbox(p))]
    return {entry.message.id: entry.message.text for entry in map(unpack_entry, bodies)}


@pytest.fixture(scope="module")
def served(shared_stage: Stage) -> Stage:
    os.environ["ZENDESK_WEBHOOK_SECRET"] = SECRET  # an own name: the settings' begin with TOCSIN_
    try:
        shared_stage.start("api", auth="on", admin_key=KEY, max_import="100000")
        with shared_stage.client():
            return shared_stage
    finally:
        del os.environ["ZENDESK_WEBHOOK_SECRET"]


@pytest.fixture
def api(served: Stage) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


def test_an_event_with_a_key_is_taken_once_and_what_agents_write_is_ignored(served: Stage, api: httpx.Client) -> None:
    first = api.post("/v1/ingest/chatwoot", json=CHATWOOT, headers=ADMIN)
    assert (first.status_code, first.json()["accepted"]) == (202, 1)
    assert api.post("/v1/ingest/chatwoot", json=CHATWOOT, headers=ADMIN).json()["duplicates"] == 1
    agent = CHATWOOT | {"message_type": "outgoing", "id": 4712}
    ignored = api.post("/v1/ingest/chatwoot", json=agent, headers=ADMIN).json()
    assert (ignored["accepted"], len(ignored["ignored"])) == (0, 1)
    assert stored(served)["4711"] == "充电宝充不进电了"


def test_a_key_may_stand_in_the_address_where_it_can_do_nothing_else(api: httpx.Client) -> None:
    made = {
        name: api.post("/v1/keys", headers=ADMIN, json={"name": name, "scopes": scopes}).json()["key"]
        for name, scopes in {"bot": ["ingest"], "both": ["ingest", "read"]}.items()
    }
    event = RASA | {"message_id": "by-address"}
    assert api.post("/v1/ingest/rasa", params={"key": made["bot"]}, json=event).json()["accepted"] == 1
    assert api.post("/v1/ingest/rasa", params={"key": made["both"]}, json=event).status_code == 403
    assert api.post("/v1/ingest/rasa", json=event).status_code == 401
    assert api.post("/v1/messages", params={"key": made["bot"]}, json={"text": "x"}).status_code == 401


def test_a_signed_event_needs_no_key_and_a_key_is_no_signature(api: httpx.Client) -> None:
    now = datetime.now(UTC)
    body = json.dumps(ZENDESK | {"time": now.isoformat()}).encode()
    signed = zendesk_signs(body, now.strftime("%Y-%m-%dT%H:%M:%SZ"), SECRET)
    assert api.post("/v1/ingest/zendesk", content=body, headers=signed).json()["accepted"] == 1
    for headers in ({}, ADMIN, zendesk_signs(body, now.strftime("%Y-%m-%dT%H:%M:%SZ"), "another")):
        assert api.post("/v1/ingest/zendesk", content=body, headers=headers).status_code == 401


def test_an_unknown_mapping_and_an_event_that_is_no_json_are_problems(api: httpx.Client) -> None:
    unknown = api.post("/v1/ingest/none", json={}, headers=ADMIN)
    broken = api.post("/v1/ingest/rasa", content=b"{", headers=ADMIN)
    late = api.post("/v1/ingest/rasa", json=RASA | {"timestamp": "never", "message_id": "x"}, headers=ADMIN)
    assert [one.status_code for one in (unknown, broken, late)] == [404, 422, 422]
    assert "chatwoot" in unknown.json()["detail"]
    assert late.json()["rejected"][0]["field"] == "occurred_at"


CSV = (
    "nr,said,at,who,sku\n"
    'f1,"=HYPERLINK(""http://x"")",2026-03-10T09:00:00Z,c1,PB\n'
    "f2,物流一周没更新了,2026-03-10T09:01:00Z,c2,\n"
    "f3,,2026-03-10T09:01:00Z,c3,\n"
    "f4,late again,yesterday,c4,\n"
)
COLUMNS = {"text": "said", "time": "at", "id": "nr", "customer": "who", "attribute": "sku"}


def test_a_file_is_imported_row_by_row_and_again_doubles_nothing(served: Stage, api: httpx.Client) -> None:
    headers = ADMIN | {"content-type": "text/csv; charset=utf-8"}
    first = api.post("/v1/messages:import", params=COLUMNS, content=CSV.encode(), headers=headers)
    receipt = first.json()
    assert (first.status_code, receipt["accepted"], receipt["refused"]) == (202, 2, 2)
    assert [(one["row"], one["field"]) for one in receipt["rejected"]] == [(3, "text"), (4, "occurred_at")]
    assert (
        api.post("/v1/messages:import", params=COLUMNS, content=CSV.encode(), headers=headers).json()["duplicates"] == 2
    )
    assert stored(served)["f1"] == '=HYPERLINK("http://x")'


def test_jsonl_and_parquet_are_imported_and_rows_without_an_id_keep_theirs(api: httpx.Client, tmp_path: Path) -> None:
    lines = b'{"text": "zip broke", "at": 1773133200}\nno json\n{"text": "zip broke too"}\n'
    ways = ADMIN | {"content-type": "application/jsonl"}
    for accepted, duplicates in ((2, 0), (0, 2)):
        receipt = api.post("/v1/messages:import", params={"time": "at"}, content=lines, headers=ways).json()
        assert (receipt["accepted"], receipt["duplicates"], receipt["refused"]) == (accepted, duplicates, 1)
    at = [datetime(2026, 3, 10, 9, 0, tzinfo=UTC)]
    pq.write_table(pa.table({"text": ["the seam burst"], "occurred_at": at}), tmp_path / "t.parquet")
    ways = ADMIN | {"content-type": "application/vnd.apache.parquet"}
    body = (tmp_path / "t.parquet").read_bytes()
    assert api.post("/v1/messages:import", content=body, headers=ways).json()["accepted"] == 1
    assert api.post("/v1/messages:import", content=b"PAR1 not", headers=ways).status_code == 400


def test_a_file_that_is_too_large_of_another_kind_or_without_the_column_is_refused(api: httpx.Client) -> None:
    def status(kind: str, body: bytes) -> int:
        return api.post("/v1/messages:import", content=body, headers=ADMIN | {"content-type": kind}).status_code

    assert status("text/csv", b"text\n" + b"a" * 100_000) == 413
    assert status("application/pdf", b"x") == 400
    assert status("text/csv", b"other\nx\n") == 400
    assert status("text/csv", b"text\n\n,\n") == 422


def test_a_file_that_was_cut_short_by_a_full_inbox_is_finished_by_sending_it_again(stage: Stage) -> None:
    stage.start("api", max_backlog="400")
    lines = "text,nr\n" + "".join(f"parcel {n} is late,i{n}\n" for n in range(1_200))

    def send(client: httpx.Client) -> httpx.Response:
        headers = {"content-type": "text/csv"}
        return client.post("/v1/messages:import", params={"id": "nr"}, content=lines.encode(), headers=headers)

    with stage.client() as client:
        first, found = send(client), set[str]()
        assert first.status_code == 429
        assert int(first.headers["retry-after"]) > 0
        assert first.json()["rows"] < 1_200
        for _ in range(20):
            found |= set(stored(stage))
            for partition in range(4):  # as if the workers had counted them
                stage.redis().xtrim(keys.inbox(partition), maxlen=0, approximate=False)
            if send(client).status_code == 202:
                break
        assert found | set(stored(stage)) == {f"i{n}" for n in range(1_200)}
        assert send(client).json()["duplicates"] == 1_200


def command(*words: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return subprocess.run(
        [sys.executable, "-m", "service", *words], input=stdin, capture_output=True, text=True,
        env=environment | settings | {"COLUMNS": "200"},
    )  # fmt: skip


def test_a_file_is_imported_from_the_command_line(served: Stage, tmp_path: Path) -> None:
    (tmp_path / "said.csv").write_text(CSV.replace("f1", "g1").replace("f2", "g2"))
    words = ["import", str(tmp_path / "said.csv"), "--text", "said", "--time", "at", "--id", "nr", "--customer", "who",
             "--url", f"http://127.0.0.1:{served.port}", "--key", KEY]  # fmt: skip
    first = command(*words)
    assert first.stdout.strip() == "2 accepted, 0 there already, 2 not taken", first.stderr
    assert first.returncode == 1
    assert "row 3 not taken" in first.stderr
    assert command(*words).stdout.strip() == "0 accepted, 2 there already, 2 not taken"
    wrong = command(*words[:-1], "wrong")
    assert (wrong.returncode, "401" in wrong.stderr, "Traceback" in wrong.stderr) == (2, True, False)


def test_a_mapping_is_tried_out_on_a_sample_which_is_shown_redacted(tmp_path: Path) -> None:
    (tmp_path / "sample.json").write_text(json.dumps([CHATWOOT | {"content": "电话 13800138000 充不进电"}, RASA]))
    shown = command("mapping", "test", "chatwoot", str(tmp_path / "sample.json"))
    assert shown.returncode == 0, shown.stderr
    assert "[phone]" in shown.stdout and "13800138000" not in shown.stdout
    assert "event 2: ignored" in shown.stdout
    (tmp_path / "own.toml").write_text('name = "own"\n[message]\ntext = "none"\n')
    assert command("mapping", "test", str(tmp_path / "own.toml"), str(tmp_path / "sample.json")).returncode == 1
    assert "zendesk" in command("mapping", "list").stdout


SENDER = """
import sys
from service.api.client import Client
tocsin = Client(sys.argv[1], spool=sys.argv[2])
for number in range(10_000):
    tocsin.send(f"parcel {number} is late", id=f"s{number}", source="spool")
    print(number, flush=True)
"""


def test_a_client_that_is_killed_loses_nothing_that_it_took_and_doubles_nothing(stage: Stage, tmp_path: Path) -> None:
    api = stage.start("api")
    with stage.client():
        url, spool = f"http://127.0.0.1:{stage.port}", tmp_path / "spool"
        taken = -1
        for calls in (60, 25, 120):
            command = [sys.executable, "-c", SENDER, url, str(spool)]
            sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert sender.stdout is not None
            for _ in range(calls):
                taken = max(taken, int(sender.stdout.readline()))
            if calls == 60:
                stage.kill(api)  # the service goes away while messages come
            if calls == 25:
                api = stage.start("api")
            sender.send_signal(signal.SIGKILL)
            taken = max([taken, *map(int, sender.stdout.read().split())])
            sender.stdout.close()
            sender.wait()
        with Client(url, spool=spool) as client:
            assert client.flush(60), client.last_error
            assert client.refused() == []
    found = {int(name[1:]) for name in stored(stage)}
    assert found >= set(range(taken + 1))
    assert sum(stage.redis().xlen(keys.inbox(p)) for p in range(4)) == len(found)


def test_what_the_service_will_never_take_is_kept_aside_and_holds_nothing_up(served: Stage, tmp_path: Path) -> None:
    with Client(f"http://127.0.0.1:{served.port}", key=KEY, spool=tmp_path / "spool") as client:
        client.send("")
        client.send("x" * 9_000)
        client.send("late parcel", id="good", occurred_at=datetime.now(UTC) - timedelta(hours=1))
        assert client.flush(30)
        assert len(client.refused()) == 2
    assert "good" in stored(served)
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0


def test_a_chatbot_says_so_where_an_issue_is_known_and_is_never_held_up(stage: Stage, tmp_path: Path) -> None:
    from tests.flows.topics import one_topic

    stage.start("api", max_backlog="1000")
    with stage.client() as client:
        url = f"http://127.0.0.1:{stage.port}"
        away = client.get("/v1/known-issues", params={"text": "充不进电", "timeout": 0.2})
        assert (away.status_code, away.headers["retry-after"]) == (503, "2")
        with Client(url, spool=tmp_path / "spool") as bot:
            assert with_known_issues(bot, lambda _: "好的。")("充电宝充不进电了") == "好的。"
        one_topic(stage, "t1", "充电宝充不进电")
        stage.start("worker")
        stage.wait(lambda: client.get("/v1/status").json()["waiting"] == 0)
        counted = sum(int(n) for key in stage.redis().scan_iter("*:counts:*") for n in stage.redis().hvals(key))
        quiet = client.post("/v1/known-issues", json={"text": "充电宝充不进电", "timeout": 10}).json()
        assert (quiet["known"], quiet["topic"]["id"], quiet["alert"]) == (False, "t1", None)
        one = alert(1)
        stage.redis().hset(keys.ALERTS, one.id, pack(one))
        stage.redis().zadd(keys.ALERT_ORDER, {one.id: one.fired_at.timestamp()})
        known = client.get("/v1/known-issues", params={"text": "充电宝充不进电", "timeout": 10}).json()
        assert (known["known"], known["alert"]["in_hand"]) == (True, False)
        assert "samples" not in known["alert"]
        client.post(f"/v1/alerts/{one.id}/acknowledge", json={"by": "quality"})
        chat = command("chat", "--url", url, "--spool", str(tmp_path / "spool2"), stdin="充电宝充不进电\n\n")
        assert chat.stdout.strip() == "这是已知问题，正在处理中。 收到，我来帮您看看。", chat.stderr
        stage.wait(lambda: client.get("/v1/status").json()["waiting"] == 0)
        after = sum(int(n) for key in stage.redis().scan_iter("*:counts:*") for n in stage.redis().hvals(key))
        assert after - counted == 2  # the chat's own message, as a customer and as a message; no question
