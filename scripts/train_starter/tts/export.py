"""The trained voice in Piper's format: one ONNX graph, one configuration per language."""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP
from torch import Tensor, nn

from engines.tts.espeak import VOICES
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.tts.features import HOP_SAMPLES, NUM_BANDS, RATE_HZ
from scripts.train_starter.tts.model import PITCH, VOICED, AcousticModel
from scripts.train_starter.tts.vocoder import Vocoder

_OPSET = 17
_GAIN = 0.8  # the noise differs with every run: room for its peaks
_LOG_PITCH_RANGE = (3.9, 5.9)  # 49 to 365 Hz
_SILENT_LOG_POWER = -20.0
_HALF_PRECISION_FROM = 64  # weights with fewer values stay as they are


class PiperGraph(nn.Module):
    """The inputs and the output of a Piper voice of several speakers.

    Piper puts padding between the phoneme ids, which is dropped here; of its scales only the
    length has a meaning for this voice.
    """

    def __init__(self, model: AcousticModel) -> None:
        super().__init__()
        self.model = model
        self.vocoder = Vocoder()

    def forward(self, ids: Tensor, lengths: Tensor, scales: Tensor, speakers: Tensor) -> Tensor:
        """[B, T], [B], [noise, length, noise_w], [B] -> audio [B, 1, 1, N]."""
        ids, lengths = ids[:, ::2], (lengths + 1) // 2
        places = torch.arange(ids.shape[1], device=ids.device)[None]
        mask = (places < lengths[:, None]).float().unsqueeze(-1)
        speakers = speakers.expand(ids.shape[0])
        encoded, log_frames = self.model.encode(ids, mask, speakers)
        frames = torch.clamp((torch.exp(log_frames) - 1) * scales[1], min=0)
        frames = torch.ceil(frames - 0.5) * mask[..., 0]
        x, mask = self.model.regulate(encoded, frames)
        features = self.model.decode(x, mask, speakers)
        features = features * self.model.deviation + self.model.mean
        bands = features[..., :NUM_BANDS] * mask + (1 - mask) * _SILENT_LOG_POWER
        pitch = torch.exp(torch.clamp(features[..., PITCH], *_LOG_PITCH_RANGE))
        voiced = (features[..., VOICED] > 0).float() * mask[..., 0]
        audio = self.vocoder(bands, pitch, voiced, features[..., VOICED + 1 :])
        return torch.clamp(audio * _GAIN, -1, 1)[:, None, None, :]


def export(model: AcousticModel, folder: Path) -> Path:
    """Write `starter.onnx` and `starter.<language>.onnx.json`; gives the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "starter.onnx"
    example = (
        torch.randint(3, 150, (1, 51)),
        torch.tensor([51]),
        torch.tensor([0.667, 1.0, 0.8]),
        torch.tensor([0]),
    )
    torch.onnx.export(
        PiperGraph(model.cpu().eval()),
        example,
        str(path),
        opset_version=_OPSET,
        input_names=["input", "input_lengths", "scales", "sid"],
        output_names=["output"],
        dynamic_axes={
            "input": {0: "batch", 1: "phonemes"},
            "input_lengths": {0: "batch"},
            "output": {0: "batch", 3: "samples"},
        },
        dynamo=False,
    )
    _store_in_half_precision(path)
    for speaker, language in enumerate(LANGUAGES):
        config = json.dumps(_config(language, speaker), ensure_ascii=False, indent=1)
        (folder / f"starter.{language}.onnx.json").write_text(config + "\n", encoding="utf-8")
    return path


def _store_in_half_precision(path: Path) -> None:
    """Keep large weights as float16 in the file; they are cast back when the graph is loaded."""
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _HALF_PRECISION_FROM:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(
            onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _config(language: str, speaker: int) -> dict[str, object]:
    return {
        "audio": {"sample_rate": RATE_HZ, "quality": "x_low"},
        "espeak": {"voice": VOICES[language]},
        "language": {"code": language},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": 256,
        "num_speakers": len(LANGUAGES),
        "speaker_id_map": {name: index for index, name in enumerate(LANGUAGES)},
        "default_speaker_id": speaker,
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "hop_length": HOP_SAMPLES,
    }
