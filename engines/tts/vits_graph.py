"""Cut a Piper voice's VITS graph before its decoder, so that audio can be decoded as it is needed.

Piper exports text encoder, duration predictor, flow and HiFi-GAN decoder as one ONNX graph. The
decoder, `dec.*`, does nearly all the work and is convolutional: frames decoded with a margin on
both sides equal the same frames of a whole run. Kim et al., "Conditional Variational Autoencoder
with Adversarial Learning for End-to-End Text-to-Speech" (2021), section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

_DECODER_INPUT_WEIGHT = "dec.conv_pre.weight"
_SPEAKER_WEIGHT = "dec.cond.weight"


@dataclass(frozen=True, slots=True)
class CutGraph:
    """Two ONNX models that together are the voice."""

    encoder: bytes  # the voice's inputs -> `latent`, and `speaker` if there is one
    decoder: bytes  # `latent` float32[1, channels, frames] and `speaker` -> audio
    latent: str
    speaker: str | None  # float32[1, channels, 1]
    durations: str | None  # float32[1, 1, ids]: frames of each phoneme id, from the encoder


def cut(path: Path) -> CutGraph | None:
    """The voice in two, or None when its decoder is not found in the graph."""
    model = onnx.load(str(path))
    latent = _input_of_convolution(model.graph, _DECODER_INPUT_WEIGHT)
    if latent is None:
        return None
    speaker = _input_of_convolution(model.graph, _SPEAKER_WEIGHT)
    latent_info = _tensor(latent, ["batch", _num_inputs(model.graph, _DECODER_INPUT_WEIGHT), "t"])
    borders = [latent_info]
    if speaker is not None:
        channels = _num_inputs(model.graph, _SPEAKER_WEIGHT)
        borders.append(_tensor(speaker, ["speaker_batch", channels, 1]))
    durations = durations_of(model.graph)
    known = [_tensor(durations, [1, 1, "ids"])] if durations else []
    encoder = _subgraph(model, list(model.graph.input), [*borders, *known])
    decoder = _subgraph(model, borders, list(model.graph.output)[:1])
    return CutGraph(encoder, decoder, latent, speaker, durations)


def with_durations(path: Path) -> bytes | None:
    """The whole voice with the frames of each phoneme id as a second output; None without any."""
    model = onnx.load(str(path))
    if len(model.graph.output) > 1:  # Piper's own alignments
        return bytes(model.SerializeToString())
    durations = durations_of(model.graph)
    if durations is None:
        return None
    model.graph.output.append(_tensor(durations, None))
    return bytes(model.SerializeToString())


def durations_of(graph: Any) -> str | None:
    """The tensor of the frames of each phoneme id: VITS rounds them up, and nothing else."""
    rounded = [str(node.output[0]) for node in graph.node if node.op_type == "Ceil"]
    return rounded[0] if len(rounded) == 1 else None


def _input_of_convolution(graph: Any, weight: str) -> str | None:
    """The tensor that goes into the convolution with this weight."""
    for node in graph.node:
        if node.op_type == "Conv" and any(weight in name for name in node.input):
            return str(node.input[0])
    return None


def _num_inputs(graph: Any, weight: str) -> int:
    """Input channels of a convolution: its weight is [out, in, kernel]."""
    return next(int(tensor.dims[1]) for tensor in graph.initializer if weight in tensor.name)


def _tensor(name: str, shape: Sequence[int | str] | None) -> Any:
    dimensions = None if shape is None else list(shape)
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, dimensions)


def _subgraph(model: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> bytes:
    """The nodes that lead from `inputs` to `outputs`, as a model of its own."""
    borders = {value.name for value in inputs}
    needed = _nodes_before(model.graph, [value.name for value in outputs], borders)
    nodes = [node for index, node in enumerate(model.graph.node) if index in needed]
    read = {name for node in nodes for name in _inputs(node)}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in read]
    graph = onnx.helper.make_graph(nodes, model.graph.name, inputs, outputs, weights)
    part = onnx.helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=model.ir_version
    )
    serialized: bytes = part.SerializeToString()
    return serialized


def _nodes_before(graph: Any, names: Sequence[str], borders: set[str]) -> set[int]:
    """Indices of the nodes that the tensors `names` depend on, up to `borders`."""
    producers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    needed: set[int] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        index = producers.get(name)
        if name in borders or index is None or index in needed:
            continue
        needed.add(index)
        open_names.extend(_inputs(graph.node[index]))
    return needed


def _inputs(node: Any) -> list[str]:
    """What a node reads, the bodies of If and Loop included."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            for inner in attribute.g.node:
                names.extend(_inputs(inner))
    return names
