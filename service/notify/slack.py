"""Slack: blocks to an incoming webhook; api.slack.com, "Sending messages using incoming webhooks"."""

from datetime import timedelta
from typing import Any

import orjson

from models.plain import clip
from service.notify.bot import Bot, Sheet
from service.notify.card import Card, Voice
from service.notify.markup import entities
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.pace import Pace
from service.notify.post import Answer, Post, by_status

PACE = Pace((1, timedelta(seconds=1)))
"""The limit of a webhook (api.slack.com, "Rate limits")."""
_MOST_HEADER = 150
_MOST_SECTION = 3_000
"""Characters of a header and of a section's text (api.slack.com, "Block Kit")."""
_GONE = {"no_active_hooks", "no_service", "no_team", "team_disabled", "channel_is_archived", "invalid_token"}
_REFUSED = {"invalid_payload", "invalid_blocks", "invalid_blocks_format", "no_text", "action_prohibited",
            "channel_not_found", "posting_to_general_channel_denied", "too_many_attachments"}  # fmt: skip


def slack(post: Post, voice: Voice) -> Bot:
    """One incoming webhook."""
    return Bot(post, voice, lambda card, _: Sheet(body_of(card)), verdict)


def body_of(card: Card) -> bytes:
    # Every word is plain_text, never mrkdwn: a mention or a link in a customer's text stays what it is, text.
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _text(card.title, _MOST_HEADER)}]
    blocks += [_section(f"{name}: {value}" if name else value) for name, value in card.lines]
    if card.quotes:
        blocks.append(_section("\n".join([f"{card.quotes_name}:", *(f"“{quote}”" for quote in card.quotes)])))
    if card.link:
        button = {"type": "button", "text": _text(card.link_name, 75), "url": card.link}
        blocks.append({"type": "actions", "elements": [button]})
    fallback = {"text": entities(card.title), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    return orjson.dumps(fallback | {"blocks": blocks})


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text, _MOST_SECTION)}


def _text(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": clip(text, most), "emoji": False}


def verdict(answer: Answer) -> Outcome:
    """Slack answers in plain words: "ok", or what is wrong, not always with the status to it."""
    said = answer.body[:100].decode(errors="replace").strip()
    if said == "ok":
        return Delivered()
    if said in _GONE:
        return Dead("receiver_gone")
    if said in _REFUSED:
        return Dead(said)
    return Later("no_verdict") if answer.status == 200 else by_status(answer)
