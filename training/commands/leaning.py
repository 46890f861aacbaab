"""``tocsin-train leaning``: fit the weights that hold an issue and its opposite apart, and say how well they tell them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from models.embed import LANGUAGES, Vectors, language_of
from models.encoder.prepare import prepare
from models.leaning import WELL
from models.sentence import OnnxEmbedder
from training.leaning import Said, fit, sentences, vectors_of

DEFAULT_CACHE = Path("~/.cache/tocsin")


def command(
    out: Annotated[Path, typer.Argument(help="JSON to write.")],
    cache: Annotated[Path, typer.Option(help="Folder of the prepared encoder.")] = DEFAULT_CACHE,
) -> None:
    """Fit the weights on the project's own sentences; each theme is also judged by weights that never saw it."""
    embedder, said = OnnxEmbedder(prepare(cache.expanduser())), sentences()
    vectors = vectors_of(embedder, said)
    weights = fit(said, vectors, embedder.name)
    out.write_text(json.dumps(weights.to_words(), separators=(",", ":")) + "\n", encoding="utf-8")
    for line in judged(said, vectors, embedder.name):
        typer.echo(line)


def judged(said: Sequence[Said], vectors: Vectors, encoder: str) -> list[str]:
    """By language: how many sentences of a theme that was left out are surely taken to say that a thing went well."""
    taken: dict[tuple[str, bool], list[bool]] = {}
    for theme in sorted({one.theme for one in said} - {""}):
        own = np.array([one.theme == theme for one in said])
        known, unknown = ([said[row] for row in np.flatnonzero(side).tolist()] for side in (~own, own))
        sure = fit(known, vectors[~own], encoder).leanings([one.text for one in unknown], vectors[own])
        for one, well in zip(unknown, (sure == WELL).tolist(), strict=True):
            taken.setdefault((language_of(one.text), one.well), []).append(well)
    return [
        f"{language}, left out: {np.mean(taken[language, True]):.3f} of what went well, "
        f"{np.mean(taken[language, False]):.3f} of complaints"
        for language in LANGUAGES
    ]
