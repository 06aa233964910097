"""A checkpoint into a folder in the layout of OPUS-MT that CTranslate2 loads, weights in int8."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from ctranslate2.specs import TransformerSpec, common_spec

from scripts.train_starter.nmt.model import Size
from scripts.train_starter.nmt.tokenizer import END, UNKNOWN, Codec
from scripts.train_starter.stt.export import Weights, affine, fill_layer

QUANTIZATION = "int8"


def export(checkpoint: Path, pieces: Path, out: Path) -> None:
    """Write the averaged weights of a checkpoint, and the subwords, to the folder `out`."""
    state = torch.load(checkpoint, map_location="cpu")
    averaged = {**state["model"], **state["average"]}
    weights = {name: tensor.float().numpy() for name, tensor in averaged.items()}
    spec = fill(weights, Size(**state["size"]))
    vocabulary = Codec(pieces).vocabulary
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.config.eos_token, spec.config.unk_token = END, UNKNOWN
    spec.config.decoder_start_token = END
    spec.validate()
    spec.optimize(quantization=QUANTIZATION)
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))
    for name in ("source.spm", "target.spm"):
        shutil.copy(pieces, out / name)


def fill(weights: Weights, size: Size) -> Any:
    """CTranslate2's description of the model."""
    spec = TransformerSpec.from_config(
        (size.num_encoder_layers, size.num_decoder_layers),
        size.num_heads,
        activation=common_spec.Activation.GELU,
    )
    for part in ("encoder", "decoder"):
        target = getattr(spec, part)
        target.scale_embeddings = False
        target.position_encodings.encodings = weights[f"{part}.embed_positions"]
        affine(target.layer_norm, weights, f"{part}.layer_norm", "gamma", "beta")
        for index, layer in enumerate(target.layer):
            fill_layer(layer, weights, f"{part}.layers.{index}")
    embedding = weights["decoder.embed_tokens.weight"]
    spec.encoder.embeddings[0].weight = embedding
    spec.decoder.embeddings.weight = embedding
    spec.decoder.projection.weight = embedding
    return spec
