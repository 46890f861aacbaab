"""Whatever a customer writes, or stands in a label or an attribute, is shown as text and does nothing."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from models.alert import Alert, Facts
from service.commands.card import alert_card
from service.notify import dingtalk, feishu, mail, slack, wecom
from service.notify.alertmanager import body_of as alertmanager_body
from service.notify.card import Card, Voice, card_of
from service.notify.markup import entities, inert
from service.views import alert_view
from tests.service.notify.payloads import AT, alert, digest, payload

TEXTS = (
    "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>",
    "[click](javascript:alert(1)) **@all** <at id=all></at> <@everyone> <!channel> | a | b |\n# head",
    "@all @所有人 @13800138000 <@userid> https://evil.example www.evil.example",
    "refund \u202e\u2066yenom ym evig\u2069 \x00\x07\x1b[31m end\u200b\ufeff",
    "👩‍👩‍👧‍👦🔥" * 5_000,
    "Z" + "\u0335\u0336\u0337\u0338" * 500,
    '=HYPERLINK("http://evil.example","x")',
    "- one\n1. two\n> three\n```four```\n~~five~~ $six$ [bold red]seven[/]",
)
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def hostile(text: str) -> Alert:
    return alert(texts=(text, text, text), label=text, culprit=(text, text))


def cards(text: str) -> Iterator[Card]:
    for voice in (Voice("zh"), Voice("en")):
        yield card_of(payload(hostile(text), acknowledged_at=AT, acknowledged_by=text), voice)
        yield card_of(digest(hostile(text), hostile(text)), voice)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_card_holds_an_unseen_character_or_ten_thousand_emoji(text: str) -> None:
    for card in cards(text):
        bodies = (dingtalk.body_of(card), feishu.body_of(card, {}), wecom.body_of(card), slack.body_of(card))
        for body in bodies:
            assert len(body) < 20_000
            assert [one for one in strings(json.loads(body)) if UNSEEN.search(one.replace("\n", ""))] == []
        assert len(card.text()) < 3_000


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_markdown_of_dingtalk_and_wecom_has_no_sign_but_our_own(text: str) -> None:
    for card in cards(text):
        for body in (json.loads(dingtalk.body_of(card))["markdown"]["text"],
                     json.loads(wecom.body_of(card))["markdown"]["content"]):  # fmt: skip
            ours = re.sub(r'<font color="\w+">|</font>|^### |^> |\*\*(?=\S)|(?<=\S)\*\*', "", body, flags=re.MULTILINE)
            ours = re.sub(r"\[[^\]]*\]\(https://tocsin\.example/[^)]*\)", "", ours)
            assert not re.search(r"[*_`#<>\[\]~@\\!]", ours), ours
            assert "://" not in ours and "www." not in ours


def test_nobody_is_mentioned_by_dingtalk_whatever_is_said() -> None:
    for text in TEXTS:
        for card in cards(text):
            at = json.loads(dingtalk.body_of(card))["at"]
            assert at == {"isAtAll": False, "atMobiles": [], "atUserIds": []}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_feishu_and_slack_are_given_plain_text_alone(text: str) -> None:
    for card in cards(text):
        shown = feishu.body_of(card, {}).decode()
        assert "lark_md" not in shown and '"tag":"markdown"' not in shown and '"tag":"at"' not in shown
        sent = json.loads(slack.body_of(card))
        assert "mrkdwn" not in json.dumps(sent["blocks"])
        assert sent["mrkdwn"] is False
        assert not re.search("[<>]", sent["text"])


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_mail_has_no_tag_but_its_own_and_no_header_but_its_own(text: str) -> None:
    box = mail.Mailbox("smtp.example", 25, "t@x.example", ("q@x.example",))
    own = {"!doctype", "meta", "h2", "/h2", "table", "/table", "tr", "/tr", "th", "/th", "td", "/td", "h3", "/h3"}
    own |= {"blockquote", "/blockquote", "bdi", "/bdi", "p", "/p", "a", "/a"}
    for card in cards(text):
        html = mail.html_of(card)
        assert {tag.lower() for tag in re.findall(r"<([!/]?\w+)", html)} <= own
        assert set(re.findall(r'href="([^"]*)"', html)) <= {card.link}
        message = mail.message_of(card, box, id="n", at=AT)
        assert set(message.keys()) <= {
            "Subject", "From", "To", "Date", "Message-ID", "References", "Auto-Submitted", "MIME-Version", "Content-Type",
        }  # fmt: skip
        assert "\n" not in message["Subject"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_alertmanager_gets_labels_without_any_words_of_customers(text: str) -> None:
    for one in json.loads(alertmanager_body(payload(hostile(text)), Voice("en"), AT)):
        assert set(one["labels"]) == {"alertname", "service", "alert_id", "topic", "severity"}
        assert [value for value in strings(one) if UNSEEN.search(value.replace("\n", ""))] == []


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_terminal_obeys_nothing(text: str) -> None:
    console = Console(record=True, width=120, force_terminal=True, color_system=None, file=io.StringIO())
    console.print(alert_card(alert_view(hostile(text), Facts())))
    shown = console.export_text(styles=True)
    assert not re.search("\x1b\\[31m|\x07|\x00|[\u202a-\u202e\u2066-\u2069]", shown)
    assert len(shown) < 60_000
    if "[bold red]" in text:
        assert "[bold red]seven[/]" in shown


@given(st.text())
def test_no_sign_of_markdown_outlives_being_made_inert(text: str) -> None:
    assert not re.search(r"[*_`#<>\[\]()|~@\\!]", inert(text))
    assert not re.match(r"\s*([-+=]|\d+[.)])(\s|$)", inert(text))


@given(st.text())
def test_no_sign_of_slack_outlives_being_made_entities(text: str) -> None:
    assert not re.search("[<>]", entities(text))
    assert re.sub("&(amp|lt|gt);", lambda found: {"amp": "&", "lt": "<", "gt": ">"}[found[1]], entities(text)) == text
