"""GGUF models of any size with random weights: they say nothing, as fast as a trained one would."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from scripts.gguf_file import (
    CONTROL,
    END,
    Q4_BLOCK,
    Q4_BLOCK_BYTES,
    WORDS,
    Blocks,
    BytePairs,
    LlamaShape,
    Quantization,
    Weights,
    write_gguf,
)

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

_NIBBLE_DEVIATION = 4.6  # of 16 values that are equally likely

_SENTENCES = (
    "You are Tinig, a voice assistant on the phone. Answer in one or two short sentences.",
    "system user assistant tool What is the capital of France? The capital is Paris.",
    "¿Cuál es la capital de España? La capital de España es Madrid, muchas gracias.",
    "Quelle est la capitale de la France ? Bonjour, comment puis-je vous aider ?",
    "भारत की राजधानी क्या है? नमस्ते, मैं आपकी क्या मदद कर सकता हूँ?",
    "Ano ang kabisera ng Pilipinas? Kumusta, paano kita matutulungan ngayong araw?",
)


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


def write_scripted_gguf(
    path: Path,
    pieces: Sequence[bytes],
    *,
    shape: LlamaShape | None = None,
    vocabulary: BytePairs | None = None,
    vocabulary_size: int = 0,
    chat_template: str = CHAT_TEMPLATE,
    seed: int = 0,
) -> None:
    """Write a model that answers everything with the same tokens, which stand for `pieces`.

    Its layers compute as any others of their shape (every width a multiple of 32, weights in Q4_0)
    and add nothing, so its next token depends on the last one alone: each piece leads to the next
    one, and the line break before an answer to the first. No piece may stand there twice. An 8B
    model takes 0.6 GB of memory to write: its tensors are views of the same random blocks.
    """
    assert len(set(pieces)) == len(pieces)
    shape = shape or LlamaShape(layers=1, width=128)
    vocabulary = (vocabulary or small_vocabulary()).with_tokens(map(_as_token, pieces))
    vocabulary = vocabulary.padded(vocabulary_size)
    ids = [vocabulary.tokens.index(text) for text in (*map(_as_token, (b"\n", *pieces)), END)]
    blocks = _RandomBlocks(shape, len(vocabulary.tokens), np.random.default_rng(seed))
    embedding = blocks.matrix(len(vocabulary.tokens), shape.width)
    output = blocks.matrix(len(vocabulary.tokens), shape.width, first_block=1).copy()
    for before, after in pairwise(ids):
        output[after] = embedding[before]
    weights: dict[str, Weights | Blocks] = {
        "token_embd.weight": embedding,
        "output.weight": output,
        "output_norm.weight": np.ones(shape.width, np.float32),
    }
    for layer in range(shape.layers):
        weights |= {f"blk.{layer}.{name}": tensor for name, tensor in blocks.layer().items()}
    write_gguf(path, shape, vocabulary, weights, quantization="Q4_0", chat_template=chat_template)


class _RandomBlocks:
    """Matrices in Q4_0, all of them views of the same random blocks."""

    def __init__(self, shape: LlamaShape, num_tokens: int, generator: np.random.Generator) -> None:
        largest = max(num_tokens, shape.feed_forward_width) * shape.width // Q4_BLOCK
        silent = max(shape.width, shape.feed_forward_width) * shape.width // Q4_BLOCK
        self._shape = shape
        self._blocks = generator.integers(0, 256, (largest + 1, Q4_BLOCK_BYTES), np.uint8)
        self._set_scale(self._blocks, shape.width**-0.5 / _NIBBLE_DEVIATION)
        self._silent = self._blocks[:silent].copy()
        self._set_scale(self._silent, 0.0)

    def matrix(self, outputs: int, inputs: int, *, first_block: int = 0) -> Blocks:
        """Weights that keep the size of what they multiply."""
        return self._view(self._blocks[first_block:], outputs, inputs)

    def layer(self) -> dict[str, Blocks | Weights]:
        """A layer that adds nothing to what goes through it."""
        width, kv_width = self._shape.width, self._shape.kv_width
        feed_forward = self._shape.feed_forward_width
        return {
            "attn_norm.weight": np.ones(width, np.float32),
            "attn_q.weight": self.matrix(width, width),
            "attn_k.weight": self.matrix(kv_width, width),
            "attn_v.weight": self.matrix(kv_width, width),
            "attn_output.weight": self._view(self._silent, width, width),
            "ffn_norm.weight": np.ones(width, np.float32),
            "ffn_gate.weight": self.matrix(feed_forward, width),
            "ffn_up.weight": self.matrix(feed_forward, width),
            "ffn_down.weight": self._view(self._silent, width, feed_forward),
        }

    @staticmethod
    def _set_scale(blocks: Blocks, scale: float) -> None:
        blocks[:, :2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)

    @staticmethod
    def _view(blocks: Blocks, outputs: int, inputs: int) -> Blocks:
        return blocks[: outputs * inputs // Q4_BLOCK].reshape(outputs, -1)


def _as_token(piece: bytes) -> str:
    """Bytes as GPT-2's vocabularies write them: printable ones as they are, others from U+0100."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return "".join(chr(byte if byte in printable else 256 + others.index(byte)) for byte in piece)


def small_vocabulary(size: int = 512, sentences: Iterable[str] = _SENTENCES) -> BytePairs:
    """All bytes, and merges for these sentences: by default a little of five languages."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
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
    tokenizer.train_from_iterator(sentences, trainer)
    return BytePairs.of(tokenizer)


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
