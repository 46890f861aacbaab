"""The encoder as a pool of its own over HTTP, in the API shape of huggingface/text-embeddings-inference.

`POST /embed {"inputs": [...]}` answers `[[...], ...]`; `GET /info` names the model; `GET /health` says that it is
there. Errors have that API's form too: ``error`` in words, ``error_type`` from a closed set.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from models.embed import Embedder
from models.encoder.folder import MAX_TOKENS
from service.errors import BadMessage, Overloaded, Refused, TocsinError, TooLarge, TryLater, Unauthorised
from service.logs import log
from service.pipeline.batching import Batching

MODEL = "x-model"
"""Header of every answer: the name of the embedder that made it."""

MOST_TEXTS = 256
"""Texts in one request; `GET /info` tells callers."""

_MOST_BODY = 8 * 1024 * 1024
_KINDS: dict[type[TocsinError], str] = {Overloaded: "overloaded", Refused: "validation"}


@dataclass(frozen=True, slots=True)
class EncoderParts:
    """``key``: what callers must bear; None lets everybody in. ``queue``: most texts that wait."""

    embedder: Embedder
    queue: int
    key: str | None = None


def create_encoder_app(parts: EncoderParts) -> FastAPI:
    """The application of one encoder; its queue is worked off while it lives."""
    batching = Batching(parts.embedder, queue=parts.queue)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(batching.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    app = FastAPI(title="Tocsin encoder", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    about = _about(parts)

    @app.exception_handler(TocsinError)
    async def ours(_: Request, error: TocsinError) -> Response:
        kind = next((kind for of, kind in _KINDS.items() if isinstance(error, of)), "backend")
        headers = {"Retry-After": str(round(error.retry_after.total_seconds()))} if isinstance(error, TryLater) else {}
        return Response(
            orjson.dumps({"error": str(error), "error_type": kind}), error.status, headers, "application/json"
        )

    @app.exception_handler(Exception)
    async def other(_: Request, error: Exception) -> Response:
        log.error("unexpected error", kind=type(error).__name__)  # its words may quote a text
        return Response(b'{"error":"inference failed","error_type":"backend"}', 500, media_type="application/json")

    @app.get("/health")
    async def health() -> Response:
        return Response(status_code=200)

    @app.get("/info")
    async def info() -> Response:
        return Response(about, media_type="application/json")

    @app.post("/embed")
    async def embed(request: Request) -> Response:
        _let_in(parts.key, request.headers.get("authorization", ""))
        vectors = await batching.embed(_texts(await _body(request)))
        return Response(
            orjson.dumps(vectors, option=orjson.OPT_SERIALIZE_NUMPY),
            headers={MODEL: parts.embedder.name},
            media_type="application/json",
        )

    return app


def _about(parts: EncoderParts) -> bytes:
    model, _, revision = parts.embedder.name.partition("@")
    return orjson.dumps(
        {
            "model_id": model,
            "model_sha": revision,
            "model_dtype": "float32",
            "model_type": {"embedding": {"pooling": "mean"}},
            "dimension": parts.embedder.dimension,
            "max_input_length": MAX_TOKENS,
            "max_client_batch_size": MOST_TEXTS,
            "max_concurrent_requests": parts.queue,
            "auto_truncate": True,
            "version": version("tocsin"),
        }
    )


async def _body(request: Request) -> Any:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _MOST_BODY:
            raise TooLarge(f"send at most {_MOST_BODY} bytes in one request")
        chunks.append(chunk)
    try:
        return orjson.loads(b"".join(chunks))
    except orjson.JSONDecodeError:
        raise BadMessage("body", "is no JSON in UTF-8") from None


def _texts(body: Any) -> list[str]:
    """``inputs`` of a body: one text or some. Other members of that API change nothing here: what is too long is cut,
    and vectors have unit length, always."""
    inputs = body.get("inputs") if isinstance(body, dict) else None
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadMessage("inputs", "is a text or a list of texts")
    if len(texts) > MOST_TEXTS:
        raise TooLarge(f"{len(texts)} texts; send at most {MOST_TEXTS} in one request")
    return texts


def _let_in(key: str | None, authorization: str) -> None:
    kind, _, secret = authorization.partition(" ")
    if key is not None and not (
        kind.lower() == "bearer" and hmac.compare_digest(secret.strip().encode(), key.encode())
    ):
        raise Unauthorised("send the header 'Authorization: Bearer <TOCSIN_ENCODER_KEY>'")
