"""Loading a Whisper directory: what is missing or broken is named, with what mends it."""

from pathlib import Path

import numpy as np
import pytest

from engines.config import SttConfig
from engines.errors import ModelError
from engines.stt.whisper import Decoding, WhisperModel
from tests.tiny_whisper import N_MELS, WIDTH, edit_config, write_random_whisper


def load(directory: Path, *, device: str = "cpu", compute_type: str = "auto") -> WhisperModel:
    config = SttConfig(str(directory), device=device, compute_type=compute_type)  # type: ignore[arg-type]
    return WhisperModel(config)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere is missing.*tinig\.toml"):
        load(tmp_path / "nowhere")


def test_a_missing_starter_model_names_its_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make starter-models"):
        load(tmp_path / "models" / "starter" / "stt")


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write_random_whisper(tmp_path) / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} is missing"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json"])
def test_a_broken_file_is_named(tmp_path: Path, name: str) -> None:
    path = write_random_whisper(tmp_path) / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=rf"{name} (is broken|cannot be loaded)"):
        load(tmp_path)


def test_a_card_that_is_no_object_is_named(tmp_path: Path) -> None:
    (write_random_whisper(tmp_path) / "tinig.json").write_text("[]")
    with pytest.raises(ModelError, match=r"tinig\.json is broken: it holds no JSON object"):
        load(tmp_path)


def test_a_tokenizer_of_another_model_is_named(tmp_path: Path) -> None:
    path = write_random_whisper(tmp_path) / "tokenizer.json"
    path.write_text(path.read_text().replace("<|notimestamps|>", "<|something|>"))
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a Whisper tokenizer"):
        load(tmp_path)


def test_a_device_that_is_not_there_is_said(
    whisper_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)
    with pytest.raises(ModelError, match=r"stt\.device is cuda, but there is no CUDA device"):
        load(whisper_directory, device="cuda")


def test_a_compute_type_that_cannot_be_is_said(whisper_directory: Path) -> None:
    with pytest.raises(ModelError, match=r"stt\.compute_type is bfloat17.*Allowed: auto"):
        load(whisper_directory, compute_type="bfloat17")


def test_the_card_overrules_the_configuration(tmp_path: Path) -> None:
    directory = write_random_whisper(tmp_path)
    assert not load(directory).trained_on_short_windows
    edit_config(directory, short_windows=True)
    assert load(directory).trained_on_short_windows
    (directory / "tinig.json").write_text('{"short_windows": false}')
    assert not load(directory).trained_on_short_windows


def test_an_encoding_is_never_as_long_as_a_spectrogram_is_high(whisper_directory: Path) -> None:
    """CTranslate2 tells the two apart by that dimension alone."""
    model = load(whisper_directory)
    mel = model.mel(np.random.default_rng(0).standard_normal(16000).astype(np.float32))
    encoded = model.encode([mel], 2 * N_MELS)
    assert encoded.batch.shape == [1, N_MELS + 1, WIDTH]
    (probabilities,) = model.language_probabilities(encoded)
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_spectrograms_have_100_frames_a_second_and_end_at_30_seconds(
    whisper_directory: Path,
) -> None:
    model = load(whisper_directory)
    assert model.mel(np.zeros(16000, np.float32)).shape == (N_MELS, 100)
    assert model.mel(np.zeros(40 * 16000, np.float32)).shape == (N_MELS, 3000)


def test_as_many_tokens_are_generated_as_were_asked_for(tmp_path: Path) -> None:
    model = load(write_random_whisper(tmp_path, end_bias=-1e3))
    encoded = model.encode([np.zeros((N_MELS, 100), np.float32)], 100)
    for count in (3, 20, 224):
        (decoding,) = model.generate(encoded, [model.prompt("en", "transcribe")], count, 0.0)
        assert len(decoding.tokens) == count


def test_the_end_of_text_counts_as_a_token() -> None:
    decoding = Decoding((1, 2, 3), "abc", -2.0, 0.0)
    assert decoding.mean_log_probability == -0.5
    assert Decoding((), "", 0.0, 1.0).mean_log_probability == 0.0
