"""The receivers' file: TOML or YAML that names who is told what; checked whole before anything is sent.

A value written ``${NAME}`` is taken from the environment, so that the file itself holds no secret.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.embed import Language
from models.severity import Severity
from service.notify import dingtalk, feishu, mail, others, slack, wecom
from service.notify.address import AllowList
from service.notify.alertmanager import PATH, Alertmanager
from service.notify.card import Voice
from service.notify.pace import Pace
from service.notify.post import Post, checked_url
from service.notify.receiver import Notifier, Receiver
from service.notify.route import Quiet, Route
from service.notify.signature import parse_secrets
from service.notify.webhook import WebhookNotifier

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DIGEST_OVER = 3  # one look takes in three cards; a fourth makes people scroll
Kind = Literal["dingtalk", "feishu", "lark", "wecom", "slack", "mail", "webhook", "alertmanager", "apprise"]
Reason = Literal["fired", "escalated", "grew", "resolved", "reopened"]


class ReceiversError(ValueError):
    """The file cannot be used; says where and what to mend, and shows no secret."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is no time zone; write it as Asia/Shanghai") from None
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class QuietIn(_Strict):
    since: time
    until: time
    unless: Severity | None = Severity.critical
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = _DAYS  # type: ignore[assignment]


class ReceiverIn(_Strict):
    """One receiver as it is written down."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w \-]+$")]
    kind: Kind
    url: str | None = None
    secret: str | None = None
    token: str | None = None
    language: Language = "en"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    # What it wants to hear.
    severity: Severity = Severity.info
    topics: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    quiet: QuietIn | None = None
    # Whose it is, and how much they bear.
    team: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w\-]+$")] | None = None
    alerts_per_week: Annotated[int, Field(ge=1)] | None = None
    weekly: bool = False
    digest_over: Annotated[int, Field(ge=0)] | None = _DIGEST_OVER
    # Mail alone.
    host: str | None = None
    port: Annotated[int, Field(gt=0, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    sender: str | None = None
    to: tuple[str, ...] = ()


class FileIn(_Strict):
    receivers: tuple[ReceiverIn, ...] = ()


def read_receivers(path: Path, environment: Mapping[str, str], allow: AllowList) -> list[Receiver]:
    """The receivers of a file. Raises `ReceiversError`."""
    try:
        written = _expanded(_load(path), environment)
        specs = FileIn.model_validate(written).receivers
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReceiversError(f"{path.name}: {where}: {first['msg']}") from None
    except ValueError as error:
        raise ReceiversError(f"{path.name}: {error}") from None
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise ReceiversError(f"{path.name}: two receivers are named {name!r}")
    _check_teams(specs, path.name)
    return [_receiver(spec, allow, path.name) for spec in specs]


def _check_teams(specs: Iterable[ReceiverIn], file: str) -> None:
    """A budget and a report are a team's: they need one, and a team has one budget."""
    budgets: dict[str, int] = {}
    for spec in specs:
        if spec.team is None and (spec.alerts_per_week is not None or spec.weekly):
            raise ReceiversError(f"{file}: receiver {spec.name!r}: alerts_per_week and weekly need a team")
        if spec.weekly and spec.kind == "alertmanager":
            raise ReceiversError(f"{file}: receiver {spec.name!r}: an Alertmanager takes alerts, and no weekly report")
        if spec.team is None or spec.alerts_per_week is None:
            continue
        if budgets.setdefault(spec.team, spec.alerts_per_week) != spec.alerts_per_week:
            raise ReceiversError(f"{file}: the team {spec.team!r} has two budgets; give it one alerts_per_week")


def webhook_receivers(urls: Iterable[str], secret: str | None, allow: AllowList) -> list[Receiver]:
    """A signed webhook for each URL, named ``webhook-1`` and so on: a URL may hold a token, a name is shown.

    ``secret`` is one ``whsec_`` secret, or two while it is being replaced. ``ValueError`` that shows none.
    """
    urls = tuple(urls)
    if not urls:
        return []
    if not secret:
        raise ValueError("webhooks are signed: set TOCSIN_WEBHOOK_SECRET to whsec_ and base64 of 32 random bytes")
    secrets = parse_secrets(secret)
    return [
        Receiver(f"webhook-{number}", "webhook", WebhookNotifier(url, secrets, allow))
        for number, url in enumerate(urls, 1)
    ]


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError("there is no such file")
    if path.suffix == ".toml":
        return tomllib.loads(path.read_text(encoding="utf-8"))
    if path.suffix in (".yaml", ".yml"):
        import yaml  # type: ignore[import-untyped,unused-ignore]

        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ValueError(f"is no YAML: {getattr(error, 'problem', 'it cannot be read')}") from None
        return found if isinstance(found, dict) else {}
    raise ValueError("give a file that ends in .toml, .yaml or .yml")


def _expanded(value: Any, environment: Mapping[str, str]) -> Any:
    """Every ``${NAME}`` taken from the environment; a missing one is an error, not an empty secret."""
    match value:
        case str():
            return _VARIABLE.sub(lambda found: _variable(found[1], environment), value)
        case dict():
            return {name: _expanded(one, environment) for name, one in value.items()}
        case list():
            return [_expanded(one, environment) for one in value]
        case _:
            return value


def _variable(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise ValueError(f"the variable {name} is not set")
    return environment[name]


def _receiver(spec: ReceiverIn, allow: AllowList, file: str) -> Receiver:
    voice = Voice(spec.language, ZoneInfo(spec.zone))
    try:
        notifier, pace = _CHANNELS[spec.kind](spec, allow, voice)
    except ValueError as error:
        raise ReceiversError(f"{file}: receiver {spec.name!r}: {error}") from None
    return Receiver(
        name=spec.name,
        kind=spec.kind,
        notifier=notifier,
        route=Route(spec.severity, spec.topics, spec.attributes, spec.reasons),
        quiet=_quiet(spec.quiet, spec.zone) if spec.quiet else None,
        pace=pace,
        # Programs want each change by itself.
        digest_over=None if spec.kind in ("webhook", "alertmanager") else spec.digest_over,
        latest_only=spec.kind != "webhook",
        team=spec.team,
        alerts_per_week=spec.alerts_per_week,
        weekly=ZoneInfo(spec.zone) if spec.weekly else None,
    )


def _quiet(spec: QuietIn, zone: str) -> Quiet:
    days = frozenset(_DAYS.index(day) for day in spec.days)
    return Quiet(spec.since, spec.until, ZoneInfo(zone), spec.unless, days)


def _url(spec: ReceiverIn) -> str:
    if not spec.url:
        raise ValueError("give its url")
    return checked_url(spec.url)


def _dingtalk(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    return dingtalk.dingtalk(Post(_url(spec), allow), voice, spec.secret), dingtalk.PACE


def _feishu(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    return feishu.feishu(Post(_url(spec), allow), voice, spec.secret), feishu.PACE


def _wecom(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    return wecom.wecom(Post(_url(spec), allow), voice), wecom.PACE


def _slack(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    return slack.slack(Post(_url(spec), allow), voice), slack.PACE


def _webhook(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    if not spec.secret:
        raise ValueError("webhooks are signed: give its secret, whsec_ and base64 of 32 random bytes")
    return WebhookNotifier(_url(spec), parse_secrets(spec.secret), allow), Pace()


def _alertmanager(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    return Alertmanager(Post(_url(spec).rstrip("/") + PATH, allow), voice, spec.token), Pace()


def _mail(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    if not (spec.host and spec.sender and spec.to):
        raise ValueError("mail needs host, sender and to")
    if any("\n" in part or "\r" in part for part in (spec.sender, *spec.to)):
        raise ValueError("an address of mail stands on one line")
    port = spec.port or {"starttls": 587, "tls": 465, "none": 25}[spec.security]
    box = mail.Mailbox(spec.host, port, spec.sender, spec.to, spec.security, spec.user, spec.password)
    return mail.Mail(box, allow, voice), mail.PACE


def _apprise(spec: ReceiverIn, allow: AllowList, voice: Voice) -> tuple[Notifier, Pace]:
    if not spec.url:
        raise ValueError("give its url")
    return others.Others(spec.url, voice), others.PACE


_CHANNELS: Mapping[Kind, Callable[[ReceiverIn, AllowList, Voice], tuple[Notifier, Pace]]] = {
    "dingtalk": _dingtalk,
    "feishu": _feishu,
    "lark": _feishu,
    "wecom": _wecom,
    "slack": _slack,
    "mail": _mail,
    "webhook": _webhook,
    "alertmanager": _alertmanager,
    "apprise": _apprise,
}
