"""E-mail over SMTP: one message a card, plain and HTML, threaded by alert."""

import asyncio
import html
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from service.notify.address import Address, AddressRefused, AllowList, Resolve, checked, resolve_by_system
from service.notify.card import Card, Voice, card_of
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.pace import Pace
from service.notify.post import PATIENCE

PACE = Pace((30, timedelta(minutes=1)))
"""Below what mail services take for a flood from one sender; the largest allow more."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where mail is handed in, and from whom to whom. ``security``: "starttls", "tls", or "none" (inside only)."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    security: str = "starttls"
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Mailbox({self.host}:{self.port})"


class Mail:
    """Hands mail in at one server; never shows addresses or the password."""

    def __init__(
        self,
        box: Mailbox,
        allow: AllowList,
        voice: Voice,
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve_by_system,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._box = box
        self._allow = allow
        self._voice = voice
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve
        self._patience = patience

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        """Hand one message in. 4xx answers are for later, 5xx are dead, as RFC 5321 means them."""
        message = message_of(card_of(payload, self._voice), self._box, id=id, at=at)
        try:
            addresses = await checked(self._box.host, self._box.port, self._allow, self._resolve)
            return await asyncio.to_thread(self._hand_in, message, addresses)
        except AddressRefused:
            return Dead("address_refused")
        except smtplib.SMTPRecipientsRefused as error:
            return _of_code(max((code for code, _ in error.recipients.values()), default=550), "recipients_refused")
        except smtplib.SMTPAuthenticationError as error:
            return _of_code(error.smtp_code, "password_refused")
        except smtplib.SMTPResponseException as error:
            return _of_code(error.smtp_code, f"smtp_{error.smtp_code}")
        except smtplib.SMTPNotSupportedError:
            return Dead("no_starttls")
        except TimeoutError:
            return Later("no_answer_in_time")
        except (OSError, smtplib.SMTPException):
            return Later("no_connection")

    def _hand_in(self, message: EmailMessage, addresses: Sequence[Address]) -> Outcome:
        box, seconds = self._box, self._patience.total_seconds()
        with _client(box, addresses, self._tls, seconds) as client:
            if box.security == "starttls":
                client.starttls(context=self._tls)
            if box.user is not None:
                client.login(box.user, box.password or "")
            refused = client.send_message(message, box.sender, list(box.to))
        # Whom the server refused among several gets nothing now or later; the others have it.
        return Delivered() if len(refused) < len(box.to) else Dead("recipients_refused")


def message_of(card: Card, box: Mailbox, *, id: str, at: datetime) -> EmailMessage:  # noqa: A002
    """The message; its Message-ID is the notification's, so that a repeat is one mail to most clients."""
    domain = box.sender.rpartition("@")[2].rstrip(">") or "tocsin"
    message = EmailMessage(policy=SMTP)
    message["Subject"] = card.title
    message["From"] = box.sender
    message["To"] = ", ".join(box.to)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{sha256(id.encode()).hexdigest()[:32]}@{domain}>"
    if card.thread:
        message["References"] = f"<{sha256(card.thread.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday answers are not wanted
    message.set_content(card.text())
    message.add_alternative(html_of(card), subtype="html")
    return message


def html_of(card: Card) -> str:
    """The card as HTML without images, scripts or styles of anybody else."""
    rows = "".join(
        f"<tr><th align=left valign=top>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in card.lines
    )
    quotes = "".join(f"<blockquote><bdi>{html.escape(quote)}</bdi></blockquote>" for quote in card.quotes)
    said = f"<h3>{html.escape(card.quotes_name)}</h3>{quotes}" if quotes else ""
    link = f'<p><a href="{html.escape(card.link)}">{html.escape(card.link_name)}</a></p>' if card.link else ""
    return f"<!doctype html><meta charset=utf-8><h2>{html.escape(card.title)}</h2><table>{rows}</table>{said}{link}"


def _of_code(code: int, word: str) -> Outcome:
    return Dead(word) if code >= 500 else Later(word)


def _client(box: Mailbox, addresses: Sequence[Address], tls: ssl.SSLContext, seconds: float) -> smtplib.SMTP:
    """A client that connects to a checked address and holds the certificate to the name."""
    if box.security == "tls":
        return _TlsClient(box.host, box.port, addresses, seconds, tls)
    return _Client(box.host, box.port, addresses, seconds)


def _connect(addresses: Sequence[Address], port: int, seconds: float) -> socket.socket:
    failure: OSError = ConnectionRefusedError("the name has no address")
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), seconds)
        except OSError as error:
            failure = error
    raise failure


class _Client(smtplib.SMTP):
    def __init__(self, host: str, port: int, addresses: Sequence[Address], seconds: float) -> None:
        self._addresses = addresses
        super().__init__(host, port, local_hostname="tocsin", timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connect(self._addresses, port, timeout)


class _TlsClient(smtplib.SMTP_SSL):
    def __init__(self, host: str, port: int, addresses: Sequence[Address], seconds: float, tls: ssl.SSLContext) -> None:
        self._addresses = addresses
        self._name = host
        super().__init__(host, port, local_hostname="tocsin", timeout=seconds, context=tls)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = _connect(self._addresses, port, timeout)
        context: ssl.SSLContext = self.context
        return context.wrap_socket(raw, server_hostname=self._name)
