"""DingTalk: Markdown to a custom robot, signed (加签); open.dingtalk.com, "自定义机器人接入"."""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

import orjson

from models.plain import clip_bytes
from service.notify.bot import Bot, Sheet
from service.notify.card import Card, Voice
from service.notify.markup import inert
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.pace import Pace
from service.notify.post import Answer, Post, by_status

PACE = Pace((20, timedelta(minutes=1)))
"""More in a minute, and the robot is silenced for ten (the same page)."""
_SILENCED = timedelta(minutes=10)
_MOST_TEXT = 16_000  # bytes; the page allows 20,000 in all
_TOO_FAST = {130101, 410100, 90030}
_REFUSED: Mapping[str, str] = {
    "sign": "signature_refused",
    "timestamp": "clock_refused",
    "keyword": "keyword_missing",
    "whitelist": "address_not_listed",
}
"""What 310000 stands for, by a word of its message: the code is the same for all four."""


def dingtalk(post: Post, voice: Voice, secret: str | None) -> Bot:
    """One robot. ``secret`` is its ``SEC…``, or None where it is held by keywords or addresses instead."""
    return Bot(post, voice, lambda card, at: Sheet(body_of(card), signed(secret, at) if secret else None), verdict)


def signed(secret: str, at: datetime) -> dict[str, str]:
    """The query of one request: HMAC-SHA256 over "timestamp\\nsecret" under the secret, in base64."""
    timestamp = str(int(at.timestamp() * 1_000))
    digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), sha256)
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def body_of(card: Card) -> bytes:
    parts = [f"### {inert(card.title)}"]
    parts += [f"**{inert(name)}**  {inert(value)}" if name else inert(value) for name, value in card.lines]
    if card.quotes:
        parts.append(f"**{inert(card.quotes_name)}**")
        parts += [f"> “{inert(quote)}”" for quote in card.quotes]
    link = f"\n\n[{card.link_name}]({card.link})" if card.link else ""
    text = clip_bytes("\n\n".join(parts), _MOST_TEXT) + link
    # Nobody is mentioned, whatever the text says.
    at = {"isAtAll": False, "atMobiles": [], "atUserIds": []}
    return orjson.dumps({"msgtype": "markdown", "markdown": {"title": inert(card.title), "text": text}, "at": at})


def verdict(answer: Answer) -> Outcome:
    """DingTalk answers 200 to what it refuses; ``errcode`` says what became of it."""
    code = answer.json().get("errcode")
    if code in (0, "0"):
        return Delivered()
    if code is None:
        return Later("no_verdict") if answer.status == 200 else by_status(answer)
    number = int(code) if str(code).lstrip("-").isdigit() else 0
    if number in _TOO_FAST:
        return Later("too_fast", _SILENCED)
    if number == 310000:
        said = str(answer.json().get("errmsg", "")).lower()
        word = next((word for sign, word in _REFUSED.items() if sign in said), "refused")
        return Later(word) if word == "clock_refused" else Dead(word)
    if number in (300001, 300005, 400013):
        return Dead("receiver_unknown_there")
    return Later(f"errcode_{number}")
