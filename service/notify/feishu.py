"""Feishu and Lark: a card to a custom bot, signed; open.feishu.cn, "自定义机器人使用指南". Both speak alike."""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from service.notify.bot import Bot, Sheet
from service.notify.card import Card, Voice
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.pace import Pace
from service.notify.post import Answer, Post, by_status

PACE = Pace((100, timedelta(minutes=1)), (5, timedelta(seconds=1)))
"""The page's limits of one bot."""
_MOST_BODY = 20 * 1024  # bytes of a request, from the same page
_COLOURS: Mapping[str, str] = {
    "critical": "red",
    "warning": "orange",
    "info": "blue",
    "resolved": "green",
    "test": "grey",
}
_TOO_FAST = {11232, 99991400}
_REFUSED: Mapping[int, str] = {19021: "signature_refused", 19022: "address_not_listed", 19024: "keyword_missing"}


def feishu(post: Post, voice: Voice, secret: str | None) -> Bot:
    """One bot. ``secret`` is None where it is held by keywords or addresses instead."""
    return Bot(post, voice, lambda card, at: Sheet(body_of(card, signed(secret, at) if secret else {})), verdict)


def signed(secret: str, at: datetime) -> dict[str, str]:
    """The fields of one request: HMAC-SHA256 over nothing, under "timestamp\\nsecret", in base64."""
    timestamp = str(int(at.timestamp()))
    digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", sha256)
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def body_of(card: Card, signature: Mapping[str, str]) -> bytes:
    """The request; quotes and then lines are left out until it is small enough."""
    lines, quotes = list(card.lines), list(card.quotes)
    while True:
        body = orjson.dumps({**signature, "msg_type": "interactive", "card": _card(card, lines, quotes)})
        if len(body) <= _MOST_BODY or not (lines or quotes):
            return body
        (quotes or lines).pop()


def _card(card: Card, lines: list[tuple[str, str]], quotes: list[str]) -> dict[str, Any]:
    # Every word is plain_text, never lark_md: a mention or a link in a customer's text stays what it is, text.
    elements: list[dict[str, Any]] = [
        {"tag": "div", "fields": [{"is_short": False, "text": _text(f"{name}  {value}" if name else value)}]}
        for name, value in lines
    ]
    if quotes:
        elements += [{"tag": "hr"}, {"tag": "div", "text": _text(card.quotes_name)}]
        elements += [{"tag": "note", "elements": [_text(f"“{quote}”")]} for quote in quotes]
    if card.link:
        button = {"tag": "button", "text": _text(card.link_name), "type": "primary", "url": card.link}
        elements.append({"tag": "action", "actions": [button]})
    return {
        "config": {"wide_screen_mode": True},
        "header": {"title": _text(card.title), "template": _COLOURS[card.mood]},
        "elements": elements,
    }


def _text(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": text}


def verdict(answer: Answer) -> Outcome:
    """Feishu answers 200 to most of what it refuses; ``code`` (once ``StatusCode``) says what became of it."""
    said = answer.json()
    code = said.get("code", said.get("StatusCode"))
    if code == 0:
        return Delivered()
    if not isinstance(code, int):
        return Later("no_verdict") if answer.status == 200 else by_status(answer)
    if code in _TOO_FAST:
        return Later("too_fast", timedelta(minutes=1))
    if code in _REFUSED:
        return Dead(_REFUSED[code])
    if code == 19001:
        return Dead("receiver_unknown_there")
    if code == 9499:
        return Dead("bad_request")
    return Later(f"code_{code}")
