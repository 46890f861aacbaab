from datetime import time, timedelta
from pathlib import Path

import pytest

from models.severity import Severity
from service.notify.address import AllowList
from service.notify.file import ReceiversError, read_receivers

NOBODY = AllowList()
FULL = """
[[receivers]]
name = "质量 quality"
kind = "dingtalk"
url = "https://oapi.dingtalk.example/robot/send?access_token=${TOKEN}"
secret = "${SECRET}"
language = "zh"
zone = "Asia/Shanghai"
severity = "warning"
topics = ["充电"]
attributes = { brand = ["Acme"] }
quiet = { since = "22:00:00", until = 08:00:00, unless = "critical", days = ["sat", "sun"] }

[[receivers]]
name = "hook"
kind = "webhook"
url = "https://hooks.example/x"
secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
"""
ALL = """
receivers:
  - {name: a, kind: feishu, url: "https://open.example/1", secret: x}
  - {name: b, kind: lark, url: "https://open.example/2"}
  - {name: c, kind: wecom, url: "https://open.example/3"}
  - {name: d, kind: slack, url: "https://open.example/4"}
  - {name: e, kind: mail, host: smtp.example, sender: t@x.example, to: [q@x.example]}
  - {name: f, kind: alertmanager, url: "https://am.example"}
  - {name: g, kind: dingtalk, url: "https://open.example/5", digest_over: null}
"""


def written(folder: Path, text: str, name: str = "receivers.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_receivers_with_their_routes_and_hours(tmp_path: Path) -> None:
    quality, hook = read_receivers(written(tmp_path, FULL), {"TOKEN": "t", "SECRET": "SECx"}, NOBODY)
    assert (quality.name, quality.kind, hook.kind) == ("质量 quality", "dingtalk", "webhook")
    assert quality.route.severity is Severity.warning
    assert quality.route.attributes == {"brand": ("Acme",)}
    assert quality.quiet is not None
    assert (quality.quiet.since, quality.quiet.until, quality.quiet.days) == (time(22), time(8), frozenset({5, 6}))
    assert quality.pace.limits == ((20, timedelta(minutes=1)),)
    assert (quality.digest_over, hook.digest_over) == (3, None)


def test_every_kind_is_read_from_yaml_too(tmp_path: Path) -> None:
    found = read_receivers(written(tmp_path, ALL, "r.yaml"), {}, NOBODY)
    assert [one.kind for one in found] == ["feishu", "lark", "wecom", "slack", "mail", "alertmanager", "dingtalk"]
    assert [one.digest_over for one in found] == [3, 3, 3, 3, 3, None, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FULL, "the variable TOKEN is not set"),
        ('[[receivers]]\nname = "a"\nkind = "pager"', "receivers.0.kind"),
        ('[[receivers]]\nname = "a"\nkind = "slack"', "give its url"),
        ('[[receivers]]\nname = "a"\nkind = "slack"\nurl = "slack.example"', "starts with https"),
        ('[[receivers]]\nname = "a"\nkind = "slack"\nurl = "https://x.example"\ncolour = 1', "receivers.0.colour"),
        ('[[receivers]]\nname = "a"\nkind = "mail"\nhost = "h"', "mail needs"),
        ('[[receivers]]\nname = "a"\nkind = "webhook"\nurl = "https://x.example"', "give its secret"),
        ('[[receivers]]\nname = "a"\nkind = "slack"\nurl = "https://x.example"\nzone = "Mars"', "no time zone"),
        ('[[receivers]]\nname = "a"\nkind = "apprise"\nurl = "nothing://x"', "does not know"),
        ("[[receivers]\n", "receivers.toml"),
        ('[[receivers]]\nname = "a\\nb"\nkind = "slack"', "receivers.0.name"),
        (2 * '[[receivers]]\nname = "a"\nkind = "slack"\nurl = "https://x.example"\n', "two receivers are named"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReceiversError, match=said):
        read_receivers(written(tmp_path, text), {}, NOBODY)


@pytest.mark.parametrize(("name", "said"), [("none.toml", "no such file"), ("r.ini", "ends in")])
def test_a_file_that_is_missing_or_of_another_kind_says_so(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "r.ini").write_text("x")
    with pytest.raises(ReceiversError, match=said):
        read_receivers(tmp_path / name, {}, NOBODY)


def test_no_refusal_shows_a_secret(tmp_path: Path) -> None:
    text = '[[receivers]]\nname = "a"\nkind = "slack"\nurl = "https://u:hunter2@x.example"\nsecret = ["hunter2"]'
    for one in (text, text.replace('["hunter2"]', '"hunter2"')):
        with pytest.raises(ReceiversError) as refusal:
            read_receivers(written(tmp_path, one), {}, NOBODY)
        assert "hunter2" not in str(refusal.value)
