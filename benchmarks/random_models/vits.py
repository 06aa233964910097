"""A Piper voice with random weights: VITS in the sizes of Piper's "medium", with no torch.

Kim et al., "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
Text-to-Speech" (2021), section 2, as `piper.train` builds it for inference. Two things are left
out, which are cheap: the masks of a batch (it holds one sentence) and the arithmetic of the splines
that the duration predictor's convolutions steer. Every phoneme id gets the same number of frames.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from benchmarks.random_models.onnx_graph import OnnxGraph

RATE_HZ = 22_050
HOP_SAMPLES = 256  # of a frame
FRAMES_PER_ID = 3  # with a pad between all phonemes, of which there are some 15 a second
_NUM_SYMBOLS = 256
_WINDOW = 4  # of relative positions
_SPLINE_PARAMETERS = 29  # of 10 bins
_LEAK = 0.1
_QUIET = 0.1  # gain of the last convolution


@dataclass(frozen=True, slots=True)
class VitsShape:
    """The size of a voice; by default Piper's "medium"."""

    channels: int = 192
    filter_channels: int = 768
    encoder_layers: int = 6
    heads: int = 2
    flows: int = 4
    flow_layers: int = 4
    decoder_channels: int = 256
    upsample_rates: Sequence[int] = (8, 8, 4)
    kernels: Sequence[int] = (3, 5, 7)  # of the decoder's residual blocks
    dilations: Sequence[Sequence[int]] = ((1, 2), (2, 6), (3, 12))
    paired: bool = False  # each dilated convolution of those blocks with one that is not


def write_random_vits(path: Path, shape: VitsShape | None = None, *, seed: int = 0) -> None:
    """Write `path` and beside it the JSON of an English voice."""
    graph = OnnxGraph(np.random.default_rng(seed))
    voice = _Voice(graph, shape or VitsShape())
    integers, floats = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    describe = onnx.helper.make_tensor_value_info
    inputs = [
        describe("input", integers, [1, "phonemes"]),
        describe("input_lengths", integers, [1]),
        describe("scales", floats, [3]),
    ]
    graph.save(path, inputs, voice.audio(), [1, 1, 1, "time"])
    config = {
        "audio": {"sample_rate": RATE_HZ, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "num_symbols": _NUM_SYMBOLS,
        "num_speakers": 1,
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(config), encoding="utf-8")


HIGH = VitsShape(
    decoder_channels=512,
    upsample_rates=(8, 8, 2, 2),
    kernels=(3, 7, 11),
    dilations=3 * ((1, 3, 5),),
    paired=True,
)


class _Voice:
    """The parts of the graph, in the order of the data."""

    def __init__(self, graph: OnnxGraph, shape: VitsShape) -> None:
        self._graph = graph
        self._shape = shape

    def audio(self) -> str:
        """From `input` and `scales` to float32[1, 1, 1, N]."""
        graph, channels = self._graph, self._shape.channels
        sizes = graph.constant([1, 1, 1], np.int64)
        noise, length, noise_w = graph.add("Split", "scales", sizes, outputs=3, axis=0)
        text = self._encoded_text()
        statistics = graph.convolution("enc_p.proj", text, channels, 2 * channels)
        path = self._path(self._durations(text, length, noise_w))
        stretched = graph.add("MatMul", statistics, path)
        mean, log_deviation = graph.halves(stretched, channels)
        deviation = graph.add("Mul", graph.add("Exp", log_deviation), noise)
        chance = graph.add("Mul", graph.add("RandomNormalLike", mean), deviation)
        latent = self._flow(graph.add("Add", mean, chance))
        waveform = self._decoded(latent)
        return str(graph.add("Unsqueeze", waveform, graph.constant([1], np.int64)))

    def _encoded_text(self) -> str:
        """[1, channels, T] of the phoneme ids."""
        graph, channels = self._graph, self._shape.channels
        table = graph.weight("enc_p.emb.weight", _NUM_SYMBOLS, channels)
        text = graph.add("Transpose", graph.add("Gather", table, "input"), perm=[0, 2, 1])
        places, near = self._places()
        for layer in range(self._shape.encoder_layers):
            name = f"enc_p.encoder.{layer}"
            attended = self._attention(f"{name}.attn", text, places, near)
            text = graph.normalised(f"{name}.norm1", graph.add("Add", text, attended), channels)
            wide = graph.convolution(f"{name}.ffn1", text, channels, self._shape.filter_channels, 3)
            narrow = graph.convolution(
                f"{name}.ffn2", graph.add("Relu", wide), self._shape.filter_channels, channels, 3
            )
            text = graph.normalised(f"{name}.norm2", graph.add("Add", text, narrow), channels)
        return str(text)

    def _places(self) -> tuple[str, str]:
        """Of each pair of ids, int64[1, 1, T, T] 0 to 2 * window: how far apart; and whether near
        enough, as 0 or 1."""
        graph = self._graph
        zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
        count = graph.add("Gather", graph.add("Shape", "input"), one)
        steps = graph.add("Range", zero, count, one)
        row = graph.add("Unsqueeze", steps, graph.constant([0, 1, 2], np.int64))
        column = graph.add("Unsqueeze", steps, graph.constant([0, 1, 3], np.int64))
        apart = graph.add("Sub", row, column)
        window = graph.constant(_WINDOW, np.int64)
        clipped = graph.add("Clip", apart, graph.constant(-_WINDOW, np.int64), window)
        near = graph.add("Cast", graph.add("Equal", apart, clipped), to=onnx.TensorProto.FLOAT)
        return str(graph.add("Add", clipped, window)), str(near)

    def _attention(self, name: str, text: str, places: str, near: str) -> str:
        """Shaw et al., "Self-Attention with Relative Position Representations" (2018)."""
        graph, channels, heads = self._graph, self._shape.channels, self._shape.heads
        size = channels // heads
        split = graph.constant([1, heads, size, -1], np.int64)

        def projected(part: str) -> str:
            made = graph.convolution(f"{name}.conv_{part}", text, channels, channels)
            return str(graph.add("Reshape", made, split))

        scale = graph.constant(size**-0.5)
        query = graph.add("Transpose", graph.add("Mul", projected("q"), scale), perm=[0, 1, 3, 2])
        value = graph.add("Transpose", projected("v"), perm=[0, 1, 3, 2])
        scores = graph.add("MatMul", query, projected("k"))
        of_places = graph.add(
            "MatMul", query, graph.weight(f"{name}.rel_k", size, 2 * _WINDOW + 1, scale=size**-0.5)
        )
        everywhere = graph.add("Expand", places, graph.add("Shape", scores))
        relative = graph.add("GatherElements", of_places, everywhere, axis=3)
        scores = graph.add("Add", scores, graph.add("Mul", relative, near))
        shares = graph.add("Softmax", scores, axis=-1)
        mixed = graph.add("MatMul", shares, value)
        nearby = graph.add("MatMul", self._nearby(shares), graph.weight(
            f"{name}.rel_v", 2 * _WINDOW + 1, size, scale=size**-0.5))  # fmt: skip
        mixed = graph.add("Transpose", graph.add("Add", mixed, nearby), perm=[0, 1, 3, 2])
        joined = graph.add("Reshape", mixed, graph.constant([1, channels, -1], np.int64))
        return graph.convolution(f"{name}.conv_o", joined, channels, channels)

    def _nearby(self, shares: str) -> str:
        """[1, heads, T, 2 * window + 1]: what each id gives to those around it, of [.., T, T].

        With a margin of zeros, what is near stands in the first columns of rows longer by one.
        """
        graph, heads = self._graph, self._shape.heads
        margins = graph.constant([0, 0, 0, _WINDOW, 0, 0, 1, _WINDOW], np.int64)
        flat = graph.add(
            "Reshape", graph.add("Pad", shares, margins), graph.constant([1, heads, -1], np.int64)
        )
        count = graph.add("Shape", "input", start=1, end=2)
        row = graph.add("Add", count, graph.constant([2 * _WINDOW + 1], np.int64))
        zero = graph.constant([0], np.int64)
        last = graph.constant([-1], np.int64)
        cut = graph.add("Slice", flat, zero, graph.add("Mul", count, row), last)
        size = graph.add("Concat", graph.constant([1, heads], np.int64), count, row, axis=0)
        near = graph.constant([2 * _WINDOW + 1], np.int64)
        return str(graph.add("Slice", graph.add("Reshape", cut, size), zero, near, last))

    def _durations(self, text: str, length: str, noise_w: str) -> str:
        """[1, 1, T]: frames of each id. What the predictor says is multiplied by zero."""
        graph, channels = self._graph, self._shape.channels
        hidden = graph.convolution("dp.pre", text, channels, channels)
        hidden = self._separable("dp.convs", hidden)
        hidden = graph.convolution("dp.proj", hidden, channels, channels)
        first = graph.convolution("dp.first", hidden, channels, 1)
        signal = graph.add("Mul", graph.add("RandomNormalLike", first), noise_w)
        for flow in range(self._shape.flows - 1):
            name = f"dp.flows.{flow}"
            wide = graph.convolution(f"{name}.pre", signal, 1, channels)
            steered = self._separable(f"{name}.convs", graph.add("Add", wide, hidden))
            spline = graph.convolution(f"{name}.proj", steered, channels, _SPLINE_PARAMETERS)
            signal = graph.add("ReduceMean", spline, axes=[1])
        nothing = graph.add("Mul", signal, graph.constant(0.0))
        logarithm = graph.add("Add", nothing, graph.constant(math.log(FRAMES_PER_ID - 0.5)))
        return str(graph.add("Ceil", graph.add("Mul", graph.add("Exp", logarithm), length)))

    def _separable(self, name: str, signal: str) -> str:
        """Three dilated convolutions, each of one channel and then across them."""
        graph, channels = self._graph, self._shape.channels
        for layer in range(3):
            own = graph.convolution(
                f"{name}.{layer}.sep", signal, channels, channels, 3,
                dilation=3**layer, groups=channels,
            )  # fmt: skip
            own = self._gelu(graph.normalised(f"{name}.{layer}.norm1", own, channels))
            across = graph.convolution(f"{name}.{layer}.1x1", own, channels, channels)
            across = self._gelu(graph.normalised(f"{name}.{layer}.norm2", across, channels))
            signal = graph.add("Add", signal, across)
        return signal

    def _gelu(self, signal: str) -> str:
        graph = self._graph
        error = graph.add("Erf", graph.add("Mul", signal, graph.constant(2**-0.5)))
        half = graph.add("Mul", signal, graph.constant(0.5))
        return str(graph.add("Mul", half, graph.add("Add", error, graph.constant(1.0))))

    def _path(self, durations: str) -> str:
        """[1, T, frames]: 1 where a frame is of an id."""
        graph = self._graph
        ends = graph.add("CumSum", durations, graph.constant(2, np.int64))
        turned = graph.add("Transpose", ends, perm=[0, 2, 1])
        starts = graph.add("Sub", turned, graph.add("Transpose", durations, perm=[0, 2, 1]))
        total = graph.add("ReduceSum", durations, keepdims=0)
        frames = graph.add("Range", graph.constant(0.0), total, graph.constant(1.0))
        begun = graph.add("GreaterOrEqual", frames, starts)
        own = graph.add("And", begun, graph.add("Less", frames, turned))
        return str(graph.add("Cast", own, to=onnx.TensorProto.FLOAT))

    def _flow(self, latent: str) -> str:
        graph, channels = self._graph, self._shape.channels
        for flow in range(self._shape.flows):
            latent = graph.flipped(latent, channels)
            kept, moved = graph.halves(latent, channels // 2)
            mean = self._wavenet(f"flow.{flow}", kept, channels // 2)
            moved = graph.add("Sub", moved, mean)
            latent = graph.add("Concat", kept, moved, axis=1)
        return latent

    def _wavenet(self, name: str, signal: str, inputs: int) -> str:
        graph, channels, layers = self._graph, self._shape.channels, self._shape.flow_layers
        state = graph.convolution(f"{name}.pre", signal, inputs, channels)
        skipped: list[str] = []
        for layer in range(layers):
            wide = graph.convolution(f"{name}.in.{layer}", state, channels, 2 * channels, 5)
            ahead, gate = graph.halves(wide, channels)
            gated = graph.add("Mul", graph.add("Tanh", ahead), graph.add("Sigmoid", gate))
            is_last = layer == layers - 1
            outputs = channels if is_last else 2 * channels
            split = graph.convolution(f"{name}.skip.{layer}", gated, channels, outputs)
            if is_last:
                skipped.append(split)
                break
            residue, skip = graph.halves(split, channels)
            state = graph.add("Add", state, residue)
            skipped.append(skip)
        return graph.convolution(f"{name}.post", graph.add("Sum", *skipped), channels, inputs)

    def _decoded(self, latent: str) -> str:
        """HiFi-GAN: [1, 1, N] of the latent frames. Kong et al. (2020), section 2.2;
        `engines.tts.vits_graph` knows it by the name of its first weight."""
        graph, shape = self._graph, self._shape
        channels = shape.decoder_channels
        signal = graph.convolution("dec.conv_pre", latent, shape.channels, channels, 7)
        for stage, rate in enumerate(shape.upsample_rates):
            signal = graph.add("LeakyRelu", signal, alpha=_LEAK)
            name = f"dec.ups.{stage}"
            half = channels // 2
            signal = graph.upsampling(name, signal, channels, half, kernel=2 * rate, rate=rate)
            channels = half
            blocks = [
                self._residual(f"dec.resblocks.{stage}.{kernel}", signal, channels, kernel, spread)
                for kernel, spread in zip(shape.kernels, shape.dilations, strict=True)
            ]
            signal = graph.add("Mean", *blocks)
        signal = graph.add("LeakyRelu", signal)
        last = graph.convolution("dec.conv_post", signal, channels, 1, 7, gain=_QUIET)
        return str(graph.add("Tanh", last))

    def _residual(
        self, name: str, signal: str, channels: int, kernel: int, dilations: Sequence[int]
    ) -> str:
        graph = self._graph
        for dilation in dilations:
            bent = graph.add("LeakyRelu", signal, alpha=_LEAK)
            step = graph.convolution(
                f"{name}.{dilation}", bent, channels, channels, kernel, dilation=dilation
            )
            if self._shape.paired:
                step = graph.add("LeakyRelu", step, alpha=_LEAK)
                step = graph.convolution(f"{name}.{dilation}.2", step, channels, channels, kernel)
            signal = graph.add("Add", step, signal)
        return signal
