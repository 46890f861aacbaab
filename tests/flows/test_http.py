"""The door and the feed over real HTTP: receipts, errors, keys, the live stream."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service.clock import sleep_until
from tests.flows.conftest import Stage

NOW = datetime.now(UTC)
PHONE = "138 0013 8000"


def test_a_message_is_redacted_before_the_store_has_it(stage: Stage) -> None:
    stage.start("api")
    with stage.client() as client:
        text = f"我叫王小明，电话{PHONE}，充不进电"
        body = {"id": 1, "text": text, "customer_id": "u-secret-77", "attributes": {"note": f"call {PHONE}"}}
        assert client.post("/v1/messages", json=body).status_code == 202
    dump = repr([stage.redis().xrange(f"tocsin:{{p{p}}}:inbox") for p in range(4)])
    assert "充不进电" in dump.encode().decode("unicode_escape").encode("latin-1", "ignore").decode("utf-8", "ignore")
    for secret in (PHONE, PHONE.replace(" ", ""), "0013 8000", "u-secret-77", repr("王小明".encode())[2:-1]):
        assert secret not in dump
        assert secret not in stage.logs()


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"{", 422, "not_json", "body"),
        (b'{"text": ""}', 422, "text_empty", "text"),
        (b"{}", 422, "missing", "text"),
        (b'{"text": "hi there", "colour": "red"}', 422, "extra_forbidden", "colour"),
        (b'{"text": "late again", "occurred_at": "yesterday"}', 422, "value_error", "occurred_at"),
        (b'{"text": "late again", "occurred_at": 99999999999999999999}', 422, "value_error", "occurred_at"),
        (b'{"text": "late again", "occurred_at": "2999-01-01T00:00:00Z"}', 422, "future", "occurred_at"),
        (b'{"text": "late again", "attributes": {"sku": ["a"]}}', 422, "string_type", "attributes.sku"),
        (b"[1]", 422, "model_type", "body"),
    ],
)
def test_a_bad_message_gets_a_problem_that_names_the_field(
    api: httpx.Client, body: bytes, status: int, code: str, field: str
) -> None:
    answer = api.post("/v1/messages", content=body, headers={"content-type": "application/json"})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["code"], problem["field"]) == (status, code, field)
    routed = api.post("/v1/messages?timeout=2", content=body, headers={"content-type": "application/json"})
    assert (routed.status_code, routed.json(), routed.headers["content-type"]) == (
        answer.status_code, problem, answer.headers["content-type"],
    )  # fmt: skip


def test_a_batch_takes_the_good_items_and_lists_the_bad_ones(api: httpx.Client) -> None:
    items = [{"id": "b1", "text": "late parcel"}, {"id": "b2", "text": " "}, 7, {"id": "b1", "text": "late parcel"}]
    answer = api.post("/v1/messages:batch", json=items)
    receipt = answer.json()
    assert answer.status_code == 202
    assert (receipt["accepted"], receipt["duplicates"]) == (1, 1)
    assert [(one["index"], one["code"]) for one in receipt["rejected"]] == [(1, "text_empty"), (2, "model_type")]


def test_lines_of_json_and_cloud_events_are_taken_too(api: httpx.Client) -> None:
    lines = b'{"id": "n1", "text": "the zip broke"}\nnot json\n{"id": "n2", "text": "the zip broke too"}\n'
    receipt = api.post("/v1/messages:batch", content=lines).json()
    assert (receipt["accepted"], [one["index"] for one in receipt["rejected"]]) == (2, [1])
    event = {"specversion": "1.0", "id": "e1", "source": "/bot", "type": "said", "data": {"text": "no refund yet"}}
    assert api.post("/v1/messages", json=event).json()["id"] == "e1"
    assert api.post("/v1/messages", json=event).json()["duplicates"] == 1


def test_a_batch_of_nothing_but_errors_is_refused(api: httpx.Client) -> None:
    answer = api.post("/v1/messages:batch", json=[{"text": ""}, {}])
    assert (answer.status_code, answer.json()["code"], len(answer.json()["rejected"])) == (422, "all_rejected", 2)


def test_too_large_too_many_and_unknown_places_are_problems(api: httpx.Client) -> None:
    big = api.post("/v1/messages", content=b'{"text": "' + b"a" * 9_000_000 + b'"}')
    many = api.post("/v1/messages:batch", json=[{"text": "late"}] * 1_001)
    nowhere = api.get("/v1/nowhere")
    wrong = api.put("/v1/messages")
    assert [one.status_code for one in (big, many, nowhere, wrong)] == [413, 413, 404, 405]
    for one in (big, many, nowhere, wrong):
        assert one.headers["content-type"] == "application/problem+json", one.text


def test_the_answer_can_wait_for_the_topic(stage: Stage) -> None:
    stage.start("api")
    with stage.client() as client:
        slow = client.post("/v1/messages", params={"wait": "topic", "timeout": 0.2}, json={"text": "the zip broke"})
        assert (slow.status_code, slow.json()["waited"], slow.json()["topic"]) == (202, False, None)
        stage.start("worker")
        stage.wait(lambda: client.get("/v1/status").json()["waiting"] == 0)
        known = client.post("/v1/messages", params={"wait": "topic", "timeout": 10}, json={"text": "the zip broke off"})
        assert (known.status_code, known.json()["waited"]) == (202, True)


def test_keys_are_asked_for_and_held_to_their_scopes(stage: Stage) -> None:
    stage.start("api", auth="on", admin_key="the first key of all")
    with stage.client() as client:
        assert client.get("/v1/alerts").status_code == 401
        assert client.get("/v1/alerts").headers["www-authenticate"].startswith("Bearer")
        admin = {"authorization": "Bearer the first key of all"}
        made = client.post("/v1/keys", headers=admin, json={"name": "chatbot", "scopes": ["ingest"]}).json()
        bot = {"authorization": f"Bearer {made['key']}"}
        assert client.post("/v1/messages", headers=bot, json={"text": "late parcel"}).status_code == 202
        for path in ("/v1/messages", "/v1/messages?timeout=2"):
            refused = client.post(path, json={"text": "late parcel"})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="tocsin"')
        assert client.get("/v1/alerts", headers=bot).status_code == 403
        assert client.get("/v1/alerts", headers={"authorization": "Bearer wrong"}).status_code == 401
        ended = client.post(f"/v1/keys/{made['id']}/end", headers=admin, json={})
        assert ended.status_code == 200
        assert sleep_until(
            lambda: client.post("/v1/messages", headers=bot, json={"text": "late"}).status_code == 401, seconds=10
        )
        assert made["key"] not in stage.logs()


def test_campaigns_are_announced_listed_and_removed(api: httpx.Client) -> None:
    start, end = NOW + timedelta(days=1), NOW + timedelta(days=2)
    bad = api.post("/v1/campaigns", json={"name": "11.11", "start": end.isoformat(), "end": start.isoformat()})
    assert bad.status_code == 422
    made = api.post("/v1/campaigns", json={"name": "11.11", "start": start.isoformat(), "end": end.isoformat()})
    assert made.status_code == 201
    assert [one["name"] for one in api.get("/v1/campaigns").json()["campaigns"]] == ["11.11"]
    assert api.delete(f"/v1/campaigns/{made.json()['id']}").status_code == 204
    assert api.delete(f"/v1/campaigns/{made.json()['id']}").status_code == 404


def test_the_live_stream_begins_at_once_and_replays_what_was_missed(stage: Stage) -> None:
    stage.start("api")
    heard: list[str] = []
    with stage.client() as client:

        def listen() -> None:
            with client.stream("GET", "/v1/alerts/stream", headers={"last-event-id": "0-1"}) as answer:
                for line in answer.iter_lines():
                    heard.append(line)
                    if line.startswith("data:"):
                        return

        store = stage.redis()
        from service.store.alertcodec import pack
        from tests.contracts.test_alert_book import alert

        store.hset("tocsin:{tenant}:alerts", "a1", pack(alert()))
        first = store.xadd("tocsin:{tenant}:events", {"kind": "fired", "alert": "a1", "body": ""}, id="0-2")
        thread = threading.Thread(target=listen)
        thread.start()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert heard[0].startswith(":")
        assert f"id: {first.decode()}" in heard
        assert json.loads(heard[-1].removeprefix("data: "))["alert"]["alert_id"] == "a1"


@pytest.fixture(scope="module")
def api(shared_stage: Stage) -> Iterator[httpx.Client]:
    """A client of an API without workers."""
    shared_stage.start("api")
    with shared_stage.client() as client:
        yield client
