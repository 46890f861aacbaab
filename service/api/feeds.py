"""`/v1/feed.json` and `/v1/feed.atom`: alerts for feed readers, chat bots and status pages."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from models.embed import Language
from models.plain import plain
from models.severity import Severity
from service.api.auth import needs
from service.api.parts import ApiParts
from service.notify.card import Card, Voice, card_of
from service.store.alerts import Filed
from service.store.apikeys import Scope
from service.views import alert_view, iso

router = APIRouter(tags=["feeds"], dependencies=[Depends(needs(Scope.read, in_address=True))])

_LOOKED_THROUGH = 500  # newest alerts among which the filters choose
_EMPTY = "1970-01-01T00:00:00Z"  # Atom wants a time of the last change even before the first


class Wish(BaseModel):
    """What both feeds are asked for."""

    severity: Severity = Field(Severity.info, description="this grade or graver")
    topic: str | None = Field(None, max_length=64, description="id of a topic")
    language: Language = Field("en", description="what the words are in")
    limit: int = Field(50, ge=1, le=200)
    key: str | None = Field(None, description="a key with the scope 'read' alone, for readers that send no header")


@router.get("/v1/feed.json", response_class=Response)
async def json_feed(request: Request, wish: Annotated[Wish, Query()]) -> Response:
    """Alerts as JSON Feed 1.1, newest first; 304 where nothing changed since the ``ETag`` in ``If-None-Match``."""
    parts: ApiParts = request.app.state.parts
    found = await _chosen(parts, wish)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Tocsin",
        "home_page_url": f"{parts.base_url}/",
        "feed_url": f"{parts.base_url}/v1/feed.json",
        "language": wish.language,
        "items": [_item(parts, filed, wish.language) for filed in found],
    }
    return _answer(request, orjson.dumps(feed), "application/feed+json")


@router.get("/v1/feed.atom", response_class=Response)
async def atom_feed(request: Request, wish: Annotated[Wish, Query()]) -> Response:
    """Alerts as Atom (RFC 4287), newest first; 304 where nothing changed since the ``ETag`` in ``If-None-Match``."""
    parts: ApiParts = request.app.state.parts
    found = await _chosen(parts, wish)
    updated = max((filed.alert.updated_at for filed in found), default=None)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{wish.language}">',
        f"<id>{escape(parts.base_url)}/v1/feed.atom</id>",
        "<title>Tocsin</title>",
        f"<updated>{iso(updated) or _EMPTY}</updated>",
        "<author><name>Tocsin</name></author>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(f"{parts.base_url}/v1/feed.atom")}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(f"{parts.base_url}/")}/>',
        *(_entry(parts, filed, wish.language) for filed in found),
        "</feed>",
    ]
    return _answer(request, "\n".join(lines).encode(), "application/atom+xml")


async def _chosen(parts: ApiParts, wish: Wish) -> Sequence[Filed]:
    newest = await parts.book.newest(_LOOKED_THROUGH)
    passing = (
        filed
        for filed in newest
        if not filed.alert.silent
        and filed.alert.severity.rank >= wish.severity.rank
        and (wish.topic is None or filed.alert.evidence.topic.id == wish.topic)
    )
    return [filed for filed, _ in zip(passing, range(wish.limit), strict=False)]


def _card(parts: ApiParts, filed: Filed, language: Language) -> tuple[Card, dict[str, Any]]:
    view = alert_view(filed.alert, filed.facts, base_url=parts.base_url)
    return card_of(orjson.dumps({"type": "alert", "data": view}), Voice(language)), view


def _item(parts: ApiParts, filed: Filed, language: Language) -> dict[str, Any]:
    card, view = _card(parts, filed, language)
    return {
        "id": f"urn:tocsin:alert:{view['alert_id']}",
        "url": view["url"],
        "title": card.title,
        # Text, never content_html: readers then show what customers wrote as they wrote it.
        "content_text": card.text(),
        "date_published": view["fired_at"],
        "date_modified": view["updated_at"],
        "tags": [view["severity"], view["state"], plain(view["topic"]["label"])],
        "_tocsin": {
            name: view[name] for name in ("alert_id", "severity", "state", "observed", "expected", "upper_bound")
        },
    }


def _entry(parts: ApiParts, filed: Filed, language: Language) -> str:
    card, view = _card(parts, filed, language)
    link = f'<link rel="alternate" type="text/html" href={quoteattr(view["url"])}/>' if view["url"] else ""
    return (
        f"<entry><id>urn:tocsin:alert:{escape(view['alert_id'])}</id><title>{escape(card.title)}</title>{link}"
        f"<published>{view['fired_at']}</published><updated>{view['updated_at']}</updated>"
        f"<category term={quoteattr(view['severity'])}/><category term={quoteattr(view['state'])}/>"
        f'<content type="text">{escape(card.text())}</content></entry>'
    )


def _answer(request: Request, body: bytes, kind: str) -> Response:
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
        "X-Content-Type-Options": "nosniff",
    }
    known = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    if etag in known or request.headers.get("if-none-match") == "*":
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=f"{kind}; charset=utf-8")
