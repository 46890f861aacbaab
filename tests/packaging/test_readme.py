"""Both READMEs say what the code says: a setting, endpoint, metric, command or option that is missing fails here."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.openapi.utils import get_openapi
from typer.main import get_command

from service.__main__ import app as command_line
from service.api.parts import ApiParts
from service.app import create_app
from service.metrics import Metrics
from service.settings import PREFIX, Settings
from training.__main__ import COMMANDS as TRAINING

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
HAN = re.compile(r"[\u4e00-\u9fff]")
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture(params=[ENGLISH, CHINESE], ids=["en", "zh"])
def readme(request: pytest.FixtureRequest) -> str:
    return cast(Path, request.param).read_text()


def tables(text: str) -> list[list[list[str]]]:
    """Every table of a page as rows of cells, without its head."""
    found = re.findall(r"(?m)(?:^\|.*\|\n)+", text)
    return [[split(line) for line in table.splitlines()[2:]] for table in found]


def split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def table(text: str, first: str) -> list[list[str]]:
    """The table whose first cell begins so."""
    (found,) = [rows for rows in tables(text) if rows[0][0].startswith(first)]
    return found


def names(rows: list[list[str]]) -> list[str]:
    return [row[0].strip("`") for row in rows]


def leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, those of groups too."""
    for name, one in getattr(command, "commands", {}).items():
        yield from leaves(one, f"{path} {name}")
    if not hasattr(command, "commands"):
        yield path, command


OURS: dict[str, Any] = dict(leaves(get_command(command_line), "tocsin"))


def test_every_command_is_listed_and_none_that_does_not_exist(readme: str) -> None:
    known = {*OURS, *(f"tocsin-train {name}" for name in TRAINING)}
    assert set(names(table(readme, "`tocsin serve`"))) == known


def test_every_option_of_replay_is_listed(readme: str) -> None:
    listed = re.findall(r"--[a-z-]+", " ".join(names(table(readme, "`FILE`"))))
    known = {option for parameter in OURS["tocsin replay"].params for option in parameter.opts if option[0] == "-"}
    assert sorted(listed) == sorted(known)


def test_every_endpoint_is_listed_and_none_that_does_not_exist(readme: str) -> None:
    app = create_app(cast(ApiParts, None))
    paths = get_openapi(title=app.title, version=app.version, routes=app.routes)["paths"]
    known = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(names(table(readme, "`POST /v1/messages`"))) == known


def test_every_setting_is_listed_in_order(readme: str) -> None:
    assert names(table(readme, f"`{PREFIX}STORE_URL`")) == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


def test_the_defaults_listed_are_the_defaults(readme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    for name, default, _ in table(readme, f"`{PREFIX}STORE_URL`"):
        field = name.strip("`").removeprefix(PREFIX).lower()
        if default:
            shown = Settings(_env_file=None, **{field: default.strip("`")})  # type: ignore[call-arg,arg-type]
            assert getattr(shown, field) == getattr(settings, field), name
        else:
            assert getattr(settings, field) in (None, ()), name


def test_the_english_meaning_of_a_setting_is_the_one_in_the_code() -> None:
    for name, _, meaning in table(ENGLISH.read_text(), f"`{PREFIX}STORE_URL`"):
        field = Settings.model_fields[name.strip("`").removeprefix(PREFIX).lower()]
        assert meaning.replace("`", "") == (field.description or meaning).replace("`", ""), name


def test_every_metric_is_listed_with_its_labels(readme: str) -> None:
    known = {}
    for metric in vars(Metrics()).values():
        if hasattr(metric, "_labelnames"):
            (family,) = metric.describe()
            suffix = "_total" if family.type == "counter" else ""
            known[family.name + suffix] = set(metric._labelnames)
    rows = table(readme, "`tocsin_messages_accepted_total`")
    assert {row[0].strip("`"): set(re.findall(r"\w+", row[1])) for row in rows} == known


def test_every_target_of_make_is_listed_and_every_one_named_exists(readme: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text())) - {"help"}
    (line,) = re.findall(r"(?m)^Makefile +(.*)$", readme)
    assert set(re.findall(r"[a-z]+", line)) == targets
    named = set(re.findall(r"(?m)(?:^|`)make ([a-z]+)", readme))
    assert named and named <= targets


def test_every_folder_of_the_layout_exists(readme: str) -> None:
    (tree,) = re.findall(r"```\n(models/.*?)```", readme, re.DOTALL)
    parent = ROOT
    for line in tree.splitlines():
        name = line.split()[0]
        if name == "…":
            continue
        if not line.startswith(" "):
            parent = ROOT / name
            assert parent.exists(), name
        else:
            assert (parent / name).is_dir(), f"{parent.name}/{name}"


def test_every_package_stands_in_the_layout(readme: str) -> None:
    (tree,) = re.findall(r"```\n(models/.*?)```", readme, re.DOTALL)
    for package in ("models", "service"):
        for folder in sorted((ROOT / package).iterdir()):
            if (folder / "__init__.py").exists():
                assert f"  {folder.name}/" in tree, f"{package}/{folder.name}"


def test_commands_shown_are_commands_that_the_command_line_understands(readme: str) -> None:
    shown = 0
    for block in SHELL.findall(readme):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            found = re.search(r"\.venv/bin/(tocsin(?:-train)?) ([a-z]+)(.*)", line)
            if not found:
                continue
            program, name, rest = found.groups()
            if f"{program} {name}" not in OURS and program == "tocsin":  # a command of a group
                part, _, rest = rest.strip().partition(" ")
                name = f"{name} {part}"
            shown += 1
            if program == "tocsin-train":
                assert name in TRAINING
                continue
            options = {option for parameter in OURS[f"{program} {name}"].params for option in parameter.opts}
            assert {word for word in shlex.split(rest) if word.startswith("--")} <= options
    assert shown >= 3


def test_links_lead_somewhere(readme: str) -> None:
    heads = {
        re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in re.findall(r"(?m)^#+ (.*)", readme)
    }
    for target in re.findall(r"\]\(([^)]+)\)", readme):
        if target.startswith("#"):
            assert target[1:] in heads
        elif not target.startswith("https://"):
            assert (ROOT / target).is_file()


def test_both_pages_show_the_same_commands_and_answers() -> None:
    blocks = re.compile(r"```(?:sh|json)\n.*?```", re.DOTALL)
    assert blocks.findall(ENGLISH.read_text()) == blocks.findall(CHINESE.read_text())


def test_both_pages_have_the_same_parts() -> None:
    def shape(text: str) -> list[tuple[int, int]]:
        parts = re.split(r"(?m)^(?=#+ )", text)[1:]
        return [(len(re.match("#+", part)[0]), len(re.findall(r"(?m)^\|", part))) for part in parts]  # type: ignore[index]

    assert shape(ENGLISH.read_text()) == shape(CHINESE.read_text())


def test_the_chinese_page_is_in_chinese() -> None:
    text = re.sub(r"```.*?```", "", CHINESE.read_text(), flags=re.DOTALL)
    assert [row for rows in tables(text) for row in rows if not HAN.search(row[-1])] == []
    assert [head for head in re.findall(r"(?m)^##+ (.*)", text) if not HAN.search(head)] == []
    prose = [part for part in text.split("\n\n") if part.strip() and not part.startswith(("|", "#", "["))]
    assert [part for part in prose if not HAN.search(part)] == []
