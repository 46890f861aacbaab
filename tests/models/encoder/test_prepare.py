"""The folder is made once, whole or not at all. Most tests work on a copy with hard links, which costs nothing."""

import json
import os
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from models.encoder import prepare as encoder
from models.encoder.errors import FolderDamaged, SourceDamaged


@pytest.fixture
def cache(encoder_folder: Path, tmp_path: Path) -> Path:
    """A cache of its own, with the default encoder in it."""
    shutil.copytree(encoder_folder, tmp_path / "encoder" / encoder_folder.name, copy_function=_link)
    return tmp_path


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the cache lies on another file system
        shutil.copy(source, target)


def only_folder(cache: Path) -> Path:
    (folder,) = (path for path in (cache / "encoder").iterdir() if path.is_dir())
    return folder


def fail(step: str, share: float) -> None:
    raise AssertionError(f"work was done: {step}")


def test_a_prepared_encoder_is_found_without_work(cache: Path) -> None:
    assert encoder.prepare(cache, fail) == only_folder(cache)


def test_every_file_is_what_the_manifest_says(encoder_folder: Path) -> None:
    encoder.check(encoder_folder)
    names = set(json.loads((encoder_folder / encoder.MANIFEST).read_text())["files"])
    assert {"model.safetensors", "tokenizer.json", "onnx/model_int8.onnx"} <= names


def test_a_changed_file_is_named(cache: Path) -> None:
    path = only_folder(cache) / "config.json"
    content = path.read_text()
    path.unlink()  # the linked file stays as it is
    path.write_text(content.replace("gelu", "relu"))
    with pytest.raises(FolderDamaged, match=r"config\.json .* has changed.*tocsin prepare"):
        encoder.check(only_folder(cache))


@pytest.mark.parametrize("lost", [encoder.MANIFEST, "model.safetensors", "onnx/model_int8.onnx"])
def test_a_folder_that_lacks_a_file_is_not_taken_for_whole(cache: Path, lost: str) -> None:
    (only_folder(cache) / lost).unlink()
    assert not encoder.is_whole(only_folder(cache))
    with pytest.raises(FolderDamaged, match="not a whole encoder folder"):
        encoder.check(only_folder(cache))


def test_a_file_cut_short_makes_the_folder_not_whole(cache: Path) -> None:
    path = only_folder(cache) / "tokenizer.json"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])
    assert not encoder.is_whole(only_folder(cache))


def test_a_writer_that_was_stopped_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(step: str, share: float) -> None:
        if step == "making the int8 form":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.prepare(tmp_path, stop)
    assert [path.name for path in (tmp_path / "encoder").iterdir()] == [".lock"]


def test_what_a_killed_writer_left_is_swept_away_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "encoder" / ".partial-abc").mkdir(parents=True)
    (tmp_path / "encoder" / ".partial-abc" / "model.safetensors").write_bytes(b"half")
    damaged = tmp_path / "damaged.bin"
    damaged.write_bytes(b"E5S1")
    with pytest.raises(SourceDamaged):
        encoder.prepare(tmp_path, source=damaged)
    assert [path.name for path in (tmp_path / "encoder").iterdir()] == [".lock"]


def test_the_weights_of_the_folder_are_those_of_the_manifest_and_of_the_right_size(encoder_folder: Path) -> None:
    state = load_file(encoder_folder / "model.safetensors")
    assert state["embeddings.word_embeddings.weight"].shape == (101_516, 384)
