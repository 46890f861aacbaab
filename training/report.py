"""The report of a retraining: figures side by side and the fate of every topic, for a terminal, Markdown and HTML.

Layout is here, every word in `training.words`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table

from models.embed import Language
from models.tables import Broken
from training.fates import Fate, What
from training.scoring import LEAST_SCORED, LEAST_SPAN, Scores, Side, objections
from training.tuning import Tuned
from training.words import WORDS

_SHOWN = 20  # rejects
_BARS = 40  # topics in the picture
_ROW, _LEFT, _WIDE = 22, 300, 420  # pixels
_NAME = 32  # letters of a topic's name left of its bar; a Chinese character is as wide as two

Figures = list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a retraining; ``exams`` by what was examined: a word of `training.words`."""

    name: str
    scores: Scores
    fates: Sequence[Fate]
    broken: Sequence[Broken] = ()
    exams: Mapping[str, Tuned] = field(default_factory=dict)


def figures(report: Report, language: Language = "en") -> Figures:
    """Name, before and after, as text; a dash where it cannot be told."""
    say, scores = WORDS[language], report.scores
    before, after = scores.before, scores.after
    rows = [
        (say["quality"].format(measure=say[name]), _quality(before, name), _quality(after, name))
        for name in ("knn1", "nmi")
    ]
    rows += [
        (say["coverage old"], _told(before.coverage_old if before else None), _told(after.coverage_old)),
        (say["coverage new"], _told(before.coverage_new if before else None), _told(after.coverage_new)),
        (say["alarms"], _told(before.alarms if before else None), _told(after.alarms)),
        (say["agreement"], "", _told(scores.agreement)),
        (say["surges found"], "", _told(scores.surges_found)),
        (say["more alarms"], "", _told(scores.more_alarms_a_week)),
    ]
    for name, exam in report.exams.items():
        rows += [
            (say["share"].format(exam=say[name]), "", _told(exam.share)),
            (say["rank"].format(exam=say[name]), _told(exam.before.rank), _told(exam.after.rank)),
        ]
        if exam.before.margin is not None:
            rows.append((say["margin"].format(exam=say[name]), _told(exam.before.margin), _told(exam.after.margin)))
        rows.append((say["stays"].format(exam=say[name]), "", _told(exam.after.stays)))
    return rows


def notes(report: Report, language: Language = "en") -> list[str]:
    """What the figures leave open: why one is not told, which surges are missed, why nothing was kept."""
    say, scores = WORDS[language], report.scores
    called = {fate.topic: fate.called for fate in report.fates}
    found = []
    if scores.after.quality is None:
        found.append(say["no quality"].format(least=LEAST_SCORED))
    if scores.before and scores.before.alarms is None:
        found.append(say["no alarms"].format(days=LEAST_SPAN.days))
    found += [
        say["missed"].format(called=called.get(one.topic, one.topic), at=datetime.fromtimestamp(one.at, UTC))
        for one in scores.missed
    ]
    found += [say["nothing kept"].format(exam=say[name]) for name, exam in report.exams.items() if not exam.share]
    return found


def print_report(console: Console, report: Report) -> None:
    """The report on a terminal, in English as all that is said there; topics that stayed as they were are left out."""
    say, broken = WORDS["en"], report.broken
    table = Table(f"{say['held out']}: {report.scores.held_out}", say["before"], say["after"])
    for row in figures(report):
        table.add_row(*row)
    console.print(table)
    for note in notes(report):
        console.print(note)
    topics = Table(*_topics_head("en"))
    for fate in report.fates:
        if fate.what is not What.KEPT:
            topics.add_row(*_cells(fate, "en"))
    console.print(topics)
    console.print(_summary(report.fates, "en"))
    for one in broken[:_SHOWN]:
        console.print(f"row {one.row} rejected: {one.reason}", style="yellow")
    if len(broken) > _SHOWN:
        console.print(f"… and {len(broken) - _SHOWN} more rows, in the report", style="yellow")
    for objection in objections(report.scores):
        console.print(f"objection: {objection}", style="red")


def markdown(report: Report, language: Language = "en") -> str:
    """The report as Markdown."""
    say = WORDS[language]
    lines = [
        f"# {report.name}",
        "",
        _verdict(report.scores, language),
        "",
        *_table((say["held out"], say["before"], say["after"]), figures(report, language)),
        *(line for note in notes(report, language) for line in ("", note)),
    ]
    lines += ["", f"## {say['topics']}", "", _summary(report.fates, language), ""]
    lines += _table(_topics_head(language), (_cells(fate, language) for fate in report.fates))
    if report.broken:
        lines += ["", f"## {say['rejected']}", "", *_table((say["row"], say["why"]), _rejects(report, language))]
    return "\n".join(lines) + "\n"


def html(report: Report, language: Language = "en") -> str:
    """The report as one page that fetches nothing."""
    say, name = WORDS[language], escape(report.name)
    tone = "bad" if objections(report.scores) else "good"
    parts = [
        f"<h1>{name}</h1>",
        f"<p class='{tone}'>{escape(_verdict(report.scores, language))}</p>",
        _html_table((say["held out"], say["before"], say["after"]), figures(report, language)),
        *(f"<p>{escape(note)}</p>" for note in notes(report, language)),
        f"<h2>{say['topics']}</h2><p>{escape(_summary(report.fates, language))}</p>",
        _bars(report.fates, language),
        _html_table(_topics_head(language), (_cells(fate, language) for fate in report.fates)),
    ]
    if report.broken:
        rejects = _html_table((say["row"], say["why"]), _rejects(report, language))
        parts += [f"<h2>{say['rejected']}</h2>", rejects]
    head = f"<meta charset='utf-8'><title>{name}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='{_LANG[language]}'>{head}{''.join(parts)}</html>\n"


_LANG: Mapping[Language, str] = {"en": "en", "zh": "zh-CN"}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ddd;padding:.3em .7em;text-align:left}"
    ".bad{color:#a40000}.good{color:#126b2f}text{font:12px system-ui,sans-serif}"
)


def _bars(told: Sequence[Fate], language: Language) -> str:
    """Messages of each topic before and after, as an SVG of its own."""
    say, shown = WORDS[language], told[:_BARS]
    most = max((max(fate.before, fate.after) for fate in shown), default=1) or 1
    rows = []
    for number, fate in enumerate(shown):
        y = number * _ROW
        name = say["bar"].format(called=_cut(fate.called), fate=say[fate.what])
        rows.append(f"<text x='{_LEFT - 8}' y='{y + 14}' text-anchor='end'>{escape(name)}</text>")
        for count, top, colour in ((fate.before, 3, "#9db4c8"), (fate.after, 10, "#1f5f99")):
            rows.append(
                f"<rect x='{_LEFT}' y='{y + top}' width='{count / most * _WIDE:.1f}' height='6' fill='{colour}'/>"
            )
        rows.append(f"<text x='{_LEFT + _WIDE + 8}' y='{y + 14}'>{fate.before} → {fate.after}</text>")
    height = len(shown) * _ROW
    return (
        f"<svg role='img' aria-label='{say['bars']}' width='{_LEFT + _WIDE + 120}'"
        f" height='{height}'>{''.join(rows)}</svg><p>{say['colours']}</p>"
    )


def _cut(called: str) -> str:
    """
    >>> _cut("物流信息一直没有更新而且客服没人回复"), _cut("parcel late")
    ('物流信息一直没有更新而且客服没…', 'parcel late')
    """
    return called if cell_len(called) <= _NAME else set_cell_size(called, _NAME - 1).rstrip() + "…"


def _topics_head(language: Language) -> list[str]:
    return [WORDS[language][key] for key in ("topic", "fate", "called", "before", "after", "example")]


_WITH_OTHER = {What.SPLIT: "split from", What.MERGED: "merged into"}


def _cells(fate: Fate, language: Language) -> tuple[str, ...]:
    key = _WITH_OTHER.get(fate.what, fate.what) if fate.other else fate.what
    what = WORDS[language][key].format(other=fate.other)
    return fate.topic, what, fate.called, str(fate.before), str(fate.after), fate.examples[0] if fate.examples else ""


def _rejects(report: Report, language: Language) -> Iterable[tuple[str, str]]:
    return ((str(one.row), one.said(language)) for one in report.broken)


def _summary(told: Sequence[Fate], language: Language) -> str:
    say, counts = WORDS[language], Counter(fate.what for fate in told)
    return say["next count"].join(say["count"].format(count=counts[what], fate=say[what]) for what in What)


def _verdict(scores: Scores, language: Language) -> str:
    say, found = WORDS[language], objections(scores, language)
    return say["objections"].format(objections=say["next objection"].join(found)) if found else say["no objections"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = [f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *body]


def _html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _quality(side: Side | None, name: str) -> str:
    return _told(getattr(side.quality, name) if side and side.quality else None)


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
