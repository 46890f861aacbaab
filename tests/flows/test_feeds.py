"""Feeds, the API page and every answer of the API, as a program outside gets them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import httpx
import jsonschema_rs
import pytest

from models.alert import Facts, Judgement
from service.store import keys
from service.store.alertcodec import pack
from tests.flows.conftest import Stage
from tests.service.notify.payloads import alert

ATOM = "{http://www.w3.org/2005/Atom}"
KEY = "the first key of all"
ADMIN = {"authorization": f"Bearer {KEY}"}


def put(stage: Stage, *numbers: int) -> None:
    for number in numbers:
        one = alert(number)
        stage.redis().hset(keys.ALERTS, one.id, pack(one))
        stage.redis().zadd(keys.ALERT_ORDER, {one.id: one.fired_at.timestamp()})


@pytest.fixture(scope="module")
def served(shared_stage: Stage) -> Stage:
    shared_stage.start("api", auth="on", admin_key=KEY, base_url="https://tocsin.example")
    put(shared_stage, 1, 2)
    return shared_stage


@pytest.fixture
def api(served: Stage) -> Iterator[httpx.Client]:
    with served.client() as client:
        client.headers.update(ADMIN)
        yield client


def test_a_json_feed_says_what_rings_in_the_language_asked_for(api: httpx.Client) -> None:
    answer = api.get("/v1/feed.json", params={"language": "zh"})
    assert answer.headers["content-type"].startswith("application/feed+json")
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["title"] for item in feed["items"]] == ["【严重】新告警：充不进电"] * 2
    first = feed["items"][0]
    assert first["url"] == "https://tocsin.example/#/alerts/20260310T0900-t2"
    assert "“用了三天就充不进电”" in first["content_text"]
    assert len({item["id"] for item in feed["items"]}) == 2


def test_an_atom_feed_is_well_formed_and_says_the_same(api: httpx.Client) -> None:
    answer = api.get("/v1/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    for needed in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{needed}") is not None
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["[critical] New alert: does not charge"] * 2
    for entry in entries:
        for needed in ("id", "updated", "published", "content"):
            assert entry.findtext(f"{ATOM}{needed}")


@pytest.mark.parametrize("path", ["/v1/feed.json", "/v1/feed.atom"])
def test_a_feed_is_sent_again_only_where_it_changed(served: Stage, api: httpx.Client, path: str) -> None:
    first = api.get(path)
    assert first.status_code == 200
    again = api.get(path, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    one = alert(1)
    served.redis().hset(
        keys.FACTS, one.id, pack(replace(Facts(), acknowledged_at=one.fired_at, acknowledged_by="Wang"))
    )
    changed = api.get(path, headers={"if-none-match": first.headers["etag"]})
    served.redis().hdel(keys.FACTS, one.id)
    assert changed.status_code == 200
    assert "Wang" in changed.text


def test_feeds_are_filtered_by_grade_topic_and_number(api: httpx.Client) -> None:
    def items(**asked: str) -> list[str]:
        return [item["id"] for item in api.get("/v1/feed.json", params=asked).json()["items"]]

    assert items(topic="t1") == ["urn:tocsin:alert:20260310T0900-t1"]
    assert items(severity="critical", limit="1") == ["urn:tocsin:alert:20260310T0900-t2"]
    assert items(topic="none") == []


def test_a_key_in_an_address_opens_feeds_alone_and_only_where_it_can_do_nothing_else(
    served: Stage, api: httpx.Client
) -> None:
    made = {
        name: api.post("/v1/keys", json={"name": name, "scopes": scopes}).json()["key"]
        for name, scopes in {"reader": ["read"], "both": ["read", "act"], "ingest": ["ingest"]}.items()
    }
    del api.headers["authorization"]
    asked = {name: api.get("/v1/feed.json", params={"key": key}) for name, key in made.items()}
    assert {name: answer.status_code for name, answer in asked.items()} == {"reader": 200, "both": 403, "ingest": 401}
    assert made["reader"] not in asked["reader"].text
    assert api.get("/v1/feed.json", params={"key": KEY}).status_code == 401
    assert api.get("/v1/feed.json").status_code == 401
    assert api.get("/v1/alerts", params={"key": made["reader"]}).status_code == 401
    assert made["reader"] not in served.logs()


def test_every_answer_has_the_shape_that_the_document_promises(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    made = api.post("/v1/campaigns", json={"name": "x", "start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"})
    calls: list[tuple[str, str, str, object]] = [
        ("GET", "/v1/alerts/{alert_id}", "/v1/alerts/20260310T0900-t1", None),
        ("POST", "/v1/alerts/{alert_id}/acknowledge", "/v1/alerts/20260310T0900-t1/acknowledge", {"by": "Li"}),
        ("POST", "/v1/messages", "/v1/messages", {"text": "late parcel"}),
        ("POST", "/v1/messages:batch", "/v1/messages:batch", [{"text": "late parcel"}, {"text": ""}]),
        ("POST", "/v1/keys", "/v1/keys", {"name": "x", "scopes": ["read"]}),
        ("POST", "/v1/failures:replay", "/v1/failures:replay", {}),
        ("POST", "/v1/dead:replay", "/v1/dead:replay", None),
    ]
    calls += [
        ("GET", path, path, None)
        for path, methods in document["paths"].items()
        if "get" in methods and path != "/v1/alerts/stream"
        if not any(one.get("required") for one in methods["get"].get("parameters", ()))
    ]
    assert made.status_code == 201
    for method, path, address, body in calls:
        answer = api.request(method, address, json=body)
        promised = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]["content"]
        media = answer.headers["content-type"].partition(";")[0]
        assert media in promised, f"{method} {path}"
        if "json" in media:
            schema = {**promised[media]["schema"], "components": document["components"]}
            errors = [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(answer.json())]
            assert errors == [], f"{method} {path}"


def test_errors_have_the_shape_that_the_document_promises(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    check = jsonschema_rs.Draft202012Validator(schema)
    for answer in (api.get("/v1/alerts/none"), api.get("/v1/alerts?limit=0"), api.post("/v1/messages", content=b"{")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error.message for error in check.iter_errors(answer.json())] == []


def test_the_api_page_comes_from_this_address_alone(api: httpx.Client) -> None:
    answer = api.get("/docs")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert json.loads(api.get("/openapi.json").text)["info"]["title"] == "Tocsin"


def test_noise_says_how_far_it_moved_the_bar_counts_in_the_quality_and_can_be_taken_back(
    served: Stage, api: httpx.Client
) -> None:
    put(served, 7)
    name = "20260310T0900-t7"
    path = f"/v1/alerts/{name}"
    said = api.post(f"{path}/feedback", json={"judgement": "noise", "by": "Li", "note": "ring 13800138000"}).json()
    assert said["facts"]["bar"] == {"before": 3.2, "after": 4.2}
    steps = api.get(f"{path}/timeline").json()["timeline"]
    assert [step["kind"] for step in steps] == ["onset", "fired", "judged"]
    assert steps[-1]["by"] == "Li" and steps[-1]["note"] == "ring [phone]"
    assert steps[-1]["detail"] == {"judgement": "noise", "bar_before": 3.2, "bar_after": 4.2}
    served.redis().hset(keys.FACTS, "20260310T0900-t2", pack(Facts(judgement=Judgement.real)))
    quality = api.get("/v1/quality", params={"weeks": 56}).json()
    assert (quality["total"]["real"], quality["total"]["noise"], quality["total"]["precision"]) == (1, 1, 0.5)
    assert [one["topic"]["id"] for one in quality["topics"]] == ["t7"]
    assert sum(week["alerts"] for week in quality["weeks"]) == quality["total"]["alerts"]
    undone = api.delete(f"{path}/feedback").json()
    served.redis().hdel(keys.FACTS, "20260310T0900-t2")
    assert (undone["facts"]["bar"], undone["facts"]["judgement"]) == (None, None)
    assert api.get(f"{path}/timeline").json()["timeline"][-1]["kind"] == "unjudged"
    served.redis().zrem(keys.ALERT_ORDER, name)


def test_hostile_words_are_text_in_every_feed(served: Stage, api: httpx.Client) -> None:
    words = "<script>x()</script> ]]> &amp; \x00\x07\x1b[31m \u202e\ufffe **@all** " + "🔥" * 10_000
    one = alert(6, texts=(words,), label=words)
    served.redis().hset(keys.ALERTS, one.id, pack(one))
    served.redis().zadd(keys.ALERT_ORDER, {one.id: one.fired_at.timestamp()})
    json_feed = api.get("/v1/feed.json", params={"topic": "t6", "language": "zh"})
    atom = api.get("/v1/feed.atom", params={"topic": "t6", "language": "zh"})
    served.redis().zrem(keys.ALERT_ORDER, one.id)
    (item,) = json_feed.json()["items"]
    assert "content_html" not in item
    (entry,) = ElementTree.fromstring(atom.content).findall(f"{ATOM}entry")
    content = entry.find(f"{ATOM}content")
    assert content is not None and content.get("type") == "text" and len(content) == 0
    for text in (item["content_text"], content.text or ""):
        assert "<script>x()</script> ]]> &amp; ‹U+0000›‹U+0007›‹U+001B›[31m ‹U+202E›" in text
        assert not set(text) & set("\x00\x07\x1b\u202e\ufffe")
        assert len(text) < 2_000


def test_alerts_are_listed_by_attribute_time_and_words(api: httpx.Client) -> None:
    def found(**asked: str | list[str]) -> list[str]:
        return sorted(row["topic"]["id"] for row in api.get("/v1/alerts", params=asked).json()["alerts"])

    assert found(attribute="batch=PB20-3") == found(attribute="region=华东") == ["t1", "t2"]
    assert found(attribute=["batch=PB20-3", "region=华北"]) == []
    assert found(until="2026-03-10T09:00:00Z") == []
    assert found(q="STOPPED charging") == found(q="充不进") == ["t1", "t2"]
    assert found(q="20260310t0900-t1") == ["t1"]
    assert found(q="nothing of the kind") == []
    assert api.get("/v1/alerts", params={"attribute": "batch"}).status_code == 400
