"""The nearest sound, and how a voice of another language says Tagalog."""

import json
import logging
from pathlib import Path

import pytest

from engines.tts.phonemes import distance, nearest
from engines.tts.piper import PiperFiles, PiperVoice, open_piper_model

MODEL = Path(__file__).parent / "data" / "tiny_vits.onnx"
SPANISH = "abβdðefɡɣijklmnɲŋoprɾstuwxʃʝθ"


@pytest.mark.parametrize(
    ("sound", "as_spanish"),
    [("h", "x"), ("ʒ", "ʃ"), ("ʔ", None), ("ŋ", "ŋ"), ("z", "s"), ("a", "a")],
)
def test_spanish_has_a_likeness(sound: str, as_spanish: str | None) -> None:
    assert nearest(sound, SPANISH) == as_spanish


def test_what_is_like_nothing_is_left_out() -> None:
    assert nearest("a", "pt") is None
    assert nearest("h", "m") is None
    assert nearest("ʔ", "ktp") is None


def test_the_nearest_vowel() -> None:
    assert nearest("ɛ", "aeiou") == "e"
    assert nearest("ʊ", "aeiou") == "u"
    assert distance("e", "ɛ") < distance("e", "a")


@pytest.mark.parametrize(("code", "espeak"), [("es_MX", "es-419"), ("id_ID", "id")])
def test_a_voice_says_tagalog_with_the_sounds_it_was_taught(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: str, espeak: str
) -> None:
    config = json.loads(MODEL.with_name(f"{MODEL.name}.json").read_text())
    config |= {"language": {"code": code}, "espeak": {"voice": espeak}}
    path = tmp_path / "voice.onnx.json"
    path.write_text(json.dumps(config))
    caplog.set_level(logging.INFO)
    voice = PiperVoice(PiperFiles(MODEL, path), open_piper_model(MODEL, "cpu"), "tl", "")
    assert list(voice.speak("Hindi po, salamat.", 1.0))
    said = "".join(phoneme for sentence in voice._phonemize("Hindî hoy") for phoneme in sentence)
    told = [record.message for record in caplog.records if "says Tagalog's" in record.message]
    assert len(told) == 1
    assert "ʔ" not in said
    assert ("x" in said) == (espeak == "es-419")
