"""``tocsin-train adapter``: train the intent adapter, score it before and after on sets it did not see."""

import csv
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from models.embed import Centring, Vectors, language_of
from models.encoder.prepare import prepare
from models.sentence import TorchEmbedder
from training.adapter import Recipe, save, train
from training.grouping import grouping
from training.intents import Source, read_labelled, read_own

DEFAULT_CACHE = Path("~/.cache/tocsin")

Judged = dict[str, tuple[list[str], list[str]]]
"""Texts and their labels, by the name of the set."""


def command(
    out: Annotated[Path, typer.Argument(help="Folder to write the adapter to.")],
    name: Annotated[str, typer.Option(help="Name in the manifest and in the encoder's revision.")] = "intent",
    labelled: Annotated[
        list[str] | None,
        typer.Option(help="CSV with text and label to train on, and its licence: PATH=CC-BY-4.0."),
    ] = None,
    own: Annotated[bool, typer.Option(help="Train on the project's own wordings too.")] = True,
    judge: Annotated[list[Path] | None, typer.Option(help="CSV with text and label to score on.")] = None,
    seed: Annotated[int, typer.Option(help="Of the batches and of the first values.")] = 0,
    steps: Annotated[int, typer.Option(help="Batches to train on.")] = Recipe().steps,
    cache: Annotated[Path, typer.Option(help="Folder of the prepared encoder.")] = DEFAULT_CACHE,
) -> None:
    """Train a low-rank adapter that draws messages of one issue together, in Chinese and English."""
    sources = [*map(source_of, labelled or []), *([read_own()] if own else [])]
    if not sources:
        raise typer.BadParameter("nothing to train on: name a set with --labelled, or leave --own on")
    judged = {_name(path): _read(path) for path in judge or []}
    folder = prepare(cache.expanduser(), adapter=None)
    recipe = replace(Recipe(), seed=seed, steps=steps)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=steps)
        encoder = train(
            folder,
            sources,
            recipe,
            lambda step, loss: bar.update(task, completed=step, description=f"training, loss {loss:.2f}"),
        )
    before = TorchEmbedder(folder)
    scores = {
        label: {
            "before": _score(before.embed(texts), texts, labels),
            "after": _score(encoder.embed(texts), texts, labels),
        }
        for label, (texts, labels) in judged.items()
    }
    save(out, encoder, name=name, recipe=recipe, sources=sources, scores=scores)
    for label, score in scores.items():
        typer.echo(f"{label}: {score['before']} -> {score['after']}")
    typer.echo(f"{out}: {sum(path.stat().st_size for path in out.iterdir()) // 1024} KiB")


def source_of(given: str) -> Source:
    """The set of ``PATH=LICENCE``. Raises `typer.BadParameter` where no licence is named."""
    path, separator, licence = given.rpartition("=")
    if not separator or not licence:
        raise typer.BadParameter(f"{given} names no licence: weights made from it could not be passed on")
    return read_labelled(Path(path), name=_name(Path(path)), licence=licence)


def _name(path: Path) -> str:
    return path.parent.name if path.stem == "data" else path.stem


def _read(path: Path) -> tuple[list[str], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    return [text for text, _ in rows], [label for _, label in rows]


def _score(vectors: Vectors, texts: list[str], labels: list[str]) -> dict[str, float]:
    """Grouping of vectors centred by language, as the service uses them."""
    languages = [language_of(text) for text in texts]
    return asdict(grouping(Centring.fit(vectors, languages).apply(vectors, languages), labels))
