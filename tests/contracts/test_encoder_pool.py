"""Encoders as a pool over real HTTP: what `tocsin encoder` serves and what a worker asks of it, or of another server."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from models.embed import Embedder, Vectors, unit
from service.api.embed import MOST_TEXTS, EncoderParts, create_encoder_app
from service.clock import sleep_until
from service.errors import Conflict, EncoderAway, EncoderBusy, Overloaded
from service.pipeline.batching import Batching
from service.pipeline.remote import RemoteEmbedder

TEXTS = ["充不进电", "refund still missing", "", "👍", "\ud800"]


class Spoken:
    """An embedder that gives each text a vector of its own, and waits where it is told to."""

    dimension = 8

    def __init__(self, name: str = "spoken@r1") -> None:
        self.name = name
        self.calls: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(len(texts))
        assert self.go.wait(30)
        rows = [np.random.default_rng([*text.encode("utf-8", "replace"), 1]).normal(size=8) for text in texts]
        return unit(np.array(rows).reshape(-1, 8))


class Broken(Spoken):
    def embed(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError("the text of a customer")


@contextmanager
def served(embedder: Embedder, *, queue: int = 1_000, key: str | None = None) -> Iterator[str]:
    app = create_encoder_app(EncoderParts(embedder, queue, key))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert sleep_until(lambda: server.started, seconds=30)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


Answer = Callable[[str, Any], tuple[int, dict[str, str], Any]]


@contextmanager
def foreign(answer: Answer) -> Iterator[str]:
    """A server of somebody else, with the answers of ``answer`` to path and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(None)

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: Any) -> None:
            status, headers, said = answer(self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


@contextmanager
def pool(*urls: str, key: str | None = None) -> Iterator[RemoteEmbedder]:
    embedder = RemoteEmbedder(urls, key=key, pause=lambda _: None)
    try:
        yield embedder
    finally:
        embedder.close()


def test_a_pool_answers_what_its_encoder_answers() -> None:
    own = Spoken()
    with served(own) as url, pool(url) as remote:
        assert (remote.name, remote.dimension) == ("spoken@r1", 8)
        np.testing.assert_allclose(remote.embed(TEXTS), Spoken().embed(TEXTS), atol=1e-6)
        assert remote.embed([]).shape == (0, 8)
        remote.check()


def test_more_texts_than_one_request_takes_are_parted_and_come_back_in_order() -> None:
    texts = [f"text {number}" for number in range(2 * MOST_TEXTS + 3)]
    with served(Spoken()) as one, served(Spoken()) as other, pool(one, other) as remote:
        np.testing.assert_allclose(remote.embed(texts), Spoken().embed(texts), atol=1e-6)


def test_the_server_speaks_the_shape_of_text_embeddings_inference() -> None:
    with served(Spoken()) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/health").status_code == 200
        about = client.get("/info").json()
        assert (about["model_id"], about["model_sha"]) == ("spoken", "r1")
        assert about["max_client_batch_size"] == MOST_TEXTS
        answer = client.post("/embed", json={"inputs": ["a", "b"], "normalize": True, "truncate": True})
        assert np.array(answer.json()).shape == (2, 8)
        assert np.array(client.post("/embed", json={"inputs": "a"}).json()).shape == (1, 8)
        assert client.post("/embed", json={"inputs": []}).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b'{"inputs": 3}', 422),
        (b'{"inputs": ["a", 3]}', 422),
        (json.dumps({"inputs": ["a"] * (MOST_TEXTS + 1)}).encode(), 413),
    ],
)
def test_what_cannot_be_embedded_is_refused_in_that_form(body: bytes, status: int) -> None:
    with served(Spoken()) as url, httpx.Client(trust_env=False) as client:
        answer = client.post(f"{url}/embed", content=body)
        assert (answer.status_code, answer.json()["error_type"]) == (status, "validation")


def test_requests_that_gather_are_embedded_together() -> None:
    own = Spoken()

    async def ask() -> list[Vectors]:
        batching = Batching(own, queue=100)
        own.go.clear()
        worked = asyncio.create_task(batching.run())
        asked = [asyncio.create_task(batching.embed([f"text {number}"])) for number in range(5)]
        while not own.calls:  # noqa: ASYNC110 — nothing is waited for but the thread's first word
            await asyncio.sleep(0)
        asked += [asyncio.create_task(batching.embed([f"text {number}"])) for number in range(5, 9)]
        while batching.waiting < 9:  # noqa: ASYNC110
            await asyncio.sleep(0)
        own.go.set()
        answers = await asyncio.gather(*asked)
        worked.cancel()
        assert batching.waiting == 0
        return answers

    answers = asyncio.run(ask())
    assert len(own.calls) == 2
    expected = Spoken().embed([f"text {number}" for number in range(9)])
    np.testing.assert_allclose(np.concatenate(answers), expected, atol=1e-6)


def test_a_full_queue_answers_429_with_when_to_come_again() -> None:
    own = Spoken()
    with served(own, queue=4) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        own.go.clear()
        waits: list[int] = []
        first = threading.Thread(
            target=lambda: waits.append(client.post("/embed", json={"inputs": ["a"] * 4}).status_code)
        )
        first.start()
        assert sleep_until(lambda: bool(own.calls), seconds=30)
        answer = client.post("/embed", json={"inputs": ["b"]})
        own.go.set()
        first.join(30)
        assert (answer.status_code, answer.json()["error_type"]) == (429, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
        assert waits == [200]


def test_a_full_queue_has_a_type_of_its_own() -> None:
    async def ask() -> None:
        batching = Batching(Spoken(), queue=2)
        waiting = asyncio.create_task(batching.embed(["a", "b"]))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batching.embed(["c"])
        waiting.cancel()

    asyncio.run(ask())


def test_an_encoder_that_breaks_quotes_no_text() -> None:
    with served(Broken()) as url, httpx.Client(trust_env=False) as client:
        answer = client.post(f"{url}/embed", json={"inputs": ["a"]})
        assert answer.status_code == 500
        assert "customer" not in answer.text


def test_who_bears_no_key_is_not_let_in() -> None:
    with served(Spoken(), key="an invented key") as url:
        with pytest.raises(Conflict, match="TOCSIN_ENCODER_KEY"), pool(url):
            pass
        with pool(url, key="an invented key") as remote:
            assert remote.embed(["a"]).shape == (1, 8)


def test_a_host_that_goes_away_is_passed_over() -> None:
    texts = [f"text {number}" for number in range(20)]
    with served(Spoken()) as stays, ExitStack() as first:
        goes = first.enter_context(served(Spoken()))
        with pool(goes, stays) as remote:
            remote.embed(texts)
            first.close()
            np.testing.assert_allclose(remote.embed(texts), Spoken().embed(texts), atol=1e-6)
            remote.check()


def test_a_worker_is_told_where_no_encoder_answers() -> None:
    with served(Spoken()) as url:
        remote = RemoteEmbedder([url], pause=lambda _: None)
    with pytest.raises(EncoderAway):
        remote.check()
    with pytest.raises(EncoderAway):
        remote.embed(["a"])
    remote.close()


def test_a_host_with_another_model_is_refused() -> None:
    refused = pytest.raises(Conflict, match="cannot be mixed")
    with served(Spoken()) as one, served(Spoken("spoken@r2")) as other, pool(one, other) as remote, refused:
        remote.embed(["a", "b", "c"])


def test_a_busy_host_is_asked_again_when_it_says() -> None:
    paused: list[float] = []
    asked = {"/embed": 0}

    def answer(path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        if path == "/info":
            return 200, {}, {"model_id": "theirs", "model_sha": None}
        asked["/embed"] += 1
        if asked["/embed"] == 2:
            return 429, {"Retry-After": "3"}, {"error": "Model is overloaded", "error_type": "overloaded"}
        return 200, {}, [[3.0, 4.0] for _ in body["inputs"]]

    with foreign(answer) as url:
        remote = RemoteEmbedder([url], pause=paused.append)
        assert remote.name == "theirs@unknown"
        np.testing.assert_allclose(remote.embed(["a"]), [[0.6, 0.8]], atol=1e-6)
        remote.close()
    assert paused == [3.0]


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (429, {"error": "Model is overloaded"}, EncoderBusy),
        (503, {}, EncoderBusy),
        (500, {}, EncoderAway),
        (200, {"no": "vectors"}, EncoderAway),
        (200, [[1.0]], EncoderAway),
        (200, [[1.0], ["x"]], EncoderAway),
    ],
)
def test_answers_that_are_no_vectors_are_typed_errors(status: int, said: Any, kind: type[EncoderAway]) -> None:
    def answer(path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        if path == "/info":
            return 200, {}, {"model_id": "theirs", "model_sha": "abc", "max_client_batch_size": 8}
        return (200, {}, [[1.0]]) if body["inputs"] == ["a"] else (status, {}, said)

    with foreign(answer) as url, pool(url) as remote, pytest.raises(kind):
        remote.embed(["b", "c"])
