"""A run in steps, each finished whole or not at all: killed anywhere, the next run goes on after the last finished one."""

import json
import resource
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from models.bundle import not_written, write_synced

Told = Callable[[float], None]
"""Called with the share of a step that is done, 0 to 1."""

_PLAN = "plan.json"


class Steps:
    """The steps of one run, in a folder of their own. ``plan`` is all that decides the outcome: another plan begins anew."""

    def __init__(self, folder: Path, plan: Mapping[str, Any], names: tuple[str, ...], console: Console) -> None:
        self.folder = folder
        self._names = names
        self._console = console
        if folder.is_dir() and not self.begun(folder, plan):
            shutil.rmtree(folder)
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)  # it will hold messages
            self._write(_PLAN, json.dumps(dict(plan)).encode())

    @staticmethod
    def begun(folder: Path, plan: Mapping[str, Any]) -> bool:
        """Whether a run of this plan was begun there and not ended."""
        return bool(_read(folder / _PLAN) == dict(plan))

    def run(self, name: str, make: Callable[[Told], bytes]) -> bytes:
        """What ``make`` gives, or gave in an earlier run. Raises `NotWritten` where the disk is full."""
        place, of = self._names.index(name) + 1, len(self._names)
        path = self.folder / name
        if path.is_file():
            self._console.print(f"{place}/{of} {name}: done before")
            return path.read_bytes()
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
        with Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal) as bar:
            task = bar.add_task(f"{place}/{of} {name}", total=1.0)
            body = make(lambda share: bar.update(task, completed=share))
            took = bar.tasks[0].finished_time or bar.tasks[0].elapsed or 0.0
        self._write(name, body)
        self._console.print(f"{place}/{of} {name}: {took:.0f} s; {_peak():.1f} GB of memory at most so far")
        return body

    def end(self) -> None:
        """Take the folder away, once what was made of it is safe."""
        shutil.rmtree(self.folder)

    def _write(self, name: str, body: bytes) -> None:
        partial = self.folder / f".partial-{name}"
        try:
            write_synced(partial, body)
            partial.rename(self.folder / name)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise not_written(self.folder / name, error) from error


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # Linux counts in kilobytes


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
