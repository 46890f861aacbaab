"""A cluster of real servers on loopback: masters, a replica each, killed and started at will."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from service.clock import sleep_until

NODE_TIMEOUT = 1_000  # milliseconds without a word, after which a master counts as failed
_SLOTS = 16_384


class Node:
    """One server; ``port`` is also its name."""

    def __init__(self, folder: Path, port: int, host: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> None:
        self.port, self.host, self._folder, self._prefix = port, host, folder / str(port), prefix
        self._folder.mkdir()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            pytest.skip("redis-server is not installed; .ci/run installs it")
        options = {
            "bind": self.host,
            "port": self.port,
            "dir": self._folder,
            "save": "",
            "appendonly": "no",
            "cluster-enabled": "yes",
            "cluster-node-timeout": NODE_TIMEOUT,
            "cluster-replica-validity-factor": 0,
            "cluster-allow-replica-migration": "no",
            "repl-diskless-sync-delay": 0,
            "repl-ping-replica-period": 1,
            "protected-mode": "no",
        }
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*self._prefix, program, *words], stdout=log, stderr=log)

    def ask(self, *words: object) -> object:
        with redis.Redis(self.host, self.port, socket_timeout=5) as client:
            return client.execute_command(*words)

    def answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def end(self) -> None:
        if self.process is not None:
            self.kill()


class Loopback:
    """``masters`` nodes that share the slots, each with a replica where ``replicas``."""

    def __init__(self, folder: Path, masters: int = 3, *, replicas: bool = True) -> None:
        count = masters * (2 if replicas else 1)
        self.nodes = [Node(folder, port) for port in free_ports(count)]
        assert sleep_until(lambda: all(node.answers() for node in self.nodes), seconds=30)
        self.masters, spare = self.nodes[:masters], self.nodes[masters:]
        bounds = [_SLOTS * n // masters for n in range(masters + 1)]
        for node, first, end in zip(self.masters, bounds, bounds[1:], strict=False):
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            self.nodes[0].ask("CLUSTER", "MEET", node.host, node.port)
        self._settled(self.nodes)
        names = [node.ask("CLUSTER", "MYID") for node in self.masters]
        assert sleep_until(lambda: all(self._knows(node, count) for node in self.nodes), seconds=30)
        for node, name in zip(spare, names, strict=False):
            node.ask("CLUSTER", "REPLICATE", name)
        self.replica_of = dict(zip((node.port for node in self.masters), spare, strict=False))
        assert sleep_until(lambda: all(self._followed(node) for node in self.masters[: len(spare)]), seconds=30)
        self._settled(self.nodes)

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"{node.host}:{node.port}" for node in self.nodes)

    def holder(self, key: str) -> Node:
        """The living master of a key."""
        slot = next(int(str(node.ask("CLUSTER", "KEYSLOT", key))) for node in self.alive)
        for first, end, master, *_ in self.alive[0].ask("CLUSTER", "SLOTS"):  # type: ignore[attr-defined]
            if first <= slot <= end:
                return next(node for node in self.nodes if node.port == master[1])
        raise AssertionError(f"nobody holds {key}")

    @property
    def alive(self) -> list[Node]:
        return [node for node in self.nodes if node.process is not None]

    def count(self, pattern: str) -> dict[int, int]:
        """How many keys of a pattern lie at each master, by port."""
        found = {}
        for node in self.alive:
            about = node.ask("INFO", "replication")
            if isinstance(about, dict) and about["role"] == "master":
                found[node.port] = len(node.ask("KEYS", pattern))  # type: ignore[arg-type]
        return found

    def end(self) -> None:
        for node in self.nodes:
            node.end()

    def _settled(self, nodes: list[Node]) -> None:
        assert sleep_until(lambda: all(_state(node) == "ok" for node in nodes), seconds=30), [_state(n) for n in nodes]

    @staticmethod
    def _knows(node: Node, count: int) -> bool:
        about = node.ask("CLUSTER INFO")
        return isinstance(about, dict) and int(about["cluster_known_nodes"]) == count

    @staticmethod
    def _followed(node: Node) -> bool:
        about = node.ask("INFO", "replication")
        return isinstance(about, dict) and about["connected_slaves"] == 1 and about["slave0"]["state"] == "online"


def _state(node: Node) -> str:
    about = node.ask("CLUSTER INFO")
    return str(about["cluster_state"]) if isinstance(about, dict) else "unknown"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, with those of the cluster's bus (10,000 above) free too."""
    found: list[int] = []
    probes = []
    while len(found) < count:
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        probes.append(probe)
        port = probe.getsockname()[1]
        with socket.socket() as bus:
            if port < 55_000 and bus.connect_ex(("127.0.0.1", port + 10_000)) != 0:
                found.append(port)
        if len(probes) > 2_000:
            raise AssertionError("no free ports")
    for probe in probes:
        probe.close()
    return found


@contextmanager
def loopback(folder: Path, masters: int = 3, *, replicas: bool = True) -> Iterator[Loopback]:
    cluster = Loopback(folder, masters, replicas=replicas)
    try:
        yield cluster
    finally:
        cluster.end()
