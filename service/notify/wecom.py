"""WeCom: Markdown to a group robot; developer.work.weixin.qq.com, "群机器人配置说明". Its key is in the URL."""

from collections.abc import Mapping
from datetime import timedelta

import orjson

from models.plain import clip_bytes
from service.notify.bot import Bot, Sheet
from service.notify.card import Card, Voice
from service.notify.markup import inert
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.pace import Pace
from service.notify.post import Answer, Post, by_status

PACE = Pace((20, timedelta(minutes=1)))
"""The page's limit of one robot."""
_MOST_TEXT = 4_096  # bytes of UTF-8, from the same page
_COLOURS: Mapping[str, str] = {
    "critical": "warning",
    "warning": "warning",
    "info": "info",
    "resolved": "info",
    "test": "comment",
}
_DEAD: Mapping[int, str] = {
    93000: "receiver_unknown_there",
    40008: "bad_request",
    40058: "bad_request",
    44004: "bad_request",
}


def wecom(post: Post, voice: Voice) -> Bot:
    """One robot."""
    return Bot(post, voice, lambda card, _: Sheet(body_of(card)), verdict)


def body_of(card: Card) -> bytes:
    parts = [f'### <font color="{_COLOURS[card.mood]}">{inert(card.title)}</font>']
    parts += [f"**{inert(name)}** {inert(value)}" if name else inert(value) for name, value in card.lines]
    if card.quotes:
        parts.append(f"**{inert(card.quotes_name)}**")
        parts += [f"> “{inert(quote)}”" for quote in card.quotes]
    link = f"\n[{card.link_name}]({card.link})" if card.link else ""
    text = clip_bytes("\n".join(parts), _MOST_TEXT - len(link.encode())) + link
    return orjson.dumps({"msgtype": "markdown", "markdown": {"content": text}})


def verdict(answer: Answer) -> Outcome:
    """WeCom answers 200 to what it refuses; ``errcode`` says what became of it."""
    code = answer.json().get("errcode")
    if code == 0:
        return Delivered()
    if not isinstance(code, int):
        return Later("no_verdict") if answer.status == 200 else by_status(answer)
    if code == 45009:
        return Later("too_fast", timedelta(minutes=1))
    if code in _DEAD:
        return Dead(_DEAD[code])
    return Later(f"errcode_{code}")
