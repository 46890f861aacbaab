"""Two workers give what one machine gives, and a lost one changes nothing."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.sentence import load_embedder
from training.adapter import Recipe, fit
from training.intents import Source as Wordings
from training.intents import read_own
from training.lowrank import UpperLayers
from training.spread import SHARD, Source, Spread, spread_over

pytest.importorskip("ray", reason="the extra scale is not installed: pip install 'tocsin[scale]'")

TINY = Recipe(layers=2, rank=2, steps=3, intents=8, rate=5e-3, hold=1.0)
INTENTS = dict(list(read_own().intents.items())[:8])
TEXTS = [text for texts in INTENTS.values() for text in texts]


@pytest.fixture(scope="module")
def source(encoder_folder: Path) -> Source:
    return Source(encoder_folder.parent.parent, None)


@pytest.fixture(scope="module")
def two() -> Iterator[Spread]:
    with spread_over(2) as spread:
        yield spread


def test_shards_cover_every_text_once_and_a_worker_killed_on_the_way_is_done_without(
    two: Spread, source: Source
) -> None:
    texts = [TEXTS[row % len(TEXTS)][:8] for row in range(2 * SHARD + 3)]
    expected = load_embedder(source.folder(), threads=1).embed(texts)
    found, killed = {}, []
    for start, vectors in two.embed(source, texts):
        found[start] = vectors
        if not killed:
            killed = children_called("_Embedding")
            os.kill(killed[0], signal.SIGKILL)
    assert sorted(found) == [0, SHARD, 2 * SHARD]
    vectors = np.concatenate([found[start] for start in sorted(found)])
    assert vectors.shape == expected.shape
    assert (vectors * expected).sum(axis=1).min() > 0.98


def children_called(name: str) -> list[int]:
    """Processes of Ray that run this actor now."""
    said = [(path.parent.name, path.read_text()) for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
    return [int(pid) for pid, command in said if command.startswith(f"ray::{name}")]


def readable(path: Path) -> bool:
    try:
        return bool(path.read_text())
    except OSError:
        return False


def test_tuning_by_two_workers_ends_at_the_weights_of_one(two: Spread, source: Source) -> None:
    def layers() -> UpperLayers:
        return UpperLayers(source.folder(), layers=TINY.layers, rank=TINY.rank, seed=0)

    alone, dealt = layers(), layers()
    first = alone.state()
    losses: dict[str, list[float]] = {"alone": [], "dealt": []}
    learnt, held = [Wordings("own", "", INTENTS)], TEXTS[:20]
    fit(alone, learnt, TINY, lambda _, loss: losses["alone"].append(loss), held)
    crew = two.crew(source, dealt, TINY)
    fit(dealt, learnt, TINY, lambda _, loss: losses["dealt"].append(loss), held, crew)
    assert losses["dealt"] == pytest.approx(losses["alone"], rel=1e-3)
    for one, other in zip(alone.state(), dealt.state(), strict=True):
        assert np.abs(one - other).max() < 1e-3
    assert any(np.abs(after - before).max() > 1e-3 for after, before in zip(dealt.state(), first, strict=True))
