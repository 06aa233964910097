"""GGUF models of any size with random weights: they say nothing, as fast as a trained one would."""

from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from scripts.gguf_file import (
    CONTROL,
    WORDS,
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


def small_vocabulary(size: int = 512) -> BytePairs:
    """All bytes, and merges for a little of five languages."""
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
    tokenizer.train_from_iterator(_SENTENCES, trainer)
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
