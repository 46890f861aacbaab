"""A shortened encoder learns what the whole one says, and the adapter that is kept is what was trained."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from models.embed import Vectors, language_of
from models.encoder import adapter as adapters
from models.encoder.folder import prefix_of
from models.encoder.prepare import prepare
from models.sentence import TorchEmbedder
from training.intents import Source, read_own
from training.lowrank import UpperLayers
from training.shorten import Recipe, fit, texts_of

STAY = (0, 1, 2, 3, 10, 11)
SMALL = Recipe(rank=4, steps=30, batch=16, rate=3e-3, joined=20)
HELD = ["退款还没到账", "Where is my refund?", "屏幕裂了", "The screen is cracked", "客服一直不回", "nobody answers"]


@dataclass(frozen=True)
class Shortened:
    folder: Path
    encoder: UpperLayers
    untaught: Vectors


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Shortened:
    cache, own = tmp_path_factory.mktemp("cache"), read_own()
    source = Source(own.name, own.licence, dict(list(own.intents.items())[:20]))
    first = adapters.Adapter("cut", "0" * 64, {}, layers=STAY)
    began = prepare(cache, adapter=first)
    encoder = UpperLayers(began, layers=2, rank=SMALL.rank, seed=0)
    whole = UpperLayers(encoder_folder, layers=0, rank=1, seed=0)
    untaught = encoder.embed(HELD)
    fit(encoder, whole, texts_of([], [source], SMALL), SMALL)
    content = adapters.stacked(first, encoder.parts())
    return Shortened(prepare(cache, adapter=adapters.parsed("taught", content)), encoder, untaught)


def centred(vectors: Vectors) -> Vectors:
    left = vectors - vectors.mean(0)
    found: Vectors = left / np.linalg.norm(left, axis=1, keepdims=True)
    return found


def test_it_says_more_nearly_what_the_whole_encoder_says(shortened: Shortened, encoder_folder: Path) -> None:
    whole = centred(TorchEmbedder(encoder_folder, threads=1).embed(HELD))
    before, after = centred(shortened.untaught), centred(shortened.encoder.embed(HELD))
    assert (after * whole).sum(1).mean() > (before * whole).sum(1).mean() + 0.05


def test_the_folder_made_of_its_adapter_has_the_layers_that_stay_and_no_prefix(shortened: Shortened) -> None:
    found = TorchEmbedder(shortened.folder, threads=1).embed(HELD)
    assert (found * shortened.encoder.embed(HELD)).sum(1).min() > 0.9998
    assert prefix_of(shortened.folder) == ""
    assert f'"num_hidden_layers": {len(STAY)}' in (shortened.folder / "config.json").read_text()


def test_texts_to_learn_on_are_joined_within_a_language_and_come_once() -> None:
    said = ["退款没到", "屏幕裂了", "没人理我", "it broke", "no refund", "too slow", "it broke"]
    texts = texts_of(said, [Source("own", "Apache-2.0", {"late": ("来晚了", "too late")})], SMALL)
    assert len(texts) == len({*texts})
    assert {"退款没到", "it broke", "来晚了", "too late"} <= {*texts}
    joined = [text for text in texts if text not in {*said, "来晚了", "too late"}]
    assert joined
    assert {language_of(text) for text in joined} == {"zh", "en"}
    assert all(any(one in text for one in said) for text in joined)
    assert not any("退款没到" in text and "it broke" in text for text in joined)


def test_the_same_recipe_draws_the_same_texts() -> None:
    said = ["退款没到", "屏幕裂了", "没人理我", "it broke", "no refund", "too slow"]
    assert texts_of(said, [], SMALL) == texts_of(said, [], SMALL)
    assert texts_of(said, [], SMALL) != texts_of(said, [], replace(SMALL, seed=1))
