"""Every error as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service.errors import BadMessage, TocsinError, TryLater
from service.logs import log

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, code: str, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem document; ``code`` is stable, ``detail`` is for people."""
    body = {
        "type": f"urn:tocsin:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return Response(orjson.dumps(body), status, headers, media_type=MEDIA_TYPE)


def of_error(error: TocsinError) -> Response:
    """The answer to one of our own errors."""
    headers = {}
    if isinstance(error, TryLater):
        headers["Retry-After"] = str(max(1, round(error.retry_after.total_seconds())))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="tocsin"'
    more = {"field": error.field} if isinstance(error, BadMessage) else {}
    return problem(error.status, error.code, error.title, str(error), headers, **more)


def add_problem_handlers(app: FastAPI) -> None:
    """Map every error of the app to a problem document, once."""

    @app.exception_handler(TocsinError)
    async def ours(_: Request, error: TocsinError) -> Response:
        return of_error(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [{"field": where(one["loc"]), "fix": fix_of(one)} for one in error.errors()]
        first = errors[0]
        detail = f"{first['field']}: {first['fix']}"
        return problem(422, "invalid_request", "The request cannot be taken", detail, errors=errors)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        code = status.name.lower()
        headers = dict(error.headers) if error.headers else None
        return problem(status, code, status.phrase, str(error.detail or status.description), headers)

    @app.exception_handler(Exception)
    async def other(request: Request, error: Exception) -> Response:
        # The kind only: an error's words may quote what a customer wrote.
        log.error("unexpected error", kind=type(error).__name__, path=request.url.path)
        return problem(500, "internal", "Something broke on our side", "The error is in the log; nothing was lost.")


def where(location: tuple[int | str, ...]) -> str:
    """A field's place as people write it: ``body.messages[3].text``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def fix_of(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, in our own words where they are ours."""
    return str(error["msg"]).removeprefix("Value error, ")
