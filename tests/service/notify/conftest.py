"""A receiver on loopback: real HTTP, scripted answers, and what it was sent."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Receiver:
    """Answers with ``status`` and ``headers``; a ``silent`` one holds its answer back until the test is over."""

    port: int = 0
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    broken: bool = False
    body: bytes = b""
    judge: Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]] | None = None
    """Makes status and body of an answer out of path, headers and body; for servers that look at what they get."""
    seen: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def handler_for(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.silent:
                receiver.over.wait()
            if receiver.silent or receiver.broken:
                self.close_connection = True
                return
            status, said = receiver.status, receiver.body
            if receiver.judge is not None:
                status, said = receiver.judge(*receiver.seen[-1])
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is no place for it."""

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(receiver))
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.over.set()
    server.shutdown()
    server.server_close()
    thread.join()
