"""An alert as a card in the terminal."""

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.alert import span_words
from models.plain import one_line

_STYLE = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_MOST = 160  # characters of a text: a complaint in full, a rant by its beginning
_BARS = "▁▂▃▄▅▆▇█"


def alert_card(view: dict[str, Any], *, samples: int = 5) -> RenderableType:
    """What, how bad, since when, where from, is it real: in one look. Customers' text is shown as text."""
    window = view["window"]
    head = Table.grid(padding=(0, 2))
    head.add_row("observed", f"{view['observed']} customers in {span_words(window['minutes'])}")
    head.add_row("expected", f"{view['expected']:g}, upper bound {view['upper_bound']}")
    head.add_row("since", f"{view['onset']}   fired {view['fired_at']}   {_ended(view)}")
    for culprit in view["culprits"][:3]:
        figures = f"{culprit['observed']} of {culprit['expected']:g} expected, lift {culprit['lift']:g}"
        name, value = one_line(culprit["attribute"], _MOST), one_line(culprit["value"], _MOST)
        head.add_row("culprit", Text(f"{name} = {value}  ({figures})", style="bold"))
    for rate in view["rates"][:2]:
        of = f" of {one_line(rate['attribute'], _MOST)} = {one_line(rate['value'], _MOST)}" if rate["value"] else ""
        before = "" if rate["before"] is None else f", {rate['before']:g} before"
        excused = "; in step with orders, told to nobody" if view["excused"] and rate["pace"] == "in_step" else ""
        head.add_row("per 1,000", Text(f"{rate['now']:g} orders{of}{before}{excused}"))
    if view["curve"]:
        head.add_row("curve", Text(sparkline([point["observed"] for point in view["curve"]])))
    said = [Text(f"“{one_line(sample['text'], _MOST)}”") for sample in view["samples"][:samples]]
    title = Text(
        f"{view['severity'].upper()}  {one_line(view['topic']['label'], _MOST)}", style=_STYLE[view["severity"]]
    )
    return Panel(Group(head, *said), title=title, title_align="left", subtitle=Text(view["alert_id"]))


def sparkline(values: list[int]) -> str:
    """Counts as a row of bars.

    >>> sparkline([0, 1, 2, 7])
    '▁▂▃█'
    """
    top = max([*values, 1])
    return "".join(_BARS[round(value / top * (len(_BARS) - 1))] for value in values)


def _ended(view: dict[str, Any]) -> str:
    return f"resolved {view['resolved_at']}" if view["resolved_at"] else "still open"
