"""Weights that tell whether a message says that a thing went well: a logistic regression on the project's own sentences.

Complaints are the wordings of issues, questions, and sentences that only begin well; their opposites are
``wordings/resolved.toml`` and praise. No real message is among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.cues import CUES, cues
from models.embed import LANGUAGES, Embedder, Language, Vectors, language_of
from models.gist import gist
from models.leaning import Weights
from training.corpus import RESOLVED, load_issues, load_noise, read_table
from training.phrase import plain

_CUE = 0.3
"""Of a cue, beside a dimension of a vector. Of complaints of unseen themes .019 (zh) and .013 (en) are taken for their
opposite with it, of those .64 and .74 are found; with vectors alone fewer are found."""
_STRENGTH = 3.0  # inverse of the regularisation, judged with `_CUE`; 1 finds fewer, 10 errs more
_BUT_WEIGHS = 4.0  # few sentences, and the ones that err most
_ROUNDS = 3_000
_BUT = "but"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, whether it says that a thing went well, and how much it counts."""

    text: str
    theme: str
    well: bool
    weight: float = 1.0


def sentences() -> list[Said]:
    """All written sentences to learn from; each side weighs the same."""
    themes = {issue.key: issue.theme for issue in load_issues()}
    resolved = read_table(RESOLVED)
    ill = [
        Said(plain(text, language), issue.theme, False)
        for issue in load_issues()
        for language in LANGUAGES
        for text in issue.wordings[language]
    ]
    noise = load_noise()
    ill += [
        Said(plain(text, language), "", False)
        for kind in ("question", "off_topic")
        for language in LANGUAGES
        for text in noise[kind][language]
    ]
    ill += [Said(text, "", False, _BUT_WEIGHS) for language in LANGUAGES for text in resolved[_BUT][language]]
    well = [
        (text, themes.get(key, ""))
        for key, texts in resolved.items()
        if key != _BUT
        for language in LANGUAGES
        for text in texts[language]
    ]
    well += [(plain(text, language), "") for language in LANGUAGES for text in noise["praise"][language]]
    balance = len(ill) / len(well)
    return [*ill, *(Said(text, theme, True, balance) for text, theme in well)]


def vectors_of(embedder: Embedder, said: Sequence[Said]) -> Vectors:
    """Unit vectors before centring, as the service makes them."""
    return embedder.embed([gist(one.text) for one in said])


def fit(said: Sequence[Said], vectors: Vectors, encoder: str) -> Weights:
    """Weights for such vectors (n, d) as ``encoder`` makes. The same sentences and vectors give the same weights."""
    from sklearn.linear_model import LogisticRegression

    spoken = [language_of(one.text) for one in said]
    middles = {language: vectors[[one == language for one in spoken]].mean(axis=0) for language in LANGUAGES}
    features = [
        np.concatenate([vector - middles[language], *(_CUE * counted for counted in _by_language(one.text, language))])
        for vector, one, language in zip(vectors, said, spoken, strict=True)
    ]
    model = LogisticRegression(C=_STRENGTH, max_iter=_ROUNDS)
    model.fit(np.array(features), [one.well for one in said], sample_weight=[one.weight for one in said])
    line, told = np.split(model.coef_[0], [vectors.shape[1]])
    weights = dict(zip(LANGUAGES, np.split(_CUE * told, len(LANGUAGES)), strict=True))
    return Weights(
        encoder=encoder.partition("@")[0],
        vector=line.astype(np.float32),
        cues={language: weights[language].astype(np.float32) for language in LANGUAGES},
        constant={language: float(model.intercept_[0] - middles[language] @ line) for language in LANGUAGES},
    )


def _by_language(text: str, language: Language) -> list[NDArray[np.float64]]:
    """The cues of a text in the place of its language, none in that of the other."""
    counted = np.array(cues(gist(text), language), dtype=np.float64)
    return [counted if one == language else np.zeros(len(CUES)) for one in LANGUAGES]
