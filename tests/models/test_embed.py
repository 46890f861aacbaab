"""Language of a text, and the mean per language."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.embed import (
    LANGUAGES,
    PRIOR_TEXTS,
    WHITENED,
    Centring,
    Language,
    Vectors,
    language_of,
    unit,
    whitening_of,
)


def cone(centre: int, count: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    """Unit vectors crowded around one axis, as a sentence encoder's are."""
    noise = np.random.default_rng(seed + centre).normal(size=(count, dimension)) * 0.1
    noise[:, centre] += 1
    return unit(noise)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("退款一直没有到账", "zh"),
        ("My parcel never arrived", "en"),
        ("MacBook Air M3 收到就开不了机", "zh"),
        ("The label says 保质期 but shows no date at all", "en"),
        ("𠮷野家的券用不了", "zh"),
        ("", "en"),
        ("😡😡 123!!", "en"),
    ],
)
def test_the_share_of_han_decides_the_language(text: str, language: Language) -> None:
    assert language_of(text) == language


def test_centring_opens_the_cone_of_each_language() -> None:
    vectors = np.concatenate([cone(0, 400), cone(1, 400)])
    languages: list[Language] = ["zh"] * 400 + ["en"] * 400
    centred = Centring.fit(vectors, languages).apply(vectors, languages)
    before = (vectors[:400] @ vectors[:400].T).mean()
    after = (centred[:400] @ centred[:400].T).mean()
    assert before > 0.8
    assert abs(after) < 0.05


def test_a_language_with_few_texts_is_drawn_to_the_mean_of_all() -> None:
    vectors = np.concatenate([cone(0, 1000), cone(1, 3)])
    languages: list[Language] = ["zh"] * 1000 + ["en"] * 3
    centring = Centring.fit(vectors, languages)
    overall = vectors.mean(axis=0)
    own = vectors[1000:].mean(axis=0)
    expected = (3 * own + PRIOR_TEXTS * overall) / (3 + PRIOR_TEXTS)
    np.testing.assert_allclose(centring.means["en"], expected, atol=1e-6)


def test_a_language_without_texts_gets_the_mean_of_all() -> None:
    vectors = cone(0, 20)
    centring = Centring.fit(vectors, ["zh"] * 20)
    np.testing.assert_allclose(centring.means["en"], vectors.mean(axis=0), atol=1e-6)


def test_a_single_text_still_has_a_unit_vector_after_centring() -> None:
    vectors = cone(0, 1)
    centred = Centring.fit(vectors, ["zh"]).apply(vectors, ["zh"])
    assert np.linalg.norm(centred[0]) == pytest.approx(1, abs=1e-6)


def test_no_centring_changes_nothing() -> None:
    vectors = cone(2, 5)
    np.testing.assert_allclose(Centring.none(16).apply(vectors, ["en"] * 5), vectors, atol=1e-6)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_every_centred_vector_has_length_one(languages: list[Language], seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(len(languages), 8)))
    centred = Centring.fit(vectors, languages).apply(vectors, languages)
    np.testing.assert_allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-5)
    assert centred.dtype == np.float32


def test_centring_survives_an_npz_file() -> None:
    centring = Centring.fit(cone(0, 30), ["zh", "en"] * 15)
    file = io.BytesIO()
    np.savez(file, **centring.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        back = Centring.from_arrays(dict(stored))
    for language in LANGUAGES:
        np.testing.assert_array_equal(back.means[language], centring.means[language])
    assert back.whitening is not None and centring.whitening is not None
    np.testing.assert_array_equal(back.whitening, centring.whitening)
    assert back.focus is None and back.stretch is None


def bent(seed: int, dimension: int = 16) -> np.ndarray:
    """A symmetric positive map."""
    root = np.random.default_rng(seed).normal(size=(dimension, dimension)) / dimension**0.5
    return (np.eye(dimension) + root @ root.T).astype(np.float32)


def test_a_focus_moves_what_topics_are_looked_for_in_and_nothing_that_is_evened_out() -> None:
    vectors, languages = cone(0, 60), ["zh", "en"] * 30
    plain = Centring.fit(vectors, languages)
    sharp = Centring.from_arrays(plain.focused(bent(0)).arrays())
    before, after = plain.apply(vectors, languages), sharp.apply(vectors, languages)
    np.testing.assert_allclose(after, unit(before @ bent(0)), atol=1e-5)
    np.testing.assert_allclose(sharp.even(after), plain.even(before), atol=1e-4)
    with pytest.raises(ValueError, match="focus already"):
        sharp.focused(bent(1))


def test_a_stretch_that_was_learnt_in_focus_is_behind_it_and_evens_out_without_it() -> None:
    vectors, languages, further = cone(0, 60), ["zh", "en"] * 30, bent(1)
    sharp = Centring.fit(vectors, languages).focused(bent(0))
    behind = unit(sharp.apply(vectors, languages) @ further)
    twice = sharp.stretched(further, behind)
    found = twice.apply(vectors, languages)
    np.testing.assert_allclose(found, behind, atol=1e-4)
    np.testing.assert_array_equal(twice.focus, bent(0))
    bare = unit(behind @ np.linalg.inv(bent(0)))
    evened = unit(bare @ whitening_of(bare, WHITENED))
    np.testing.assert_allclose(twice.even(found), evened, atol=1e-3)


def test_means_that_are_incomplete_or_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="without the mean of en"):
        Centring.from_arrays({"zh": np.zeros(4, dtype=np.float32)})
    with pytest.raises(ValueError, match="one length"):
        Centring.from_arrays({"zh": np.zeros(4, dtype=np.float32), "en": np.zeros(5, dtype=np.float32)})


def test_vectors_and_languages_must_pair_up() -> None:
    with pytest.raises(ValueError, match="3 vectors but 2 languages"):
        Centring.fit(cone(0, 3), ["zh", "en"])
    with pytest.raises(ValueError, match="no vectors"):
        Centring.fit(np.zeros((0, 4), dtype=np.float32), [])


def test_what_all_vectors_differ_in_counts_for_less_once_they_are_evened_out() -> None:
    rng = np.random.default_rng(0)
    issue, mood = np.eye(16)[rng.integers(2, 10, 600)], np.outer(rng.normal(size=600), np.eye(16)[0])
    vectors = unit(issue + mood + 0.3 * rng.normal(size=(600, 16)))
    languages: list[Language] = ["zh"] * 600
    centring = Centring.fit(vectors, languages)
    centred = centring.apply(vectors, languages)
    of_one = (issue @ issue.T > 0) & ~np.eye(600, dtype=bool)

    def nearest_of_one(of: Vectors) -> float:
        cosines = of @ of.T - 2 * np.eye(600)
        return float(of_one[cosines > np.quantile(cosines, 0.95)].mean())

    assert nearest_of_one(centring.even(centred)) > nearest_of_one(centred) + 0.03


def test_a_map_that_does_not_fit_is_refused() -> None:
    for name in ("whitening", "focus"):
        arrays = Centring.none(4).arrays() | {name: np.eye(3, dtype=np.float32)}
        with pytest.raises(ValueError, match=f"{name} does not fit"):
            Centring.from_arrays(arrays)
