"""The report of a retraining: figures side by side and the fate of every topic, for a terminal, Markdown and HTML."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from rich.console import Console
from rich.table import Table

from models.tables import Broken
from training.fates import Fate, What
from training.scoring import LEAST_SCORED, LEAST_SPAN, Scores, Side
from training.tuning import Tuned

_SHOWN = 20  # rejects
_BARS = 40  # topics in the picture
_ROW, _LEFT, _WIDE = 22, 260, 420  # pixels

Figures = list[tuple[str, str, str]]
NONE: Mapping[str, Tuned] = {}


def figures(scores: Scores, exams: Mapping[str, Tuned]) -> Figures:
    """Name, before and after, as text; a dash where it cannot be told."""
    before, after = scores.before, scores.after
    rows = [
        ("kNN-1 of labelled messages", _quality(before, "knn1"), _quality(after, "knn1")),
        ("NMI of labelled messages", _quality(before, "nmi"), _quality(after, "nmi")),
        ("old messages with a topic", _told(before.coverage_old if before else None), _told(after.coverage_old)),
        ("new messages with a topic", _told(before.coverage_new if before else None), _told(after.coverage_new)),
        ("alarms in the backtest", _told(before.alarms if before else None), _told(after.alarms)),
        ("old messages under the same topic", "", _told(scores.agreement)),
        ("surges of before that are found", "", _told(scores.surges_found)),
        ("alarms a week that are new", "", _told(scores.more_alarms_a_week)),
    ]
    for name, exam in exams.items():
        rows += [
            (f"share of the {name} that was kept", "", _told(exam.share)),
            (f"exam of the {name}: labels found (mean of 1 / rank)", _told(exam.before.rank), _told(exam.after.rank)),
            (f"exam of the {name}: known texts that stay", "", _told(exam.after.stays)),
        ]
    return [(name, was, now) for name, was, now in rows]


def notes(scores: Scores, told: Sequence[Fate], exams: Mapping[str, Tuned]) -> list[str]:
    """What the figures leave open: why one is not told, which surges are missed, why nothing was kept."""
    called = {fate.topic: fate.called for fate in told}
    found = []
    if scores.after.quality is None:
        found.append(
            f"kNN-1 and NMI are not told: fewer than {LEAST_SCORED} held-out messages of two issues or more have a label"
            " (one message in five is held out)."
        )
    if scores.before and scores.before.alarms is None:
        found.append(f"Alarms are not told: the kept messages span less than {LEAST_SPAN.days} days.")
    for one in scores.missed:
        at = datetime.fromtimestamp(one.at, UTC)
        found.append(
            f"The surge of {called.get(one.topic, one.topic)} on {at:%Y-%m-%d %H:%M} UTC is not found any more."
        )
    found += [
        f"Nothing of the {name} was kept: labels were not found better by it, or known texts would have left their topics."
        for name, exam in exams.items()
        if not exam.share
    ]
    return found


def print_report(
    console: Console,
    scores: Scores,
    told: Sequence[Fate],
    objections: Sequence[str],
    broken: Sequence[Broken],
    exams: Mapping[str, Tuned] = NONE,
) -> None:
    """The report on a terminal, topics that stayed as they were left out."""
    table = Table("held-out messages: " + str(scores.held_out), "before", "after")
    for row in figures(scores, exams):
        table.add_row(*row)
    console.print(table)
    for note in notes(scores, told, exams):
        console.print(note)
    topics = Table("topic", "", "called", "before", "after", "example")
    for fate in told:
        if fate.what is not What.KEPT:
            topics.add_row(*_cells(fate))
    console.print(topics)
    console.print(_summary(told))
    for one in broken[:_SHOWN]:
        console.print(f"row {one.row} rejected: {one.reason}", style="yellow")
    if len(broken) > _SHOWN:
        console.print(f"… and {len(broken) - _SHOWN} more rows, in the report", style="yellow")
    for objection in objections:
        console.print(f"objection: {objection}", style="red")


def markdown(
    name: str,
    scores: Scores,
    told: Sequence[Fate],
    objections: Sequence[str],
    broken: Sequence[Broken],
    exams: Mapping[str, Tuned] = NONE,
) -> str:
    """The report as Markdown."""
    lines = [
        f"# {name}",
        "",
        _verdict(objections),
        "",
        *_table(("held-out messages", "before", "after"), figures(scores, exams)),
        *(line for note in notes(scores, told, exams) for line in ("", note)),
    ]
    lines += ["", "## Topics", "", _summary(told), ""]
    lines += _table(("topic", "fate", "called", "before", "after", "example"), (_cells(fate) for fate in told))
    if broken:
        lines += [
            "",
            "## Rows that were rejected",
            "",
            *_table(("row", "why"), ((str(b.row), b.reason) for b in broken)),
        ]
    return "\n".join(lines) + "\n"


def html(
    name: str,
    scores: Scores,
    told: Sequence[Fate],
    objections: Sequence[str],
    broken: Sequence[Broken],
    exams: Mapping[str, Tuned] = NONE,
) -> str:
    """The report as one page that fetches nothing."""
    topics = (_cells(fate) for fate in told)
    parts = [
        f"<h1>{escape(name)}</h1>",
        f"<p class='{'bad' if objections else 'good'}'>{escape(_verdict(objections))}</p>",
        _html_table(("held-out messages", "before", "after"), figures(scores, exams)),
        *(f"<p>{escape(note)}</p>" for note in notes(scores, told, exams)),
        f"<h2>Topics</h2><p>{escape(_summary(told))}</p>",
        _bars(told),
        _html_table(("topic", "fate", "called", "before", "after", "example"), topics),
    ]
    if broken:
        rows = ((str(one.row), one.reason) for one in broken)
        parts += ["<h2>Rows that were rejected</h2>", _html_table(("row", "why"), rows)]
    head = f"<meta charset='utf-8'><title>{escape(name)}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'>{head}{''.join(parts)}</html>\n"


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ddd;padding:.3em .7em;text-align:left}"
    ".bad{color:#a40000}.good{color:#126b2f}text{font:12px system-ui,sans-serif}"
)


def _bars(told: Sequence[Fate]) -> str:
    """Messages of each topic before and after, as an SVG of its own."""
    shown = told[:_BARS]
    most = max((max(fate.before, fate.after) for fate in shown), default=1) or 1
    rows = []
    for number, fate in enumerate(shown):
        y = number * _ROW
        rows.append(
            f"<text x='{_LEFT - 8}' y='{y + 14}' text-anchor='end'>{escape(fate.called[:34])} ({fate.what})</text>"
        )
        for count, top, colour in ((fate.before, 3, "#9db4c8"), (fate.after, 10, "#1f5f99")):
            rows.append(
                f"<rect x='{_LEFT}' y='{y + top}' width='{count / most * _WIDE:.1f}' height='6' fill='{colour}'/>"
            )
        rows.append(f"<text x='{_LEFT + _WIDE + 8}' y='{y + 14}'>{fate.before} → {fate.after}</text>")
    height = len(shown) * _ROW
    return (
        f"<svg role='img' aria-label='messages of each topic, before and after' width='{_LEFT + _WIDE + 120}'"
        f" height='{height}'>{''.join(rows)}</svg><p>Pale: before; dark: after.</p>"
    )


def _cells(fate: Fate) -> tuple[str, ...]:
    preposition = {What.SPLIT: " from ", What.MERGED: " into "}.get(fate.what, "")
    what = fate.what.value + (preposition + str(fate.other) if preposition and fate.other else "")
    return fate.topic, what, fate.called, str(fate.before), str(fate.after), fate.examples[0] if fate.examples else ""


def _summary(told: Sequence[Fate]) -> str:
    counts = Counter(fate.what for fate in told)
    return ", ".join(f"{counts[what]} {what.value}" for what in What)


def _verdict(objections: Sequence[str]) -> str:
    return "Not to be promoted: " + "; ".join(objections) if objections else "No objections."


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
