"""Each bot against a server that checks what the real one checks, and answers as the real one does."""

import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.alert import Reason
from models.severity import Severity
from service.notify import dingtalk as of_dingtalk
from service.notify import feishu as of_feishu
from service.notify import slack as of_slack
from service.notify import wecom as of_wecom
from service.notify.address import AllowList
from service.notify.alertmanager import PATH, Alertmanager
from service.notify.bot import Bot
from service.notify.card import Voice
from service.notify.outcome import Dead, Delivered, Later, Outcome
from service.notify.post import Post
from tests.service.notify import platforms
from tests.service.notify.conftest import Receiver
from tests.service.notify.payloads import AT, alert, digest, payload, trial

SECRET = "SEC0123456789abcdef"
LOOPBACK = AllowList.parse(["127.0.0.1"])
CHINESE = Voice("zh", ZoneInfo("Asia/Shanghai"))
NOW = AT.timestamp()


def post(url: str) -> Post:
    return Post(url, LOOPBACK)


def sent(receiver: Receiver) -> Any:
    return json.loads(receiver.seen[-1][2])


def dingtalk(receiver: Receiver, secret: str = SECRET, token: str = "right") -> Bot:
    receiver.judge = receiver.judge or platforms.dingtalk(SECRET, "right", NOW)
    return of_dingtalk.dingtalk(post(f"{receiver.url}?access_token={token}"), CHINESE, secret)


async def test_dingtalk_takes_a_signed_card_in_chinese(receiver: Receiver) -> None:
    assert await dingtalk(receiver).send(payload(), id="a", at=AT) == Delivered()
    text = sent(receiver)["markdown"]["text"]
    assert "【严重】新告警：充不进电" in text
    assert "3 小时内有 45 位顾客提及；预期 5.2 位，正常上限 9 位" in text
    assert "2026-03-10 14:00 CST" in text
    assert "batch = PB20-3（19 位" in text
    assert "> “用了三天就充不进电”" in text
    assert "[查看告警](https://tocsin.example/#/alerts/20260310T0900-t1)" in text


@pytest.mark.parametrize(
    ("secret", "token", "hours", "outcome"),
    [
        ("SECwrong", "right", 0, Dead("signature_refused")),
        (SECRET, "wrong", 0, Dead("receiver_unknown_there")),
        (SECRET, "right", 2, Later("clock_refused")),
    ],
)
async def test_dingtalk_refuses_with_status_200_and_is_understood(
    receiver: Receiver, secret: str, token: str, hours: int, outcome: Outcome
) -> None:
    at = AT + timedelta(hours=hours)
    assert await dingtalk(receiver, secret, token).send(payload(), id="a", at=at) == outcome


def feishu(receiver: Receiver, secret: str = SECRET, voice: Voice = CHINESE) -> Bot:
    receiver.judge = receiver.judge or platforms.feishu(SECRET, NOW)
    return of_feishu.feishu(post(receiver.url), voice, secret)


async def test_feishu_takes_a_signed_card_in_chinese_and_in_english(receiver: Receiver) -> None:
    assert await feishu(receiver).send(payload(), id="a", at=AT) == Delivered()
    header = sent(receiver)["card"]["header"]
    assert (header["title"]["content"], header["template"]) == ("【严重】新告警：充不进电", "red")
    assert await feishu(receiver, voice=Voice("en")).send(payload(), id="a", at=AT) == Delivered()
    assert sent(receiver)["card"]["header"]["title"]["content"] == "[critical] New alert: does not charge"
    over = payload(alert(over=True), Reason.resolved)
    assert await feishu(receiver).send(over, id="a", at=AT) == Delivered()
    assert sent(receiver)["card"]["header"]["template"] == "green"


async def test_feishu_refuses_a_wrong_signature_with_status_200_and_is_understood(receiver: Receiver) -> None:
    assert await feishu(receiver, "another").send(payload(), id="a", at=AT) == Dead("signature_refused")
    late = AT + timedelta(hours=2)
    assert await feishu(receiver).send(payload(), id="a", at=late) == Dead("signature_refused")


async def test_a_card_that_is_too_large_for_feishu_is_cut_to_its_limit(receiver: Receiver) -> None:
    many = [alert(n, label="标" * 3_000) for n in range(40)]
    assert await feishu(receiver).send(digest(*many), id="a", at=AT) == Delivered()
    assert len(receiver.seen[-1][2]) <= 20 * 1024


def wecom(receiver: Receiver, key: str = "right") -> Bot:
    receiver.judge = receiver.judge or platforms.wecom("right")
    return of_wecom.wecom(post(f"{receiver.url}?key={key}"), CHINESE)


async def test_wecom_takes_a_card_and_refuses_a_wrong_key_with_status_200(receiver: Receiver) -> None:
    assert await wecom(receiver).send(payload(), id="a", at=AT) == Delivered()
    assert "【严重】新告警：充不进电" in sent(receiver)["markdown"]["content"]
    assert await wecom(receiver, "wrong").send(payload(), id="a", at=AT) == Dead("receiver_unknown_there")


async def test_a_card_that_is_too_large_for_wecom_is_cut_and_keeps_its_link(receiver: Receiver) -> None:
    many = [alert(n, label="标" * 3_000) for n in range(40)]
    assert await wecom(receiver).send(digest(*many), id="a", at=AT) == Delivered()
    content = sent(receiver)["markdown"]["content"]
    assert len(content.encode()) <= 4_096
    assert content.endswith("(https://tocsin.example/)")


def slack(receiver: Receiver) -> Bot:
    receiver.judge = receiver.judge or platforms.slack
    return of_slack.slack(post(receiver.url), Voice("en"))


async def test_slack_takes_blocks_and_answers_a_plain_ok(receiver: Receiver) -> None:
    assert await slack(receiver).send(payload(), id="a", at=AT) == Delivered()
    blocks = sent(receiver)["blocks"]
    assert blocks[0]["text"]["text"] == "[critical] New alert: does not charge"
    assert {block["text"]["type"] for block in blocks if "text" in block} == {"plain_text"}


@pytest.mark.parametrize(
    ("bot", "status", "answer", "outcome"),
    [
        (dingtalk, 200, b'{"errcode":130101,"errmsg":"send too fast"}', Later("too_fast", timedelta(minutes=10))),
        (dingtalk, 200, b'{"errcode":310000,"errmsg":"keywords not in content"}', Dead("keyword_missing")),
        (dingtalk, 200, b'{"errcode":310000,"errmsg":"ip X.X.X.X not in whitelist"}', Dead("address_not_listed")),
        (dingtalk, 200, '{"errcode":-1,"errmsg":"系统繁忙"}'.encode(), Later("errcode_-1")),
        (dingtalk, 200, b"<html>captive portal</html>", Later("no_verdict")),
        (dingtalk, 502, b"", Later("status_502")),
        (feishu, 200, b'{"code":11232,"msg":"frequency limited"}', Later("too_fast", timedelta(minutes=1))),
        (feishu, 200, b'{"code":19024,"msg":"Key Words Not Found"}', Dead("keyword_missing")),
        (feishu, 200, b'{"code":19022,"msg":"Ip Not Allowed"}', Dead("address_not_listed")),
        (feishu, 400, b'{"code":9499,"msg":"Bad Request","data":{}}', Dead("bad_request")),
        (feishu, 200, b'{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}',
         Dead("receiver_unknown_there")),
        (feishu, 200, b'{"StatusCode":0,"StatusMessage":"success"}', Delivered()),
        (feishu, 200, b"[]", Later("no_verdict")),
        (wecom, 200, b'{"errcode":45009,"errmsg":"api freq out of limit"}', Later("too_fast", timedelta(minutes=1))),
        (wecom, 200, b'{"errcode":-1,"errmsg":"system busy"}', Later("errcode_-1")),
        (wecom, 200, b"", Later("no_verdict")),
        (slack, 400, b"invalid_payload", Dead("invalid_payload")),
        (slack, 200, b"invalid_payload", Dead("invalid_payload")),
        (slack, 403, b"action_prohibited", Dead("action_prohibited")),
        (slack, 404, b"no_service", Dead("receiver_gone")),
        (slack, 410, b"channel_is_archived", Dead("receiver_gone")),
        (slack, 410, b"", Dead("receiver_gone")),
        (slack, 500, b"rollup_error", Later("status_500")),
        (slack, 200, b"<html>", Later("no_verdict")),
    ],
)  # fmt: skip
async def test_what_a_bot_answers_is_what_becomes_of_it(
    receiver: Receiver, bot: Any, status: int, answer: bytes, outcome: Outcome
) -> None:
    receiver.judge = lambda *_: (status, answer)
    assert await bot(receiver).send(payload(), id="a", at=AT) == outcome


async def test_slack_names_the_time_to_come_again(receiver: Receiver) -> None:
    receiver.judge, receiver.headers = (lambda *_: (429, b"")), {"Retry-After": "30"}
    assert await slack(receiver).send(payload(), id="a", at=AT) == Later("status_429", timedelta(seconds=30))


@pytest.mark.parametrize("bot", [dingtalk, feishu, wecom, slack])
async def test_a_digest_names_each_alert_once_the_gravest_first(receiver: Receiver, bot: Any) -> None:
    mild, grave = alert(1, severity=Severity.info, label="发货慢"), alert(2, label="屏幕坏点")
    assert await bot(receiver).send(digest(mild, grave, mild), id="d", at=AT) == Delivered()
    body = receiver.seen[-1][2].decode()
    assert "2 个告警" in body or "2 alerts" in body
    if bot is not slack:
        assert 0 < body.index("屏幕坏点") < body.index("发货慢")
        assert body.count("发货慢") == 1


@pytest.mark.parametrize("bot", [dingtalk, feishu, wecom, slack])
async def test_a_test_of_a_receiver_names_it(receiver: Receiver, bot: Any) -> None:
    assert await bot(receiver).send(trial("质量部"), id="t", at=AT) == Delivered()
    assert "质量部" in receiver.seen[-1][2].decode()


async def test_no_bot_reaches_inside_where_it_is_not_allowed(receiver: Receiver) -> None:
    closed = of_dingtalk.dingtalk(Post(receiver.url, AllowList()), CHINESE, SECRET)
    assert await closed.send(payload(), id="a", at=AT) == Dead("address_refused")
    assert receiver.seen == []


def manager(receiver: Receiver, known: dict[str, Any], token: str | None = None) -> Alertmanager:
    receiver.judge = platforms.alertmanager(known)
    return Alertmanager(post(f"http://127.0.0.1:{receiver.port}{PATH}"), Voice("en"), token)


async def test_alertmanager_holds_one_open_alert_while_it_grows_graver_and_none_at_its_end(receiver: Receiver) -> None:
    known: dict[str, Any] = {}
    out = manager(receiver, known, "a token")
    assert await out.send(payload(alert(severity=Severity.warning)), id="a", at=AT) == Delivered()
    later = AT + timedelta(hours=1)
    assert await out.send(payload(alert(), Reason.escalated), id="b", at=later) == Delivered()
    now = (later + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    standing = [one for one in known.values() if one["endsAt"] > now]
    assert [one["labels"]["severity"] for one in standing] == ["critical"]
    assert await out.send(payload(alert(over=True), Reason.resolved), id="c", at=AT + timedelta(hours=3)) == Delivered()
    assert max(one["endsAt"] for one in known.values()) <= "2026-03-10T12:00:00Z"
    assert receiver.seen[-1][1]["authorization"] == "Bearer a token"


async def test_alertmanager_takes_a_test_and_says_what_is_wrong(receiver: Receiver) -> None:
    out = manager(receiver, {})
    assert await out.send(trial(), id="t", at=AT) == Delivered()
    receiver.judge = lambda *_: (400, b'{"code":601}')
    assert await out.send(payload(), id="a", at=AT) == Dead("bad_request")
