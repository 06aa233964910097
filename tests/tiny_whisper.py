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

from benchmarks.random_models.whisper import WhisperShape, make_tokenizer, random_spec, save

LANGUAGES = ("en", "es", "fr", "hi", "tl")
N_MELS = 80
WIDTH = 32
NEVER = -1e4  # a logit that is never chosen
_SHAPE = WhisperShape(encoder_layers=2, decoder_layers=2, width=WIDTH, heads=2, mels=N_MELS)

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
    tokenizer = make_tokenizer(LANGUAGES, multilingual=multilingual)
    vocabulary = [str(tokenizer.id_to_token(index)) for index in range(tokenizer.get_vocab_size())]
    spec = random_spec(_SHAPE, len(vocabulary), _Normal(np.random.default_rng(seed)))
    for layer in spec.decoder.layer:  # what is said depends on the audio
        layer.attention.linear[-1].weight *= 6
    spec.decoder.projection.weight *= logit_scale
    spec.decoder.projection.bias = _output_bias(vocabulary, end_bias, no_speech_bias, only_token)
    save(spec, directory, tokenizer)
    return directory


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


class _Normal:
    """Draws each weight anew, in float32."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def __call__(self, *shape: int, scale: float | None = None) -> Array:
        scale = shape[-1] ** -0.5 if scale is None else scale
        return (self._random.standard_normal(shape) * scale).astype(np.float32)
