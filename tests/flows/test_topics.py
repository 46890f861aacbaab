"""Topics over HTTP: found by meaning in either language, proposed, held apart; errors that say what to do."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from models.topic import TopicId
from models.topics import TopicModel
from service.store import keys
from service.store.alertcodec import pack
from service.store.model import ModelStore
from service.store.redis import Store
from tests.flows.conftest import Stage
from tests.flows.topics import one_topic
from tests.service.notify.payloads import alert

TEXT = "充电宝充不进电"


@pytest.fixture(scope="module")
def served(shared_stage: Stage) -> Stage:
    one_topic(shared_stage, "t1", TEXT)
    shared_stage.start("worker")
    shared_stage.start("api")
    return shared_stage


@pytest.fixture
def api(served: Stage) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


def test_a_topic_is_found_by_meaning_in_the_other_language(served: Stage, api: httpx.Client) -> None:
    def found() -> list[dict[str, object]]:
        rows: list[dict[str, object]] = api.get("/v1/topics", params={"q": "power bank won't charge"}).json()["topics"]
        return rows

    served.wait(lambda: bool(found()))
    (row,) = found()
    distance = row["distance"]
    assert row["id"] == "t1" and isinstance(distance, float) and distance < 0.9
    assert api.get("/v1/status").json()["without_topic"] == 0  # a question is neither kept nor counted


def test_what_cannot_be_done_to_a_topic_is_refused_with_the_reason(api: httpx.Client) -> None:
    def refused(path: str, body: dict[str, object]) -> tuple[int, str]:
        answer = api.post(f"/v1/topics/{path}", json=body)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["detail"]

    assert refused("t9/mute", {}) == (404, "there is no topic 't9'; GET /v1/topics lists them")
    assert refused("t1/merge", {"into": "t1"}) == (409, "t1 is one topic already")
    assert refused("t1/part", {}) == (409, "t1 is merged into no other topic")
    assert refused("t1/apart", {"other": "t9"})[0] == 404
    assert refused("t1/split", {"messages": ["m1"]})[0] == 400
    assert refused("t1/rename", {"names": {"fr": "charge"}})[0] == 422
    assert refused("t1/rename", {"names": {"en": "   "}})[0] == 422
    status, detail = refused("t1/split", {})
    assert status == 409 and "each needs 5" in detail


def test_a_name_holds_no_personal_data_and_stands_with_who_gave_it(api: httpx.Client) -> None:
    names = {"en": "charger of 13800138000", "zh": "充电器"}
    answer = api.post("/v1/topics/t1/rename", json={"names": names, "by": "mei"})
    assert answer.json()["labels"]["en"] == "charger of [phone]"
    events = api.get("/v1/topics/t1/lineage").json()["events"]
    own = [(one["change"], one["by"]) for one in events if one["topic"] == "t1"]
    assert own == [("born", None), ("renamed", "mei")]


def test_one_topic_has_a_place_on_the_map_and_nothing_to_be_merged_with(api: httpx.Client) -> None:
    assert [one["id"] for one in api.get("/v1/topics/map").json()["topics"]] == ["t1"]
    assert api.get("/v1/topics/proposals").json() == {"proposals": [], "splits": []}


def test_the_alerts_of_a_topic_are_those_of_what_was_merged_into_it_too(served: Stage, api: httpx.Client) -> None:
    second = asyncio.run(_with_another(served))
    one = alert(2)
    served.redis().hset(keys.ALERTS, one.id, pack(one))
    served.redis().zadd(keys.ALERT_ORDER, {one.id: one.fired_at.timestamp()})
    assert one.evidence.topic.id == second == "t2"
    assert api.get("/v1/alerts", params={"topic": "t1"}).json()["alerts"] == []
    assert api.post("/v1/topics/t2/merge", json={"into": "t1"}).json()["into"] == "t1"
    rows = api.get("/v1/alerts", params={"topic": "t1"}).json()["alerts"]
    assert [row["alert_id"] for row in rows] == [one.id]
    assert "curve" not in rows[0]


async def _with_another(served: Stage) -> str:
    """A second topic, t2, as discovery adds one."""
    store = Store.connect(served.url)
    models = ModelStore(store)

    def add(model: TopicModel) -> TopicModel:
        first = model.topics[0]
        return model.add([replace(first, id=TopicId("t2"), centroid=-first.centroid, names={})])

    known = await models.change(add, at=datetime.now(UTC))
    await store.close()
    assert known.model is not None
    return known.model.topics[-1].id
