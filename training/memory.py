"""Whether there is memory enough: asked before the work begins, and told where it ran out all the same."""

import resource
from collections.abc import Iterator
from pathlib import Path

ENOUGH, TUNING, A_MESSAGE = 600_000_000, 900_000_000, 20_000
"""Bytes that a retraining takes beyond what it begins with: at least, more to tune, and more for each message. Measured
by `tocsin-train retrain`, which tells its peak after every step."""

_SIGNS = ("allocate memory", "allocation", "bad_alloc", "out of memory")
"""What torch, ONNX Runtime and the system say where there is none left; each has an exception of its own for it."""

_MEMINFO, _STATUS = Path("/proc/meminfo"), Path("/proc/self/status")
_GROUP = Path("/sys/fs/cgroup")
_GROUPS = (
    (_GROUP / "memory.max", _GROUP / "memory.current", _GROUP / "memory.stat", "inactive_file"),
    (
        _GROUP / "memory/memory.limit_in_bytes",
        _GROUP / "memory/memory.usage_in_bytes",
        _GROUP / "memory/memory.stat",
        "total_inactive_file",
    ),
)
"""Of control groups, version 2 and 1: the limit, what is used, and where it says how much of that is cached files."""


class MemoryShort(Exception):
    """There is too little for what is asked; says how much there is and what to do."""


def check(messages: int, *, tuned: bool) -> None:
    """Raises `MemoryShort` where less is left than so many messages take."""
    need, left = ENOUGH + tuned * TUNING + messages * A_MESSAGE, available()
    if left < need:
        leaner = "--no-tune, or a smaller --most" if tuned else "a smaller --most"
        told = f"{messages} messages take {need / 1e9:.1f} GB of memory, and {left / 1e9:.1f} are left"
        raise MemoryShort(f"{told}; free some, or run it again with {leaner}")


def available() -> int:
    """Bytes that this process may still take: of the machine, of its control group, of its own limit."""
    return max(0, min(_left()))


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that the memory is used up.

    >>> is_exhausted(RuntimeError("unable to mmap 24 bytes: Cannot allocate memory (12)")), is_exhausted(ValueError("no"))
    (True, False)
    """
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _SIGNS)


def _left() -> Iterator[int]:
    yield _kilobytes(_MEMINFO, "MemAvailable") * 1024
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield limit - _kilobytes(_STATUS, "VmSize") * 1024
    for most, used, stat, cached in _GROUPS:
        if (said := _said(most)).isdigit():
            files = next((line.split()[1] for line in _said(stat).splitlines() if line.startswith(f"{cached} ")), "0")
            yield int(said) - int(_said(used) or 0) + int(files)  # files that are cached give way


def _kilobytes(path: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(f"{name}:"))


def _said(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
