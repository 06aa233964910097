"""Smart Turn's place: an ONNX file of the same signature, made on the spot."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def write_model(path: Path, *, final: str = "Sigmoid", mels: int = 80) -> str:
    """float32[n, 80, 800] -> how loud its last half is against the first, as a probability."""
    nodes = [
        helper.make_node("Slice", ["input_features", "zero", "half", "time"], ["before"]),
        helper.make_node("Slice", ["input_features", "half", "end", "time"], ["after"]),
        helper.make_node("ReduceMean", ["before", "axes"], ["quiet"], keepdims=0),
        helper.make_node("ReduceMean", ["after", "axes"], ["loud"], keepdims=0),
        helper.make_node("Sub", ["loud", "quiet"], ["more"]),
        helper.make_node(final, ["more"], ["flat"]),
        helper.make_node("Unsqueeze", ["flat", "last"], ["logits"]),
    ]
    constants = {"zero": [0], "half": [400], "end": [800], "time": [2], "axes": [1, 2], "last": [1]}
    graph = helper.make_graph(
        nodes,
        "turn",
        [helper.make_tensor_value_info("input_features", TensorProto.FLOAT, ["n", mels, 800])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor(n, TensorProto.INT64, [len(v)], v) for n, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(path))
    return str(path)
