"""Piper voices: files, phonemes, speakers, speed; on the tiny VITS graph."""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.errors import ModelError
from engines.tts.piper import PiperFiles, PiperVoice, open_piper_model
from engines.tts.piper_model import Audio, OnEnds, Scales
from engines.tts.voice import Mark, Samples

DATA = Path(__file__).parent / "data"
MODEL = DATA / "tiny_vits.onnx"


class RecordingModel:
    """Keeps what it was asked to speak."""

    device = "cpu"

    def __init__(self) -> None:
        self.sentences: list[list[int]] = []
        self.scales: list[Scales] = []
        self.speakers: list[int] = []

    def speak(
        self, ids: Sequence[int], scales: Scales, speaker: int, on_ends: OnEnds | None = None
    ) -> Any:
        self.sentences.append(list(ids))
        self.scales.append(scales)
        self.speakers.append(speaker)
        audio: Audio = np.full(100, 2.0, np.float32)
        yield audio


@pytest.fixture
def model() -> RecordingModel:
    return RecordingModel()


def symbols(config: Path, ids: Sequence[int]) -> str:
    """The phonemes that ids stand for, without start, end and padding."""
    id_map: dict[str, list[int]] = json.loads(config.read_text("utf-8"))["phoneme_id_map"]
    names = {values[0]: name for name, values in id_map.items()}
    return "".join(names[i] for i in ids).replace("_", "").strip("^$")


def edit_config(folder: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    config = json.loads((DATA / "tiny_vits.onnx.json").read_text("utf-8"))
    edit(config)
    path = folder / "voice.onnx.json"
    path.write_text(json.dumps(config), "utf-8")
    return path


def audio_of(voice: PiperVoice, text: str) -> list[Samples]:
    """Without the marks between."""
    return [item for item in voice.speak(text, 1.0) if not isinstance(item, Mark)]


def test_english_phonemes_come_from_pipers_own_phonemizer(model: RecordingModel) -> None:
    files = PiperFiles.find(str(MODEL), "en")
    chunks = audio_of(PiperVoice(files, model, "en", ""), "Hello there. Who is it?")
    assert [symbols(files.config, ids) for ids in model.sentences] == [
        "həlˈoʊ ðˈɛɹ.",
        "hˈuː ɪz ɪt?",
    ]
    assert all(chunk.dtype == np.int16 for chunk in chunks)
    assert chunks[0][0] == 32767  # clipped, not wrapped


def test_voices_of_two_languages_phonemize_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piper's package has one eSpeak NG for all voices, and a lock of its own around it."""

    def spanish(config: dict[str, Any]) -> None:
        config["espeak"] = {"voice": "es"}

    def spoken(files: PiperFiles) -> list[list[int]]:
        model = RecordingModel()
        list(PiperVoice(files, model, "en", "").speak("Hello there. " * 10, 1.0))
        return model.sentences

    english = PiperFiles.find(str(MODEL), "en")
    both = [english, PiperFiles(MODEL, edit_config(tmp_path, spanish))]
    alone = [spoken(files) for files in both]
    interval_seconds = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(spoken, both * 20))
    finally:
        sys.setswitchinterval(interval_seconds)
    assert alone[0] != alone[1]
    assert together == alone * 20


def test_tagalog_phonemes_are_ours(tmp_path: Path, model: RecordingModel) -> None:
    def tagalog(config: dict[str, Any]) -> None:
        config["language"] = {"code": "tl"}

    files = PiperFiles(MODEL, edit_config(tmp_path, tagalog))
    list(PiperVoice(files, model, "tl", "").speak("Magandang umaga po! Kumusta?", 1.0))
    spoken = [symbols(files.config, ids) for ids in model.sentences]
    assert spoken == ["maɡandˈaŋ umˈaɡa pˈoʔ!", "kumustˈa?"]


def test_symbols_a_voice_does_not_know_are_mapped(tmp_path: Path, model: RecordingModel) -> None:
    def spanish(config: dict[str, Any]) -> None:
        config["espeak"] = {"voice": "es"}
        for symbol in ["h", "ʔ", "ŋ"]:
            del config["phoneme_id_map"][symbol]

    config = edit_config(tmp_path, spanish)
    voice = PiperVoice(PiperFiles(MODEL, config), model, "tl", "")
    list(voice.speak("hindi ngayon po", 1.0))
    assert [symbols(config, ids) for ids in model.sentences] == ["xindˈi ɲajˈon pˈo"]


@pytest.mark.parametrize("text", ["", "  ", "...", "?!", "😀 —"])
def test_nothing_to_say_reaches_no_model(model: RecordingModel, text: str) -> None:
    files = PiperFiles.find(str(MODEL), "en")
    assert list(PiperVoice(files, model, "en", "").speak(text, 1.0)) == []
    assert model.sentences == []


def test_brackets_in_a_text_are_not_phonemes(model: RecordingModel) -> None:
    files = PiperFiles.find(str(MODEL), "en")
    list(PiperVoice(files, model, "en", "").speak("say [[zzz]] now\0", 1.0))
    assert "zzz" not in symbols(files.config, model.sentences[0])


def test_speed_and_speaker_reach_the_model(model: RecordingModel) -> None:
    files = PiperFiles.find(str(MODEL), "en")
    list(PiperVoice(files, model, "en", "right").speak("Hello.", 2.0))
    assert model.speakers == [1]
    assert model.scales[0].length == pytest.approx(0.5)
    assert model.scales[0].noise == pytest.approx(0.667)


def test_unknown_speaker_names_the_choices(model: RecordingModel) -> None:
    files = PiperFiles.find(str(MODEL), "en")
    with pytest.raises(ModelError, match="left, right"):
        PiperVoice(files, model, "en", "middle")


def test_real_audio_is_int16_and_streams() -> None:
    files = PiperFiles.find(str(MODEL), "en")
    voice = PiperVoice(files, open_piper_model(MODEL, "cpu"), "en", "")
    chunks = audio_of(voice, "This is a sentence of a certain length, so that it streams.")
    assert len(chunks) > 2
    assert len(chunks[0]) == 16 * 256
    assert voice.rate_hz == 22050


def test_a_config_per_language_is_found_beside_the_model(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / "many.onnx")
    shutil.copy(DATA / "tiny_vits.onnx.json", tmp_path / "many.fr.onnx.json")
    files = PiperFiles.find(str(tmp_path / "many.onnx"), "fr")
    assert files.config.name == "many.fr.onnx.json"
    with pytest.raises(ModelError, match=r"many\.onnx\.json is missing"):
        PiperFiles.find(str(tmp_path / "many.onnx"), "hi")


def test_missing_model_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx is missing.*tinig\.toml"):
        PiperFiles.find(str(tmp_path / "gone.onnx"), "en")


@pytest.mark.parametrize("content", [b"", b"not onnx", MODEL.read_bytes()[:5000]])
def test_broken_model_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx is not a Piper voice"):
        open_piper_model(path, "cpu")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"audio": 3}'])
def test_broken_config_names_the_file(tmp_path: Path, model: RecordingModel, content: str) -> None:
    path = tmp_path / "voice.onnx.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"voice\.onnx\.json is not the configuration"):
        PiperVoice(PiperFiles(MODEL, path), model, "en", "")


def test_a_config_that_does_not_fit_is_found_when_warming(
    tmp_path: Path, model: RecordingModel
) -> None:
    def unknown_language(config: dict[str, Any]) -> None:
        config["espeak"]["voice"] = "xx-nowhere"

    config = edit_config(tmp_path, unknown_language)
    with pytest.raises(ModelError, match=r"voice\.onnx\.json does not fit"):
        PiperVoice(PiperFiles(MODEL, config), model, "en", "").warm()
