"""Hosts told apart: a leader whose network is cut off loses the lead, and does not lead when it is back."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import RedisError

from service.clock import sleep_until
from service.store import keys
from tests.flows.conftest import Stage, free_port

LEASE = keys.lease("judge")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A network namespace, which sees this one at ``address`` by a cable that can be pulled."""

    name: str
    cable: str
    address: str

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def plug(self, state: str) -> None:
        ip("link", "set", self.cable, state)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    mark = os.getpid() % 60_000
    net = f"10.{200 + mark // 16_384}.{mark // 64 % 256}.{mark % 64 * 4}".rsplit(".", 1)
    here, there = f"{net[0]}.{int(net[1]) + 1}", f"{net[0]}.{int(net[1]) + 2}"
    one = Elsewhere(f"tocsin{mark}", f"tcs{mark}", here)
    ip("netns", "add", one.name)
    try:
        ip("link", "add", one.cable, "type", "veth", "peer", "name", "out", "netns", one.name)
        ip("addr", "add", f"{here}/30", "dev", one.cable)
        ip("-n", one.name, "addr", "add", f"{there}/30", "dev", "out")
        ip("-n", one.name, "link", "set", "out", "up")
        one.plug("up")
        yield one
    finally:
        ip("netns", "del", one.name)


@pytest.fixture
def apart(tmp_path: Path, encoder_folder: Path) -> Iterator[tuple[Stage, Elsewhere]]:
    """A stage on a server of its own, and a place from which it is reached by a cable."""
    program = shutil.which("redis-server")
    if os.geteuid() != 0 or shutil.which("ip") is None or program is None:
        pytest.skip("needs root, iproute2 and redis-server")
    try:
        with elsewhere() as place:
            port = free_port()
            words = ["--port", str(port), "--bind", place.address, "--protected-mode", "no", "--save", ""]
            server = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
            stage = Stage(f"redis://{place.address}:{port}", tmp_path, encoder_folder, free_port())
            try:
                assert sleep_until(lambda: server.poll() is not None or answers(stage), seconds=30)
                yield stage, place
            finally:
                stage.end()
                server.terminate()
                server.wait()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error}")


def answers(stage: Stage) -> bool:
    try:
        return bool(stage.redis().ping())
    except RedisError:
        return False


def test_a_leader_that_is_cut_off_stands_by_when_it_is_back(apart: tuple[Stage, Elsewhere]) -> None:
    stage, place = apart
    stage.settings = {"TOCSIN_TIME": "event"}
    stage.prefix = place.prefix
    stage.start("judge")
    stage.wait(lambda: stage.redis().get(LEASE) is not None)
    first = stage.redis().get(LEASE)
    stage.prefix = ()
    stage.start("judge")
    stage.wait(lambda: len(stage.redis().keys(keys.metrics("judge-*"))) == 2)
    place.plug("down")
    stage.wait(lambda: stage.redis().get(LEASE) not in (None, first))
    second = stage.redis().get(LEASE)
    place.plug("up")
    stage.wait(lambda: "standing by" in stage.log("judge"), seconds=90)
    assert stage.redis().get(LEASE) == second
    for process in stage.processes:
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
