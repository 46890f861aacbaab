"""`tocsin serve`: the store and every role, as one group of processes that live and end together."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from service.clock import sleep_until
from service.errors import Conflict
from service.settings import Settings, environment_of, load_settings
from service.store.embedded import EmbeddedStore
from service.wiring import build_receivers, hash_key_of

_PR_SET_PDEATHSIG = 1  # prctl(2)


def serve(
    *, host: str | None = None, port: int | None = None, data_dir: Path | None = None, **overrides: object
) -> int:
    """Serve until told to stop; answers the status to exit with."""
    settings = load_settings(host=host, port=port, data_dir=data_dir, **overrides)
    console = Console(stderr=True)
    stop = _Stop()
    with Group(settings, console) as group:
        group.say_hello()
        while not stop.asked:
            sleep_until(lambda: stop.asked, seconds=1.0, every=0.1)
            group.mend()
    return 0


class Group:
    """The processes of one `serve`; used by the demo too. ``with Group(...) as group`` starts and ends them."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings if settings.port else settings.model_copy(update={"port": _free_port(settings.host)})
        self._console = console
        self._stack = ExitStack()
        self._roles: dict[str, list[str]] = {
            "api": ["api"],
            **{f"api-{n}": ["api"] for n in range(1, self.settings.apis)},
            **{f"worker-{n}": ["worker"] for n in range(self.settings.workers)},
            "judge": ["judge"],
            "deliver": ["deliver"],
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment: dict[str, str] = {}
        self._waits: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def __enter__(self) -> "Group":
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return f"http://{'127.0.0.1' if self.settings.host == '0.0.0.0' else self.settings.host}:{self.settings.port}"  # noqa: S104

    def pid(self, role: str) -> int:
        """Process id of a role, as ``worker-0``."""
        return self._processes[role].pid

    def mend(self) -> None:
        """Start again what has ended by itself, each time after twice the wait, up to a minute."""
        now = time.monotonic()
        for role, process in list(self._processes.items()):
            status = process.poll()
            if status is None or now < self._not_before.get(role, 0.0):
                continue
            wait = min(60.0, 2 * self._waits.get(role, 0.5))
            self._waits[role], self._not_before[role] = wait, now + wait
            self._console.print(f"{role} ended with status {status}; starting it again", style="yellow")
            self._spawn(role)

    def say_hello(self) -> None:
        settings = self.settings
        self._console.print(f"Tocsin listens on [bold]{self.url}[/bold] (page, API); stop with Ctrl-C")
        where = settings.store_url.split("@")[-1] if settings.store_url else str(settings.data_dir)
        self._console.print(
            f"store: {where}; keys are {'asked for' if settings.auth_on else 'not asked for (loopback)'}"
        )

    def _start(self) -> None:
        from service.commands.prepare import ensure_encoder

        build_receivers(self.settings, os.environ)  # what cannot be used is told now, and not by a role in its log
        ensure_encoder(self.settings, self._console)
        url = self.settings.store_url
        if url is None:
            url = self._stack.enter_context(EmbeddedStore(self.settings.data_dir)).url
        self._environment = _environment(self.settings, url)
        self._stack.callback(self._end)
        if self._answered():
            raise Conflict(f"port {self.settings.port} is taken; stop what listens there, or choose another")
        self._spawn("api")  # alone at first: what the other roles import would keep it from its first message
        if not sleep_until(self._listens, seconds=60, every=0.05):
            raise TimeoutError("the API did not come up within a minute; its log is above")
        for role in self._roles:
            if role != "api":
                self._spawn(role)

    def _spawn(self, role: str) -> None:
        self._processes[role] = subprocess.Popen(
            [sys.executable, "-m", "service", *self._roles[role]],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )

    def _end(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _listens(self) -> bool:
        if self._processes["api"].poll() is not None:
            raise TimeoutError("the API ended at its start; its log is above")
        return self._answered()

    def _answered(self) -> bool:
        """Whether anybody listens on the port."""
        host = "127.0.0.1" if self.settings.host == "0.0.0.0" else self.settings.host  # noqa: S104
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            return probe.connect_ex((host, self.settings.port)) == 0


def _environment(settings: Settings, url: str) -> dict[str, str]:
    """The roles read the same settings from the environment, with what this command added."""
    added = {
        "TOCSIN_STORE_URL": url,
        "TOCSIN_HASH_KEY": hash_key_of(settings).decode(),
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads of several roles would starve one another
    }
    return os.environ | environment_of(settings) | added


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class _Stop:
    """Whether a signal asked to stop."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True
