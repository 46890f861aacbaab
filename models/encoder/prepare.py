"""From the packaged weights to a folder that is ready to use: once, whole or not at all.

A folder is written beside its place under a passing name, its manifest last, and renamed. So a reader sees a
whole folder or none, whatever stops the writer; and a lock lets a second process wait for the first one's work.
"""

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.encoder import adapter as adapters
from models.encoder import folder as folders
from models.encoder import int8, prune, tokenizer, weights
from models.encoder.errors import FolderDamaged

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of all that is finished, 0 to 1."""

NAME = "multilingual-e5-small-zh-en"
RECIPE = 2
"""Raise it whenever this package makes other vectors of the same file; folders of older recipes are left alone."""

MANIFEST = "manifest.json"
INTENT = Path(__file__).with_name("intent")
"""The intent adapter that comes with the project, where there is one."""

_PARTIAL = ".partial-"


def ignore_progress(step: str, share: float) -> None:
    """A `Progress` that says nothing."""


def prepare(
    cache: Path,
    progress: Progress = ignore_progress,
    *,
    source: Path | None = None,
    adapter: Path | adapters.Adapter | None = INTENT,
) -> Path:
    """The folder of the default encoder under ``cache``, made now unless it is there already.

    Returns at once where it is whole; else takes some seconds and 600 MB of memory and leaves 310 MB on disk.
    ``source`` is the packaged file, by default the installed one; ``adapter`` one to merge, or a folder with one,
    None (or a folder that does not exist) for plain e5. Raises EncoderError with what to do, or OSError.
    """
    if isinstance(adapter, Path):
        adapter = adapters.load(adapter) if adapter.is_dir() else None
    place = cache / "encoder" / folder_name(adapter)
    if is_whole(place):
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with _locked(place.parent / ".lock"):
        if not is_whole(place):  # else another process made it meanwhile
            _make(place, source or weights.locate(), adapter, progress)
    return place


def folder_name(adapter: adapters.Adapter | None) -> str:
    """Name and revision in one: other weights never share a folder.

    >>> folder_name(None)
    'multilingual-e5-small-zh-en-r2'
    """
    return f"{NAME}-r{RECIPE}" + (f"-{adapter.name}-{adapter.sha256[:8]}" if adapter else "")


def embedder_name(adapter: adapters.Adapter | None) -> str:
    """What the embedder of the folder that `prepare` makes is called."""
    return f"{NAME}@{folder_name(adapter).removeprefix(f'{NAME}-')}"


def is_whole(folder: Path) -> bool:
    """True where the manifest, written last, is there and every file has the size it names.

    Sizes take microseconds and find what a crash leaves; `check` also reads the contents.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == entry["size"] for name, entry in manifest["files"].items())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError):
        return False


def check(folder: Path) -> None:
    """Compare every file with its checksum. Raises FolderDamaged with the first that differs."""
    fix = f"Delete {folder} and run `tocsin prepare`"
    if not is_whole(folder):
        raise FolderDamaged(f"{folder.name} is not a whole encoder folder", fix=fix)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for name, entry in manifest["files"].items():
        if _sha256(folder / name) != entry["sha256"]:
            raise FolderDamaged(f"{name} in {folder.name} has changed", fix=fix)


def _make(place: Path, source: Path, adapter: adapters.Adapter | None, progress: Progress) -> None:
    for left in place.parent.glob(f"{_PARTIAL}*"):  # of writers that were killed: the lock is ours
        shutil.rmtree(left)
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=place.parent))
    try:
        _write(partial, source, adapter, progress)
        if place.exists():  # damaged, or it would not be made anew
            shutil.rmtree(place)
        partial.rename(place)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    progress("ready", 1.0)


def _write(partial: Path, source: Path, adapter: adapters.Adapter | None, progress: Progress) -> None:
    # The shares are of 17 s on two cores, most of them spent on the last two steps.
    progress("reading the packaged weights", 0.0)
    packed = weights.read(source)
    progress("keeping Chinese and English", 0.05)
    ids = prune.kept(packed.vocabulary.pieces)
    vocabulary = prune.pruned(packed.vocabulary, ids)
    state = adapters.merged(weights.state_of(packed, ids), adapter)
    progress("writing the folder", 0.1)
    layers = adapter.layers if adapter else ()
    sizes = replace(packed.sizes, layers=len(layers)) if layers else packed.sizes
    prefix = "" if layers else folders.QUERY_PREFIX
    folders.write(partial, sizes, state, tokenizer.build(vocabulary), prefix=prefix)
    progress("making the int8 form", 0.2)
    int8.export(partial)
    progress("checking", 0.95)
    manifest = _manifest(partial, adapter)
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    _readable(partial)


def _manifest(folder: Path, adapter: adapters.Adapter | None) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "format": 1,
        "name": NAME,
        "revision": folder_name(adapter).removeprefix(f"{NAME}-"),
        "base": folders.HUB_ID,
        "license": "MIT",
        "source": {"package": weights.PACKAGE, "file": weights.FILE, "sha256": weights.SHA256},
        "adapter": {"name": adapter.name, "sha256": adapter.sha256} if adapter else None,
        "files": {
            str(path.relative_to(folder)): {"size": path.stat().st_size, "sha256": _sha256(path)} for path in files
        },
    }


def _readable(folder: Path) -> None:
    """Let every user read it: an image is built as root and run as somebody else."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file; wait for whoever holds it. The system frees it when its holder dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
