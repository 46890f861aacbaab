"""Merging an adapter into weights."""

import numpy as np
import pytest

from models.encoder.adapter import Adapter, merged

STATE = {"a.weight": np.eye(3, dtype=np.float32), "b.weight": np.ones((2, 3), dtype=np.float32)}


def adapter(name: str) -> Adapter:
    down = np.array([[1, 2, 3]], dtype=np.float32)
    up = np.array([[1], [0], [2]], dtype=np.float32)
    return Adapter("test", "0" * 64, {name: (down, up)})


def test_the_product_is_added_to_the_weight_it_names_and_to_no_other() -> None:
    changed = merged(STATE, adapter("a.weight"))
    np.testing.assert_array_equal(changed["a.weight"], [[2, 2, 3], [0, 1, 0], [2, 4, 7]])
    np.testing.assert_array_equal(changed["b.weight"], STATE["b.weight"])
    np.testing.assert_array_equal(STATE["a.weight"], np.eye(3))


def test_without_an_adapter_the_weights_stay() -> None:
    assert merged(STATE, None) is STATE


def test_an_adapter_for_another_network_is_refused() -> None:
    with pytest.raises(KeyError):
        merged(STATE, adapter("c.weight"))
