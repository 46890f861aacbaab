"""How the page is served: what may be kept, what is refused."""

import re

import httpx
import pytest
from fastapi import FastAPI

from service.web import mount


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    mount(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


async def test_the_page_is_asked_for_anew_and_its_parts_are_kept(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    again = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    parts = re.findall(r'"(static/[^"]+)"', page.text)
    assert {part.rpartition("/")[2] for part in parts} >= {"app.js", "early.js", "style.css", "bell.svg", "words.js"}
    for part in parts:
        answer = await client.get(part)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


async def test_nothing_but_our_own_files_may_run(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script>|<style|\son\w+=|style=|https?:", answer.text)


@pytest.mark.parametrize("path", ["/static/0000/app.js", "/static/none.js", "/static/../pages.py"])
async def test_what_is_not_a_part_of_this_edition_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_the_head_of_the_page_comes_without_its_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_page_is_no_part_of_the_described_api() -> None:
    app = FastAPI()
    mount(app)
    assert app.openapi()["paths"] == {}
