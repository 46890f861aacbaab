"""Customers' data over HTTP: by scope, logged, erased; nothing about agents; and how a week's alerts were borne."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from models.buckets import bucket_of
from service import wiring
from service.app import create_app
from service.settings import Settings
from service.store.apikeys import Scope
from service.store.embedded import EmbeddedStore
from service.store.judgement import JudgeStore, Tick
from service.store.lease import Lease
from service.wiring import Rooms
from tests.contracts.test_alert_book import alert

SECRET = b"0" * 32
NOW = datetime.now(UTC)
"""The app's clock stands here: weeks and days are asked for, and a run may cross one's end."""


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedStore(tmp_path_factory.mktemp("store"), durable=False) as store:
        yield store.url


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {"data_dir": tmp_path, "auth": "on", "admin_key": "admin", "agent_groups": "agent_team", "agent_least": 2}
    )


@pytest.fixture
async def rooms(store_url: str, settings: Settings) -> AsyncIterator[Rooms]:
    rooms = wiring.open_rooms(settings, store_url)
    await rooms.store.client.flushall()
    await wiring.lay_out(rooms, settings)
    yield rooms
    await rooms.store.close()


@pytest.fixture
async def client(rooms: Rooms, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(wiring.build_api_parts(settings, rooms, lambda: NOW, SECRET))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        client.headers["authorization"] = "Bearer admin"
        yield client


async def test_looking_takes_the_scope_and_is_written_down(client: httpx.AsyncClient, rooms: Rooms) -> None:
    pushed = await client.put(
        "/v1/context/order/O1", json={"customer_id": "c1", "fields": {"sku": "A", "staff_id": "7"}}
    )
    assert pushed.json() == {"kind": "order", "id": "O1"}
    _, reader = await rooms.keys.make("reader", [Scope.read], NOW)
    _, desk = await rooms.keys.make("desk", [Scope.context], NOW)
    refused = await client.get("/v1/customers/c1/context", headers={"authorization": f"Bearer {reader}"})
    assert refused.status_code == 403
    found = await client.get("/v1/customers/c1/context", headers={"authorization": f"Bearer {desk}"})
    assert [(one["id"], one["fields"]) for one in found.json()["pieces"]] == [("O1", {"sku": "A"})]
    (look,) = (await client.get("/v1/access")).json()["looks"]
    assert look["who"].startswith("desk") and look["what"] == "context" and "c1" not in look["about"]


async def test_a_customer_is_handed_out_and_erased(client: httpx.AsyncClient) -> None:
    await client.post("/v1/messages", json={"id": "m1", "text": "it broke", "customer_id": "c1"})
    await client.put("/v1/context/return/R1", json={"customer_id": "c1"})
    out = (await client.get("/v1/customers/c1/export")).json()
    assert [one["message_id"] for one in out["messages"]] == ["m1"] and [one["id"] for one in out["context"]] == ["R1"]
    erased = (await client.delete("/v1/customers/c1")).json()["erased"]
    assert erased["messages"] == 1 and erased["context"] == 1
    out = (await client.get("/v1/customers/c1/export")).json()
    assert out["messages"] == out["context"] == []


async def test_an_answer_without_a_worker_still_has_the_customers_picture(client: httpx.AsyncClient) -> None:
    await client.put("/v1/context/order/O1", json={"customer_id": "c1"})
    asked = {"text": "where is my parcel", "customer_id": "c1", "timeout": 0.05}
    found = (await client.post("/v1/assist", json=asked)).json()
    assert found["issue"] is None and [one["id"] for one in found["context"]["pieces"]] == ["O1"]


async def test_an_agent_is_dropped_at_the_door_and_a_team_is_kept_once_it_is_large_enough(
    client: httpx.AsyncClient, rooms: Rooms
) -> None:
    said = [{"value": 20, "attributes": {"agent_id": f"a{n}", "agent_team": "night", "queue": "q"}} for n in range(2)]
    for one in said:
        assert (await client.post("/v1/indicators/waiting_time", json=one)).status_code == 202
    bucket = bucket_of(NOW)
    cells = await rooms.gauges.cells("waiting_time", bucket - 12, bucket + 12)
    assert {cell: tally.n for cell, tally in cells.items()} == {("queue", "q"): 2.0, ("agent_team", "night"): 1.0}


async def test_a_weeks_alerts_tell_how_soon_they_were_taken_in_hand(client: httpx.AsyncClient, rooms: Rooms) -> None:
    lease = Lease(rooms.store, "gauge")
    await lease.hold()
    fired = replace(alert(), fired_at=NOW, noticed_at=NOW)
    await JudgeStore(rooms.store, role="gauge").commit(Tick(None, 1, {}, [fired]), lease.token)
    later = NOW + timedelta(minutes=7)
    await rooms.book.act(fired.id, "acknowledged", lambda _, facts: replace(facts, acknowledged_at=later))
    (week,) = [one for one in (await client.get("/v1/quality?weeks=1")).json()["weeks"] if one["alerts"]]
    assert (week["acknowledged"], week["minutes_to_acknowledge"]) == (1, 7.0)
    assert (await client.get("/v1/budget")).json()["rang"] == 1, "though no message was ever judged"
