"""GGUF models of any size with random weights: they say nothing, as fast as a trained one would.

Needs the packages `gguf` and `tokenizers`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import gguf
import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

Weights = NDArray[np.float32]
Quantization = Literal["F32", "F16", "Q8_0", "Q4_0"]

END_OF_TEXT, START, END, PAD = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
CONTROL = (END_OF_TEXT, START, END, PAD)

# ChatML with tools in the form of Hermes and Qwen.
CHAT_TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}
{% endif %}<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if not (tools and loop.first and message.role == 'system') -%}
<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

# Keeps the vowel signs of Hindi with their letters; llama.cpp knows it as "qwen35".
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SENTENCES = (
    "You are Tinig, a voice assistant on the phone. Answer in one or two short sentences.",
    "system user assistant tool What is the capital of France? The capital is Paris.",
    "¿Cuál es la capital de España? La capital de España es Madrid, muchas gracias.",
    "Quelle est la capitale de la France ? Bonjour, comment puis-je vous aider ?",
    "भारत की राजधानी क्या है? नमस्ते, मैं आपकी क्या मदद कर सकता हूँ?",
    "Ano ang kabisera ng Pilipinas? Kumusta, paano kita matutulungan ngayong araw?",
)


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """The size of a model of the Llama architecture."""

    layers: int
    width: int
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 0  # 0: three times the width
    context_tokens: int = 2048

    @property
    def feed_forward_width(self) -> int:
        return self.feed_forward or 3 * self.width

    @property
    def kv_width(self) -> int:
        return self.width // self.heads * self.kv_heads


class Vocabulary(Protocol):
    """Any vocabulary that can be written into a GGUF file."""

    @property
    def tokens(self) -> tuple[str, ...]: ...

    def add_to(self, writer: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class BytePairs:
    """A byte-level BPE: tokens as GPT-2 writes bytes, with the control tokens among them."""

    tokens: tuple[str, ...]
    merges: tuple[str, ...]

    def padded(self, size: int) -> "BytePairs":
        """With tokens that are never used, up to the vocabulary of a real model."""
        padding = (f"[PAD{index}]" for index in range(len(self.tokens), size))
        return BytePairs((*self.tokens, *padding), self.merges)

    def add_to(self, writer: Any) -> None:
        ids = {text: index for index, text in enumerate(self.tokens)}
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("qwen35")
        writer.add_token_list(list(self.tokens))
        writer.add_token_types([_token_type(text) for text in self.tokens])
        writer.add_token_merges(list(self.merges))
        writer.add_bos_token_id(ids[END_OF_TEXT])
        writer.add_eos_token_id(ids[END])
        writer.add_eot_token_id(ids[END])
        writer.add_pad_token_id(ids[PAD])
        writer.add_add_bos_token(False)


def write_random_gguf(
    path: Path,
    *,
    layers: int,
    width: int,
    heads: int = 4,
    kv_heads: int = 2,
    feed_forward: int = 0,
    context_tokens: int = 2048,
    vocabulary_size: int = 0,
    quantization: Quantization = "F32",
    chat_template: str = CHAT_TEMPLATE,
    seed: int = 0,
) -> None:
    """Write a Llama with random weights. `vocabulary_size`: 0 for the 512 tokens that are used."""
    shape = LlamaShape(layers, width, heads, kv_heads, feed_forward, context_tokens)
    vocabulary = small_vocabulary().padded(vocabulary_size)
    weights = random_weights(shape, len(vocabulary.tokens), seed=seed)
    write_gguf(
        path, shape, vocabulary, weights, quantization=quantization, chat_template=chat_template
    )


def small_vocabulary(size: int = 512) -> BytePairs:
    """All bytes, and merges for a little of five languages."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return BytePairs(tuple(text for text, _ in tokens), _merges_of(tokenizer))


def random_weights(shape: LlamaShape, vocabulary_size: int, *, seed: int) -> dict[str, Weights]:
    """Tensors by GGUF's names: float32[outputs, inputs], and the norms float32[width]."""
    generator = np.random.default_rng(seed)

    def linear(outputs: int, inputs: int) -> Weights:
        return generator.standard_normal((outputs, inputs), np.float32) * np.float32(inputs**-0.5)

    weights = {
        "token_embd.weight": generator.standard_normal((vocabulary_size, shape.width), np.float32),
        "output.weight": linear(vocabulary_size, shape.width),
        "output_norm.weight": np.ones(shape.width, np.float32),
    }
    for layer in range(shape.layers):
        tensors = {
            "attn_norm": np.ones(shape.width, np.float32),
            "attn_q": linear(shape.width, shape.width),
            "attn_k": linear(shape.kv_width, shape.width),
            "attn_v": linear(shape.kv_width, shape.width),
            "attn_output": linear(shape.width, shape.width),
            "ffn_norm": np.ones(shape.width, np.float32),
            "ffn_gate": linear(shape.feed_forward_width, shape.width),
            "ffn_up": linear(shape.feed_forward_width, shape.width),
            "ffn_down": linear(shape.width, shape.feed_forward_width),
        }
        weights |= {f"blk.{layer}.{name}.weight": tensor for name, tensor in tensors.items()}
    return weights


def write_gguf(
    path: Path,
    shape: LlamaShape,
    vocabulary: Vocabulary,
    weights: Mapping[str, Weights],
    *,
    quantization: Quantization = "F32",
    chat_template: str = CHAT_TEMPLATE,
) -> None:
    """Write a GGUF file of the Llama architecture."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(path.stem)
    writer.add_context_length(shape.context_tokens)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward_width)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(len(vocabulary.tokens))
    if chat_template:
        writer.add_chat_template(chat_template)
    vocabulary.add_to(writer)
    for name, tensor in weights.items():
        _add_tensor(writer, name, tensor, quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _token_type(text: str) -> Any:
    if text in CONTROL:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.UNUSED if text.startswith("[PAD") else gguf.TokenType.NORMAL


def _add_tensor(writer: Any, name: str, tensor: Weights, quantization: Quantization) -> None:
    kind = gguf.GGMLQuantizationType[quantization]
    if tensor.ndim == 1 or quantization == "F32":  # norms always stay as they are
        writer.add_tensor(name, tensor)
    else:
        writer.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)


def _merges_of(tokenizer: Tokenizer) -> tuple[str, ...]:
    """Pairs as GGUF writes them, with a space between."""
    merges: Sequence[Sequence[str] | str] = json.loads(tokenizer.to_str())["model"]["merges"]
    return tuple(m if isinstance(m, str) else " ".join(m) for m in merges)
