"""The embedders on the real encoder: the int8 form agrees with the reference, and any text has a vector."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.embed import Embedder, Vectors
from models.encoder.errors import FolderDamaged
from models.encoder.folder import prefix_of
from models.sentence import INT8_COSINE, OnnxEmbedder, TorchEmbedder, load_embedder

TEXTS = [
    "退款申请三天了还没到账，客服也不回",
    "充电宝用了两天就鼓包了，太危险",
    "快递显示已签收，但我根本没收到",
    "尺码偏小，XL码也穿不下",
    "优惠券结算时用不了，提示不满足条件",
    "味道很刺鼻，散了一周还是有",
    "Where is my refund? It has been ten days.",
    "The charger gets so hot that I can't touch it",
    "Parcel marked as delivered, nothing at my door",
    "The blue one came, I ordered the red one",
    "App crashes as soon as I open my orders",
    "iPhone 15 Pro Max 屏幕有一条绿线，can I return it?",
    "好",
    "Hi",
    "请问你们家这款洗衣机的排水管能不能加长，我家阳台的地漏离得有点远，装不上，师傅上门看了说要另外买配件，"
    "可是详情页里写的是全包安装，现在又要收我八十块材料费，这个怎么说？",
]


@pytest.fixture(scope="module")
def onnx(encoder_folder: Path) -> OnnxEmbedder:
    return OnnxEmbedder(encoder_folder, threads=1)


@pytest.fixture(scope="module")
def torch(encoder_folder: Path) -> TorchEmbedder:
    return TorchEmbedder(encoder_folder, threads=1)


@pytest.fixture(params=["onnx", "torch"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    chosen: Embedder = request.getfixturevalue(request.param)
    return chosen


def cosines(one: Vectors, other: Vectors) -> Vectors:
    products: Vectors = (one * other).sum(axis=1)
    return products


def test_the_int8_form_agrees_with_the_reference(onnx: OnnxEmbedder, torch: TorchEmbedder) -> None:
    assert cosines(onnx.embed(TEXTS), torch.embed(TEXTS)).min() >= INT8_COSINE


def test_both_forms_bear_one_name_and_dimension(onnx: OnnxEmbedder, torch: TorchEmbedder) -> None:
    assert onnx.name == torch.name
    assert onnx.name.startswith("multilingual-e5-small-zh-en@r")
    assert onnx.dimension == torch.dimension == 384


@pytest.mark.parametrize("text", ["", "   \n\t", "👍", "\ud800", "возврат", "a" * 20_000, "退" * 9_000, "\x00"])
def test_any_text_has_a_unit_vector(embedder: Embedder, text: str) -> None:
    (vector,) = embedder.embed([text])
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_no_texts_make_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_the_same_call_gives_the_same_bits(embedder: Embedder) -> None:
    np.testing.assert_array_equal(embedder.embed(TEXTS), embedder.embed(TEXTS))


def test_neighbours_move_a_reference_vector_by_rounding_only(torch: TorchEmbedder) -> None:
    alone = np.concatenate([torch.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(torch.embed(TEXTS), alone, atol=1e-5)


def test_neighbours_move_an_int8_vector_within_the_stated_cosine(onnx: OnnxEmbedder) -> None:
    alone = np.concatenate([onnx.embed([text]) for text in TEXTS])
    assert cosines(onnx.embed(TEXTS), alone).min() >= INT8_COSINE


def test_threads_move_an_int8_vector_within_the_stated_cosine(encoder_folder: Path, onnx: OnnxEmbedder) -> None:
    many = OnnxEmbedder(encoder_folder, threads=3)
    assert cosines(many.embed(TEXTS * 5), onnx.embed(TEXTS * 5)).min() >= INT8_COSINE


def test_vectors_come_in_the_order_of_the_texts(onnx: OnnxEmbedder) -> None:
    backwards = onnx.embed(TEXTS[::-1])[::-1]
    assert (onnx.embed(TEXTS) @ backwards.T).argmax(axis=1).tolist() == list(range(len(TEXTS)))


def test_a_paraphrase_is_nearer_than_another_issue_in_both_languages(embedder: Embedder) -> None:
    said, again, english, other = embedder.embed(
        ["退款一直没到账", "钱怎么还没退给我", "I still have not got my refund", "屏幕碎了"]
    )
    assert said @ again > said @ other
    assert said @ english > other @ english


def test_the_prefix_is_added_as_often_as_the_folder_says(encoder_folder: Path, onnx: OnnxEmbedder) -> None:
    """Against the reference without the prefix, with it once and twice, by hand."""
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(encoder_folder), device="cpu")
    found = onnx.embed(TEXTS)
    prefixes = ("", "query: ", "query: query: ")
    agreements = [
        cosines(found, plain.encode([prefix + text for text in TEXTS], prompt="", show_progress_bar=False))
        for prefix in prefixes
    ]
    assert prefixes[np.argmax(np.mean(agreements, axis=1))] == prefix_of(encoder_folder)


def test_what_lies_behind_the_cut_does_not_matter(embedder: Embedder) -> None:
    start = "退款还没到账 " * 60
    one, other = embedder.embed([start + "屏幕碎了" * 50, start + "衣服掉色" * 50])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_int8_form_is_chosen_where_there_is_one(encoder_folder: Path) -> None:
    assert isinstance(load_embedder(encoder_folder, threads=1), OnnxEmbedder)
    assert isinstance(load_embedder(encoder_folder, "torch", threads=1), TorchEmbedder)


def test_any_other_folder_of_sentence_transformers_works(encoder_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(encoder_folder, folder, ignore=shutil.ignore_patterns("onnx", "manifest.json"))
    settings = folder / "config_sentence_transformers.json"
    settings.write_text(json.dumps({"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}))
    embedder = load_embedder(folder, threads=1)
    assert isinstance(embedder, TorchEmbedder)
    assert embedder.name.startswith("mine@")
    assert embedder.embed(["", "退款"]).shape == (2, 384)
    with pytest.raises(FolderDamaged, match="tocsin prepare"):
        load_embedder(folder, "onnx")
