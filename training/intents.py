"""Labelled wordings to train the intent adapter on, and the pairs of one intent drawn from them."""

import csv
import random
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.embed import language_of

OWN = Path(__file__).with_name("intents.toml")
"""Issues worded for this project, each in Chinese and in English."""

WIDER = Path(__file__).with_name("wordings") / "wider"
"""Issues of many trades worded for this project, long and short, a file a trade: for what needs texts more than labels."""

TEXTS_AN_INTENT = 60  # large sets would else crowd out the small ones; e5 knows the language already


@dataclass(frozen=True, slots=True)
class Source:
    """One set: texts by intent, at least two each. ``licence`` goes into the adapter's manifest.

    ``apart``: texts that are held in place are of none of these intents, and are told apart from them as well.
    """

    name: str
    licence: str
    intents: Mapping[str, tuple[str, ...]]
    apart: bool = False

    @property
    def texts(self) -> int:
        return sum(map(len, self.intents.values()))


def read_labelled(path: Path, *, name: str, licence: str) -> Source:
    """A CSV with the columns text and label; of a column split only the rows "train", where there is one.

    Keeps `TEXTS_AN_INTENT` different texts of each label, evenly spread over the file.
    """
    by_label: dict[str, dict[str, None]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row.get("split", "train") == "train":
                by_label[row["label"]][row["text"].strip()] = None
    return Source(name, licence, {label: _spread(list(by_label[label])) for label in sorted(by_label)})


def read_own(path: Path = OWN) -> Source:
    """The project's own issues: of `OWN`, or of a file of `WIDER`."""
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    return Source(
        f"tocsin-{path.stem}", "Apache-2.0", {issue: (*texts["zh"], *texts["en"]) for issue, texts in written.items()}
    )


def pairs(source: Source, count: int, chance: random.Random) -> list[tuple[str, str]]:
    """Two texts each of ``count`` different intents, or of all where there are fewer.

    Where an intent is worded in both languages every other pair crosses them.
    """
    drawn = chance.sample(sorted(source.intents), min(count, len(source.intents)))
    return [_pair(source.intents[intent], chance) for intent in drawn]


def _pair(texts: Sequence[str], chance: random.Random) -> tuple[str, str]:
    first, second = chance.sample(texts, 2)
    spoken = language_of(first)
    others = [text for text in texts if language_of(text) != spoken]
    return (first, chance.choice(others)) if others and chance.random() < 0.5 else (first, second)


def _spread(texts: list[str]) -> tuple[str, ...]:
    step = max(1.0, len(texts) / TEXTS_AN_INTENT)
    return tuple(texts[int(index * step)] for index in range(min(len(texts), TEXTS_AN_INTENT)))
