"""The commands of the compose file and the image, run apart on one store as the containers would run them."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from service.clock import sleep_until
from service.settings import PREFIX
from service.store.embedded import EmbeddedStore

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SECRETS = {
    f"{PREFIX}ADMIN_KEY": "an invented key with every scope",
    f"{PREFIX}HASH_KEY": "an invented secret of the hashes",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(given: dict[str, str | None], replaced: dict[str, str]) -> dict[str, str]:
    """What a container sees: nothing of ours but what the compose file and the image give."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    named = {name: SECRETS[name] if value and "${" in value else value for name, value in given.items() if value}
    return clean | named | replaced


@dataclass(frozen=True, slots=True)
class Running:
    api: httpx.Client
    roles: dict[str, subprocess.Popen[bytes]]


@pytest.fixture
def running(tmp_path: Path, encoder_folder: Path) -> Iterator[Running]:
    """Every role of the compose file, and a client of its API."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    port = free_port()
    roles: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        store = stack.enter_context(EmbeddedStore(tmp_path / "store", durable=False))
        replaced = {
            f"{PREFIX}STORE_URL": store.url,
            f"{PREFIX}PORT": str(port),
            f"{PREFIX}CACHE": str(encoder_folder.parents[1]),
            f"{PREFIX}DATA_DIR": str(tmp_path / "data"),
        }
        for name in ("api", "worker", "judge", "deliver"):
            words = services[name]["command"]
            roles[name] = process = subprocess.Popen(
                [str(BIN / words[0]), *words[1:]],
                env=environment(services[name]["environment"], replaced),
                stdin=subprocess.DEVNULL,
                cwd=tmp_path,
            )
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert sleep_until(lambda: health_check(port), seconds=120, every=0.5)
            yield Running(client, roles)


def health_check(port: int) -> bool:
    """The image's own health check."""
    found = re.search(r'CMD \["python", "-c", "([^"]+)"\]', (ROOT / "Dockerfile").read_text())
    assert found
    check = found[1].replace("8765", str(port))
    return subprocess.run([sys.executable, "-c", check], stderr=subprocess.DEVNULL).returncode == 0


def test_the_roles_run_apart_on_one_store_count_a_message_and_end_when_asked(running: Running) -> None:
    api = running.api
    message = {"text": "耳机左边没有声音", "customer_id": "c1", "source": "chatbot", "id": "m1"}
    assert api.post("/v1/messages", json=message).status_code == 401
    key = {"Authorization": f"Bearer {SECRETS[f'{PREFIX}ADMIN_KEY']}"}
    assert api.post("/v1/messages", json=message, headers=key).json()["accepted"] == 1
    status = {}

    def counted() -> bool:
        status.update(api.get("/v1/status", headers=key).json())
        return status["waiting"] == 0

    assert sleep_until(counted, seconds=120, every=0.2)
    assert status["dead"] == 0
    assert status["without_topic"] == 1
    assert {name: role.poll() for name, role in running.roles.items()} == dict.fromkeys(running.roles)
    for role in running.roles.values():
        role.terminate()
    # The server of the api ends what it serves and then lets the signal end it too.
    assert {role.wait(60) for role in running.roles.values()} <= {0, -signal.SIGTERM}
