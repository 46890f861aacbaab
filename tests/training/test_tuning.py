"""What is drawn together, and what is left alone."""

import random

from training.tuning import sources, thinned

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
