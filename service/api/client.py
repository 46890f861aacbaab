"""A client for chatbots: one file, nothing but the standard library. Copy it, or import it.

    with Client("http://127.0.0.1:8765", key="tocsin_...", spool="tocsin.spool") as tocsin:
        tocsin.send("充电宝充不进电", id="chat-118", customer_id="c004750", attributes={"sku": "PB-20"})
        print(tocsin.known_issue("充电宝充不进电"))

`Client.send` returns once the message is on this machine's disk (SQLite, synced), however the service fares; a
thread hands it on. What was handed on is repeated after a crash under the same id, which the service counts once.
"""

import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

_BATCH = 200  # messages in one request, half of what fills a request's second
_PATIENCE = 10.0  # seconds for an answer
_LONGEST_PAUSE = 60.0  # seconds between tries while the service is away
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spool (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refused (number INTEGER PRIMARY KEY, body TEXT NOT NULL, detail TEXT NOT NULL);
"""


class Client:
    """Sends messages through a spool file that several processes may share. Close it, or use it in a ``with``."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        spool: str | Path = "tocsin.spool",
        source: str = "chatbot",
        sending: bool = True,
    ) -> None:
        """``sending=False`` leaves handing on to `flush`, or to another process with the same spool."""
        self._url = url.rstrip("/")
        self._key = key
        self._source = source
        self._path = Path(spool)
        self._path.touch(mode=0o600)
        self._batch = _BATCH
        self.last_error: str | None = None
        """Why the last batch was not taken; None where it was."""
        self._lock = threading.Lock()
        self._base = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=30)
        # Full: a commit is on the disk before send() returns, also where the power goes.
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.executescript(_SCHEMA)
        self._news, self._over = threading.Event(), threading.Event()
        self._news.set()  # what another process left is handed on at once
        self._thread = threading.Thread(target=self._hand_on, name="tocsin", daemon=True) if sending else None
        if self._thread:
            self._thread.start()

    def send(self, text: str, **fields: Any) -> str:
        """Put a message into the spool and answer its id. Fields are those of ``POST /v1/messages``."""
        # The time of saying, not of handing on, which may be hours later.
        message = {"id": uuid.uuid4().hex, "source": self._source, "occurred_at": datetime.now(UTC)}
        message |= {name: value for name, value in fields.items() if value is not None} | {"text": text}
        with self._lock:
            self._base.execute("INSERT INTO spool (body) VALUES (?)", (json.dumps(message, default=_written),))
        self._news.set()
        return str(message["id"])

    def known_issue(self, text: str, timeout: float = 2.0) -> Mapping[str, Any] | None:
        """What the service knows of an issue that rings now: ``say`` in each language, ``topic``, ``alert``. None
        where nothing rings, or the service does not answer in time: a chatbot then goes on without it."""
        try:
            body = {"text": text, "timeout": timeout}
            found: Mapping[str, Any] = self._call("/v1/known-issues", json.dumps(body).encode(), timeout + 1)
        except (OSError, ValueError):
            return None
        return found if found.get("known") else None

    def waiting(self) -> int:
        """How many messages are in the spool still."""
        return self._count("spool")

    def refused(self) -> list[tuple[str, str]]:
        """Messages that the service will never take, each as it was with what is wrong; kept until you look."""
        with self._lock:
            found = self._base.execute("SELECT body, detail FROM refused ORDER BY number").fetchall()
        return [(str(body), str(detail)) for body, detail in found]

    def flush(self, seconds: float = 30.0) -> bool:
        """Hand on what is in the spool, for at most ``seconds``; True where nothing is left."""
        end = time.monotonic() + seconds
        pause = 0.05
        while self.waiting():
            if self._thread is None and self._send_batch() is None:
                continue
            if time.monotonic() >= end:
                return False
            self._news.set()
            time.sleep(pause)
        return True

    def close(self, seconds: float = 2.0) -> None:
        """Hand on for a moment more and end; what is left waits in the spool for the next start."""
        if self._thread:
            self.flush(seconds)
            self._over.set()
            self._news.set()
            self._thread.join(_PATIENCE + 1)
        with self._lock:
            self._base.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hand_on(self) -> None:
        """The thread: send while there is something to send, and wait longer each time that nobody answers."""
        pause = 0.5
        while not self._over.is_set():
            self._news.wait()
            self._news.clear()
            while self.waiting() and not self._over.is_set():
                wait = self._send_batch()
                if wait is None:
                    pause = 0.5
                else:
                    self._over.wait(max(wait, pause))
                    pause = min(2 * pause, _LONGEST_PAUSE)

    def _send_batch(self) -> float | None:
        """Send the oldest messages; None where they are settled, else how many seconds to wait at least."""
        with self._lock:
            rows = self._base.execute(
                "SELECT number, body FROM spool ORDER BY number LIMIT ?", (self._batch,)
            ).fetchall()
        if not rows:
            return None
        body = ("[" + ",".join(text for _, text in rows) + "]").encode()
        try:
            receipt = self._call("/v1/messages:batch", body, _PATIENCE)
        except urllib.error.HTTPError as error:
            with error:
                return self._not_taken(rows, error)
        except (OSError, ValueError) as error:
            self.last_error = type(error).__name__
            return 0.0
        self._settle(rows, {one["index"]: one["detail"] for one in receipt.get("rejected", ())})
        self.last_error, self._batch = None, _BATCH
        return None

    def _not_taken(self, rows: list[tuple[int, str]], error: urllib.error.HTTPError) -> float | None:
        """What an error means for a batch: refused for good, too large at once, or to be tried again."""
        self.last_error = f"status {error.code}"
        found = _object(error.read()) if error.code == 422 else {}
        if "rejected" in found:  # every one of them was refused, and the body says why
            self._settle(rows, {one["index"]: one["detail"] for one in found["rejected"]})
            return None
        if error.code == 413 and len(rows) == 1:
            self._settle(rows, {0: "is too large for the service"})
            return None
        if error.code == 413:
            self._batch = len(rows) // 2
            return None
        return _seconds(error.headers.get("Retry-After"))

    def _settle(self, rows: list[tuple[int, str]], refused: Mapping[int, str]) -> None:
        """Out of the spool what was taken, aside what never will be: in one transaction."""
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            for index, (number, body) in enumerate(rows):
                if index in refused:
                    row = (number, body, refused[index])
                    self._base.execute("INSERT OR REPLACE INTO refused (number, body, detail) VALUES (?, ?, ?)", row)
                self._base.execute("DELETE FROM spool WHERE number = ?", (number,))
            self._base.execute("COMMIT")

    def _call(self, path: str, body: bytes, seconds: float) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        request = urllib.request.Request(self._url + path, body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return _object(answer.read())

    def _count(self, table: str) -> int:
        counts: Mapping[str, str] = {"spool": "SELECT COUNT(*) FROM spool", "refused": "SELECT COUNT(*) FROM refused"}
        with self._lock:
            return int(self._base.execute(counts[table]).fetchone()[0])


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _object(body: bytes) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("the answer is no object")
    return found


def _seconds(header: str | None) -> float:
    return min(float(header), _LONGEST_PAUSE) if header and header.isdigit() else 0.0


Reply = Callable[[str], str]


def with_known_issues(client: Client, reply: Reply, language: str = "zh") -> Reply:
    """A chatbot's reply function that first says so where the customer speaks of an issue that rings now.

    A worked example of how a bot uses Tocsin: every message is sent, the answer comes at once either way.
    """

    def answer(text: str) -> str:
        client.send(text)
        issue = client.known_issue(text)
        return f"{issue['say'][language]} {reply(text)}" if issue else reply(text)

    return answer
