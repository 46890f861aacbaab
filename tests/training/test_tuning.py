"""What is drawn together, and what is left alone."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from models.embed import Centring, language_of, unit
from training.adapter import Recipe, fit
from training.exam import Known, Mark
from training.intents import Source, read_own
from training.lowrank import UpperLayers
from training.tuning import Lesson, Tuned, kept_of, sources, thinned, tune

OWN = list(read_own().intents.items())

LABELLED = {f"l{n}": [f"label {n} text {row}" for row in range(5)] for n in range(20)}
TOPICS = {f"t{n}": [f"topic {n} text {row}" for row in range(80)] for n in range(4)}
FREE = [f"nobody named this one {n}" for n in range(30)]


def test_many_labels_are_learnt_alone() -> None:
    (found,) = sources(LABELLED, TOPICS, FREE)
    assert found.intents.keys() == LABELLED.keys()


def test_few_labels_take_turns_with_topics_and_with_texts_that_have_words_left_out() -> None:
    few = {name: LABELLED[name] for name in ("l1", "l2")}
    found = {source.name: source for source in sources(few, TOPICS, FREE)}
    assert found.keys() == {"labels", "topics", "denoising"}
    assert max(map(len, found["topics"].intents.values())) <= 60


def test_without_labels_topics_and_texts_with_words_left_out_are_learnt() -> None:
    found = {source.name: source for source in sources({}, TOPICS, FREE)}
    assert found.keys() == {"topics", "denoising"}
    assert all(pair[0] == text for text, pair in found["denoising"].intents.items())


def test_a_label_of_one_text_makes_no_pair_and_nothing_at_all_gives_no_source() -> None:
    assert sources({"alone": ["a text"]}, {}, []) == []


def test_the_same_seed_draws_the_same() -> None:
    assert sources({}, TOPICS, FREE, seed=3) == sources({}, TOPICS, FREE, seed=3)


def test_a_thinned_text_is_never_empty_and_holds_only_its_own_words() -> None:
    chance = random.Random(0)
    for text in ("one", "the parcel never came and nobody answers", "包裹一直没到也没人理"):
        for _ in range(20):
            found = thinned(text, chance)
            assert found and set(found) <= set(text) and len(found) <= len(text)


@pytest.fixture
def encoder(encoder_folder: Path) -> UpperLayers:
    return UpperLayers(encoder_folder, layers=1, rank=4, seed=0)


def lesson(encoder: UpperLayers) -> Lesson:
    """Five known issues as topics, four new ones with names."""
    known = dict(OWN[:5])
    texts = [text for group in known.values() for text in group]
    languages = [language_of(text) for text in texts]
    vectors = encoder.embed(texts)
    centring = Centring.fit(vectors, languages)
    at = dict(zip(texts, centring.apply(vectors, languages), strict=True))
    places = unit(np.stack([np.mean([at[text] for text in group], axis=0) for group in known.values()]))
    return Lesson(dict(OWN[10:14]), known, [], Known(texts, places, centring))


def test_a_change_that_moves_what_was_known_is_not_kept_and_the_encoder_is_as_it_was(encoder: UpperLayers) -> None:
    before = encoder.embed(["包裹还没到", "it broke"])
    wild = Recipe(layers=1, rank=4, steps=3, rate=1.0, intents=4)
    tuned = tune(encoder, lesson(encoder), wild)
    assert tuned is not None and tuned.share == 0.0 and tuned.before.stays == 1.0
    assert np.array_equal(encoder.embed(["包裹还没到", "it broke"]), before)


def test_the_largest_share_is_kept_with_which_labels_are_found_better_and_the_known_stay() -> None:
    before = Mark(0.7, 1.0)
    marks = {1.0: Mark(0.9, 0.80), 0.6: Mark(0.85, 0.96), 0.3: Mark(0.8, 0.99)}
    assert kept_of(before, marks.__getitem__) == Tuned(0.6, before, marks[0.6])
    assert kept_of(before, lambda share: Mark(0.7, 1.0)).share == 0.0
    assert kept_of(before, lambda share: Mark(0.9, 0.5)).share == 0.0
    assert kept_of(Mark(0.7, None), lambda share: Mark(0.8, None)).share == 1.0


def test_where_nothing_is_asked_nothing_is_kept(encoder: UpperLayers) -> None:
    tuned = tune(encoder, Lesson({"a": ["x y", "x z"], "b": ["u v", "u w"]}, {}, []), Recipe(steps=2, rate=1e-3))
    assert tuned is not None and tuned.share == 0.0
    assert tune(encoder, Lesson({}, {}, [])) is None


def test_a_batch_in_parts_gives_the_gradients_of_the_whole(encoder: UpperLayers) -> None:
    texts = [text for _, group in OWN[:4] for text in group][:40]
    target = torch.randn(40, encoder.dimension, generator=torch.Generator().manual_seed(1))

    def loss(vectors: torch.Tensor) -> torch.Tensor:
        return ((vectors @ vectors.T) ** 2).sum() + (vectors * target).sum()

    vectors = encoder.vectors(texts).requires_grad_()
    loss(vectors).backward()
    assert vectors.grad is not None
    encoder.learn(texts, vectors.grad)
    parts = encoder.taken()
    loss(encoder.forward(texts)).backward()
    for part, whole in zip(parts, encoder.taken(), strict=True):
        # bfloat16, where the processor has it, tells three digits; a part left out or taken twice is off by tenths.
        assert np.abs(part - whole).max() <= 2e-2 * np.abs(whole).max() + 1e-6


class Reporting:
    """A crew that computes with the encoder and notes what it was asked."""

    def __init__(self, encoder: UpperLayers) -> None:
        self.encoder, self.asked = encoder, 0

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        return self.encoder.vectors(texts)

    def learn(self, texts: Sequence[str], pull: torch.Tensor) -> None:
        assert pull.shape == (len(texts), self.encoder.dimension)
        self.asked += 1
        self.encoder.learn(texts, pull)


def test_every_batch_is_computed_by_the_crew(encoder: UpperLayers) -> None:
    crew = Reporting(encoder)
    fit(encoder, [Source("own", "", dict(OWN[:4]))], Recipe(steps=2, intents=4), held=["a b"], crew=crew)
    assert crew.asked == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
def test_a_gpu_gives_what_the_processor_gives(encoder_folder: Path, encoder: UpperLayers) -> None:
    there = UpperLayers(encoder_folder, layers=1, rank=4, seed=0, device="cuda")
    texts = [text for _, group in OWN[:4] for text in group]
    assert (there.embed(texts) * encoder.embed(texts)).sum(axis=1).min() > 0.999
