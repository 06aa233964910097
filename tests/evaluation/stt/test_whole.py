"""A recognizer that fails in the middle of a run: what was measured is kept, the rest is told."""

import asyncio
import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.batcher import Job
from engines.errors import EngineError
from evaluation.__main__ import main
from evaluation.data.layout import MANIFEST, Dataset, Recording, read_dataset, write_dataset
from evaluation.results import Results
from evaluation.stt import whole
from server.config import Config
from tests.fakes import transcript

LOUD = 0.5


class FragileEngine:
    """Recognizes a word in anything; fails on what is loud, or dies after the first recording."""

    max_batch = 4
    dies = False

    def __init__(self, _: Any) -> None:
        pass

    def load(self) -> None:
        pass

    def start(self, job: Job[Any, Any]) -> bool:
        return True

    def step(self, jobs: Sequence[Job[Any, Any]]) -> None:
        for job in jobs:
            if np.abs(job.request.samples).max() > LOUD:
                job.fail(EngineError("There is no memory for it."))
            else:
                job.emit(transcript("Hello."))
                job.finish()

    def stop(self, job: Job[Any, Any]) -> None:
        pass

    def assert_idle(self) -> None:
        assert not self.dies, "a slot was lost"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of three recordings, the second loud."""
    monkeypatch.setattr(whole, "SttEngine", FragileEngine)
    for written in write_dataset(
        tmp_path / "set", [recording(n, is_loud=n == 1) for n in range(3)]
    ):
        assert isinstance(written, Recording)
    return tmp_path / "set"


def recording(number: int, *, is_loud: bool) -> Recording:
    audio = np.full(16_000, 0.9 if is_loud else 0.1, dtype=np.float32)
    here = Path(__file__)
    return Recording(f"en-{number}", "Hello.", "en", "", "CC0", lambda: audio, here, number)


def read(folder: Path) -> Dataset:
    dataset, problems = read_dataset(folder)
    assert not problems
    return dataset


@pytest.mark.parametrize("batch", [1, 3])
def test_one_that_fails_is_told_and_the_others_are_measured(folder: Path, batch: int) -> None:
    results = Results(folder.parent / "stt.jsonl", "configuration")
    jobs = whole.plan([read(folder)], ["clean"])
    problems = asyncio.run(whole.measure(jobs, Config().stt, ["en"], results, batch))
    assert problems == ["set/en-1/clean: There is no memory for it."]
    assert [record["clip"] for record in results.records] == ["en-0", "en-2"]


def measured(folder: Path) -> Results:
    """Of the two that are not loud."""
    results = Results(folder.parent / "stt.jsonl", "configuration")
    jobs = [job for job in whole.plan([read(folder)], ["clean"]) if job.clip.id != "en-1"]
    asyncio.run(whole.measure(jobs, Config().stt, ["en"], results, 1))
    return results


def test_a_corrected_transcript_counts_and_nothing_is_heard_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(folder)
    corrected = replace(recording(0, is_loud=False), text="Hullo.")
    list(write_dataset(folder, [corrected, recording(2, is_loud=False)]))
    monkeypatch.setattr(FragileEngine, "step", lambda *_: pytest.fail("it was heard again"))
    assert [(r["clip"], r["said"], r["heard"]) for r in measured(folder).records] == [
        ("en-0", "Hullo.", "Hello."),
        ("en-2", "Hello.", "Hello."),
    ]


def test_other_audio_of_the_same_name_is_heard_again(folder: Path) -> None:
    before = {record["clip"]: record["sha256"] for record in measured(folder).records}
    manifest = folder / MANIFEST
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest.write_text("".join(lines[1:]), encoding="utf-8")
    again = replace(recording(0, is_loud=False), audio=lambda: np.full(8_000, 0.1, np.float32))
    list(write_dataset(folder, [again]))
    after = {record["clip"]: record["sha256"] for record in measured(folder).records}
    assert before.keys() == after.keys()
    assert before["en-0"] != after["en-0"]
    assert before["en-2"] == after["en-2"]


def test_what_was_measured_before_the_audio_was_noted_is_not_heard_again(folder: Path) -> None:
    results = Results(folder.parent / "stt.jsonl", "configuration")
    jobs = whole.plan([read(folder)], ["clean"])
    of_old = {name: value for name, value in whole.told(jobs[0]).items() if name != "sha256"}
    results.append(jobs[0].key, {**of_old, "heard": "Hello"})
    assert [job.clip.id for job in whole.pending(jobs, results)] == ["en-1", "en-2"]
    assert results.records[0]["sha256"] == jobs[0].clip.sha256


def test_a_recognizer_that_dies_is_said_in_words_and_what_it_did_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FragileEngine, "dies", True)
    output = folder.parent / "output"
    arguments = ["stt", "--data", str(folder), "--output", str(output), "--conditions", "clean"]
    assert main([*arguments, "--streaming", "0"]) == 1
    said = capsys.readouterr().err
    assert "What was measured is kept" in said
    assert "Traceback" not in said
    (file,) = output.rglob("stt.jsonl")
    assert "en-0" in file.read_text("utf-8")


def test_a_full_disk_is_said_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def append(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Results, "append", append)
    arguments = ["stt", "--data", str(folder), "--output", str(folder.parent / "output")]
    assert main([*arguments, "--conditions", "clean", "--streaming", "0"]) == 1
    assert "No space left on device" in capsys.readouterr().err
