"""Whisper in CTranslate2's format with random weights: the true layout, no torch, no download."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ctranslate2.specs import WhisperSpec
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

Array = NDArray[np.float32] | NDArray[np.float16]

SOURCE_POSITIONS = 1500
TARGET_POSITIONS = 448
LAST_TIMESTAMP_STEP = 1500  # of 0.02 s
_PROMPT_TOKENS = 4  # start, language, task, no timestamps
_CERTAIN = 40.0  # a logit beside others of deviation 1
_LIKELY = 10.0
_DEVIATION = 0.02  # of the weights of a large one


@dataclass(frozen=True, slots=True)
class WhisperShape:
    """The size of a Whisper. Radford et al., "Robust Speech Recognition via Large-Scale Weak
    Supervision" (2022), table 1; large-v3 has 128 mels, and turbo four layers of decoder."""

    encoder_layers: int
    decoder_layers: int
    width: int
    heads: int
    mels: int = 80


class Draw(Protocol):
    """Makes weights: normal numbers of this shape, by default of deviation inputs ** -0.5."""

    def __call__(self, *shape: int, scale: float | None = None) -> Array: ...


def write_scripted_whisper(
    directory: Path,
    shape: WhisperShape,
    words: Sequence[str],
    *,
    languages: Sequence[str],
    num_languages: int = 0,
    num_text_tokens: int = 0,
    seed: int = 0,
) -> None:
    """Write a Whisper in float16 that hears the first of `languages` and these words, a token each,
    in everything; in less than a second of speech, as many as fit.

    What it says next depends on the position alone: the layers compute as any others of their shape
    and add nothing. `num_languages` and `num_text_tokens`: of a real vocabulary, so that it is of
    true size; 0 for those that are used.
    """
    codes = _codes(languages, num_languages)
    tokenizer = make_tokenizer(codes, words=words, num_text_tokens=num_text_tokens)
    generator = np.random.default_rng(seed)
    spec = random_spec(shape, tokenizer.get_vocab_size(), _PooledDraw(shape, tokenizer, generator))
    for layer in (*spec.encoder.layer, *spec.decoder.layer):
        _silence(layer.self_attention.linear[-1])
        _silence(layer.ffn.linear_1)
    for layer in spec.decoder.layer:
        _silence(layer.attention.linear[-1])
    _script(spec.decoder, tokenizer, words, codes[0], generator)
    save(spec, directory, tokenizer)


def make_tokenizer(
    languages: Sequence[str],
    *,
    words: Sequence[str] = (),
    num_text_tokens: int = 0,
    multilingual: bool = True,
) -> Tokenizer:
    """Whisper's layout: a token for each byte and word, "", the special ones, timestamps last."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    text = list(dict.fromkeys([*alphabet, *("Ġ" + word for word in words)]))
    text += [f"[PAD{index}]" for index in range(len(text) + 1, num_text_tokens)]
    text += [""] if multilingual else []  # by "" CTranslate2 knows which it is
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(text)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|startoftranscript|>"]
    special += [f"<|{language}|>" for language in languages]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
    special += ["<|nospeech|>", "<|notimestamps|>"]
    special += [f"<|{step * 0.02:.2f}|>" for step in range(LAST_TIMESTAMP_STEP + 1)]
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    return tokenizer


def random_spec(shape: WhisperShape, num_tokens: int, draw: Draw) -> WhisperSpec:
    """A whole model, its weights drawn; to be changed before it is saved."""
    layers = (shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    spec = WhisperSpec(*layers)
    _Filler(shape, draw).fill(spec, num_tokens)
    return spec


def save(spec: WhisperSpec, directory: Path, tokenizer: Tokenizer) -> None:
    """Write the directory that faster-whisper and our engine load."""
    directory.mkdir(parents=True, exist_ok=True)
    vocabulary = [str(tokenizer.id_to_token(index)) for index in range(tokenizer.get_vocab_size())]
    start, translate = vocabulary.index("<|startoftranscript|>"), vocabulary.index("<|translate|>")
    spec.config.suppress_ids = list(range(start, len(vocabulary)))
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = list(range(start + 1, translate))
    spec.config.alignment_heads = [[len(spec.decoder.layer) - 1, 0]]
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(directory))
    tokenizer.save(str(directory / "tokenizer.json"))


class _Filler:
    """Sets every weight of a specification, in the same order each time."""

    def __init__(self, shape: WhisperShape, draw: Draw) -> None:
        self._shape = shape
        self._draw = draw

    def fill(self, spec: WhisperSpec, num_tokens: int) -> None:
        self._encoder(spec.encoder)
        self._decoder(spec.decoder, num_tokens)

    def _encoder(self, encoder: Any) -> None:
        width, mels = self._shape.width, self._shape.mels
        for convolution, inputs in ((encoder.conv1, mels), (encoder.conv2, width)):
            convolution.weight = self._draw(width, inputs, 3, scale=(3 * inputs) ** -0.5)
            convolution.bias = self._draw(width, scale=0.1)
        encoder.position_encodings.encodings = self._draw(SOURCE_POSITIONS, width, scale=0.1)
        self._norm(encoder.layer_norm)
        for layer in encoder.layer:
            self._attention(layer.self_attention)
            self._feed_forward(layer.ffn)

    def _decoder(self, decoder: Any, num_tokens: int) -> None:
        width = self._shape.width
        decoder.embeddings.weight = self._draw(num_tokens, width, scale=0.2)
        decoder.projection.weight = self._draw(num_tokens, width, scale=1.0)
        # Strong positions: what is said next depends on where it stands, so nothing loops.
        decoder.position_encodings.encodings = self._draw(TARGET_POSITIONS, width, scale=8.0)
        self._norm(decoder.layer_norm)
        for layer in decoder.layer:
            self._attention(layer.self_attention)
            self._attention(layer.attention, cross=True)
            self._feed_forward(layer.ffn)

    def _attention(self, attention: Any, *, cross: bool = False) -> None:
        width = self._shape.width
        outputs = (width, 2 * width, width) if cross else (3 * width, width)
        for linear, size in zip(attention.linear, outputs, strict=True):
            self._linear(linear, size, width)
        self._norm(attention.layer_norm)

    def _feed_forward(self, ffn: Any) -> None:
        width = self._shape.width
        self._linear(ffn.linear_0, 4 * width, width)
        self._linear(ffn.linear_1, width, 4 * width)
        self._norm(ffn.layer_norm)

    def _linear(self, linear: Any, outputs: int, inputs: int) -> None:
        linear.weight = self._draw(outputs, inputs)
        linear.bias = np.zeros(outputs, np.float32)

    def _norm(self, norm: Any) -> None:
        norm.gamma = np.ones(self._shape.width, np.float32)
        norm.beta = np.zeros(self._shape.width, np.float32)


class _PooledDraw:
    """Weights in float16 that are views of the same numbers, of one scale: so they take no memory,
    and are there at once."""

    def __init__(
        self, shape: WhisperShape, tokenizer: Tokenizer, generator: np.random.Generator
    ) -> None:
        rows = max(tokenizer.get_vocab_size(), 4 * shape.width)
        numbers = generator.standard_normal(rows * shape.width, np.float32)
        self._pool = (numbers * np.float32(_DEVIATION)).astype(np.float16)
        self._generator = generator

    def __call__(self, *shape: int, scale: float | None = None) -> Array:
        size = int(np.prod(shape))
        start = int(self._generator.integers(0, self._pool.size - size + 1))
        return self._pool[start : start + size].reshape(shape)


def _silence(linear: Any) -> None:
    linear.weight = np.zeros(linear.weight.shape, linear.weight.dtype)


def _script(
    decoder: Any,
    tokenizer: Tokenizer,
    words: Sequence[str],
    language: str,
    generator: np.random.Generator,
) -> None:
    """Every position has a direction of its own, and the word that belongs there points to it."""
    positions = decoder.position_encodings.encodings
    signs = generator.choice(np.array([-1, 1], np.float16), positions.shape)
    width = positions.shape[1]
    projection = decoder.projection.weight / np.float16(_DEVIATION * width**0.5)
    said = ["Ġ" + word for word in words] + ["<|endoftext|>"]
    for position, token in enumerate(said, start=_PROMPT_TOKENS - 1):
        _point(projection, tokenizer, token, signs[position], _CERTAIN)
    _point(projection, tokenizer, f"<|{language}|>", signs[0], _LIKELY)
    decoder.position_encodings.encodings = signs
    decoder.projection.weight = projection


def _point(
    projection: Array, tokenizer: Tokenizer, token: str, direction: Array, logit: float
) -> None:
    projection[tokenizer.token_to_id(token)] += direction * np.float16(logit / direction.size)


def _codes(languages: Sequence[str], count: int) -> list[str]:
    """These languages, and codes of three letters up to the count."""
    others = ("".join(letters) for letters in product("q", *2 * [string.ascii_lowercase]))
    return [*languages, *(next(others) for _ in range(count - len(languages)))]
