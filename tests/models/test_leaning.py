"""Whether a message says that a thing went well or ill, and what topics make of it."""

import json

import numpy as np
import pytest

from models.cues import CUES, cues
from models.embed import Language
from models.leaning import ILL, WEIGHTS, WELL, Weights, are_opposite, leanings, weights_from

HEARD: tuple[tuple[str, Language, str], ...] = (
    ("一点问题都没有", "zh", "negations"),
    ("没有坏点", "zh", "ill negated"),
    ("退款没到账", "zh", "well negated"),
    ("充不进电", "zh", "cannot"),
    ("能充电了", "zh", "can"),
    ("怎么还没发货", "zh", "asks"),
    ("客服态度好但是没解决", "zh", "turns"),
    ("nothing is broken", "en", "ill negated"),
    ("the refund hasn’t arrived", "en", "well negated"),
    ("the refund hasnt arrived", "en", "well negated"),
    ("it works", "en", "well alone"),
    ("it arrived, broken", "en", "ill"),
)


def counted(text: str, language: Language) -> dict[str, int]:
    return dict(zip(CUES, cues(text, language), strict=True))


@pytest.mark.parametrize(("text", "language", "cue"), HEARD, ids=lambda one: str(one))
def test_a_cue_is_heard(text: str, language: Language, cue: str) -> None:
    assert counted(text, language)[cue] >= 1


def test_a_negation_ends_with_its_clause() -> None:
    assert counted("not yet, it is broken", "en")["ill"] >= 1
    assert counted("没有，坏了", "zh")["ill negated"] == 0


def test_much_of_the_same_counts_no_more_than_twice() -> None:
    assert max(cues("坏坏坏坏坏坏", "zh")) == 2
    assert max(cues("bad " * 9_000, "en")) == 2


def test_words_that_hold_a_negation_are_none() -> None:
    assert counted("i want a restaurant", "en")["negations"] == 0


def weights(vector: list[float], **cue: float) -> Weights:
    told = np.array([cue.get(name.replace(" ", "_"), 0.0) for name in CUES], np.float32)
    return Weights("own", np.array(vector, np.float32), {"zh": told, "en": told}, {"zh": 0.0, "en": 0.0})


def test_what_is_sure_leans_and_what_is_not_does_not() -> None:
    own = weights([3.0, 0.0], ill=-4.0)
    vectors = np.array([[1, 0], [0, 1], [1, 0], [-1, 0]], np.float32)
    assert own.leanings(["fine", "fine", "broken and late", "fine"], vectors).tolist() == [WELL, 0, ILL, ILL]


def test_weights_come_back_from_their_file_and_others_are_refused() -> None:
    own = weights([0.25, -1.5], ill=-4.0)
    back = weights_from(json.loads(json.dumps(own.to_words())))
    assert back.vector.tolist() == own.vector.tolist()
    assert back.cues["zh"].tolist() == own.cues["zh"].tolist()
    with pytest.raises(ValueError, match="tocsin-train leaning"):
        weights_from({**own.to_words(), "cues": ["another"]})


def test_vectors_of_another_encoder_do_not_lean() -> None:
    assert leanings("fake@1", ["it works"], np.ones((1, 384), np.float32)).tolist() == [0]
    shipped = weights_from(json.loads(WEIGHTS.read_text(encoding="utf-8")))
    assert leanings(f"{shipped.encoder}@r1", ["it works"], np.ones((1, 8), np.float32)).tolist() == [0]
    assert len(leanings(f"{shipped.encoder}@r1", [], np.empty((0, 384), np.float32))) == 0


def test_two_topics_are_opposite_only_where_both_are_clear() -> None:
    assert are_opposite(0.9, -0.9)
    assert not are_opposite(0.9, -0.3)
    assert not are_opposite(-0.9, -0.9)
