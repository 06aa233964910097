"""The demo as a command, against a stand-in for the server, and what it says and leaves behind."""

import asyncio
import json
import wave
from pathlib import Path

import pytest

from evaluation import demo
from scripts.train_starter.domain import LANGUAGES, sentences
from tests.evaluation.realtime_double import Double, serving

SCRIPTS = {"en": demo.Script("en", "English", ("Hello.", "Yes."))}


@pytest.fixture(autouse=True)
def short_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PAUSE_SECONDS", 0.1)


async def run(url: str, output: Path) -> int:
    """The exit status of a short demo."""
    arguments = ["--url", url, "--output", str(output), "--languages", "en"]
    return await asyncio.to_thread(demo.main, arguments)


async def test_a_good_conversation_leaves_a_recording_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "scripts", lambda: SCRIPTS)
    async with serving(Double()) as url:
        assert await run(url, tmp_path) == 0
    printed = capsys.readouterr().out
    assert "1  said    Hello." in printed
    assert "heard   What is the capital of Japan?  [en 90%]" in printed
    assert "answer  The capital of Japan is Tokyo." in printed
    assert "All 2 turns were answered in their language, with audio." in printed
    figures = json.loads((tmp_path / "demo.json").read_text())
    assert [turn["said"] for turn in figures["turns"]] == ["Hello.", "Yes."]
    assert figures["summary"]["all"]["voice_to_voice"]["num_turns"] == 2
    with wave.open(str(tmp_path / "en.wav")) as recording:
        assert recording.getnchannels() == 2
        assert recording.getnframes() > 24_000


async def test_a_failed_turn_is_explained_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "scripts", lambda: SCRIPTS)
    async with serving(Double(language="fr")) as url:
        assert await run(url, tmp_path) == 1
    printed = capsys.readouterr().out
    assert printed.count("FAILED  taken for fr (90%), but it was en") == 2
    assert "2 of 2 turns failed." in printed


async def test_a_call_that_cannot_be_made_fails_all_its_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "scripts", lambda: SCRIPTS)
    assert await run("ws://127.0.0.1:9/v1/realtime", tmp_path) == 1
    assert "cannot call ws://127.0.0.1:9" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "demo.json").read_text())["turns"]) == 2


def test_every_language_has_three_turns_in_the_domain_of_the_starter_models() -> None:
    assert tuple(demo.scripts()) == LANGUAGES
    for language, script in demo.scripts().items():
        domain = {
            sentence.text
            for split in ("train", "test")
            for group in sentences(language, split).values()
            for sentence in group
        }
        assert len(script.says) == 3
        assert set(script.says) <= domain
