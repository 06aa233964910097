"""`python -m evaluation` on the starter models: measured once, reported, held to thresholds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from evaluation import demo
from evaluation.__main__ import main
from evaluation.conversation.summary import SCENARIOS_FILE
from evaluation.data.layout import read_dataset
from evaluation.scenarios import __main__ as scenarios
from evaluation.server_process import ServerFailed

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run over one sentence of each language."""
    path = tmp_path_factory.mktemp("run")
    arguments = ["--sentences", "1", "--conditions", "clean", "telephone", "--streaming", "0"]
    assert main(["stt", "--output", str(path), *arguments]) == 0
    return path


def figures_of(folder: Path) -> dict[str, float]:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {figure["name"]: figure["value"] for figure in report["figures"]}


def test_the_report_has_figures_of_every_language_and_their_origin(folder: Path) -> None:
    figures = figures_of(folder)
    for language in ("en", "es", "fr", "hi", "tl", "all"):
        assert figures[f"wer.{language}"] >= 0
        assert f"wer.{language}.telephone" in figures
    assert figures["hallucinations"] == 0.0
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    models = report["provenance"]["stt"]["models"]
    assert list(models) == ["stt"]
    assert "models/starter/stt/model.bin" in models["stt"]
    assert (folder / "report.html").exists()
    assert "## Speech to text: errors" in (folder / "report.md").read_text(encoding="utf-8")


def test_the_same_command_measures_nothing_again(folder: Path) -> None:
    results = folder / "stt.jsonl"
    before = results.read_bytes()
    arguments = ["--sentences", "1", "--conditions", "clean", "telephone", "--streaming", "0"]
    assert main(["stt", "--output", str(folder), *arguments]) == 0
    assert results.read_bytes() == before


def test_thresholds_decide_the_exit_status(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["report", "--output", str(folder), "--fail-above", "hallucinations=0.1"]
    assert main([*command, "--fail-above", "rtf=0.0"]) == 1
    told = capsys.readouterr().out
    assert "rtf is 0." in told
    assert "hallucinations is" not in told
    assert main([*command, "--fail-above", "wer.hi"]) == 2
    assert "NAME=NUMBER" in capsys.readouterr().err


def test_a_run_is_no_worse_than_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(folder), str(folder), "--fail-if-worse"]) == 0
    assert "no difference seen" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "--output", "nowhere"], "holds no results"),
        (["compare", "nowhere", "nowhere"], "no recording in common"),
        (["stt", "--data", "nowhere"], "does not exist"),
        (["stt", "--stt.modle", "x"], "stt.modle"),
        (["routing", "--questions", "nowhere.tsv"], "nowhere.tsv does not exist"),
        (["import", "list", "recordings.txt", "set"], "neither .csv nor .jsonl"),
    ],
)
def test_what_cannot_be_is_said(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_models_that_were_named_are_spoken_with_or_nothing_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []

    def start(log: Path, *, arguments: Sequence[str], **options: Any) -> NoReturn:
        asked.append(list(arguments))
        raise ServerFailed("It ended.")

    monkeypatch.setattr(scenarios, "server_process", start)
    monkeypatch.setattr(demo, "server_process", start)
    of_another_run = tmp_path / SCENARIOS_FILE
    of_another_run.parent.mkdir()
    of_another_run.write_text("{}")
    flags = ["--llm.model", "mine.gguf"]
    assert main(["conversation", "--output", str(tmp_path), *flags]) == 2
    assert "could not be held" in capsys.readouterr().err
    assert [arguments[:2] for arguments in asked] == [flags, flags]
    assert not of_another_run.exists()


def test_own_recordings_are_imported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = folder / "data" / "synthetic-trained-voices" / "audio" / "en-0000.wav"
    (tmp_path / "one.wav").write_bytes(source.read_bytes())
    listing = tmp_path / "list.csv"
    listing.write_text("audio,text\none.wav,Hello\ntwo.wav,Hello\n", encoding="utf-8")
    target = tmp_path / "set"
    assert main(["import", "list", str(listing), str(target), "--language", "en"]) == 0
    assert [clip.text for clip in read_dataset(target)[0].clips] == ["Hello"]
    assert f"{listing}:3: the audio" in capsys.readouterr().out


def test_a_corrected_transcript_reaches_the_word_error_rate(folder: Path, tmp_path: Path) -> None:
    source = folder / "data" / "synthetic-trained-voices"
    clip = next(c for c in read_dataset(source)[0].clips if c.language == "en")
    (tmp_path / "one.wav").write_bytes((source / clip.audio).read_bytes())
    listing, target = tmp_path / "list.csv", tmp_path / "set"
    output = tmp_path / "output"
    for text, expected in ((f"Typographical {clip.text}", 1), (clip.text, 0)):
        listing.write_text(f'audio,text\none.wav,"{text}"\n', encoding="utf-8")
        assert main(["import", "list", str(listing), str(target), "--language", "en"]) == 0
        arguments = ["stt", "--data", str(target), "--output", str(output), "--streaming", "0"]
        assert main([*arguments, "--conditions", "clean"]) == 0
        assert figures_of(output)["wer.en"] * len(text.split()) == pytest.approx(expected)
    lines = (output / "stt.jsonl").read_text("utf-8").splitlines()
    assert len({json.loads(line)["seconds"] for line in lines}) == 1  # it was heard once


def test_recordings_of_the_same_name_are_told_apart(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for language in ("es", "hi"):
        (tmp_path / language).mkdir()
        source = folder / "data" / "synthetic-trained-voices" / "audio" / f"{language}-0000.wav"
        (tmp_path / language / "001.wav").write_bytes(source.read_bytes())
        (tmp_path / language / "list.csv").write_text("audio,text\n001.wav,Hola\n")
    for language, status in (("es", 0), ("hi", 1)):
        listing = tmp_path / language / "list.csv"
        command = ["import", "list", str(listing), str(tmp_path / "set"), "--language", language]
        assert main(command) == status
    told = capsys.readouterr().out
    assert "hi/list.csv:2: '001.wav' is in the set already" in told
    assert "0 recordings" in told


def test_two_sets_of_one_name_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(tmp_path / each / "calls") for each in ("a", "b")]
    for each in folders:
        Path(each).mkdir(parents=True)
        (Path(each) / "manifest.jsonl").touch()
    assert main(["stt", "--data", *folders, "--output", str(tmp_path / "output")]) == 2
    assert "Two sets are named 'calls'" in capsys.readouterr().err
