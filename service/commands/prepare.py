"""`tocsin prepare`: make the default encoder ready, with a progress bar."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from models.encoder.prepare import prepare
from service.settings import Settings, load_settings


def run(cache: Path | None = None) -> Path:
    """Prepare the encoder under ``cache`` and print where it lies. Raises EncoderError."""
    folder = prepare_shown(cache.expanduser() if cache else load_settings().cache, Console(stderr=True))
    Console().print(f"The encoder is ready in {folder}", soft_wrap=True)
    return folder


def prepare_shown(cache: Path, console: Console) -> Path:
    """`prepare` with a bar on ``console``; nothing is shown where there is nothing to do."""
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("encoder", total=1.0, visible=False)

        def show(step: str, share: float) -> None:
            bar.update(task, description=step, completed=share, visible=True)

        return prepare(cache, show)


def ensure_encoder(settings: Settings, console: Console) -> None:
    """Prepare the packaged encoder at first use; nothing to do where the settings name another."""
    if settings.encoder is None:
        prepare_shown(settings.cache, console)
