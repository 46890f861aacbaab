"""Smoothing moves outliers from what flows into the weights, and changes nothing of what is computed."""

import copy

import pytest
import torch
from transformers import BertConfig, BertModel

from models.encoder.smooth import SMOOTHED, smooth

TEXT = torch.tensor([[0, 7, 8, 9, 2]])


@pytest.fixture
def bert() -> BertModel:
    """A small one with a coordinate a hundred times as large as the rest behind the attention of each layer."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    made = BertModel(config, add_pooling_layer=False).eval()
    for layer in made.encoder.layer:
        layer.attention.output.LayerNorm.weight.data[3] = 100
    return made


def flows(bert: BertModel, name: str) -> torch.Tensor:
    """The largest size of each coordinate that the matrix product of this map takes in the first layer."""
    found: list[torch.Tensor] = []
    held = bert.encoder.layer[0].get_submodule(name)
    linear = held if isinstance(held, torch.nn.Linear) else held.linear
    hook = linear.register_forward_pre_hook(lambda _, given: found.append(given[0].abs().flatten(0, -2).amax(0)))
    with torch.no_grad():
        bert(input_ids=TEXT)
    hook.remove()
    return found[0]


def test_the_same_is_computed(bert: BertModel) -> None:
    smoothed = copy.deepcopy(bert)
    smooth(smoothed)
    with torch.no_grad():
        before, after = (one(input_ids=TEXT).last_hidden_state for one in (bert, smoothed))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_coordinates_come_nearer_to_one_size(bert: BertModel) -> None:
    before = flows(bert, SMOOTHED[0])
    smooth(bert)
    after = flows(bert, SMOOTHED[0])
    assert before.max() / before.median() > 50
    assert after.max() / after.median() < 10
