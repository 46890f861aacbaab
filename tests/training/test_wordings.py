"""The written sentences: enough of them, all different, each of one issue, every slot and product word known."""

import re
from collections import Counter
from pathlib import Path

import pytest

from training.catalogue import load_catalogue
from training.corpus import (
    LANGUAGES,
    RESOLVED,
    CorpusError,
    Issue,
    load_fits,
    load_frames,
    load_issues,
    load_noise,
    load_opposites,
    read_table,
)
from training.phrase import SLOTS

LEAST = {"zh": 24, "en": 14}


def bare(wording: str) -> str:
    """A wording without slots, marks and case: what makes two of them the same."""
    return re.sub(r"{\w+}|\W", "", wording).lower()


def issues() -> list[Issue]:
    return list(load_issues())


def texts_of_the_corpus() -> dict[str, list[str]]:
    return {
        language: [text for issue in issues() for text in issue.wordings[language]]
        + [text for kind in load_noise().values() for text in kind[language]]
        for language in LANGUAGES
    }


def test_there_are_at_least_48_issues_of_different_names() -> None:
    assert len(issues()) >= 48
    for language in LANGUAGES:
        assert max(Counter(issue.names[language] for issue in issues()).values()) == 1
    assert max(Counter(issue.key for issue in issues()).values()) == 1


@pytest.mark.parametrize("issue", issues(), ids=lambda issue: issue.key)
def test_each_issue_is_said_in_many_ways(issue: Issue) -> None:
    for language in LANGUAGES:
        assert len({bare(wording) for wording in issue.wordings[language]}) >= LEAST[language]


def test_no_wording_belongs_to_two_issues_or_stands_twice() -> None:
    said = Counter(bare(text) for issue in issues() for language in LANGUAGES for text in issue.wordings[language])
    assert [wording for wording, times in said.items() if times > 1] == []


def test_no_noise_is_a_complaint() -> None:
    complaints = {bare(text) for issue in issues() for language in LANGUAGES for text in issue.wordings[language]}
    noise = [text for kind in load_noise().values() for language in LANGUAGES for text in kind[language]]
    assert [text for text in noise if bare(text) in complaints and bare(text)] == []


def test_chinese_wordings_are_chinese_and_english_ones_are_not() -> None:
    for issue in issues():
        assert all(re.search(r"[一-鿿]", text) for text in issue.wordings["zh"]), issue.key
        assert not any(re.search(r"[一-鿿]", text) for text in issue.wordings["en"]), issue.key


def test_wordings_differ_in_length() -> None:
    for language in LANGUAGES:
        for issue in issues():
            lengths = [len(text) for text in issue.wordings[language]]
            assert max(lengths) >= 2 * min(lengths), issue.key


def test_every_slot_can_be_filled() -> None:
    frames = load_frames()
    framed = [text for part in (frames.openings, frames.closings) for language in LANGUAGES for text in part[language]]
    written = [text for texts in texts_of_the_corpus().values() for text in texts] + framed
    assert {slot for text in written for slot in re.findall(r"{(.*?)}", text)} <= SLOTS


def test_some_texts_carry_personal_data_to_redact() -> None:
    frames = load_frames()
    written = [text for texts in texts_of_the_corpus().values() for text in texts]
    written += [
        text for part in (frames.openings, frames.closings) for language in LANGUAGES for text in part[language]
    ]
    used = {slot for text in written for slot in re.findall(r"{(.*?)}", text)}
    assert {"phone", "address", "name", "email", "idcard", "bankcard", "wechat"} <= used


def test_every_rate_names_a_product_group() -> None:
    groups = {group for product in load_catalogue() for group in product.groups} | {"any"}
    assert {word for issue in issues() for word in issue.rates} <= groups


def test_every_word_that_fits_some_products_names_them_and_occurs() -> None:
    fits, texts = load_fits(), texts_of_the_corpus()
    groups = {group for product in load_catalogue() for group in product.groups}
    for language in LANGUAGES:
        assert set(fits.words[language]) <= groups
        words = [word for listed in fits.words[language].values() for word in listed]
        assert [word for word in words if not any(word in text for text in texts[language])] == []


def test_every_product_keeps_enough_wordings_of_what_befalls_it() -> None:
    fits = load_fits()
    for issue in issues():
        for product in load_catalogue():
            for language in LANGUAGES if issue.rate_for(product.groups) else ():
                fitting = [text for text in issue.wordings[language] if fits.suits(text, language, product.groups)]
                assert len(fitting) >= 6, (issue.key, product.sku, language)


def test_a_sentence_on_honey_suits_honey_and_no_power_bank() -> None:
    fits, products = load_fits(), {product.sku: product for product in load_catalogue()}
    assert fits.suits("蜂蜜吃着像白糖水", "zh", products["HY05"].groups)
    assert not fits.suits("蜂蜜吃着像白糖水", "zh", products["PB20"].groups)
    assert fits.suits("东西坏了", "zh", products["PB20"].groups)


def test_there_are_thirty_products_of_different_names() -> None:
    products = load_catalogue()
    assert len(products) == 30
    for language in LANGUAGES:
        nouns = Counter(noun for product in products for noun in product.nouns[language])
        assert max(nouns.values()) == 1


def test_at_least_forty_pairs_of_opposites_stand_apart_from_the_issues() -> None:
    pairs = load_opposites()
    for language in LANGUAGES:
        assert len([pair for pair in pairs if pair.language == language]) >= 40
    said = {bare(text) for texts in texts_of_the_corpus().values() for text in texts}
    sentences = [bare(text) for pair in pairs for text in (pair.first, pair.second)]
    assert max(Counter(sentences).values()) == 1
    assert said.isdisjoint(sentences)


def test_what_went_well_is_said_of_every_issue_and_is_no_pair_that_is_judged_by() -> None:
    resolved = read_table(RESOLVED)
    assert set(resolved) == {issue.key for issue in issues()} | {"general", "but"}
    written = Counter(bare(text) for texts in resolved.values() for language in LANGUAGES for text in texts[language])
    assert [text for text, times in written.items() if times > 1] == []
    held_out = read_table(Path(__file__).parents[1] / "benchmarks" / "opposites.toml")["pair"]
    judged = {bare(text) for pair in held_out for language in LANGUAGES for text in pair[language]}
    known = {bare(text) for pair in load_opposites() for text in (pair.first, pair.second)}
    said = {bare(text) for texts in texts_of_the_corpus().values() for text in texts}
    assert judged.isdisjoint(written) and judged.isdisjoint(said) and judged.isdisjoint(known)


def test_a_broken_file_is_named_in_the_error(tmp_path) -> None:  # type: ignore[no-untyped-def]
    broken = tmp_path / "broken.toml"
    broken.write_text("[late\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"broken\.toml"):
        read_table(broken)
