import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.api.messages import read
from service.errors import NotFound, Refused, Unauthorised
from service.pipeline.mapping import Ignored, MessageMapping, all_mappings, choose, load_mapping, packaged, read_mapping
from tests.service.pipeline.events import CHATWOOT, RASA, RASA_REST, ZENDESK

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
READY = packaged({})


def only(mapping: MessageMapping, event: Any) -> dict[str, Any]:
    (found,) = mapping.apply(event)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("name", "event", "text", "customer"),
    [
        ("chatwoot", CHATWOOT, "充电宝充不进电了", "88"),
        ("zendesk", ZENDESK, "The power bank stopped charging after three days", "8447388090494"),
        ("rasa", RASA, "充电宝充不进电", "u-17"),
        ("rasa-rest", RASA_REST, "充电宝充不进电", "u-17"),
    ],
)
def test_an_event_of_each_platform_becomes_a_message(name: str, event: Any, text: str, customer: str) -> None:
    raw = read(only(READY[name], event), NOW)
    assert (raw.text, raw.customer_id, raw.source) == (text, customer, name.removesuffix("-rest"))
    assert abs(raw.occurred_at - NOW) < timedelta(seconds=1)


def test_attributes_channel_and_order_come_along() -> None:
    raw = read(only(READY["chatwoot"], CHATWOOT), NOW)
    assert raw.attributes == {"inbox": "Website", "sku": "PB-20", "batch": "PB-20-B3"}
    assert (raw.channel, raw.order_id, raw.id) == ("Channel::WebWidget", "SO1", "4711")


def changed(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    *way, last = path.split(".")
    inside = copy
    for step in way:
        inside = inside[step]
    inside[last] = value
    return copy


@pytest.mark.parametrize(
    ("name", "event", "reason"),
    [
        ("chatwoot", changed(CHATWOOT, "message_type", "outgoing"), "message_type"),
        ("chatwoot", changed(CHATWOOT, "message_type", 1), "message_type"),
        ("chatwoot", changed(CHATWOOT, "message_type", False), "message_type"),  # false is not the number 0
        ("chatwoot", changed(CHATWOOT, "private", True), "private"),
        ("chatwoot", changed(CHATWOOT, "event", "conversation_created"), "event"),
        ("chatwoot", changed(CHATWOOT, "content", None), "no text"),
        ("zendesk", changed(ZENDESK, "event.comment.author.is_staff", True), "is_staff"),
        ("zendesk", changed(ZENDESK, "event.comment.is_public", False), "is_public"),
        ("zendesk", changed(ZENDESK, "type", "zen:event-type:ticket.created"), "type"),
        ("rasa", changed(RASA, "event", "bot"), "event"),
        ("rasa", [], ""),
        ("rasa", 7, "event"),
    ],
)
def test_what_no_customer_said_is_ignored_with_the_reason(name: str, event: Any, reason: str) -> None:
    found = READY[name].apply(event)
    assert all(isinstance(one, Ignored) and reason in one.reason for one in found)


def test_one_request_may_carry_many_events() -> None:
    written = {"name": "many", "items": "data.rows", "message": {"text": ["body", "title"]}}
    found = read_mapping(written, {}).apply({"data": {"rows": [{"body": "a"}, {"body": "", "title": "b"}, {}]}})
    assert [one.get("text") if isinstance(one, dict) else None for one in found] == ["a", "b", None]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "message.text"),
        ({"name": "Bad Name", "message": {"text": "x"}}, "name"),
        ({"name": "a", "message": {"text": "x", "colour": "y"}}, "message.colour"),
        ({"name": "a", "message": {"text": 7}}, "message.text"),
        ({"name": "a", "colour": 1, "message": {"text": "x"}}, "colour"),
        ({"name": "a", "message": {"text": "x"}, "signature": {"header": "h"}}, "signature.secret"),
        ({"name": "a", "message": {"text": "x"}, "when": 3}, "when"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_to_mend(written: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_mapping(written, {})


def test_own_mappings_in_toml_or_yaml_stand_beside_and_before_the_packaged_ones(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("name: own\nmessage: {text: said}\n")
    (tmp_path / "rasa.toml").write_text('name = "rasa"\n[message]\ntext = "words"\n')
    (tmp_path / "notes.txt").write_text("nothing")
    found = all_mappings(tmp_path, {})
    assert set(found) == {"chatwoot", "zendesk", "rasa", "rasa-rest", "own"}
    assert found["rasa"].message["text"] == ("words",)
    with pytest.raises(NotFound, match="own"):
        choose(found, "none")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(Refused, match=r"bad\.toml"):
        load_mapping(tmp_path / "bad.toml", {})
    with pytest.raises(Refused, match="no such file"):
        load_mapping(tmp_path / "none.toml", {})
    with pytest.raises(Refused, match="no such folder"):
        all_mappings(tmp_path / "none", {})


SECRET = "an invented secret"


def zendesk_signs(body: bytes, stamp: str, secret: str = SECRET) -> dict[str, str]:
    """As Zendesk's documentation has it: base64 of the HMAC over timestamp and body."""
    mac = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "x-zendesk-webhook-signature": base64.b64encode(mac).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }


def chatwoot_signs(body: bytes, stamp: str, secret: str = SECRET) -> dict[str, str]:
    """As Chatwoot does it: sha256= and hex of the HMAC over timestamp, dot and body."""
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-chatwoot-signature": f"sha256={mac}", "x-chatwoot-timestamp": stamp}


ZENDESK_PROOF = packaged({"ZENDESK_WEBHOOK_SECRET": SECRET})["zendesk"].proof
CHATWOOT_PROOF = packaged({"CHATWOOT_WEBHOOK_SECRET": SECRET})["chatwoot"].proof
SIGNERS = [
    pytest.param(ZENDESK_PROOF, zendesk_signs, "2026-03-10T09:00:03Z", "2026-03-10T08:00:00Z", id="zendesk"),
    pytest.param(CHATWOOT_PROOF, chatwoot_signs, "1773133203", "1773129600", id="chatwoot"),
]


@pytest.mark.parametrize(("proof", "sign", "stamp", "old"), SIGNERS)
def test_a_right_signature_is_taken_and_every_other_is_not(proof: Any, sign: Any, stamp: str, old: str) -> None:
    body = b'{"a":1}'
    proof.check(sign(body, stamp), body, NOW)
    refused = [
        (sign(body, stamp), b'{"a":2}'),
        (sign(body, stamp, "another"), body),
        (sign(body, old), body),
        (sign(body, "soon"), body),
        ({}, body),
        (dict.fromkeys(sign(body, stamp), ""), body),
    ]
    for headers, sent in refused:
        with pytest.raises(Unauthorised):
            proof.check(headers, sent, NOW)
    moved = sign(body, stamp) | {name: "1773133204" for name in sign(body, stamp) if "timestamp" in name}
    with pytest.raises(Unauthorised):
        proof.check(moved, body, NOW)


def test_no_signature_is_asked_for_where_no_secret_is_set_and_none_is_shown() -> None:
    assert {name: one.proof for name, one in READY.items()} == dict.fromkeys(READY)
    assert SECRET not in repr(ZENDESK_PROOF) + repr(CHATWOOT_PROOF)
