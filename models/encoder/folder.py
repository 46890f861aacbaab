"""The SentenceTransformer folder: weights, tokenizer, and the settings that make it load as it should."""

import json
from pathlib import Path
from typing import Any

from models.encoder.weights import Sizes, State

HUB_ID = "intfloat/multilingual-e5-small"
QUERY_PREFIX = "query: "  # e5 was trained with it for symmetric tasks: Wang et al., 2024, arXiv 2402.05672
MAX_TOKENS = 128
"""Longer texts are cut here, special tokens and prefix counted in: about 200 Han characters or 90 English words.
Customers say what is wrong early: every airline tweet and 95 % of shop reviews that were counted are shorter.
Letters to an office are longer (63 %). The cost of a text grows with its length."""

_SETTINGS = "config_sentence_transformers.json"
_POOLING = "1_Pooling"
_NORMALIZE = "2_Normalize"
_NAMES = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}


def write(folder: Path, sizes: Sizes, state: State, tokenizer: Any, *, prefix: str = QUERY_PREFIX) -> None:
    """Write a folder that ``SentenceTransformer(str(folder))`` loads: mean pooling, unit length, the prefix.

    ``folder`` must be empty. The order of writing does not matter: nobody reads a folder before it is whole.
    """
    from safetensors.numpy import save_file

    (folder / _POOLING).mkdir(parents=True)
    (folder / _NORMALIZE).mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = len(state["embeddings.word_embeddings.weight"])
    for name, content in _settings(sizes, vocabulary, prefix).items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def prefix_of(folder: Path) -> str:
    """What `SentenceTransformer.encode` puts before a text by itself in this folder."""
    settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    prefix: str = settings["prompts"][settings["default_prompt_name"]]
    return prefix


def _settings(sizes: Sizes, vocabulary: int, prefix: str) -> dict[str, Any]:
    return {
        "config.json": _bert(sizes, vocabulary),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": sizes.positions,
            "padding_side": "right",
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            **_NAMES,
        },
        "special_tokens_map.json": _NAMES,
        "sentence_bert_config.json": {
            "max_seq_length": MAX_TOKENS,
            "do_lower_case": False,
            # Else BertModel makes a pooling layer with random weights and warns of it.
            "model_args": {"add_pooling_layer": False},
        },
        "modules.json": [
            _module(0, "", "Transformer"),
            _module(1, _POOLING, "Pooling"),
            _module(2, _NORMALIZE, "Normalize"),
        ],
        f"{_POOLING}/config.json": {
            "word_embedding_dimension": sizes.hidden,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_cls_token": False,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
        _SETTINGS: {
            "prompts": {"query": prefix},
            "default_prompt_name": "query",  # `encode` then adds the prefix by itself
            "similarity_fn_name": "cosine",
        },
    }


def _bert(sizes: Sizes, vocabulary: int) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feed_forward,
        "vocab_size": vocabulary,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.token_types,
        "layer_norm_eps": round(sizes.epsilon, 15),
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
        "position_embedding_type": "absolute",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "dtype": "float32",
        # Without a version transformers takes the tokenizer for an old one that needs mending.
        "transformers_version": "5.0.0",
    }


def _module(index: int, path: str, kind: str) -> dict[str, Any]:
    return {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
