"""The cut decoder, on a graph of the true VITS architecture with random weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.random_models import HIGH, write_random_vits
from engines.errors import ModelError
from engines.onnx_session import providers
from engines.tts import piper_model, vits_graph
from engines.tts.piper_model import (
    Audio,
    CutModel,
    PiperModel,
    Scales,
    WholeModel,
    open_model,
)

TINY_VITS = Path(__file__).parent / "data" / "tiny_vits.onnx"
IDS = [1, 0, *([20, 0, 30, 0, 14, 0] * 40), 2]
NO_NOISE = Scales(noise=0.0, length=1.0, noise_w=0.0)
HOP_SAMPLES = 256


@pytest.fixture(scope="module")
def cut() -> CutModel:
    model = open_model(TINY_VITS, "cpu")
    assert isinstance(model, CutModel)
    return model


@pytest.fixture(scope="module")
def whole() -> WholeModel:
    return WholeModel(TINY_VITS, "cpu")


def audio_of(model: PiperModel, speaker: int = 0, scales: Scales = NO_NOISE) -> Audio:
    return np.concatenate(list(model.speak(IDS, scales, speaker)))


def uncut_model(folder: Path) -> Path:
    """A graph with Piper's inputs and no VITS decoder: a tone whose length is the input's."""
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["input"], ["ids"], to=types.FLOAT),
        helper.make_node("Unsqueeze", ["ids", "axes"], ["channel"]),
        helper.make_node("Resize", ["channel", "", "factors"], ["longer"], mode="nearest"),
        helper.make_node("Sin", ["longer"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tone",
        [
            helper.make_tensor_value_info("input", types.INT64, [1, "n"]),
            helper.make_tensor_value_info("input_lengths", types.INT64, [1]),
            helper.make_tensor_value_info("scales", types.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("output", types.FLOAT, [1, 1, "samples"])],
        [
            helper.make_tensor("axes", types.INT64, [1], [1]),
            helper.make_tensor("factors", types.FLOAT, [3], [1.0, 1.0, 100.0]),
        ],
    )
    path = folder / "tone.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


@pytest.mark.parametrize("speaker", [0, 1])
def test_streamed_decoder_equals_the_whole_run(
    cut: CutModel, whole: WholeModel, speaker: int
) -> None:
    chunks = list(cut.speak(IDS, NO_NOISE, speaker))
    assert [len(chunk) // HOP_SAMPLES for chunk in chunks[:4]] == [16, 32, 64, 64]
    expected, streamed = audio_of(whole, speaker), np.concatenate(chunks)
    assert np.abs(expected).max() > 0.1
    assert streamed.shape == expected.shape
    assert np.abs(streamed - expected).max() < 1e-6


def test_the_margin_is_what_makes_them_equal(
    cut: CutModel, whole: WholeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piper_model, "MARGIN_FRAMES", 1)
    assert np.abs(audio_of(cut) - audio_of(whole)).max() > 1e-6


def test_speakers_sound_different(cut: CutModel) -> None:
    left, right = (next(cut.speak(IDS, NO_NOISE, speaker)) for speaker in (0, 1))
    assert np.abs(left - right).max() > 1e-3


def test_length_scale_stretches_the_audio(cut: CutModel) -> None:
    normal, slow = (len(audio_of(cut, scales=Scales(0.0, length, 0.0))) for length in (1.0, 2.0))
    assert 1.5 < slow / normal < 2.5


def test_decoder_holds_only_decoder_weights() -> None:
    graph = vits_graph.cut(TINY_VITS)
    assert graph is not None
    decoder = onnx.load_from_string(graph.decoder)
    assert {value.name for value in decoder.graph.input} == {graph.latent, graph.speaker}
    assert all("dec." in t.name for t in decoder.graph.initializer if t.dims and t.dims[0] > 4)


def test_a_graph_that_cannot_be_cut_runs_whole(tmp_path: Path) -> None:
    model = open_model(uncut_model(tmp_path), "cpu")
    assert isinstance(model, WholeModel)
    (audio,) = model.speak([1, 0, 14, 0, 2], NO_NOISE, 0)
    assert audio.shape == (500,)
    chunks = list(model.speak([1, *([14, 0] * 100), 2], NO_NOISE, 0))
    assert [len(chunk) for chunk in chunks] == [16384, 20200 - 16384]


def test_a_decoder_that_cannot_be_run_alone_runs_whole_and_is_told(
    whole: WholeModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice = onnx.load(str(TINY_VITS))
    (weight,) = [t for t in voice.graph.initializer if t.name == "dec.conv_pre.weight"]
    constant = onnx.helper.make_node("Constant", [], [weight.name], value=weight)
    voice.graph.initializer.remove(weight)
    voice.graph.node.insert(0, constant)
    path = tmp_path / "other.onnx"
    onnx.save(voice, str(path))
    with caplog.at_level("INFO"):
        model = open_model(path, "cpu")
    assert isinstance(model, WholeModel)
    assert np.array_equal(audio_of(model), audio_of(whole))
    assert [record.message for record in caplog.records if "in one piece" in record.message]


def test_the_decoder_of_a_high_quality_voice_is_cut_alike(tmp_path: Path) -> None:
    path = tmp_path / "high.onnx"
    write_random_vits(path, replace(HIGH, channels=16, filter_channels=32, decoder_channels=64))
    model = open_model(path, "cpu")
    assert isinstance(model, CutModel)
    expected = audio_of(WholeModel(path, "cpu"))
    assert np.abs(expected).max() > 0.05
    assert np.abs(audio_of(model) - expected).max() < 1e-6


def test_it_runs_on_the_cpu_when_asked(cut: CutModel) -> None:
    assert cut.device == "cpu"


def test_cuda_is_used_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: available)
    assert providers("auto", "tts.device")[0][0] == "CUDAExecutionProvider"
    assert providers("cpu", "tts.device") == ["CPUExecutionProvider"]


def test_cuda_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    assert providers("auto", "tts.device") == ["CPUExecutionProvider"]
    with pytest.raises(ModelError, match=r"vad\.device is cuda.*Set it to auto or cpu"):
        providers("cuda", "vad.device")
    with pytest.raises(ModelError, match=r"tts\.device is cuda"):
        open_model(TINY_VITS, "cuda")
