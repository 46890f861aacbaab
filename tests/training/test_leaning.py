"""The weights are learnt from the project's own sentences, and the shipped ones tell sentences they never saw."""

from pathlib import Path

import numpy as np
import pytest

from models.embed import LANGUAGES, Vectors, language_of
from models.gist import gist
from models.leaning import ILL, WELL, leanings
from models.sentence import OnnxEmbedder
from training.corpus import read_table
from training.leaning import Said, fit, sentences

HELD_OUT = Path(__file__).parents[1] / "benchmarks" / "opposites.toml"


def drawn(said: list[Said]) -> Vectors:
    """Vectors in which the first axis says whether it went well, the second by language what the words' mean is."""
    return np.array([[1.0 if one.well else -1.0, language_of(one.text) == "zh", 1.0] for one in said], np.float32)


def test_a_line_is_found_that_parts_both_kinds_of_sentences() -> None:
    said = sentences()[::8]
    weights = fit(said, drawn(said), "some-encoder@r1-intent-00000000")
    assert weights.encoder == "some-encoder"
    found = weights.leanings([one.text for one in said], drawn(said))
    assert found.tolist() == [WELL if one.well else ILL for one in said]


def test_both_kinds_weigh_the_same_but_for_what_only_begins_well() -> None:
    said = sentences()
    assert {one.well for one in said} == {True, False}
    well = sum(one.weight for one in said if one.well)
    assert well == pytest.approx(sum(not one.well for one in said), rel=1e-6)
    assert not any("{" in one.text for one in said)


def test_the_shipped_weights_tell_most_of_what_they_never_saw_and_keep_nearly_every_complaint(
    encoder_folder: Path,
) -> None:
    embedder = OnnxEmbedder(encoder_folder, threads=1)
    pairs = [pair[language] for pair in read_table(HELD_OUT)["pair"] for language in LANGUAGES]
    texts = [text for pair in pairs for text in pair]
    found = leanings(embedder.name, texts, embedder.embed([gist(text) for text in texts]))
    assert (found[::2] == WELL).mean() > 0.65
    assert (found[1::2] == WELL).mean() < 0.1
