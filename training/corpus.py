"""The written after-sales sentences: issues with their wordings in two languages, noise, frames and opposites.

The sentences are data, in ``training/wordings``; this file reads and checks them, and nothing else. A wording may
hold slots in braces, such as ``{product}``; `training.phrase` fills them.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, cast, get_args

Language = Literal["zh", "en"]
Texts = Mapping[Language, tuple[str, ...]]
"""Sentences by language; both languages are present."""

LANGUAGES: tuple[Language, ...] = get_args(Language)

_WORDINGS = files("training") / "wordings"
RESOLVED = _WORDINGS / "resolved.toml"
"""What customers say when an issue is none, by issue."""


class CorpusError(ValueError):
    """A wording file that does not say what it must; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing customers complain of, and the ways in which they say it."""

    key: str
    theme: str
    names: Mapping[Language, str]
    rates: Mapping[str, float]
    """How often it befalls a product, by number, category, trait or ``any``; relative to the other issues."""
    about_product: bool
    wordings: Texts

    def rate_for(self, product: Collection[str]) -> float:
        """The highest rate that a number, category or trait of the product names; else that of ``any``; else 0."""
        named = [rate for word, rate in self.rates.items() if word in product]
        return max(named, default=self.rates.get("any", 0.0))


@dataclass(frozen=True, slots=True)
class Frames:
    """What customers put before and after the complaint itself."""

    openings: Texts
    closings: Texts


@dataclass(frozen=True, slots=True)
class Fits:
    """Which products a wording suits."""

    words: Mapping[Language, Mapping[str, tuple[str, ...]]]
    """By language and by product number, trait or category: words that suit no other."""

    def suits(self, wording: str, language: Language, product: Collection[str]) -> bool:
        """Whether ``wording`` may be said of a product with these numbers, traits and categories."""
        groups = [group for group, words in self.words[language].items() if any(word in wording for word in words)]
        return not groups or any(group in product for group in groups)


@dataclass(frozen=True, slots=True)
class Opposite:
    """Two sentences that look alike and must not share a topic."""

    first: str
    second: str
    language: Language
    why: str


@cache
def load_issues() -> tuple[Issue, ...]:
    """Every issue, ordered by theme and then as written. Raises `CorpusError` on an entry that is not whole."""
    themes = sorted((_WORDINGS / "issues").iterdir(), key=lambda path: path.name)
    return tuple(
        _issue(path.name.removesuffix(".toml"), key, entry)
        for path in themes
        if path.name.endswith(".toml")
        for key, entry in read_table(path).items()
    )


@cache
def load_noise() -> Mapping[str, Texts]:
    """What is no complaint, by kind: chatter, questions, praise."""
    return {kind: _texts("noise", kind, entry) for kind, entry in read_table(_WORDINGS / "noise.toml").items()}


@cache
def load_frames() -> Frames:
    """The openings and closings."""
    table = read_table(_WORDINGS / "frames.toml")
    return Frames(_texts("frames", "openings", table["openings"]), _texts("frames", "closings", table["closings"]))


@cache
def load_fits() -> Fits:
    """The words that suit some products only."""
    table = read_table(_WORDINGS / "fits.toml")
    return Fits({language: {group: tuple(words) for group, words in table[language].items()} for language in LANGUAGES})


@cache
def load_opposites() -> tuple[Opposite, ...]:
    """Pairs of opposites and near misses."""
    pairs = read_table(_WORDINGS / "opposites.toml")["pair"]
    return tuple(
        Opposite(first=pair[language][0], second=pair[language][1], language=language, why=pair["why"])
        for pair in pairs
        for language in LANGUAGES
        if language in pair
    )


def read_table(path: Traversable) -> dict[str, Any]:
    """A wording file as it stands. Raises `CorpusError` with the file's name where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CorpusError(f"{path.name}: {error}") from error


def _issue(theme: str, key: str, entry: Mapping[str, Any]) -> Issue:
    if missing := {"name", "rates", *LANGUAGES} - entry.keys():
        raise CorpusError(f"{theme}: {key} lacks {', '.join(sorted(missing))}")
    return Issue(
        key=key,
        theme=theme,
        names=entry["name"],
        rates=entry["rates"],
        about_product=entry.get("about_product", True),
        wordings=_texts(theme, key, entry),
    )


def _texts(theme: str, key: str, entry: Mapping[str, Any]) -> Texts:
    texts = {language: tuple(entry.get(language, ())) for language in LANGUAGES}
    if empty := [language for language, written in texts.items() if not written]:
        raise CorpusError(f"{theme}: {key} has no sentence in {', '.join(empty)}")
    return cast(Texts, texts)
