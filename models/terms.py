"""What a topic is called: terms that set it apart from other topics, and a label of a few of them.

Terms are weighed by class-based TF-IDF (Grootendorst, "BERTopic", 2022), with two changes: a term counts once
a message, so that one ranting message can't name a topic, and is counted by its stem.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from models.embed import LANGUAGES, Language, language_of
from models.tokens import stem, tokens

_TERMS = 8
_LABEL_WORDS = 3
_LEAST_SHARE = 0.08
"""A term in fewer of a topic's messages says nothing of the topic. Two messages at least, where there are two:
what one person wrote is no name."""
_LANGUAGE_SHARE = 0.1  # a label in a language that fewer of the messages are in would be drawn from chance
_LONGEST_WORD = 24  # a run of letters without a space is no word

UNNAMED: Mapping[Language, str] = {"zh": "未命名", "en": "unnamed"}


@dataclass(frozen=True, slots=True)
class Words:
    """``terms`` are the most telling first, ``labels`` 1 to 4 words by language, never empty or blank."""

    terms: tuple[str, ...]
    labels: Mapping[Language, str]


@dataclass(slots=True)
class _Class:
    """The words of one topic: in how many messages each stem is, where in them, and as what word."""

    messages: Counter[Language] = field(default_factory=Counter)
    counts: Counter[tuple[Language, str]] = field(default_factory=Counter)
    places: defaultdict[tuple[Language, str], float] = field(default_factory=lambda: defaultdict(float))
    forms: defaultdict[tuple[Language, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def describe(groups: Sequence[Sequence[str]], background: Sequence[str] = ()) -> list[Words]:
    """Words for each group of redacted texts, in order.

    ``background`` are messages of other topics or of none: with few groups they tell common words from telling
    ones. Labels come in every language that a tenth of the group's messages are in and has a word for them, and at least
    in one.
    """
    classes = [_read(group) for group in groups]
    everywhere = sum((one.counts for one in classes), _read(background).counts)
    average = sum(everywhere.values()) / max(1, len(classes) + bool(background))
    return [_words(one, everywhere, average) for one in classes]


def _read(texts: Iterable[str]) -> _Class:
    seen = _Class()
    for text in texts:
        seen.messages[language_of(text)] += 1
        found: set[tuple[Language, str]] = set()
        for place, (language, word) in enumerate(tokens(text)):
            key = (language, stem(language, word))
            if key in found or len(word) > _LONGEST_WORD:
                continue
            found.add(key)
            seen.places[key] += place
            seen.forms[key][word] += 1
        seen.counts.update(found)
    return seen


def _words(one: _Class, everywhere: Counter[tuple[Language, str]], average: float) -> Words:
    messages = one.messages.total()
    least = min(max(2, _LEAST_SHARE * messages), max(1, messages))
    weights = {key: count * log(1 + average / everywhere[key]) for key, count in one.counts.items() if count >= least}
    ranked = _distinct(sorted(weights, key=lambda key: (-weights[key], key)), one)
    spoken = [language for language in LANGUAGES if one.messages[language] >= _LANGUAGE_SHARE * max(1, messages)]
    labels = {language: label for language in spoken if (label := _label(language, ranked, one))}
    unnamed = (spoken or LANGUAGES)[0]
    return Words(tuple(_form(key, one) for key in ranked[:_TERMS]), labels or {unnamed: UNNAMED[unnamed]})


def _distinct(ranked: Sequence[tuple[Language, str]], one: _Class) -> list[tuple[Language, str]]:
    """Without words that a better one holds or is held by: 充电 after 不能充电 adds nothing."""
    kept: list[tuple[Language, str]] = []
    for language, word in ranked:
        parts = set(word.split(" "))
        said = (set(known.split(" ")) for spoken, known in kept if spoken == language)
        if language == "zh" and any(spoken == "zh" and (word in known or known in word) for spoken, known in kept):
            continue
        if language == "en" and any(parts & other for other in said):
            continue
        kept.append((language, word))
    return kept


def _label(language: Language, ranked: Sequence[tuple[Language, str]], one: _Class) -> str:
    """The best words of the language, in the order in which messages say them; empty where none is fit."""
    best = [key for key in ranked if key[0] == language][:_LABEL_WORDS]
    if not best:
        best = sorted((key for key in one.counts if key[0] == language), key=lambda key: (-one.counts[key], key))[:1]
    spoken = sorted(best, key=lambda key: one.places[key] / one.counts[key])
    return " ".join(_form(key, one) for key in spoken)


def _form(key: tuple[Language, str], one: _Class) -> str:
    """The inflection that people write most."""
    return min(one.forms[key].items(), key=lambda form: (-form[1], len(form[0]), form[0]))[0]
