"""A few words to write ONNX graphs in: each adds a node and returns the name of its output."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray

_OPSET = 17
_IR_VERSION = 9


class OnnxGraph:
    """A graph in the making, with weights drawn from a generator. Tensors are named by strings."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._nodes: list[Any] = []
        self._weights: dict[str, NDArray[Any]] = {}

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """A node; the name of its output, or the names if there are several."""
        names = [f"{operator}_{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(onnx.helper.make_node(operator, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """A tensor that is known."""
        return self._keep(f"constant_{len(self._weights)}", np.asarray(value, dtype))

    def weight(self, name: str, *shape: int, scale: float = 1.0) -> str:
        """float32[shape] of normal numbers."""
        numbers = self._generator.standard_normal(shape, np.float32)
        return self._keep(name, numbers * np.float32(scale))

    def convolution(
        self, name: str, signal: str, inputs: int, outputs: int, kernel: int = 1, *,
        dilation: int = 1, groups: int = 1, gain: float = 1.0,
    ) -> str:  # fmt: skip
        """[1, inputs, T] -> [1, outputs, T]."""
        fan_in = inputs // groups * kernel
        weight = self.weight(
            f"{name}.weight", outputs, inputs // groups, kernel, scale=gain * fan_in**-0.5
        )
        bias = self.weight(f"{name}.bias", outputs, scale=0.01)
        margin = dilation * (kernel - 1) // 2
        return str(
            self.add("Conv", signal, weight, bias, dilations=[dilation], group=groups,
                     kernel_shape=[kernel], pads=[margin, margin])
        )  # fmt: skip

    def upsampling(
        self, name: str, signal: str, inputs: int, outputs: int, *, kernel: int, rate: int
    ) -> str:
        """[1, inputs, T] -> [1, outputs, rate * T], by a transposed convolution."""
        scale = (inputs * kernel / rate) ** -0.5
        weight = self.weight(f"{name}.weight", inputs, outputs, kernel, scale=scale)
        bias = self.weight(f"{name}.bias", outputs, scale=0.01)
        margin = (kernel - rate) // 2
        return str(
            self.add("ConvTranspose", signal, weight, bias, kernel_shape=[kernel],
                     pads=[margin, margin], strides=[rate])
        )  # fmt: skip

    def normalised(self, name: str, signal: str, channels: int) -> str:
        """[1, channels, T], each step of zero mean and unit variance."""
        gamma = self._keep(f"{name}.gamma", np.ones(channels, np.float32))
        beta = self._keep(f"{name}.beta", np.zeros(channels, np.float32))
        last = self.add("Transpose", signal, perm=[0, 2, 1])
        return str(
            self.add("Transpose", self.add("LayerNormalization", last, gamma, beta), perm=[0, 2, 1])
        )

    def halves(self, signal: str, channels: int) -> tuple[str, str]:
        """The first and the last `channels` of 2 * `channels`."""
        sizes = self.constant([channels, channels], np.int64)
        first, second = self.add("Split", signal, sizes, outputs=2, axis=1)
        return first, second

    def flipped(self, signal: str, channels: int) -> str:
        """The channels in reverse."""
        order = self.constant(range(channels)[::-1], np.int64)
        return str(self.add("Gather", signal, order, axis=1))

    def save(self, path: Path, inputs: Sequence[Any], output: str, shape: Sequence[Any]) -> None:
        """Check the graph and write it. `inputs` are ONNX's own descriptions of them."""
        self._nodes.append(onnx.helper.make_node("Identity", [output], ["output"]))
        described = onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, shape)
        weights = [
            onnx.numpy_helper.from_array(array, name) for name, array in self._weights.items()
        ]
        graph = onnx.helper.make_graph(self._nodes, path.stem, inputs, [described], weights)
        model = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))

    def _keep(self, name: str, array: NDArray[Any]) -> str:
        self._weights[name] = array
        return name
