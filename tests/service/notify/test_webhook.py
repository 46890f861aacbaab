import base64
import hmac
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from service.notify.address import AllowList
from service.notify.file import webhook_receivers
from service.notify.outcome import Dead, Delivered, Later
from service.notify.signature import Secret
from service.notify.webhook import WebhookNotifier

from .conftest import Receiver, handler_for

KEY = b"an invented key of thirty bytes"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
AT = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
BODY = json.dumps({"alert": "屏幕有坏点"}).encode()
LOOPBACK = AllowList.parse(["127.0.0.1"])


def notifier(url: str, **options: object) -> WebhookNotifier:
    return WebhookNotifier(url, [Secret(KEY)], LOOPBACK, **options)  # type: ignore[arg-type]


class Names:
    """A resolver whose answers are told; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_receiver_gets_the_payload_under_a_signature_it_can_check(receiver: Receiver) -> None:
    assert await notifier(receiver.url).send(BODY, id="alert_1:fired", at=AT) == Delivered()
    [(path, headers, body)] = receiver.seen
    assert (path, body) == ("/hook", BODY)
    assert headers["content-type"] == "application/json"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("alert_1:fired", "1740988800")
    version, signature = headers["webhook-signature"].split(",")
    assert version == "v1"
    assert base64.b64decode(signature) == hmac.digest(KEY, b"alert_1:fired.1740988800." + body, sha256)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Delivered()


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 503])
async def test_other_answers_are_for_later(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Later(f"status_{status}")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("Mon, 03 Mar 2025 08:10:00 GMT", timedelta(minutes=10)),
        ("999999999999999999999", timedelta(hours=24)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=24)),
        ("Mon, 03 Mar 2025 07:00:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_the_receiver_may_name_the_time(receiver: Receiver, header: str, wait: timedelta | None) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": header}
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Later("status_503", wait)


async def test_a_receiver_that_is_gone_is_dead(receiver: Receiver) -> None:
    receiver.status = 410
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Dead("receiver_gone")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": f"http://127.0.0.1:{receiver.port}/inside"}
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Later("redirected")
    assert [path for path, *_ in receiver.seen] == ["/hook"]


async def test_a_silent_receiver_is_not_waited_for_forever(receiver: Receiver) -> None:
    receiver.silent = True
    patient = notifier(receiver.url, patience=timedelta(milliseconds=200))
    assert await patient.send(BODY, id="a", at=AT) == Later("no_answer_in_time")


async def test_a_receiver_that_hangs_up_is_tried_later(receiver: Receiver) -> None:
    receiver.broken = True
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Later("broken_answer")


async def test_a_port_where_nobody_listens_is_tried_later() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert await notifier(url).send(BODY, id="a", at=AT) == Later("no_connection")


async def test_a_name_that_is_unknown_is_tried_later() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert await notifier("http://hooks.example/", resolve=unknown).send(BODY, id="a", at=AT) == Later("no_connection")


INSIDE = [
    "127.0.0.1", "127.1", "0x7f000001", "0x7f.0.0.1", "2130706433", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "224.0.0.1",
    "[fd00::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
async def test_nothing_goes_inside(receiver: Receiver, host: str) -> None:
    closed = WebhookNotifier(f"http://{host}:{receiver.port}/", [Secret(KEY)], AllowList())
    assert await closed.send(BODY, id="a", at=AT) == Dead("address_refused")
    assert receiver.seen == []


async def test_one_inside_address_among_many_makes_a_name_suspect(receiver: Receiver) -> None:
    names = Names(["127.0.0.1", "10.0.0.1"])
    outcome = await notifier(f"http://hooks.example:{receiver.port}/", resolve=names).send(BODY, id="a", at=AT)
    assert outcome == Dead("address_refused")
    assert receiver.seen == []


async def test_a_name_that_changes_its_answer_is_asked_once_and_held_to_it(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    hook = notifier(f"http://hooks.example:{receiver.port}/", resolve=names)
    assert await hook.send(BODY, id="a", at=AT) == Delivered()
    assert names.asked == 1
    assert await hook.send(BODY, id="b", at=AT) == Dead("address_refused")
    assert [headers["host"] for _, headers, _ in receiver.seen] == [f"hooks.example:{receiver.port}"]


async def test_an_allowed_name_may_lead_inside_but_never_to_a_metadata_service(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    allow = AllowList.parse(["hooks.inside"])
    hook = WebhookNotifier(f"http://hooks.inside:{receiver.port}/", [Secret(KEY)], allow, resolve=names)
    assert await hook.send(BODY, id="a", at=AT) == Delivered()
    assert await hook.send(BODY, id="b", at=AT) == Dead("address_refused")


async def test_where_one_address_is_down_the_next_is_tried(receiver: Receiver) -> None:
    allow = AllowList.parse(["127.0.0.0/8"])
    url = f"http://hooks.example:{receiver.port}/"
    hook = WebhookNotifier(url, [Secret(KEY)], allow, resolve=Names(["127.0.0.2", "127.0.0.1"]))
    assert await hook.send(BODY, id="a", at=AT) == Delivered()


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await notifier(receiver.url).send(BODY, id="a", at=AT) == Delivered()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Receiver, ssl.SSLContext]]:
    """A receiver with a certificate for hooks.example, and a context that trusts it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(receiver))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver, ssl.create_default_context(cafile=tmp_path / "cert.pem")
    server.shutdown()
    server.server_close()
    thread.join()


async def test_the_certificate_must_be_that_of_the_name_and_not_of_the_address(
    tls: tuple[Receiver, ssl.SSLContext],
) -> None:
    receiver, trust = tls
    names = Names(["127.0.0.1"])
    right = notifier(f"https://hooks.example:{receiver.port}/", tls=trust, resolve=names)
    wrong = notifier(f"https://other.example:{receiver.port}/", tls=trust, resolve=names)
    unknown = notifier(f"https://hooks.example:{receiver.port}/", resolve=names)
    assert await right.send(BODY, id="a", at=AT) == Delivered()
    assert await wrong.send(BODY, id="b", at=AT) == Later("no_connection")
    assert await unknown.send(BODY, id="c", at=AT) == Later("no_connection")
    assert len(receiver.seen) == 1


async def test_webhooks_are_built_from_settings_under_names_that_show_no_address(receiver: Receiver) -> None:
    old = "whsec_" + base64.b64encode(b"o" * 32).decode()
    (built,) = webhook_receivers([receiver.url], f"{SECRET},{old}", LOOPBACK)
    assert (built.name, built.kind) == ("webhook-1", "webhook")
    assert await built.notifier.send(BODY, id="a", at=AT) == Delivered()
    assert receiver.seen[0][1]["webhook-signature"].count("v1,") == 2


def test_no_receivers_need_no_secret() -> None:
    assert webhook_receivers([], None, LOOPBACK) == []


def test_unsigned_webhooks_are_refused() -> None:
    with pytest.raises(ValueError, match="TOCSIN_WEBHOOK_SECRET"):
        webhook_receivers(["https://hooks.example/"], None, LOOPBACK)


@pytest.mark.parametrize(
    "url",
    ["hooks.example", "ftp://hooks.example/", "https://", "https://me:hunter2@hooks.example/", "http://0177.0.0.1/"],
)
def test_a_url_that_cannot_be_used_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="a webhook's URL") as refusal:
        webhook_receivers([url], SECRET, LOOPBACK)
    assert "hunter2" not in str(refusal.value)
