"""The bots' own servers, as far as a sender can tell: what they check, and the words they answer with."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

Judge = Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]


def said(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def dingtalk(secret: str, token: str, now: float) -> Judge:
    """Answers 200 to everything; the timestamp is in milliseconds and good for an hour."""

    def judge(path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if query.get("access_token") != token:
            return 200, said(errcode=300005, errmsg="token is not exist")
        if abs(int(query.get("timestamp", "0")) / 1_000 - now) > 3_600:
            return 200, said(errcode=310000, errmsg="invalid timestamp")
        mac = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        mac.update(query["timestamp"].encode() + b"\n" + secret.encode())
        if base64.b64decode(query.get("sign", "")) != mac.digest():
            return 200, said(errcode=310000, errmsg="sign not match, more: [https://ding-doc.dingtalk.com]")
        sent = json.loads(body)
        if sent.get("msgtype") != "markdown" or not sent["markdown"]["title"] or not sent["markdown"]["text"]:
            return 200, said(errcode=40035, errmsg="缺少参数 json")
        return 200, said(errcode=0, errmsg="ok")

    return judge


def feishu(secret: str, now: float) -> Judge:
    """The key is timestamp and secret, what is signed is empty; the timestamp is in seconds and good for an hour."""

    def judge(path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if len(body) > 20 * 1024:
            return 200, said(code=9499, msg="Bad Request", data={})
        sent = json.loads(body)
        key = f"{sent.get('timestamp')}\n{secret}".encode()
        right = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
        if sent.get("sign") != right or abs(int(sent["timestamp"]) - now) > 3_600:
            return 200, said(code=19021, msg="sign match fail or timestamp is not within one hour from current time")
        card = sent.get("card", {})
        if sent.get("msg_type") != "interactive" or not card.get("header") or not card.get("elements"):
            return 200, said(code=9499, msg="Bad Request", data={})
        return 200, said(StatusCode=0, StatusMessage="success", code=0, msg="success", data={})

    return judge


def wecom(key: str) -> Judge:
    def judge(path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if parse_qs(urlsplit(path).query).get("key") != [key]:
            return 200, said(errcode=93000, errmsg="invalid webhook url, hint: [1]")
        sent = json.loads(body)
        if sent.get("msgtype") != "markdown":
            return 200, said(errcode=40008, errmsg="invalid message type")
        if len(sent["markdown"]["content"].encode()) > 4_096:
            return 200, said(errcode=40058, errmsg="markdown.content exceed max length 4096")
        return 200, said(errcode=0, errmsg="ok")

    return judge


def slack(path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """Answers in plain words, and holds blocks to their limits."""
    try:
        sent = json.loads(body)
    except ValueError:
        return 400, b"invalid_payload"
    if not sent.get("text") and not sent.get("blocks"):
        return 400, b"no_text"
    for block in sent.get("blocks", []):
        text = block.get("text", {}).get("text", "x")
        if len(text) > {"header": 150, "section": 3_000}.get(block["type"], 3_000) or not text:
            return 400, b"invalid_blocks"
    return 200, b"ok"


def alertmanager(known: dict[str, dict[str, str]]) -> Judge:
    """Keeps alerts by their labels, as Alertmanager does; answers 400 to what its API refuses."""

    def judge(path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if path != "/api/v2/alerts":
            return 404, b""
        for one in json.loads(body):
            labels = one.get("labels", {})
            if "alertname" not in labels or not all(isinstance(value, str) for value in labels.values()):
                return 400, b'{"code":601,"message":"bad labels"}'
            if one["endsAt"] < one["startsAt"]:
                return 400, b'{"code":601,"message":"start time must be before end time"}'
            known[json.dumps(labels, sort_keys=True)] = one
        return 200, b""

    return judge
