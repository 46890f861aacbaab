"""Training changes what it should and nothing else, and the saved adapter is the trained encoder."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from models.encoder import adapter as adapters
from models.encoder.errors import FolderDamaged
from models.sentence import TorchEmbedder
from training.adapter import Recipe, contrast, save, train
from training.intents import Source, read_own
from training.lowrank import UpperLayers

SHORT = Recipe(layers=2, rank=4, steps=16, intents=16, rate=5e-3)
TEXTS = ["退款还没到账", "Where is my refund?", "屏幕裂了", "The screen is cracked", ""]


@dataclass(frozen=True)
class Trained:
    folder: Path
    encoder: UpperLayers
    losses: list[float]


@pytest.fixture(scope="module")
def trained(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    own = read_own()
    source = Source(own.name, own.licence, dict(list(own.intents.items())[:16]))
    losses: list[float] = []
    encoder = train(encoder_folder, [source], SHORT, lambda step, loss: losses.append(loss))
    folder = tmp_path_factory.mktemp("adapter")
    save(folder, encoder, name="short", recipe=SHORT, sources=[source], scores={"held out": 1})
    return Trained(folder, encoder, losses)


def test_training_lowers_the_loss(trained: Trained) -> None:
    assert np.mean(trained.losses[-3:]) < np.mean(trained.losses[:3])


def test_what_is_saved_and_merged_embeds_as_what_was_trained(
    trained: Trained, encoder_folder: Path, tmp_path: Path
) -> None:
    merged = tmp_path / "merged"
    shutil.copytree(encoder_folder, merged, ignore=shutil.ignore_patterns("*.safetensors", "onnx", "manifest.json"))
    state = adapters.merged(load_file(encoder_folder / "model.safetensors"), adapters.load(trained.folder))
    save_file(state, merged / "model.safetensors", metadata={"format": "pt"})

    before = TorchEmbedder(encoder_folder, threads=1).embed(TEXTS)
    expected = trained.encoder.embed(TEXTS)
    found = TorchEmbedder(merged, threads=1).embed(TEXTS)

    assert (found * expected).sum(axis=1).min() > 0.9998  # half precision of the file and of the lower layers
    assert (found * before).sum(axis=1).max() < 0.999


def test_an_adapter_changes_the_linear_maps_of_the_layers_it_was_trained_on(trained: Trained) -> None:
    names = adapters.load(trained.folder).parts
    assert len(names) == 12
    assert {name.split(".")[2] for name in names} == {"8", "9"}


def test_the_manifest_names_recipe_data_licences_and_scores(trained: Trained) -> None:
    manifest = json.loads((trained.folder / adapters.MANIFEST).read_text())
    assert manifest["recipe"]["rank"] == 4
    assert manifest["data"] == [{"name": "tocsin-intents", "licence": "Apache-2.0", "intents": 16, "texts": 192}]
    assert manifest["scores"] == {"held out": 1}


def test_a_changed_adapter_is_refused(trained: Trained, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(trained.folder, tmp_path / "changed"))
    (folder / adapters.WEIGHTS).write_bytes(b"other")
    with pytest.raises(FolderDamaged, match="not the file that its manifest names"):
        adapters.load(folder)
    (folder / adapters.WEIGHTS).unlink()
    with pytest.raises(FolderDamaged, match=r"without adapter\.safetensors"):
        adapters.load(folder)


def test_what_a_pair_is_not_of_raises_the_loss_unless_it_is_nearer_than_the_partner() -> None:
    pair = torch.nn.functional.normalize(torch.tensor([[1.0, 0.2, 0.0], [1.0, -0.2, 0.0]]), dim=1)
    other, twin = torch.tensor([[0.8, 0.0, 0.6]]), torch.tensor([[1.0, 0.0, 0.0]])

    alone = float(contrast(pair, 0.1, other[:0]))

    assert alone == 0.0
    assert float(contrast(pair, 0.1, other)) > 0.1
    assert float(contrast(pair, 0.1, twin)) == alone
