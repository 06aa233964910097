"""GGUF files of the Llama architecture, for llama.cpp: what a recipe trained, or random weights.

Needs the packages `gguf` and `tokenizers`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import gguf
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Weights = NDArray[np.float32]
Blocks = NDArray[np.uint8]  # of a quantization, as they lie in the file: [outputs, bytes]
Quantization = Literal["F32", "F16", "Q8_0", "Q4_0"]

END_OF_TEXT, START, END, PAD = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
CONTROL = (END_OF_TEXT, START, END, PAD)
PRE_TOKENIZER = "qwen35"  # of llama.cpp: it keeps the vowel signs of Devanagari with their letters

# The regular expression of that pre-tokenizer (LLAMA_VOCAB_PRE_TYPE_QWEN35).
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|"
    r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
NORM_EPSILON = 1e-5
Q4_BLOCK, Q4_BLOCK_BYTES = 32, 18  # weights of a block of Q4_0: a float16 scale, then nibbles
ROPE_BASE = 10_000.0

_FILE_TYPES: Mapping[Quantization, gguf.LlamaFileType] = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
}


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself."""

    name: str
    licence: str = ""
    languages: Sequence[str] = ()


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

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "BytePairs":
        """The vocabulary of a byte-level BPE tokenizer with our control tokens."""
        merges: Sequence[Sequence[str] | str] = json.loads(tokenizer.to_str())["model"]["merges"]
        tokens = (tokenizer.id_to_token(index) for index in range(tokenizer.get_vocab_size()))
        return cls(
            tuple(token or "" for token in tokens),
            tuple(merge if isinstance(merge, str) else " ".join(merge) for merge in merges),
        )

    def padded(self, size: int) -> "BytePairs":
        """With tokens that are never used, up to the vocabulary of a real model."""
        padding = (f"[PAD{index}]" for index in range(len(self.tokens), size))
        return BytePairs((*self.tokens, *padding), self.merges)

    def with_tokens(self, texts: Iterable[str]) -> "BytePairs":
        """With tokens for these texts, where they are none yet; no merge leads to them."""
        new = tuple(text for text in texts if text not in self.tokens)
        return BytePairs(self.tokens + new, self.merges)

    def add_to(self, writer: Any) -> None:
        ids = {text: index for index, text in enumerate(self.tokens)}
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(PRE_TOKENIZER)
        writer.add_token_list(list(self.tokens))
        writer.add_token_types([_token_type(text) for text in self.tokens])
        writer.add_token_merges(list(self.merges))
        writer.add_bos_token_id(ids[END_OF_TEXT])
        writer.add_eos_token_id(ids[END])
        writer.add_eot_token_id(ids[END])
        writer.add_pad_token_id(ids[PAD])
        writer.add_add_bos_token(False)


def write_gguf(
    path: Path,
    shape: LlamaShape,
    vocabulary: Vocabulary,
    weights: Mapping[str, Weights | Blocks],
    *,
    quantization: Quantization = "F32",
    chat_template: str = "",
    about: About | None = None,
) -> None:
    """Write a GGUF file; without `output.weight` the embedding serves for both ends.

    Weights that are blocks of the quantization already are written as they are.
    """
    writer = gguf.GGUFWriter(str(path), "llama")
    _add_about(writer, about or About(path.stem))
    writer.add_context_length(shape.context_tokens)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward_width)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_file_type(_FILE_TYPES[quantization])
    if chat_template:
        writer.add_chat_template(chat_template)
    vocabulary.add_to(writer)
    for name, tensor in weights.items():
        _add_tensor(writer, name, tensor, quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_about(writer: Any, about: About) -> None:
    writer.add_name(about.name)
    if about.licence:
        writer.add_license(about.licence)
    if about.languages:
        writer.add_languages(list(about.languages))


def _token_type(text: str) -> Any:
    if text in CONTROL:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.UNUSED if text.startswith("[PAD") else gguf.TokenType.NORMAL


def _add_tensor(
    writer: Any, name: str, tensor: Weights | Blocks, quantization: Quantization
) -> None:
    kind = gguf.GGMLQuantizationType[quantization]
    if tensor.dtype == np.uint8:
        writer.add_tensor(name, tensor, raw_dtype=kind)
    elif tensor.ndim == 1 or quantization == "F32":  # norms always stay as they are
        writer.add_tensor(name, tensor)
    else:
        writer.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
