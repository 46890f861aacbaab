"""The cache before an embedder: what says the same shares a vector, what may not does not, and it keeps to its bound."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embed import Vectors, unit
from models.vectorcache import CachedEmbedder, alike
from training.corpus import load_opposites


class Counting:
    """An embedder that gives each text a vector of its own and remembers how it was called."""

    dimension = 8
    name = "counting@1"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        rows = [np.random.default_rng([*text.encode()]).normal(size=8) for text in texts]
        return unit(np.array(rows).reshape(-1, 8))


def test_a_text_seen_before_is_not_embedded_again() -> None:
    inner = Counting()
    cached = CachedEmbedder(inner)
    first = cached.embed(["退款", "refund", "退款"])
    second = cached.embed(["refund", "退款"])
    assert inner.calls == [["退款", "refund"]]
    np.testing.assert_array_equal(second, first[[1, 0]])
    assert (cached.hits, cached.misses) == (2, 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ａ４ 纸　卡住了", "  a4 纸 卡住了 "),
        ("退款还没到账", "退款還沒到賬！！！"),
        ("订单 20240501123456 没到", "订单77889900112233没到。"),
        ("太差了啊啊啊啊啊", "太差了啊"),
        ("where is my refund", "Where is my REFUND..."),
        ("where is my refund?", "where is my refund ???"),
    ],
)
def test_how_a_text_was_typed_makes_no_new_vector(one: str, other: str) -> None:
    cached = CachedEmbedder(Counting())
    cached.embed([one])
    cached.embed([other])
    assert (cached.hits, cached.misses) == (1, 1)


OPPOSITES = [
    *((pair.first, pair.second) for pair in load_opposites()),
    ("能退", "不能退"),
    ("可以退", "可以退？"),
    ("great 👍", "great 👎"),
    ("✅ 到账", "❌ 到账"),
    ("XL 太小", "XXXL 太小"),
    ("type iii broke", "type i broke"),
    ("余额 -50", "余额 50"),
    ("退了 50%", "退了 50"),
    ("$5 short", "¥5 short"),
    ("买的64g发来32g", "买的32g发来64g"),
    ("充电宝 1.5 米", "充电宝 15 米"),
    ("iphone15 充不进电", "iphone16 充不进电"),
    ("在", "再"),
]


@pytest.mark.parametrize(("one", "other"), OPPOSITES)
def test_opposites_and_near_misses_never_share_a_vector(one: str, other: str) -> None:
    assert alike(one) != alike(other)


@given(st.text(alphabet="能不没有退can't not 的吗了充进"), st.sampled_from(["不", "没", "没有", "not ", "n't"]))
def test_a_negation_always_makes_another_key(text: str, negation: str) -> None:
    if not text.endswith(negation[0]):  # "不不不" is what "不" is: letters in a row stand once
        assert alike(text) != alike(text + negation)


@given(st.text())
def test_any_string_has_a_key(text: str) -> None:
    assert len(alike(text)) == 16


def test_texts_alike_in_one_call_are_embedded_once() -> None:
    inner = Counting()
    vectors = CachedEmbedder(inner).embed(["退款还没到账", "退款還沒到賬！", "退款"])
    assert inner.calls == [["退款还没到账", "退款"]]
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_the_cache_keeps_to_its_bound_and_drops_the_longest_unused() -> None:
    inner = Counting()
    cached = CachedEmbedder(inner, entries=2)
    cached.embed(["a", "b"])
    cached.embed(["a"])
    cached.embed(["c"])
    assert len(cached) == 2
    cached.embed(["a", "c"])
    assert inner.calls == [["a", "b"], ["c"]]
    cached.embed(["b"])
    assert inner.calls[-1] == ["b"]


def test_a_call_larger_than_the_cache_still_answers_in_full() -> None:
    cached = CachedEmbedder(Counting(), entries=2)
    texts = [str(number) for number in range(10)]
    np.testing.assert_array_equal(cached.embed(texts), Counting().embed(texts))
    assert len(cached) == 2


def test_prefetched_texts_are_hits_later() -> None:
    inner = Counting()
    cached = CachedEmbedder(inner)
    cached.prefetch(["a", "b", "c"])
    assert (cached.hits, cached.misses) == (0, 0)
    cached.embed(["b"])
    assert inner.calls == [["a", "b", "c"]]
    assert (cached.hits, cached.misses) == (1, 0)


def test_the_cache_holds_no_text() -> None:
    cached = CachedEmbedder(Counting())
    cached.embed(["我的手机号是保密的"])
    assert all(isinstance(key, bytes) and len(key) == 16 for key in cached._kept)


def test_the_cache_passes_name_and_dimension_on() -> None:
    cached = CachedEmbedder(Counting())
    assert (cached.name, cached.dimension) == ("counting@1", 8)
    assert cached.embed([]).shape == (0, 8)
