"""The wordings that the adapter is trained on, and how pairs are drawn from them."""

import random
from pathlib import Path

from models.embed import language_of
from training.intents import TEXTS_AN_INTENT, Source, pairs, read_labelled, read_own


def test_every_own_issue_is_worded_in_both_languages_without_repeats() -> None:
    source = read_own()
    texts = [text for own in source.intents.values() for text in own]
    assert len(source.intents) >= 50
    assert len(texts) == len(set(texts))
    for own in source.intents.values():
        spoken = [language_of(text) for text in own]
        assert min(spoken.count("zh"), spoken.count("en")) >= 4


def test_a_labelled_file_gives_its_training_rows_by_label(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    rows = [f"late {number},delay,train" for number in range(200)]
    rows += ["torn box,damage,train", "wet box,damage,train", "wet box,damage,train", "crushed,damage,test"]
    path.write_text("text,label,split\n" + "\n".join(rows), encoding="utf-8")
    source = read_labelled(path, name="set", licence="CC0")
    assert source.intents["damage"] == ("torn box", "wet box")
    assert len(set(source.intents["delay"])) == TEXTS_AN_INTENT
    assert source.texts == TEXTS_AN_INTENT + 2


def test_a_file_without_a_split_is_used_whole(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("text,label\na,x\nb,x\n", encoding="utf-8")
    assert read_labelled(path, name="set", licence="CC0").intents == {"x": ("a", "b")}


def test_a_pair_is_two_texts_of_one_intent_and_each_intent_comes_once() -> None:
    source = read_own()
    intent_of = {text: intent for intent, own in source.intents.items() for text in own}
    drawn = pairs(source, 20, random.Random(3))
    assert len({intent_of[first] for first, _ in drawn}) == 20
    assert all(first != second and intent_of[first] == intent_of[second] for first, second in drawn)


def test_at_least_half_of_the_pairs_cross_the_languages() -> None:
    source = read_own()
    chance = random.Random(0)
    drawn = [pair for _ in range(40) for pair in pairs(source, 50, chance)]
    crossing = sum(language_of(first) != language_of(second) for first, second in drawn)
    assert 0.5 < crossing / len(drawn) < 0.9


def test_the_same_seed_draws_the_same_pairs() -> None:
    source = Source("s", "CC0", {"x": ("a", "b", "c"), "y": ("d", "e")})
    assert pairs(source, 5, random.Random(1)) == pairs(source, 5, random.Random(1))
