"""The card: what a notification says to people, before any channel gives it its form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import orjson

from models.alert import span_words
from models.embed import Language
from models.plain import one_line
from service.notify.words import WORDS

MOST_LISTED = 20
"""Alerts that a digest names: a bot's message holds no more lines than people read."""
_MOST_QUOTES = 3
_MOST_QUOTE = 160  # characters: a complaint in full, a rant by its beginning
_MOST_NAME = 80
_MOST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Voice:
    """How a receiver is spoken to: its language, and the zone that its times are told in."""

    language: Language = "en"
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Card:
    """Plain text on single lines, safe to show but not yet escaped for any markup.

    ``lines`` are pairs of name and value; ``quotes`` are what customers said. ``mood`` is a severity, or
    ``resolved`` or ``test``. ``thread`` is the same for all cards of one alert.
    """

    title: str
    mood: str
    lines: tuple[tuple[str, str], ...]
    quotes: tuple[str, ...] = ()
    quotes_name: str = ""
    link: str | None = None
    link_name: str = ""
    thread: str | None = None

    def text(self) -> str:
        """The whole card as plain lines, for channels without any form."""
        parts = [self.title, *(f"{name}: {value}" if name else value for name, value in self.lines)]
        if self.quotes:
            parts += [f"{self.quotes_name}:", *(f"“{quote}”" for quote in self.quotes)]
        return "\n".join([*parts, self.link] if self.link else parts)


def card_of(payload: bytes, voice: Voice) -> Card:
    """The card of a notification's payload: of an alert, of a digest of several, or of a test."""
    body = orjson.loads(payload)
    makers: Mapping[str, Callable[[Mapping[str, Any], Voice], Card]] = {
        "digest": _digest,
        "test": _test,
        "weekly": _weekly,
    }
    return makers.get(body["type"], _alert)(body, voice)


def _alert(body: Mapping[str, Any], voice: Voice) -> Card:
    words, view = WORDS[voice.language], body["data"]
    over = view["resolved_at"] is not None
    lines = [(words["how much"], _figures(view, voice)), (words["since"], _time(view["onset"], voice))]
    if over:
        lines.append((words["until"], _time(view["resolved_at"], voice)))
    if view.get("former"):
        lines.append((words["came back"], _former(view["former"], voice)))
    lines += [(words["from"], _culprit(culprit, voice)) for culprit in view["culprits"][:2]]
    if view.get("rates"):
        lines.append((words["per 1,000"], _rate(view["rates"][0], voice)))
    if view["facts"]["acknowledged_at"]:
        lines.append((words["in hand"], _short(view["facts"]["acknowledged_by"] or words["somebody"])))
    if view["facts"].get("assigned_to"):
        lines.append((words["assigned"], _short(view["facts"].get("assigned_to"))))
    if view.get("new_normal"):
        lines.append((words["new normal"], words["new normal why"]))
    if view["late"]:
        lines.append((words["late"], words["late why"]))
    return Card(
        title=_title(view, voice),
        mood="resolved" if over else view["severity"],
        lines=tuple(lines),
        quotes=tuple(one_line(sample["text"], _MOST_QUOTE) for sample in view["samples"][:_MOST_QUOTES]),
        quotes_name=words["said"],
        link=view["url"],
        link_name=words["open"],
        thread=view["alert_id"],
    )


def _digest(body: Mapping[str, Any], voice: Voice) -> Card:
    """Many alerts in one card, the gravest first, each once, as it stands now."""
    words = WORDS[voice.language]
    views = {one["data"]["alert_id"]: one["data"] for one in body["data"]["notifications"]}
    ranked = sorted(views.values(), key=lambda view: (view["resolved_at"] is not None, -_RANK[view["severity"]]))
    lines = [
        (
            f"[{words[view['severity']]}] {_label(view, voice)}",
            words["digest line"].format(figures=_figures(view, voice), reason=words[view["reason"]]),
        )
        for view in ranked[:MOST_LISTED]
    ]
    if len(ranked) > MOST_LISTED:
        lines.append(("", words["more"].format(count=len(ranked) - MOST_LISTED)))
    link = next((view["url"] for view in ranked if view["url"]), None)
    return Card(
        title=words["digest"].format(count=len(ranked)),
        mood="resolved" if ranked[0]["resolved_at"] else ranked[0]["severity"],
        lines=tuple(lines),
        link=link.partition("#")[0] if link else None,
        link_name=words["open feed"],
    )


def _test(body: Mapping[str, Any], voice: Voice) -> Card:
    words = WORDS[voice.language]
    line = words["test line"].format(receiver=_short(body["data"]["receiver"]))
    return Card(title=words["test"], mood="test", lines=(("", line),))


def _weekly(body: Mapping[str, Any], voice: Voice) -> Card:
    """A team's week: how much it was told, how it bore it, how much was real."""
    words, week = WORDS[voice.language], body["data"]
    budget = "" if week["alerts_per_week"] is None else words["week budget"].format(budget=week["alerts_per_week"])
    lines = [(words["week told"], f"{week['told']}{budget}")]
    if week["held"]:
        lines.append((words["week held"], words["week held why"].format(held=week["held"])))
    borne = words["week borne"].format(busiest=week["busiest_day"], at_once=week["open_at_once"])
    taken = words["week taken"].format(taken=week["acknowledged"], told=week["told"])
    if week["minutes_to_acknowledge"] is not None:
        taken += words["week minutes"].format(minutes=f"{week['minutes_to_acknowledge']:g}")
    lines += [(words["week burden"], borne), (words["week hand"], taken)]
    judged = words["week judged"].format(real=week["real"], noise=week["noise"])
    if week["precision"] is not None:
        shares = {name: f"{100 * week[name]:.0f}" for name in ("precision", "low", "high")}
        judged += words["week precision"].format(**shares)
    lines.append((words["week real"], judged))
    return Card(
        title=words["week"].format(team=_short(week["team"]), start=_time(week["start"], voice)[:10]),
        mood="test",
        lines=tuple(lines),
    )


def _title(view: Mapping[str, Any], voice: Voice) -> str:
    words = WORDS[voice.language]
    title = words["title"].format(
        severity=words[view["severity"]], reason=words[view["reason"]], label=_label(view, voice)
    )
    return one_line(title, _MOST_TITLE)


def _label(view: Mapping[str, Any], voice: Voice) -> str:
    return _short(view["topic"]["labels"].get(voice.language) or view["topic"]["label"])


def _figures(view: Mapping[str, Any], voice: Voice) -> str:
    if view["indicator"] is not None:
        # The headline without its label, which is the card's title already.
        return str(view["headlines"][voice.language]).removeprefix(_label(view, voice)).lstrip(":： ")
    return WORDS[voice.language]["figures"].format(
        observed=view["observed"],
        span=span_words(view["window"]["minutes"], voice.language),
        expected=f"{view['expected']:.1f}",
        bound=view["upper_bound"],
    )


def _culprit(culprit: Mapping[str, Any], voice: Voice) -> str:
    return WORDS[voice.language]["culprit"].format(
        attribute=_short(culprit["attribute"]),
        value=_short(culprit["value"]),
        observed=culprit["observed"],
        expected=f"{culprit['expected']:.1f}",
        lift=f"{culprit['lift']:.1f}",
    )


def _rate(rate: Mapping[str, Any], voice: Voice) -> str:
    words = WORDS[voice.language]
    told = words["rate"].format(now=f"{rate['now']:.1f}", low=f"{rate['low']:.1f}", high=f"{rate['high']:.1f}")
    if rate["before"] is not None:
        told += words["rate before"].format(before=f"{rate['before']:.1f}")
    if rate["value"] is not None:
        told += words["rate of"].format(attribute=_short(rate["attribute"]), value=_short(rate["value"]))
    return told + (words["rate in step"] if rate["pace"] == "in_step" else "")


def _former(former: Mapping[str, Any], voice: Voice) -> str:
    words = WORDS[voice.language]
    said = words["came back noise" if former["judgement"] == "noise" else "came back when"]
    told = said.format(at=_time(former["resolved_at"], voice))
    return f"{told} {former['url']}" if former["url"] else told


def _time(iso: str, voice: Voice) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(voice.zone):%Y-%m-%d %H:%M %Z}"


def _short(text: str) -> str:
    return one_line(text, _MOST_NAME)


_RANK: Mapping[str, int] = {"info": 0, "warning": 1, "critical": 2}
