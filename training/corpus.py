"""The written after-sales sentences: issues with their wordings in two languages, noise, frames and opposites.

The sentences are data, in ``training/wordings``; this file reads and checks them, and nothing else. A wording may
hold slots in braces, such as ``{product}``; `training.phrase` fills them.
"""

import tomllib
from collections.abc import Mapping
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


class CorpusError(ValueError):
    """A wording file that does not say what it must; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing customers complain of, and the ways in which they say it."""

    key: str
    theme: str
    names: Mapping[Language, str]
    rates: Mapping[str, float]
    """How often it befalls a product, by category, trait or ``any``; relative to the other issues."""
    about_product: bool
    wordings: Texts

    def rate_for(self, category: str, traits: tuple[str, ...]) -> float:
        """The highest rate that the category or a trait names; else the rate of ``any``; else 0."""
        named = [self.rates[word] for word in (category, *traits) if word in self.rates]
        return max(named, default=self.rates.get("any", 0.0))


@dataclass(frozen=True, slots=True)
class Frames:
    """What customers put before and after the complaint itself."""

    openings: Texts
    closings: Texts


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
        for key, entry in _table(path).items()
    )


@cache
def load_noise() -> Mapping[str, Texts]:
    """What is no complaint, by kind: chatter, questions, praise."""
    return {kind: _texts("noise", kind, entry) for kind, entry in _table(_WORDINGS / "noise.toml").items()}


@cache
def load_frames() -> Frames:
    """The openings and closings."""
    table = _table(_WORDINGS / "frames.toml")
    return Frames(_texts("frames", "openings", table["openings"]), _texts("frames", "closings", table["closings"]))


@cache
def load_opposites() -> tuple[Opposite, ...]:
    """Pairs of opposites and near misses."""
    pairs = _table(_WORDINGS / "opposites.toml")["pair"]
    return tuple(
        Opposite(first=pair[language][0], second=pair[language][1], language=language, why=pair["why"])
        for pair in pairs
        for language in LANGUAGES
        if language in pair
    )


def _table(path: Traversable) -> dict[str, Any]:
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
