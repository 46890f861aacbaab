"""The Dockerfile and compose.yaml, read by parsers: what they name exists, and what they promise they hold."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from fastapi.routing import APIRoute
from typer.main import get_command

from service.__main__ import app as command_line
from service.api.health import router as health
from service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMMANDS = get_command(command_line).commands  # type: ignore[attr-defined]
ROLES = {"api", "worker", "judge", "deliver"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a Dockerfile, continuations joined: ``RUN`` and the rest."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        return yaml.safe_load(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)


def stages() -> list[list[Instruction]]:
    """The Dockerfile's stages, each from its FROM on."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text())
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if line.strip():
            instruction = Instruction(*line.strip().split(maxsplit=1))
            if instruction.name == "FROM":
                found.append([])
            found[-1].append(instruction)
    return found


def every(name: str, of: list[Instruction]) -> list[Instruction]:
    return [one for one in of if one.name == name]


def shell_commands(instructions: list[Instruction]) -> list[list[str]]:
    """The single commands of all RUN lines."""
    return [shlex.split(part) for run in every("RUN", instructions) for part in run.rest.split("&&")]


def setting(variable: str) -> str:
    """The setting's name; fails the test where there is none."""
    name = variable.removeprefix(PREFIX).lower()
    assert name in Settings.model_fields, f"{variable} is no setting"
    return name


def understood(words: list[str]) -> None:
    """Fails unless the command line knows this command and its options."""
    program, name, *rest = words
    assert program == "tocsin"
    assert name in COMMANDS, f"there is no command tocsin {name}"
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {word.split("=")[0] for word in rest if word.startswith("-")} <= known


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())  # type: ignore[no-any-return]


BUILD, FINAL = stages()
ALL = BUILD + FINAL


def test_both_stages_use_the_python_that_the_project_asks_for() -> None:
    images = [instruction.words[0] for instruction in every("FROM", ALL)]
    assert len(set(images)) == 1
    version = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", images[0])
    assert version and PYPROJECT["project"]["requires-python"] == f">={version[1]},<3.12"


def test_the_image_installs_the_torch_that_the_project_pins() -> None:
    pins = [line for line in PYPROJECT["project"]["dependencies"] if line.startswith("torch==")]
    installed = [words[-1] for words in shell_commands(BUILD) if words[:2] == ["pip", "install"]]
    assert installed[0] == pins[0]
    assert installed[1:] == [".", "."]


def test_what_the_image_runs_while_it_is_built_is_a_command_of_ours() -> None:
    ours = [words for words in shell_commands(ALL) if words[0] == "tocsin"]
    assert "prepare" in {words[1] for words in ours}
    for words in ours:
        understood(words)


def test_the_image_starts_a_command_with_options_that_exist() -> None:
    (command,) = every("CMD", FINAL)
    understood(command.words)


def test_the_image_does_not_run_as_root() -> None:
    *_, user = every("USER", FINAL)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.rest)


def test_the_health_check_asks_a_route_that_exists_on_the_port_that_is_exposed() -> None:
    (check,) = every("HEALTHCHECK", FINAL)
    (exposed,) = every("EXPOSE", FINAL)
    asked = re.search(r"http://[^']+", check.rest)
    assert asked
    url = urlsplit(asked[0])
    assert url.port == int(exposed.rest) == Settings.model_fields["port"].default
    assert url.path in {route.path for route in health.routes if isinstance(route, APIRoute)}


def test_every_setting_named_in_the_dockerfile_exists() -> None:
    named = re.findall(rf"{PREFIX}[A-Z_]+", (ROOT / "Dockerfile").read_text())
    assert {setting(name) for name in named} >= {"cache", "data_dir"}


def test_the_encoder_is_prepared_where_the_running_image_looks_for_it() -> None:
    def cache(of: list[Instruction]) -> set[str]:
        return {word for one in every("ENV", of) for word in one.words if word.startswith(f"{PREFIX}CACHE=")}

    assert cache(BUILD) == cache(FINAL) != set()
    (copied,) = [one.words for one in every("COPY", FINAL) if "--from=build" in one.words]
    assert cache(FINAL).pop().removeprefix(f"{PREFIX}CACHE=").startswith(f"{copied[-1]}/")


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    for instruction in every("COPY", ALL):
        sources = [word for word in instruction.words[:-1] if not word.startswith("--")]
        if "--from=build" in instruction.words:
            continue
        for source in sources:
            assert (ROOT / source).exists()
            verdict = [not rule.startswith("!") for rule in rules if fnmatch(source, rule.removeprefix("!"))]
            assert verdict and not verdict[-1], f"{source} is ignored by .dockerignore"


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint has no wheel for this platform")
    said = subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "style", "Dockerfile"], cwd=ROOT, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout


def test_every_service_of_the_compose_file_is_a_role_of_the_command_line(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if name != "store"}
    assert set(ours) == ROLES
    for name, service in ours.items():
        understood(service["command"])
        assert service["command"][1] == name


def test_every_setting_named_in_the_compose_file_exists(compose: dict[str, Any]) -> None:
    assert {setting(name) for name in re.findall(rf"{PREFIX}[A-Z_]+", (ROOT / "compose.yaml").read_text())}
    for name in ROLES:
        given = compose["services"][name]["environment"]
        fixed = {setting(key): value for key, value in given.items() if value and "${" not in value}
        assert Settings(_env_file=None, **fixed).store_url  # type: ignore[call-arg]


def test_the_roles_reach_the_store_that_the_compose_file_starts(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ROLES:
        url = urlsplit(services[name]["environment"][f"{PREFIX}STORE_URL"])
        assert (url.scheme, url.hostname, url.port) == ("redis", "store", 6379)
        assert services[name]["depends_on"] == {"store": {"condition": "service_healthy"}}


def test_the_secrets_have_to_be_given_and_reach_the_api_alone(compose: dict[str, Any]) -> None:
    secrets = {f"{PREFIX}HASH_KEY", f"{PREFIX}ADMIN_KEY"}
    for name in ROLES:
        given = compose["services"][name]["environment"]
        assert secrets & set(given) == (secrets if name == "api" else set())
    assert all(compose["services"]["api"]["environment"][key].startswith(f"${{{key}:?") for key in secrets)


def test_the_delivery_alone_is_given_the_receivers_and_their_secret(compose: dict[str, Any]) -> None:
    for word in ("RECEIVERS", "WEBHOOKS", "WEBHOOK_SECRET"):
        assert {name for name in ROLES if f"{PREFIX}{word}" in compose["services"][name]["environment"]} == {"deliver"}


def test_the_store_keeps_its_data_and_is_reached_from_inside_alone(compose: dict[str, Any]) -> None:
    store = compose["services"]["store"]
    options = dict(zip(store["command"][1::2], store["command"][2::2], strict=True))
    assert store["image"].startswith("valkey/valkey:")
    assert options == {"--appendonly": "yes", "--appendfsync": "everysec", "--maxmemory-policy": "noeviction"}
    assert [volume.split(":")[0] for volume in store["volumes"]] == list(compose["volumes"])
    assert "ports" not in store


def test_only_the_api_is_published_and_to_this_machine_alone(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    port = Settings.model_fields["port"].default
    assert published == {"api": [f"127.0.0.1:{port}:{port}"]}


def test_roles_without_a_port_are_not_asked_for_their_health_over_http(compose: dict[str, Any]) -> None:
    silent = {name for name, service in compose["services"].items() if service.get("healthcheck") == {"disable": True}}
    assert silent == ROLES - {"api"}


def test_no_role_can_gain_rights_or_write_to_its_image(compose: dict[str, Any]) -> None:
    for name in ROLES:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["image"] == compose["services"]["api"]["image"]
