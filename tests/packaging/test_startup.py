"""What each process holds: heavy packages only where they are used. No clock is asked; imports are what start-up takes."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "sklearn",
    "hdbscan",
    "onnxruntime",
    "onnx",
    "pyarrow",
    "numba",
}
LOADED = "import sys; {}; print(*{{name for name in sys.modules}})"


def loaded(code: str) -> set[str]:
    """The modules of a fresh process after it ran ``code``."""
    done = subprocess.run([sys.executable, "-c", LOADED.format(code)], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_is_printed_without_anything_of_the_service() -> None:
    code = "from contextlib import suppress; sys.argv = ['tocsin', '--help']; from service.__main__ import main\n"
    modules = loaded(code + "with suppress(SystemExit): main()\n0")
    assert not modules & (HEAVY | {"numpy", "scipy", "fastapi", "pydantic", "redis", "httpx", "sqlalchemy", "opencc"})


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("import service.commands.roles, service.app, uvicorn", {"scipy.stats", "sqlalchemy", "opencc"}),
        ("import service.commands.roles, service.roles", {"scipy.stats", "sqlalchemy", "fastapi", "re2", "opencc"}),
        ("import service.commands.serve", {"scipy.stats", "sqlalchemy", "fastapi", "re2", "opencc"}),
    ],
    ids=["api", "roles", "serve"],
)
def test_a_process_holds_only_what_its_role_needs(code: str, more: set[str]) -> None:
    assert not loaded(code) & (HEAVY | more)
