"""What a retraining is asked for."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.bundle import read_manifest
from training.adapter import Recipe
from training.kept import Columns


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. ``recipe`` None leaves the encoder as it is."""

    file: Path | None
    columns: Columns
    live: Path | None
    out: Path
    cache: Path
    recipe: Recipe | None
    most: int
    workers: int = 0
    """Over which embedding and tuning are spread, by Ray; 0: neither."""
    cluster: str | None = None
    stretch: bool = True
    """Learn a map of the vectors from the labels."""

    def plan(self) -> dict[str, Any]:
        """All that decides the outcome: content of the files, columns and recipe."""
        return {
            "file": _sum_of(self.file) if self.file else None,
            "live": read_manifest(self.live).checksum if self.live else None,
            "columns": asdict(self.columns),
            "recipe": asdict(self.recipe) if self.recipe else None,
            "most": self.most,
            "stretch": self.stretch,
        }


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
