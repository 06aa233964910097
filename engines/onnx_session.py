"""onnxruntime sessions: one thread, no spinning, CUDA when asked for."""

from pathlib import Path
from typing import Any

import onnxruntime

from engines.errors import ModelError

_ERRORS_ONLY = 3


def providers(device: str, setting: str) -> list[Any]:
    """onnxruntime's providers for "cpu", "cuda", or "auto": CUDA where it is available.

    Raises `ModelError`, which names the setting, when CUDA is asked for and this onnxruntime has
    none.
    """
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cpu" or (device == "auto" and not has_cuda):
        return ["CPUExecutionProvider"]
    if not has_cuda:
        raise ModelError(
            f"{setting} is cuda, but this onnxruntime has none. Set it to auto or cpu: its models "
            "are quick there too."
        )
    # The default search tries every algorithm anew for each length of text.
    cuda = ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"})
    return [cuda, "CPUExecutionProvider"]


def open_session(model: Path | bytes, device: str = "cpu", setting: str = "") -> Any:
    """An `onnxruntime.InferenceSession`. Whatever onnxruntime raises comes through.

    `setting` is where the device was chosen, if anybody could choose it.

    One thread is as fast as two for a voice or the VAD (0.1 ms for one call, 3 ms for fifty), and
    spinning takes time from the other models.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=providers(device, setting))


def device_of(session: Any) -> str:
    """ "cuda" or "cpu": where a session really runs."""
    return "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"
