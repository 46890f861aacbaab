"""A whole service in processes of its own, on a store of its own, over real HTTP."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import redis

from service.clock import sleep_until
from service.store.embedded import EmbeddedStore

HASH_KEY = "a secret of thirty-two characters"


@dataclass(slots=True)
class Stage:
    """Starts roles on one store, and kills them."""

    url: str
    folder: Path
    encoder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    connection: redis.Redis | None = None
    prefix: tuple[str, ...] = ()
    """What runs the roles that are started from now on, to have them elsewhere."""

    def start(self, role: str, **settings: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")} | {
            "TOCSIN_STORE_URL": self.url,
            "TOCSIN_HASH_KEY": HASH_KEY,
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_ENCODER": str(self.encoder),
            "TOCSIN_DATA_DIR": str(self.folder / "data"),
            **self.settings,
            **{f"TOCSIN_{name.upper()}": value for name, value in settings.items()},
        }
        with (self.folder / f"{role}.log").open("ab") as log:
            command = [*self.prefix, sys.executable, "-m", "service", role]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client, once the API answers."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as client:
            assert sleep_until(lambda: _answers(client), seconds=60, every=0.1), self.log("api")
            yield client

    def redis(self) -> redis.Redis:
        self.connection = self.connection or redis.Redis.from_url(self.url)
        return self.connection

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def log(self, role: str) -> str:
        path = self.folder / f"{role}.log"
        return path.read_text() if path.exists() else ""

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def wait(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        assert sleep_until(holds, seconds=seconds, every=0.1), self.logs()

    def end(self) -> None:
        if self.connection is not None:
            self.connection.close()
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Iterator[Stage]:
    """One stage for the tests of a file that leave one another alone."""
    yield from _stage(tmp_path_factory.mktemp("stage"), encoder_folder)


@pytest.fixture
def stage(tmp_path: Path, encoder_folder: Path) -> Iterator[Stage]:
    yield from _stage(tmp_path, encoder_folder)


def _stage(folder: Path, encoder: Path) -> Iterator[Stage]:
    with EmbeddedStore(folder / "store") as store:
        stage = Stage(store.url, folder, encoder, free_port())
        try:
            yield stage
        finally:
            stage.end()
