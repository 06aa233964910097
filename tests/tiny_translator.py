"""Translation models of random weights in the true layouts, made in a tenth of a second.

What they say means nothing, but it depends on the source and on its first token, and it ends.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sentencepiece
from ctranslate2.specs import TransformerSpec, common_spec

WIDTH, HEADS, POSITIONS = 32, 2, 128
END, UNKNOWN, START = "</s>", "<unk>", "<pad>"
SENTENCES = (
    "hello, how are you?", "the clinic opens at nine.", "what is your name?", "good morning!",
    "magandang umaga po.", "bukas po ang klinika.", "ano po ang pangalan ninyo?", "salamat po.",
)  # fmt: skip

Array = npt.NDArray[np.float32]


def write_opus_mt(directory: Path, *, tokens: tuple[str, ...] = (), seed: int = 0) -> Path:
    """Write an OPUS-MT model (Marian) with `tokens` such as ">>tgl<<" and return its folder."""
    pieces = _pieces(directory, "source.spm")
    (directory / "target.spm").write_bytes((directory / "source.spm").read_bytes())
    spec = TransformerSpec.from_config(
        1, HEADS, pre_norm=False, activation=common_spec.Activation.SWISH
    )
    spec.decoder.start_from_zero_embedding = True
    _write(directory, spec, [END, UNKNOWN, *tokens, *pieces], END, seed)
    return directory


def write_madlad(directory: Path, *, tokens: tuple[str, ...] = ("<2fil>",), seed: int = 0) -> Path:
    """Write a MADLAD-400 model (T5) that knows `tokens` and return its folder."""
    pieces = _pieces(directory, "spiece.model")
    spec = TransformerSpec.from_config(
        1,
        HEADS,
        activation=common_spec.Activation.GELUTanh,
        ffn_glu=True,
        relative_attention_bias=True,
        rms_norm=True,
    )
    _write(directory, spec, [START, END, UNKNOWN, *tokens, *pieces], START, seed)
    return directory


def _pieces(directory: Path, name: str) -> list[str]:
    """Train a model of subwords and write it; its pieces without the special ones."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES),
            model_writer=file,
            vocab_size=60,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    return [piece for piece in pieces if piece not in (END, UNKNOWN, "<s>")]


def _write(directory: Path, spec: Any, vocabulary: list[str], start: str, seed: int) -> None:
    weights = _Weights(np.random.default_rng(seed), vocabulary)
    weights.fill(spec)
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.config.eos_token, spec.config.unk_token = END, UNKNOWN
    spec.config.decoder_start_token = start
    spec.validate()
    spec.optimize()
    spec.save(str(directory))
    config = json.loads((directory / "config.json").read_text())
    assert not config["add_source_eos"]  # as the converter of Transformers leaves it


class _Weights:
    def __init__(self, random: np.random.Generator, vocabulary: list[str]) -> None:
        self._random = random
        self._size = len(vocabulary)
        self._end = vocabulary.index(END)

    def fill(self, spec: Any) -> None:
        spec.encoder.embeddings[0].weight = self._normal(self._size, WIDTH)
        spec.decoder.embeddings.weight = self._normal(self._size, WIDTH)
        spec.decoder.projection.weight = self._normal(self._size, WIDTH, scale=1.0)
        spec.decoder.projection.bias = np.zeros(self._size, np.float32)
        spec.decoder.projection.bias[self._end] = -12.0  # it says something before it ends
        for stack in (spec.encoder, spec.decoder):
            self._norm(stack)
            if hasattr(stack, "position_encodings"):
                stack.position_encodings.encodings = self._normal(POSITIONS, WIDTH)
            for number, layer in enumerate(stack.layer):
                self._layer(layer, is_first=number == 0)

    def _layer(self, layer: Any, *, is_first: bool) -> None:
        self._attention(layer.self_attention, (3 * WIDTH, WIDTH), is_first=is_first)
        if hasattr(layer, "attention"):
            self._attention(layer.attention, (WIDTH, 2 * WIDTH, WIDTH), is_first=False)
        for name, outputs, inputs in (
            ("linear_0", 2 * WIDTH, WIDTH),
            ("linear_0_noact", 2 * WIDTH, WIDTH),
            ("linear_1", WIDTH, 2 * WIDTH),
        ):
            if hasattr(layer.ffn, name):
                self._linear(getattr(layer.ffn, name), outputs, inputs)
        self._norm(layer.ffn)

    def _attention(self, attention: Any, outputs: tuple[int, ...], *, is_first: bool) -> None:
        for linear, size in zip(attention.linear, outputs, strict=True):
            self._linear(linear, size, WIDTH)
        self._norm(attention)
        if hasattr(attention, "relative_attention_bias") and is_first:
            attention.relative_attention_bias = self._normal(32, HEADS)
            attention.relative_attention_max_distance = np.int32(128)

    def _linear(self, linear: Any, outputs: int, inputs: int) -> None:
        linear.weight = self._normal(outputs, inputs)
        linear.bias = np.zeros(outputs, np.float32)

    def _norm(self, holder: Any) -> None:
        norm = getattr(holder, "layer_norm", None)
        if norm is not None:
            norm.gamma = np.ones(WIDTH, np.float32)
            if hasattr(norm, "beta"):
                norm.beta = np.zeros(WIDTH, np.float32)

    def _normal(self, *shape: int, scale: float | None = None) -> Array:
        scale = shape[-1] ** -0.5 if scale is None else scale
        return (self._random.standard_normal(shape) * scale).astype(np.float32)
