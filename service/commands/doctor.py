"""`tocsin doctor`: look at the machine and the settings, and say what to mend."""

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.errors import TocsinError
from service.settings import Settings, load_settings
from service.store.embedded import EmbeddedStore, EmbeddedStoreError, running_url
from service.store.redis import Store

_LEAST_DISK = 1 << 30  # the prepared encoder takes 310 MB, the store grows with the messages
_LEAST_MEMORY = 2 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether it holds, what was seen, what to do where it does not."""

    what: str
    good: bool
    seen: str
    fix: str = ""


def run() -> int:
    """Print every finding; status 1 where something must be mended."""
    settings = load_settings()
    checks: list[Callable[[Settings], Finding]] = [
        _disk,
        _memory,
        _encoder,
        _store,
        _port,
        _keys,
        _receivers,
        _mappings,
    ]
    findings = [check(settings) for check in checks]
    table = Table("", "check", "seen", "what to do", show_edge=False)
    for finding in findings:
        mark = Text("ok", style="green") if finding.good else Text("mend", style="bold red")
        table.add_row(mark, finding.what, finding.seen, finding.fix)
    Console().print(table)
    return 0 if all(finding.good for finding in findings) else 1


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    fix = "" if free >= _LEAST_DISK else "free 1 GB, or set TOCSIN_DATA_DIR and TOCSIN_CACHE to a larger disk"
    return Finding("disk", free >= _LEAST_DISK, f"{free / 1e9:.1f} GB free at {folder}", fix)


def _memory(_: Settings) -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fix = "" if total >= _LEAST_MEMORY else "2 GB are needed for encoder, store and discovery"
    return Finding("memory", total >= _LEAST_MEMORY, f"{total / 1e9:.1f} GB", fix)


def _encoder(settings: Settings) -> Finding:
    from models.encoder.errors import EncoderError
    from service.wiring import build_embedder

    try:
        embedder = build_embedder(settings)
        begun = time.perf_counter()
        embedder.embed(["充不进电，刚买三天", "it stopped charging after three days"])
    except (EncoderError, OSError, ValueError) as error:
        return Finding("encoder", False, type(error).__name__, str(error))
    return Finding("encoder", True, f"{embedder.name}, 2 texts in {1_000 * (time.perf_counter() - begun):.0f} ms")


def _store(settings: Settings) -> Finding:
    url = settings.store_url or running_url(settings.data_dir)
    try:
        if url is not None:
            return Finding("store", True, asyncio.run(_about(url)))
        with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder)) as store:
            return Finding("store", True, f"embedded {asyncio.run(_about(store.url))}")
    except (TocsinError, EmbeddedStoreError) as error:
        return Finding("store", False, "does not answer", f"{error}; see TOCSIN_STORE_URL")


async def _about(url: str) -> str:
    store = Store.connect(url)
    try:
        await store.ping()
        about = await store.client.info("server")
        kind = about.get("server_name") or "redis"
        return f"{kind} {about.get('valkey_version') or about.get('redis_version')}"
    finally:
        await store.close()


def _port(settings: Settings) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Finding(
                "port", False, f"{settings.host}:{settings.port} {error.strerror}", "set TOCSIN_PORT to a free one"
            )
    return Finding("port", True, f"{settings.host}:{settings.port} is free")


def _receivers(settings: Settings) -> Finding:
    from service.wiring import build_receivers

    try:
        found = build_receivers(settings, os.environ)
    except ValueError as error:
        return Finding("receivers", False, "cannot be used", str(error))
    names = ", ".join(f"{one.name} ({one.kind})" for one in found)
    return Finding("receivers", True, names or "nobody is told; see TOCSIN_RECEIVERS")


def _mappings(settings: Settings) -> Finding:
    from service.pipeline.mapping import all_mappings

    try:
        return Finding("mappings", True, ", ".join(all_mappings(settings.mappings, os.environ)))
    except TocsinError as error:
        return Finding("mappings", False, "cannot be used", str(error))


def _keys(settings: Settings) -> Finding:
    if settings.auth_on and settings.admin_key is None:
        return Finding("keys", True, "asked for", "make one with 'tocsin keys make NAME --scope ingest'")
    if not settings.auth_on and not settings.loopback:
        return Finding("keys", False, f"not asked for on {settings.host}", "set TOCSIN_AUTH=on")
    return Finding("keys", True, "asked for" if settings.auth_on else "not asked for (loopback)")
