"""The embedder that a pool of encoders serves over HTTP, in the API shape of text-embeddings-inference."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import numpy as np
import orjson

from models.embed import Vectors, unit
from service.errors import Conflict, EncoderAway, EncoderBusy

_TRIES = 4
"""Requests for one part of a batch, each to the next host."""
_PAUSE = 0.25  # seconds before a host is tried again, doubled with each try
_LONGEST_PAUSE = 5.0  # of what a busy host asks for; longer, and the batch is better given up for now
_UNKNOWN_BATCH = 32  # texts a request where /info names no most: that API's own default
_MODEL = "x-model"


@dataclass(frozen=True, slots=True)
class _About:
    """What `GET /info` said."""

    name: str
    most: int


class RemoteEmbedder:
    """Embeds on the encoders at ``urls``, in turn; one that fails or is busy is passed over for the next.

    The first that answers says which model the pool has, and no host with another is ever used: `Conflict`. Raises
    `EncoderBusy` where all are, with when to come again, and `EncoderAway` where none answers. Safe among threads.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        key: str | None = None,
        patience: timedelta = timedelta(seconds=30),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(patience.total_seconds(), connect=min(3.0, patience.total_seconds()))
        self._urls = [url.rstrip("/") for url in urls]
        self._client = httpx.Client(headers=headers, timeout=timeout, trust_env=False, follow_redirects=False)
        self._pause = pause
        self._next = count()
        self._sound: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(2 * len(self._urls), "embed")
        try:
            self._about = self._first()
            self.name = self._about.name
            self.dimension = self._embed(["a"]).shape[1]
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Whether any host could embed now. Raises `EncoderAway` where none answers."""
        for url in self._urls:
            try:
                if self._client.get(f"{url}/health").is_success:
                    return
            except httpx.HTTPError:
                continue
        raise EncoderAway(f"none of the {len(self._urls)} encoders answers")

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        most = max(1, min(self._about.most, -(-len(texts) // len(self._urls))))  # a part for each host
        parts = [texts[start : start + most] for start in range(0, len(texts), most)]
        return np.concatenate(list(self._pool.map(self._embed, parts)))

    def close(self) -> None:
        self._pool.shutdown()
        self._client.close()

    def _first(self) -> _About:
        """What the first host that answers is; the others are held to it when they are used."""
        away: EncoderAway | None = None
        for url in self._urls:
            try:
                return self._ask(url)
            except EncoderAway as error:
                away = error
        raise away or EncoderAway("no encoder is named")

    def _ask(self, url: str) -> _About:
        try:
            answer = self._client.get(f"{url}/info")
            found: dict[str, Any] = orjson.loads(answer.raise_for_status().content)
            name = f"{found['model_id']}@{found.get('model_sha') or 'unknown'}"
            return _About(name, int(found.get("max_client_batch_size") or _UNKNOWN_BATCH))
        except (httpx.HTTPError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise EncoderAway(f"the encoder at {url} does not say what it is ({type(error).__name__})") from None

    def _embed(self, texts: Sequence[str]) -> Vectors:
        body = orjson.dumps({"inputs": [text.encode("utf-8", "replace").decode() for text in texts], "truncate": True})
        turn = next(self._next)
        last: EncoderAway = EncoderAway("no encoder answers")
        for number in range(max(_TRIES, len(self._urls))):
            url = self._urls[(turn + number) % len(self._urls)]
            try:
                return self._vectors(url, body, len(texts))
            except EncoderAway as error:
                last = error
                with self._lock:
                    self._sound.discard(url)  # another may stand there when it answers again
            if (number + 1) % len(self._urls) == 0:  # every host had its turn
                asked = last.retry_after.total_seconds() if isinstance(last, EncoderBusy) else 0.0
                self._pause(min(_LONGEST_PAUSE, max(asked, _PAUSE * 2.0**number)))
        raise last

    def _vectors(self, url: str, body: bytes, expected: int) -> Vectors:
        self._hold(url)
        try:
            answer = self._client.post(f"{url}/embed", content=body, headers={"Content-Type": "application/json"})
        except httpx.HTTPError as error:
            raise EncoderAway(f"the encoder at {url} does not answer ({type(error).__name__})") from None
        if answer.status_code in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
            raise EncoderBusy(f"the encoder at {url} is busy", _retry_after(answer))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Conflict(f"the encoder at {url} asks for a key; set TOCSIN_ENCODER_KEY")
        if not answer.is_success:
            raise EncoderAway(f"the encoder at {url} answered {answer.status_code}")
        self._same(url, answer.headers.get(_MODEL, self._about.name))
        try:
            vectors = np.array(orjson.loads(answer.content), dtype=np.float32)
        except (orjson.JSONDecodeError, TypeError, ValueError):
            raise EncoderAway(f"the encoder at {url} answered no vectors") from None
        if vectors.ndim != 2 or len(vectors) != expected or not np.isfinite(vectors).all():
            raise EncoderAway(f"the encoder at {url} answered other vectors than were asked for")
        return unit(vectors)

    def _hold(self, url: str) -> None:
        """Let no host embed before it has said that it has the pool's model."""
        with self._lock:
            if url in self._sound:
                return
        self._same(url, self._ask(url).name)
        with self._lock:
            self._sound.add(url)

    def _same(self, url: str, name: str) -> None:
        if name != self._about.name:
            raise Conflict(f"the encoder at {url} has {name}, and the pool {self._about.name}; vectors cannot be mixed")


def _retry_after(answer: httpx.Response) -> timedelta:
    given = answer.headers.get("retry-after", "")
    return timedelta(seconds=float(given) if given.isdigit() else 1.0)
