"""The commands of the README, run as they stand: each gets the answer that is shown below it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from service.commands.serve import Group
from service.settings import Settings

ROOT = Path(__file__).parents[2]
SHOWN_URL = "http://127.0.0.1:8765"
KEY = "an invented key with every scope"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@dataclass(frozen=True, slots=True)
class Shown:
    """A block of commands, and the answer shown below it if there is one."""

    commands: str
    answer: Any


def shown() -> list[Shown]:
    blocks = re.findall(r"```sh\n(.*?)```(?:\s*```json\n(.*?)```)?", (ROOT / "README.md").read_text(), re.DOTALL)
    return [Shown(commands, json.loads(answer) if answer else None) for commands, answer in blocks]


def run(commands: str, folder: Path) -> str:
    """What the commands print; fails where one of them does."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=os.environ | {"TOCSIN_ADMIN_KEY": KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{commands}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def url(tmp_path: Path, encoder_folder: Path) -> Iterator[str]:
    """The whole service, on a store and a port of its own."""
    settings = Settings(_env_file=None, port=0, data_dir=tmp_path / "data", cache=encoder_folder.parents[1])  # type: ignore[call-arg]
    with Group(settings, Console(quiet=True)) as group:
        yield group.url


def test_every_request_shown_gets_the_answer_shown(url: str, tmp_path: Path) -> None:
    requests = [one for one in shown() if one.commands.startswith("curl")]
    assert len(requests) >= 5
    for one in requests:
        for request in re.findall(r"(?ms)^curl.*?(?=^curl|\Z)", one.commands.replace(SHOWN_URL, url)):
            answer = json.loads(run(request, tmp_path))
            assert "code" not in answer, answer
            assert one.answer is None or answer == one.answer


def test_the_file_that_is_shown_replays_and_writes_its_alerts(tmp_path: Path, encoder_folder: Path) -> None:
    (block,) = [one.commands for one in shown() if "tocsin replay" in one.commands]
    assert encoder_folder.is_dir()
    smaller = block.replace("synthesize week.csv", "synthesize week.csv --days 4 --per-day 150")
    run(smaller.replace(".venv/bin", str(Path(sys.executable).parent)), tmp_path)
    alerts = json.loads((tmp_path / "alerts.json").read_text())
    assert isinstance(alerts, list)
