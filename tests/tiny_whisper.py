"""A Whisper model of random weights in the true format, made in a tenth of a second.

What it says means nothing, but it depends on the audio, ends by itself and does not loop, so the
engine can be tested on it: batching, languages, windows, guards. No torch, no download.
"""

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.whisper_spec import WhisperConfig
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

LANGUAGES = ("en", "es", "fr", "hi", "tl")
N_MELS = 80
WIDTH = 32
LAYERS = 2
HEADS = 2
SOURCE_POSITIONS = 1500
TARGET_POSITIONS = 448
LAST_TIMESTAMP_STEP = 1500
NEVER = -1e4  # a logit that is never chosen

Array = npt.NDArray[np.float32]


def write_random_whisper(
    directory: Path,
    *,
    seed: int = 0,
    end_bias: float = 3.0,
    no_speech_bias: float = 0.0,
    logit_scale: float = 1.0,
    only_token: str = "",
    multilingual: bool = True,
) -> Path:
    """Write a CTranslate2 Whisper directory and return it.

    `end_bias` is added to the logit of the end of text: large, and every transcript is empty;
    very negative, and none ends by itself. `no_speech_bias` is added to the logit of no speech.
    A small `logit_scale` makes it unsure. `only_token` makes it say that token for ever.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(multilingual)
    tokenizer.save(str(directory / "tokenizer.json"))
    vocabulary = [str(tokenizer.id_to_token(index)) for index in range(tokenizer.get_vocab_size())]
    weights = _Weights(np.random.default_rng(seed), vocabulary)
    spec = weights.spec(logit_scale, _output_bias(vocabulary, end_bias, no_speech_bias, only_token))
    spec.register_vocabulary(vocabulary)
    _configure(spec.config, vocabulary)
    spec.validate()
    spec.optimize()
    spec.save(str(directory))
    return directory


def make_tokenizer(multilingual: bool = True) -> Tokenizer:
    """Whisper's layout, one token per byte: text, "", the special ones, timestamps last."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    text = [*alphabet, *([""] if multilingual else [])]  # by "" CTranslate2 knows which it is
    vocabulary = {token: index for index, token in enumerate(text)}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|startoftranscript|>"]
    special += [f"<|{language}|>" for language in LANGUAGES]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
    special += ["<|nospeech|>", "<|notimestamps|>"]
    special += [f"<|{step * 0.02:.2f}|>" for step in range(LAST_TIMESTAMP_STEP + 1)]
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    return tokenizer


def _configure(config: WhisperConfig, vocabulary: list[str]) -> None:
    start, translate = vocabulary.index("<|startoftranscript|>"), vocabulary.index("<|translate|>")
    config.suppress_ids = list(range(start, len(vocabulary)))
    config.suppress_ids_begin = []
    config.lang_ids = list(range(start + 1, translate))
    config.alignment_heads = [[LAYERS - 1, 0]]


def edit_config(directory: Path, **values: Any) -> None:
    """Add fields to the model's `config.json`."""
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _output_bias(
    vocabulary: list[str], end_bias: float, no_speech_bias: float, only_token: str
) -> Array:
    """Only letters, spaces and the end can be said, or one token alone and never the end."""
    sayable = {only_token} if only_token else {*string.ascii_lowercase, "Ġ"}
    biases = dict.fromkeys((*sayable, *(f"<|{language}|>" for language in LANGUAGES)), 0.0)
    biases["<|endoftext|>"] = NEVER if only_token else end_bias
    biases["<|nospeech|>"] = no_speech_bias
    return np.array([biases.get(token, NEVER) for token in vocabulary], dtype=np.float32)


class _Weights:
    def __init__(self, random: np.random.Generator, vocabulary: list[str]) -> None:
        self._random = random
        self._vocabulary = vocabulary

    def spec(self, logit_scale: float, output_bias: Array) -> WhisperSpec:
        spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
        self._encoder(spec.encoder)
        self._decoder(spec.decoder)
        spec.decoder.projection.weight *= logit_scale
        spec.decoder.projection.bias = output_bias
        return spec

    def _normal(self, *shape: int, scale: float | None = None) -> Array:
        scale = shape[-1] ** -0.5 if scale is None else scale
        return (self._random.standard_normal(shape) * scale).astype(np.float32)

    def _encoder(self, encoder: Any) -> None:
        for convolution, inputs in ((encoder.conv1, N_MELS), (encoder.conv2, WIDTH)):
            convolution.weight = self._normal(WIDTH, inputs, 3, scale=(3 * inputs) ** -0.5)
            convolution.bias = self._normal(WIDTH, scale=0.1)
        encoder.position_encodings.encodings = self._normal(SOURCE_POSITIONS, WIDTH, scale=0.1)
        self._norm(encoder.layer_norm)
        for layer in encoder.layer:
            self._attention(layer.self_attention)
            self._feed_forward(layer.ffn)

    def _decoder(self, decoder: Any) -> None:
        decoder.embeddings.weight = self._normal(len(self._vocabulary), WIDTH, scale=0.2)
        decoder.projection.weight = self._normal(len(self._vocabulary), WIDTH, scale=1.0)
        # Strong positions: what is said next depends on where it stands, so nothing loops.
        decoder.position_encodings.encodings = self._normal(TARGET_POSITIONS, WIDTH, scale=8.0)
        self._norm(decoder.layer_norm)
        for layer in decoder.layer:
            self._attention(layer.self_attention)
            self._attention(layer.attention, cross=True)
            self._feed_forward(layer.ffn)

    def _attention(self, attention: Any, *, cross: bool = False) -> None:
        outputs = (WIDTH, 2 * WIDTH, WIDTH) if cross else (3 * WIDTH, WIDTH)
        for linear, size in zip(attention.linear, outputs, strict=True):
            self._linear(linear, size, WIDTH)
        if cross:  # what is said depends on the audio
            attention.linear[-1].weight *= 6
        self._norm(attention.layer_norm)

    def _feed_forward(self, ffn: Any) -> None:
        self._linear(ffn.linear_0, 4 * WIDTH, WIDTH)
        self._linear(ffn.linear_1, WIDTH, 4 * WIDTH)
        self._norm(ffn.layer_norm)

    def _linear(self, linear: Any, outputs: int, inputs: int) -> None:
        linear.weight = self._normal(outputs, inputs)
        linear.bias = np.zeros(outputs, np.float32)

    def _norm(self, norm: Any) -> None:
        norm.gamma = np.ones(WIDTH, np.float32)
        norm.beta = np.zeros(WIDTH, np.float32)
