"""Merging an adapter into weights."""

import numpy as np
import pytest

from models.encoder.adapter import DOWN, UP, Adapter, cut, merged, parsed, stacked

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


def layered(layers: int) -> dict[str, np.ndarray]:
    return {f"encoder.layer.{layer}.w": np.full((3, 3), layer, np.float32) for layer in range(layers)}


def test_layers_that_do_not_stay_are_left_out_and_the_others_counted_anew() -> None:
    down, up = np.ones((1, 3), np.float32), np.ones((3, 1), np.float32)
    short = Adapter("short", "0" * 64, {"encoder.layer.1.w": (down, up)}, layers=(0, 2))

    found = merged(STATE | layered(3), short)

    assert set(found) == {"a.weight", "b.weight", "encoder.layer.0.w", "encoder.layer.1.w"}
    np.testing.assert_array_equal(found["encoder.layer.0.w"], np.zeros((3, 3)))
    np.testing.assert_array_equal(found["encoder.layer.1.w"], np.full((3, 3), 2 + 1))


def test_an_adapter_that_is_cut_keeps_its_changes_of_the_layers_that_stay() -> None:
    down, up = np.ones((1, 3), np.float32), np.ones((3, 1), np.float32)
    whole = Adapter("whole", "0" * 64, {f"encoder.layer.{layer}.w": (layer * down, up) for layer in range(3)})

    short = cut(whole, (0, 2))

    assert short.layers == (0, 2)
    assert {name: float(down[0, 0]) for name, (down, _) in short.parts.items()} == {
        "encoder.layer.0.w": 0,
        "encoder.layer.1.w": 2,
    }


def test_what_is_learnt_on_a_shortened_encoder_stays_on_it_in_the_file() -> None:
    down, up = np.ones((1, 3), np.float32), np.ones((3, 1), np.float32)
    first = Adapter("short", "0" * 64, {"encoder.layer.1.w": (down, up)}, layers=(0, 2))
    then = {f"encoder.layer.1.w{DOWN}": down.astype(np.float16), f"encoder.layer.1.w{UP}": up.astype(np.float16)}

    both = parsed("both", stacked(first, then))

    assert both.layers == (0, 2)
    found = merged(layered(3), both)["encoder.layer.1.w"]
    np.testing.assert_array_equal(found, np.full((3, 3), 2 + 1 + 1))


def test_an_adapter_of_the_whole_encoder_says_nothing_of_layers() -> None:
    assert parsed("whole", stacked(adapter("a.weight"), {})).layers == ()
