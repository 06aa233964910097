"""Models of random weights, as large as wanted, made on the spot: they compute what a trained model
of their size computes, and say nothing.

Those named scripted say the same words for ever, so that every answer of a measurement has the
length that was asked for, in an ordinary server under its ordinary configuration.
"""

from benchmarks.random_models.llama import (
    CHAT_TEMPLATE,
    random_weights,
    small_vocabulary,
    write_random_gguf,
    write_scripted_gguf,
)
from benchmarks.random_models.vits import HIGH, VitsShape, write_random_vits
from benchmarks.random_models.whisper import WhisperShape, write_scripted_whisper

__all__ = [
    "CHAT_TEMPLATE",
    "HIGH",
    "VitsShape",
    "WhisperShape",
    "random_weights",
    "small_vocabulary",
    "write_random_gguf",
    "write_random_vits",
    "write_scripted_gguf",
    "write_scripted_whisper",
]
