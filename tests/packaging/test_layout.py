"""What lies where: the top level, the direction of imports, and nothing that only works on one machine."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    *("service", "models", "training", "tests", "pyproject.toml", "Dockerfile", "README.md"),
    # What tools and people look for by name.
    "docs",  # the pictures and further pages of the READMEs, and the OpenAPI document
    *("README.zh-CN.md", "CHANGELOG.md", "LICENSE", "NOTICE", "Makefile", "compose.yaml"),
    *(".ci", ".github", ".gitignore", ".gitattributes", ".dockerignore", ".editorconfig", ".pre-commit-config.yaml"),
}
# In pieces, so that this file holds none of them.
HOSTS = [
    *("pypi" + ".org", "python" + "hosted.org", "download.py" + "torch.org", "registry.npm" + "js.org"),
    *("deb.de" + "bian.org", "docker" + ".io", "ghcr" + ".io", "crates" + ".io", "proxy.go" + "lang.org"),
]
HOST = re.compile("|".join(map(re.escape, HOSTS)))
MACHINE_PATH = re.compile(r"(?<![\w./$}*\-])/(?:work|root|home|Users|tmp)/[\w.]")


def tracked() -> list[Path]:
    """Every file that git tracks and that is there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    found = [ROOT / name for name in listed.decode().split("\0") if name]
    assert found
    return [path for path in found if path.is_file()]


def text_of(path: Path) -> str:
    """The file's text, or nothing for one that is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= ALLOWED


def test_docs_hold_only_what_a_readme_shows_or_leads_to() -> None:
    shown = "".join((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    for path in tracked():
        if path.relative_to(ROOT).parts[0] == "docs":
            assert path.suffix in {".png", ".svg", ".json", ".md"}
            assert f"({path.relative_to(ROOT)})" in shown, path.name


def test_no_file_names_the_host_of_a_registry() -> None:
    assert places(HOST) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert places(MACHINE_PATH) == []


@pytest.mark.parametrize("folder", ["work", "tmp", "root", "home"])
@pytest.mark.parametrize("line", ["cp {}/main/x .", 'open("{}/report")', "see {}/.cache"])
def test_a_path_of_one_machine_is_recognised(line: str, folder: str) -> None:
    assert MACHINE_PATH.search(line.format(f"/{folder}"))


@pytest.mark.parametrize("line", ["tmpfs: [/tmp, /data]", "https://host/home/page", "GET /v1/home/x", "${HOME}/work/x"])
def test_what_only_looks_like_a_path_of_one_machine_is_let_through(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def test_tests_are_no_package_so_that_they_hide_none() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_module_at_the_first_level_hides_one_of_the_standard_library() -> None:
    for package in ("service", "models", "training"):
        inside = {path.stem for path in (ROOT / package).iterdir() if path.suffix == ".py" or path.is_dir()}
        assert inside & sys.stdlib_module_names <= {"__init__", "__main__"}, package


def test_imports_go_in_the_directions_that_were_agreed() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_torch_is_spelled_alike_wherever_it_is_installed() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (pin,) = [line for line in dependencies if line.startswith("torch")]
    assert re.fullmatch(r"torch==[\d.]+", pin)
    for name in ("Makefile", "Dockerfile"):
        assert re.findall(r"torch==[\d.]+", (ROOT / name).read_text()) == [pin], name


def test_every_target_of_make_is_understood_by_make() -> None:
    targets = re.findall(r"(?m)^([a-z]+):.*## ", (ROOT / "Makefile").read_text())
    assert {"setup", "demo", "test", "check", "bench", "serve", "prepare", "clean", "help"} <= set(targets)
    for target in targets:
        said = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
        assert said.returncode == 0, said.stderr


def test_one_run_of_the_demo_is_asked_for_by_one_variable() -> None:
    for given, passed in ((["ONCE=1"], True), ([], False)):
        said = subprocess.run(["make", "--dry-run", "demo", *given], cwd=ROOT, capture_output=True, text=True)
        (line,) = [line for line in said.stdout.splitlines() if "/tocsin demo" in line]
        assert ("--once" in line) is passed


def test_the_script_of_ci_is_sound_and_runs_the_checks_and_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True).returncode == 0
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert [line for line in lines if line.startswith("make ")] == ["make setup", "make check", "make test"]
    assert "set -euo pipefail" in lines


def test_hooks_run_the_tools_of_the_environment_and_fetch_nothing() -> None:
    yaml = pytest.importorskip("yaml")
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [one["repo"] for one in repositories] == ["local"]
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


def test_the_changelog_has_a_type_on_every_line() -> None:
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("-")]
    assert lines
    assert [line for line in lines if not re.match(r"- \[(FEATURE|CHANGE|BUGFIX|SECURITY|REMOVED)\] \S", line)] == []


def test_the_licence_is_the_one_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert all((ROOT / name).is_file() for name in project["license-files"])
