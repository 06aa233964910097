"""The trained model as a GGUF file for llama.cpp, and back: weights in Q8_0, norms in F32."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer

from scripts.train_starter.language_model.chat import TEMPLATE_PATH
from scripts.train_starter.language_model.model import LanguageModel, ModelConfig
from scripts.train_starter.language_model.tokenizer import (
    LLAMA_CPP_PRE_TOKENIZER,
    MESSAGE_END,
    PADDING,
    TEXT_END,
    token_id,
    tokenizer_of,
)

_BLOCK_TENSORS = {
    "attention_norm": "attn_norm",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.output": "attn_output",
    "feed_forward_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def write_gguf(path: Path, tokenizer: Tokenizer, config: ModelConfig, model: LanguageModel) -> None:
    """Writes `model` to `path` with its tokenizer and chat template."""
    writer = gguf.GGUFWriter(path, "llama")
    _add_metadata(writer, config)
    _add_tokenizer(writer, tokenizer)
    for name, weight in _tensors(config, model):
        _add_tensor(writer, name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_gguf(path: Path, model: LanguageModel) -> Tokenizer:
    """Gives `model`, of the file's sizes, the weights of a file of `write_gguf`; its tokenizer."""
    reader = gguf.GGUFReader(path)
    weights = {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in reader.tensors
    }
    names = dict(_names(len(model.blocks)))
    state = {ours: torch.from_numpy(weights[theirs].copy()) for theirs, ours in names.items()}
    model.load_state_dict(state)
    fields = (f"tokenizer.ggml.{name}" for name in ("tokens", "merges"))
    return tokenizer_of(*(reader.fields[name].contents() for name in fields))


def _add_metadata(writer: gguf.GGUFWriter, config: ModelConfig) -> None:
    writer.add_name("Tinig starter")
    writer.add_license("GPL-3.0-or-later")
    writer.add_languages(["en", "es", "fr", "hi", "tl"])
    writer.add_context_length(config.context_tokens)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.feed_forward)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_vocab_size(config.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    parts: dict[str, Any] = json.loads(tokenizer.to_str())
    special = {token["id"] for token in parts["added_tokens"]}
    tokens = [tokenizer.id_to_token(index) or "" for index in range(tokenizer.get_vocab_size())]
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(LLAMA_CPP_PRE_TOKENIZER)
    writer.add_token_list(tokens)
    writer.add_token_types([control if i in special else normal for i in range(len(tokens))])
    writer.add_token_merges([" ".join(pair) for pair in parts["model"]["merges"]])
    writer.add_bos_token_id(token_id(tokenizer, TEXT_END))
    writer.add_eos_token_id(token_id(tokenizer, MESSAGE_END))
    writer.add_eot_token_id(token_id(tokenizer, MESSAGE_END))
    writer.add_pad_token_id(token_id(tokenizer, PADDING))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE_PATH.read_text(encoding="utf-8"))


def _tensors(config: ModelConfig, model: LanguageModel) -> Iterator[tuple[str, np.ndarray]]:
    """Tensors by their names in GGUF; without `output.weight` the embedding serves for both."""
    weights = {name: tensor.float().cpu().numpy() for name, tensor in model.state_dict().items()}
    for theirs, ours in _names(config.layers):
        yield theirs, weights[ours]


def _names(layers: int) -> Iterator[tuple[str, str]]:
    """Every tensor's name in GGUF and in the model."""
    yield "token_embd.weight", "embedding.weight"
    yield "output_norm.weight", "norm.weight"
    for layer in range(layers):
        for ours, theirs in _BLOCK_TENSORS.items():
            yield f"blk.{layer}.{theirs}.weight", f"blocks.{layer}.{ours}.weight"


def _add_tensor(writer: gguf.GGUFWriter, name: str, weight: np.ndarray) -> None:
    if weight.ndim == 1:
        writer.add_tensor(name, weight)
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(weight, kind), raw_dtype=kind)
