"""Mail, handed in at a server on loopback that speaks SMTP, asks for a password and knows STARTTLS."""

import base64
import email
import email.policy
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from service.notify.address import AllowList
from service.notify.card import Voice
from service.notify.mail import Mail, Mailbox
from service.notify.outcome import Dead, Delivered, Later, Outcome
from tests.service.notify.payloads import AT, alert, payload

LOOPBACK = AllowList.parse(["127.0.0.1"])
LOGIN = base64.b64encode(b"\0tocsin\0right").decode()


@dataclass
class Office:
    """What the server was given, and what it refuses."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    refusals: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


class Clerk(socketserver.StreamRequestHandler):
    office: Office

    def handle(self) -> None:
        self.secure, self.known, self.envelope = False, False, []
        self.say("220 office ESMTP")
        while line := self.rfile.readline():
            verb = line.decode().split()[0].upper() if line.strip() else ""
            refusal = self.office.refusals.get(verb)
            if refusal:
                self.say(refusal)
            elif not getattr(self, f"do_{verb}", self.unknown)(line.decode().strip()):
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def say(self, line: str) -> bool:
        self.wfile.write(line.encode() + b"\r\n")
        return True

    def unknown(self, line: str) -> bool:
        return self.say("502 unknown")

    def do_EHLO(self, line: str) -> bool:
        offers = ["STARTTLS"] if self.office.tls and not self.secure else ["AUTH PLAIN"]
        return self.say("\r\n".join(["250-office", *(f"250-{offer}" for offer in offers), "250 8BITMIME"]))

    def do_STARTTLS(self, line: str) -> bool:
        assert self.office.tls
        self.say("220 go on")
        self.connection = self.office.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.secure = True
        return True

    def do_AUTH(self, line: str) -> bool:
        self.known = line.split()[-1] == LOGIN
        return self.say("235 in" if self.known else "535 5.7.8 bad credentials")

    def do_MAIL(self, line: str) -> bool:
        return self.say("250 ok" if self.known or not self.office.tls else "530 log in first")

    def do_RCPT(self, line: str) -> bool:
        if "nobody" in line:
            return self.say("550 no such mailbox")
        self.envelope.append(line.partition(":")[2].strip("<>"))
        return self.say("250 ok")

    def do_DATA(self, line: str) -> bool:
        self.say("354 go on")
        body = b""
        while (part := self.rfile.readline()) != b".\r\n":
            body += part
        self.office.mails.append(
            cast(EmailMessage, email.message_from_bytes(body, policy=email.policy.default))
        )  # fmt: skip
        self.office.envelopes.append(self.envelope)
        self.office.encrypted.append(self.secure)
        return self.say("250 taken")

    def do_RSET(self, line: str) -> bool:
        return self.say("250 ok")

    def do_QUIT(self, line: str) -> bool:
        self.say("221 bye")
        return False


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()

    class Desk(Clerk):
        pass

    Desk.office = office
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Desk) as server:
        server.daemon_threads = True
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield office
        server.shutdown()
        thread.join()


def mail(office: Office, voice: Voice = Voice("zh"), **changes: object) -> Mail:
    fields = {"host": "127.0.0.1", "port": office.port, "sender": "tocsin@x.example", "to": ("q@x.example",)}
    return Mail(Mailbox(**fields | {"security": "none"} | changes), LOOPBACK, voice)  # type: ignore[arg-type]


async def test_a_card_becomes_a_mail_in_plain_text_and_html(office: Office) -> None:
    assert await mail(office).send(payload(), id="n1", at=AT) == Delivered()
    (one,) = office.mails
    assert one["Subject"] == "【严重】新告警：充不进电"
    assert office.envelopes == [["q@x.example"]]
    plain = one.get_body(("plain",))
    html = one.get_body(("html",))
    assert plain and html
    assert "“用了三天就充不进电”" in plain.get_content()
    assert "https://tocsin.example/#/alerts/20260310T0900-t1" in html.get_content()


async def test_a_second_try_is_the_same_mail_and_later_news_stand_in_its_thread(office: Office) -> None:
    out = mail(office)
    for name in ("n1", "n1", "n2"):
        assert await out.send(payload(), id=name, at=AT) == Delivered()
    assert len({one["Message-ID"] for one in office.mails}) == 2
    assert len({one["References"] for one in office.mails}) == 1


async def test_markup_and_line_ends_in_a_label_stay_text(office: Office) -> None:
    hostile = alert(label="</h2><script>x()</script>\r\nBcc: evil@x.example", texts=("<img src=x onerror=y>",))
    assert await mail(office).send(payload(hostile), id="n1", at=AT) == Delivered()
    (one,) = office.mails
    html = one.get_body(("html",))
    assert html
    assert "<script" not in html.get_content() and "<img" not in html.get_content()
    assert one["Bcc"] is None
    assert office.envelopes == [["q@x.example"]]


@pytest.mark.parametrize(
    ("verb", "answer", "outcome"),
    [
        ("MAIL", "451 4.3.0 try again", Later("smtp_451")),
        ("MAIL", "550 5.7.1 not from you", Dead("smtp_550")),
        ("RCPT", "450 4.2.1 mailbox busy", Later("recipients_refused")),
        ("RCPT", "550 5.1.1 no such mailbox", Dead("recipients_refused")),
        ("DATA", "552 5.3.4 too large", Dead("smtp_552")),
    ],
)
async def test_what_the_server_answers_is_what_becomes_of_it(
    office: Office, verb: str, answer: str, outcome: Outcome
) -> None:
    office.refusals[verb] = answer
    assert await mail(office).send(payload(), id="n1", at=AT) == outcome
    assert office.mails == []


async def test_one_wrong_address_among_several_does_not_hold_up_the_others(office: Office) -> None:
    out = mail(office, to=("q@x.example", "nobody@x.example"))
    assert await out.send(payload(), id="n1", at=AT) == Delivered()
    assert office.envelopes == [["q@x.example"]]


async def test_nobody_listening_is_for_later_and_inside_hosts_are_refused(office: Office) -> None:
    assert await mail(office, port=1).send(payload(), id="n1", at=AT) == Later("no_connection")
    box = Mailbox("127.0.0.1", office.port, "t@x.example", ("q@x.example",), "none")
    assert await Mail(box, AllowList(), Voice()).send(payload(), id="n1", at=AT) == Dead("address_refused")
    assert office.mails == []


@pytest.fixture
def trust(office: Office, tmp_path: Path) -> ssl.SSLContext:
    """Gives the office a certificate for its name, and answers a context that trusts it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=mail.example", "-addext", "subjectAltName=DNS:mail.example"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    office.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    office.tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return ssl.create_default_context(cafile=tmp_path / "cert.pem")


async def names(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "password", "outcome"),
    [
        ("mail.example", "right", Delivered()),
        ("mail.example", "wrong", Dead("password_refused")),
        ("other.example", "right", Later("no_connection")),
    ],
)
async def test_starttls_holds_the_certificate_to_the_name_before_the_password_is_told(
    office: Office, trust: ssl.SSLContext, host: str, password: str, outcome: Outcome
) -> None:
    box = Mailbox(host, office.port, "t@x.example", ("q@x.example",), "starttls", "tocsin", password)
    out = Mail(box, LOOPBACK, Voice(), tls=trust, resolve=names)
    assert await out.send(payload(), id="n1", at=AT) == outcome
    assert office.encrypted == ([True] if outcome == Delivered() else [])


async def test_a_server_without_starttls_gets_no_mail_where_it_is_asked_for(office: Office) -> None:
    assert await mail(office, security="starttls").send(payload(), id="n1", at=AT) == Dead("no_starttls")
    assert office.mails == []
