"""``tocsin-train shorten``: an encoder of fewer layers that says what the whole one says, as one adapter."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from models.encoder import adapter as adapters
from models.encoder.prepare import prepare
from training.adapter import data_of, publish
from training.commands.adapter import DEFAULT_CACHE, source_of
from training.intents import WIDER, read_own
from training.leaning import sentences
from training.lowrank import UpperLayers
from training.shorten import LAYERS, OF, Recipe, fit, texts_of


def command(
    whole: Annotated[Path, typer.Argument(help="Folder of the adapter of the whole encoder.")],
    out: Annotated[Path, typer.Argument(help="Folder to write the adapter of the shortened one to.")],
    labelled: Annotated[
        list[str] | None, typer.Option(help="CSV with text and label whose texts to learn on too: PATH=CC-BY-4.0.")
    ] = None,
    layers: Annotated[str, typer.Option(help="Layers that stay, counted from 0.")] = ",".join(map(str, LAYERS)),
    steps: Annotated[int, typer.Option(help="Batches to learn on.")] = Recipe().steps,
    seed: Annotated[int, typer.Option(help="Of the batches and of the first values.")] = 0,
    cache: Annotated[Path, typer.Option(help="Folder of the prepared encoder.")] = DEFAULT_CACHE,
) -> None:
    """Leave layers and e5's prefix out, and teach the layers that stay to make up for them."""
    recipe, stay = replace(Recipe(), steps=steps, seed=seed), _layers(layers)
    sources = [*map(source_of, labelled or []), read_own(), *map(read_own, sorted(WIDER.glob("*.toml")))]
    texts = texts_of([said.text for said in sentences()], sources, recipe)
    given = adapters.load(whole)
    if given.layers:
        raise typer.BadParameter(f"{whole} is shortened already; name the adapter of the whole encoder")
    long, first = prepare(cache.expanduser(), adapter=given), adapters.cut(given, stay)
    began = prepare(cache.expanduser(), adapter=replace(first, name=f"{given.name}-cut-{'-'.join(map(str, stay))}"))
    gap = next((place for place, layer in enumerate(stay) if place != layer), len(stay) - 1)
    short = UpperLayers(began, layers=len(stay) - gap, rank=recipe.rank, seed=recipe.seed)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("shortening", total=1.0)
        cosine = fit(
            short,
            UpperLayers(long, layers=0, rank=1, seed=0),
            texts,
            recipe,
            lambda doing, share: bar.update(task, completed=share, description=doing),
        )
    content = adapters.stacked(first, short.parts())
    manifest = json.loads((whole / adapters.MANIFEST).read_text(encoding="utf-8"))
    shortened = {
        "from": given.sha256,
        "layers": stay,
        "recipe": asdict(recipe),
        "data": data_of(sources),
        "texts": len(texts),
        "cosine": round(cosine, 4),
    }
    publish(out, content, manifest | {"shortened": shortened})
    typer.echo(f"cosine to the whole encoder, centred, on what it learnt on: {cosine:.3f}")
    typer.echo(f"{out}: {sum(path.stat().st_size for path in out.iterdir()) // 1024} KiB")


def _layers(given: str) -> list[int]:
    try:
        layers = sorted({int(layer) for layer in given.split(",")})
    except ValueError:
        layers = []
    if not layers or layers[0] < 0 or layers[-1] >= OF:
        raise typer.BadParameter(f"--layers {given}: name layers from 0 to {OF - 1} with commas between")
    return layers
