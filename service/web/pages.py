"""Serve the page at `/` and its parts under a name that changes with their content."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

_KINDS: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Browsers that know trusted types then refuse text as HTML altogether; the page never asks for it.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_GUARDS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_ASK_EACH_TIME = "no-cache"
_KEEP = "public, max-age=31536000, immutable"  # a year, the most that RFC 9111 caches are asked to honour
_PAGE = "index.html"
_FOLDER = "static/"
_MODULES = b"<!-- modules -->"  # where the page names its modules, so that they are fetched at once and not in turn
_NO_MODULES = ("early.js",)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the page."""

    body: bytes
    kind: str
    etag: str


@dataclass(frozen=True, slots=True)
class _Edition:
    """The page and its parts as one release; ``name`` changes when any of them does."""

    name: str
    page: _Part
    parts: Mapping[str, _Part]


def mount(app: FastAPI) -> None:
    """Serve the page at `/` and its parts at `/static/EDITION/NAME`.

    The page is asked for anew each time and answered 304 where it is the same; a part is kept for good, since
    its address changes with its content. A part of another edition is 404: the page then loads anew.
    """
    edition = _read()

    async def page(request: Request) -> Response:
        return _answer(edition.page, request, _ASK_EACH_TIME)

    async def part(request: Request, name: str) -> Response:
        found = edition.parts.get(name)
        if found is None:
            raise HTTPException(404, "the page has no such part; load the page anew")
        return _answer(found, request, _KEEP)

    methods = ["GET", "HEAD"]
    app.add_api_route("/", page, methods=methods, include_in_schema=False)
    app.add_api_route(f"/{_FOLDER}{edition.name}/{{name}}", part, methods=methods, include_in_schema=False)


def _read() -> _Edition:
    """Every file beside this one, with the page's links turned to this edition."""
    folder = files("service.web").joinpath("static")
    bodies = {one.name: one.read_bytes() for one in sorted(folder.iterdir(), key=lambda one: one.name) if one.is_file()}
    whole = sha256()
    for name, body in bodies.items():
        whole.update(f"{name} {len(body)} ".encode() + body)
    edition = whole.hexdigest()[:16]
    modules = (name for name in bodies if name.endswith(".js") and name not in _NO_MODULES)
    links = "".join(f'<link rel="modulepreload" href="{_FOLDER}{name}">' for name in modules)
    page = bodies.pop(_PAGE).replace(_MODULES, links.encode())
    page = page.replace(f'"{_FOLDER}'.encode(), f'"{_FOLDER}{edition}/'.encode())
    return _Edition(edition, _part(_PAGE, page), {name: _part(name, body) for name, body in bodies.items()})


def _part(name: str, body: bytes) -> _Part:
    return _Part(body, _KINDS[name.rpartition(".")[2]], f'"{sha256(body).hexdigest()[:32]}"')


def _answer(part: _Part, request: Request, keep: str) -> Response:
    headers = {**_GUARDS, "Cache-Control": keep, "ETag": part.etag}
    known = request.headers.get("if-none-match", "")
    if part.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(b"" if request.method == "HEAD" else part.body, headers=headers, media_type=part.kind)
