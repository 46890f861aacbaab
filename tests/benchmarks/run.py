"""`make bench`: every figure beside its peer in the same run, as a table; JSON with ``--json FILE``.

Each part is a module of this folder whose ``figures()`` measures and returns a list of `Figure`. A part runs in a
process of its own, one after another, so that none warms or burdens the next; ``make bench ARGS="ingest"`` runs one.
The status is 1 where a part fails; a goal that is missed is told, and fails nothing: machines differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figure import Figure

PARTS = ("live", "ingest", "counting", "startup", "judging", "scale", "embedding", "endtoend")
DETECTOR = ("surge", "hidden")
"""Benchmarks of the detector, each with JSON of its own form on its standard output."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join((*PARTS, *DETECTOR))}; else all")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    given = arguments.parse_args()
    if unknown := set(given.parts) - {*PARTS, *DETECTOR}:
        arguments.error(f"no part {', '.join(sorted(unknown))}")
    console = Console()
    told: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}
    failed = []
    for name in given.parts or (*PARTS, *DETECTOR):
        console.print(f"{name} …", style="dim")
        try:
            told[name] = alone(name) if name in PARTS else detector(name)
        except subprocess.CalledProcessError:
            failed.append(name)
    console.print(table([Figure(**row) for name in PARTS for row in told.get(name, [])]))
    for name in DETECTOR:
        if name in told:
            console.print_json(json.dumps({name: told[name]}))
    if given.json:
        given.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    for name in failed:
        console.print(f"{name} failed; what it says is above", style="red")
    return 1 if failed else 0


def alone(name: str) -> list[dict[str, Any]]:
    """What a part measures, in a process of its own; its words go to the terminal."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        path = Path(folder) / "figures.json"
        subprocess.run([sys.executable, "-c", _PART, name, path], check=True)
        found: list[dict[str, Any]] = json.loads(path.read_text())
        return found


_PART = "import sys; from tests.benchmarks import run; run.write(*sys.argv[1:])"


def write(name: str, path: str) -> None:
    """Measure a part and leave its figures in a file."""
    try:
        found = import_module(f"tests.benchmarks.{name}").figures()
    except ModuleNotFoundError as error:
        sys.exit(f"{name} needs {error.name}: .venv/bin/pip install -e '.[bench]'")
    Path(path).write_text(json.dumps([asdict(figure) for figure in found]))


def detector(name: str) -> Any:
    """What a benchmark of the detector prints, by the name of its file."""
    done = subprocess.run([sys.executable, Path(__file__).with_name(f"{name}.py")], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def table(figures: list[Figure]) -> Table:
    rows = Table("figure", "measured", "ratio", "to", "goal", "")
    for one in figures:
        goal = "" if one.goal is None else f"{'≥' if one.sense == 'least' else '≤'} {one.goal:g}"
        verdict = {None: "", True: "[green]held[/green]", False: "[red]short[/red]"}[one.held]
        of = "" if one.of is None else f"{one.of:.3g}"
        value = f"{one.value:,.0f}" if abs(one.value) >= 100 else f"{one.value:.3g}"
        rows.add_row(one.name, f"{value} {one.unit}", of, one.peer, goal, f"{verdict} {one.note}".strip())
    return rows


if __name__ == "__main__":
    sys.exit(main())
