"""A bundle is whole or refused, and says why and what to do."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.bundle import (
    ADAPTER,
    FORMAT,
    MANIFEST,
    MESSAGES,
    SCALES,
    TOPICS,
    BundleError,
    DamagedBundle,
    Data,
    Encoder,
    Manifest,
    NotWritten,
    UnknownBundle,
    load,
    read_messages,
    topics_bytes,
    write,
)
from models.embed import Centring
from models.topic import Topic, TopicId
from models.topics import TopicModel

BORN = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = TopicModel(
    "drawn@1",
    Centring.none(3),
    (Topic(TopicId("t1"), np.array([1, 0, 0], np.float32), 0.4, 12, BORN, ("late",), {"en": "late parcel"}),),
)
BLANK = Manifest(
    format=FORMAT,
    kind="trained",
    name="",
    made=BORN,
    encoder=Encoder(name="drawn@1", dimension=3, base="drawn@1"),
    data=Data(fingerprint="0" * 64, messages=3, labelled=0, rejected=1),
    recipe={"seed": 0},
    scores={"agreement": 0.98},
    objections=(),
    files={},
)
CONTENTS = {
    TOPICS: topics_bytes(MODEL),
    ADAPTER: b"weights",
    SCALES: b'{"t1": 0.9}',
    MESSAGES: b'{"text": "late"}\n{"text": "broken"}\n',
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write(tmp_path / "petfood", BLANK, CONTENTS)
    return tmp_path / "petfood"


def test_what_was_written_is_read_back(bundle: Path) -> None:
    read = load(bundle)
    assert read.manifest.name == "petfood"
    assert (read.adapter, read.scales) == (b"weights", {"t1": 0.9})
    assert read.topics.topic(TopicId("t1")).labels == {"en": "late parcel"}
    assert [one["text"] for one in read_messages(bundle)] == ["late", "broken"]


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_a_changed_byte_in_any_file_is_refused(bundle: Path, name: str) -> None:
    body = bytearray((bundle / name).read_bytes())
    body[len(body) // 2] ^= 1
    (bundle / name).write_bytes(body)
    with pytest.raises(DamagedBundle, match=f"{name} of petfood is not the file that was written"):
        load(bundle) if name != MESSAGES else read_messages(bundle)


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_a_missing_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(DamagedBundle, match=f"lacks {name}"):
        load(bundle)


def test_a_manifest_that_somebody_improved_is_refused(bundle: Path) -> None:
    said = json.loads((bundle / MANIFEST).read_text())
    said["scores"]["agreement"] = 1.0
    (bundle / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(DamagedBundle, match="was changed after it was written"):
        load(bundle)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"format": 2}, "of format 2, this version reads 1"), ({"nonsense": 1}, "nonsense"), ({"kind": "odd"}, "kind")],
)
def test_what_this_version_does_not_know_is_refused(bundle: Path, change: dict[str, object], told: str) -> None:
    said = json.loads((bundle / MANIFEST).read_text()) | change
    (bundle / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(UnknownBundle, match=told):
        load(bundle)


def test_a_file_that_belongs_in_no_bundle_is_refused(bundle: Path) -> None:
    (bundle / "model.pkl").write_bytes(b"")
    with pytest.raises(UnknownBundle, match=r"model\.pkl, which belongs in no bundle"):
        load(bundle)


@pytest.mark.parametrize("body", ["", "[]", "{", '"format"'])
def test_a_manifest_that_is_none_is_refused(bundle: Path, body: str) -> None:
    (bundle / MANIFEST).write_text(body)
    with pytest.raises(BundleError):
        load(bundle)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DamagedBundle, match="is no bundle"):
            load(place)


def test_a_bundle_is_never_written_over_another(bundle: Path) -> None:
    with pytest.raises(NotWritten, match="there already"):
        write(bundle, BLANK, CONTENTS)
    assert load(bundle).manifest.name == "petfood"


def test_two_bundles_of_one_name_have_different_full_names(bundle: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "elsewhere" / "petfood", BLANK, {TOPICS: CONTENTS[TOPICS]})
    assert other.full_name != load(bundle).manifest.full_name


@contextmanager
def no_more_than(size: int) -> Iterator[None]:
    """Files cannot grow past ``size``, as where a quota is used up."""
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, allowed[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)


def test_a_full_disk_leaves_no_part_of_a_bundle_and_says_what_to_do(tmp_path: Path) -> None:
    with no_more_than(20), pytest.raises(NotWritten, match="the disk is full") as raised:
        write(tmp_path / "petfood", BLANK, CONTENTS)
    assert "Free some space" in raised.value.fix
    assert list(tmp_path.iterdir()) == []
