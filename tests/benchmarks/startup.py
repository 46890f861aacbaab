"""A part of `make bench`: how soon the command line and the service are there, and what each role holds then.

By the clock, and by processor time (of the process and those it waited for): on a busy machine the second is what an idle
one would take. The encoder is prepared before anything is measured.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import httpx

from service.settings import load_settings
from service.wiring import build_embedder
from tests.benchmarks.figure import Figure
from tests.benchmarks.ingest import free_port, processor

HELPS, STARTS = 9, 3


def figures() -> list[Figure]:
    build_embedder(load_settings())
    bare, helps = [], []
    for _ in range(HELPS):
        bare.append(spent(["-c", "pass"]))
        helps.append(spent(["-m", "service", "--help"]))
    starts = [started() for _ in range(STARTS)]
    clock, processor = (median(one[row] for one in helps) for row in (0, 1))
    empty = median(one[0] for one in bare)
    ready, taken, held = median(one[0] for one in starts), median(one[1] for one in starts), starts[-1][2]
    return [
        Figure("tocsin --help", clock, "s", goal=0.3, sense="most", note=f"{processor:.2f} s of the processor"),
        Figure("tocsin --help", clock, "s", clock / empty, f"an empty Python ({empty:.2f})"),
        Figure(
            "tocsin serve until /readyz says 200",
            ready,
            "s",
            goal=5.0,
            sense="most",
            note=f"{taken:.1f} s of the processor",
        ),
        *(Figure(f"memory of {role}, as it starts", mb, "MB") for role, mb in held.items()),
    ]


def spent(arguments: list[str]) -> tuple[float, float]:
    """Seconds by the clock and of the processor that a Python takes."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def started() -> tuple[float, float, dict[str, int]]:
    """Seconds from the start of `tocsin serve` to its readiness, those of the processor that all its processes took by
    then, and what each holds a little later."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        port, begun = free_port(), time.perf_counter()
        command = [sys.executable, "-m", "service", "serve", "--port", str(port), "--data-dir", folder]
        service = subprocess.Popen(command, env=os.environ | {"TOCSIN_LOG_LEVEL": "warning"}, stderr=subprocess.DEVNULL)
        try:
            while True:
                with suppress(httpx.TransportError):
                    if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                        break
                if time.perf_counter() - begun > 120:
                    raise TimeoutError("the service was not ready within two minutes")
                time.sleep(0.02)
            wall = time.perf_counter() - begun
            own = sum(processor(pid) for pid in (service.pid, *children(service.pid)))
            time.sleep(5)  # the other roles come up beside the API
            return wall, own, resident(service.pid)
        finally:
            service.terminate()
            service.wait()


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def resident(parent: int) -> dict[str, int]:
    """Megabytes by role of the processes that ``parent`` started."""
    found = {}
    for child in children(parent):
        words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        role = words[3] if words[1:3] == ["-m", "service"] else "store"
        status = Path(f"/proc/{child}/status").read_text()
        found[role] = int(status.split("VmRSS:")[1].split()[0]) // 1_024
    return found
