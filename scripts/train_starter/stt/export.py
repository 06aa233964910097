"""A checkpoint into the folder that CTranslate2 and faster-whisper load, weights in int8.

What breaks an unmodified faster-whisper, silently or not, and is therefore written here: the empty
string and a byte alphabet in the vocabulary (see `tokenizer.py`), `lang_ids`, 1,500 positions,
`tokenizer.json`, `preprocessor_config.json`. `tinig.json` is for the server alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ctranslate2.specs import WhisperSpec
from numpy.typing import NDArray

from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.stt.model import Dimensions
from scripts.train_starter.stt.tokenizer import Codec

Weights = Mapping[str, NDArray[np.float32]]
QUANTIZATION = "int8"
PREPROCESSOR = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "sampling_rate": 16000,
    "hop_length": 160,
    "chunk_length": 30,
    "n_fft": 400,
}
TINIG = {"short_windows": True, "translate": False}  # what engines/stt must know of the training


def export(checkpoint: Path, tokenizer_file: Path, out: Path) -> None:
    """Write the averaged weights of a checkpoint to the folder `out`."""
    state = torch.load(checkpoint, map_location="cpu")
    averaged = {**state["model"], **state["average"]}
    weights = {name: tensor.float().numpy() for name, tensor in averaged.items()}
    spec = fill(weights, Dimensions(**state["size"]))
    codec = Codec(tokenizer_file)
    tokens = sorted(codec.tokenizer.get_vocab().items(), key=lambda item: item[1])
    spec.register_vocabulary([token for token, _ in tokens])
    _configure(spec, codec, state["size"]["num_decoder_layers"])
    spec.validate()
    spec.optimize(quantization=QUANTIZATION)
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))
    shutil.copy(tokenizer_file, out / "tokenizer.json")
    for name, facts in (("preprocessor_config", PREPROCESSOR), ("tinig", TINIG)):
        (out / f"{name}.json").write_text(json.dumps(facts, indent=2) + "\n")


def _configure(spec: Any, codec: Codec, num_decoder_layers: int) -> None:
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [codec.language(language) for language in LANGUAGES]
    # The heads that were taught where to look (see losses.py): word timestamps work.
    spec.config.alignment_heads = [[num_decoder_layers - 1, 0], [num_decoder_layers - 1, 1]]


def fill(weights: Weights, size: Dimensions) -> Any:
    """CTranslate2's description of the model."""
    spec = WhisperSpec(
        size.num_encoder_layers, size.num_heads, size.num_decoder_layers, size.num_heads
    )
    for part in ("encoder", "decoder"):
        target = getattr(spec, part)
        target.position_encodings.encodings = weights[f"{part}.embed_positions"]
        affine(target.layer_norm, weights, f"{part}.layer_norm", "gamma", "beta")
        for index, layer in enumerate(target.layer):
            fill_layer(layer, weights, f"{part}.layers.{index}")
    for name in ("conv1", "conv2"):
        affine(getattr(spec.encoder, name), weights, f"encoder.{name}")
    spec.decoder.embeddings.weight = weights["decoder.embed_tokens.weight"]
    spec.decoder.projection.weight = weights["decoder.embed_tokens.weight"]
    return spec


def fill_layer(layer: Any, weights: Weights, name: str) -> None:
    """One layer of an encoder, or of a decoder that looks at one."""
    attention = layer.self_attention
    affine(attention.layer_norm, weights, f"{name}.self_attn_layer_norm", "gamma", "beta")
    _fuse(attention.linear[0], weights, f"{name}.self_attn", ("q", "k", "v"))
    _fuse(attention.linear[1], weights, f"{name}.self_attn", ("out",))
    if f"{name}.encoder_attn.q_proj.weight" in weights:
        cross = layer.attention
        affine(cross.layer_norm, weights, f"{name}.encoder_attn_layer_norm", "gamma", "beta")
        for linear, parts in zip(cross.linear, (("q",), ("k", "v"), ("out",)), strict=True):
            _fuse(linear, weights, f"{name}.encoder_attn", parts)
    feed_forward = layer.ffn
    affine(feed_forward.layer_norm, weights, f"{name}.final_layer_norm", "gamma", "beta")
    affine(feed_forward.linear_0, weights, f"{name}.fc1")
    affine(feed_forward.linear_1, weights, f"{name}.fc2")


def _fuse(linear: Any, weights: Weights, name: str, parts: tuple[str, ...]) -> None:
    """Projections that CTranslate2 does in one; Whisper's keys have no bias."""
    matrices = [weights[f"{name}.{part}_proj.weight"] for part in parts]
    none = np.zeros(len(matrices[0]), np.float32)
    linear.weight = np.concatenate(matrices)
    linear.bias = np.concatenate([weights.get(f"{name}.{p}_proj.bias", none) for p in parts])


def affine(
    target: Any, weights: Weights, name: str, weight: str = "weight", bias: str = "bias"
) -> None:
    """The weights of `name`, in CTranslate2's words."""
    setattr(target, weight, weights[f"{name}.weight"])
    setattr(target, bias, weights[f"{name}.bias"])


def size_megabytes(folder: Path) -> float:
    """Size of all files in a model folder."""
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6
