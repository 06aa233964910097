"""The trained model as a GGUF file for llama.cpp, and back: weights in Q8_0, norms in F32."""

from collections.abc import Iterator
from pathlib import Path

import gguf
import torch
from tokenizers import Tokenizer

from scripts.gguf_file import About, BytePairs, LlamaShape, write_gguf
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.language_model.chat import TEMPLATE_PATH
from scripts.train_starter.language_model.model import LanguageModel, ModelConfig
from scripts.train_starter.language_model.tokenizer import tokenizer_of

_ABOUT = About("Tinig starter", "GPL-3.0-or-later", LANGUAGES)
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


def write_model(
    path: Path, tokenizer: Tokenizer, config: ModelConfig, model: LanguageModel
) -> None:
    """Writes `model` to `path` with its tokenizer and chat template."""
    weights = {name: tensor.float().cpu().numpy() for name, tensor in model.state_dict().items()}
    shape = LlamaShape(
        config.layers,
        config.width,
        config.heads,
        config.kv_heads,
        config.feed_forward,
        config.context_tokens,
    )
    partial = path.with_suffix(".partial")
    write_gguf(
        partial,
        shape,
        BytePairs.of(tokenizer),
        {theirs: weights[ours] for theirs, ours in _names(config.layers)},
        quantization="Q8_0",
        chat_template=TEMPLATE_PATH.read_text(encoding="utf-8"),
        about=_ABOUT,
    )
    partial.replace(path)  # whoever has mapped the one before keeps it


def read_model(path: Path, model: LanguageModel) -> Tokenizer:
    """Gives `model`, of the file's sizes, the weights of a file of `write_model`; its tokenizer."""
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


def _names(layers: int) -> Iterator[tuple[str, str]]:
    """Every tensor's name in GGUF and in the model."""
    yield "token_embd.weight", "embedding.weight"
    yield "output_norm.weight", "norm.weight"
    for layer in range(layers):
        for ours, theirs in _BLOCK_TENSORS.items():
            yield f"blk.{layer}.{theirs}.weight", f"blocks.{layer}.{ours}.weight"
