"""The plain layout: what is written is read back; half-written sets are taken up again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.data.audio import RATE_HZ, Samples, wav_bytes
from evaluation.data.layout import MANIFEST, Recording, Writer, read_dataset, write_dataset
from evaluation.data.rows import Problem, RowError, split
from server.audio import int16_from_samples

TONE: Samples = (0.3 * np.sin(np.arange(RATE_HZ) / 5)).astype(np.float32)


def recording(clip_id: str = "hi-1", audio: bytes | Samples = TONE) -> Recording:
    return Recording(clip_id, "नमस्ते", "hi", "f1", "CC0", lambda: audio, Path("list.csv"), 3, (0.5,))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    added = list(write_dataset(tmp_path, [recording()]))
    assert len(added) == 1
    dataset, problems = read_dataset(tmp_path)
    assert problems == []
    (clip,) = dataset.clips
    assert (clip.id, clip.text, clip.language, clip.seconds) == ("hi-1", "नमस्ते", "hi", 1.0)
    assert (clip.speaker, clip.licence, clip.word_ends_seconds) == ("f1", "CC0", (0.5,))
    assert np.abs(dataset.samples(clip) - TONE).max() < 1e-4


def test_an_audio_file_of_another_rate_becomes_16_khz(tmp_path: Path) -> None:
    data = bytearray(wav_bytes(int16_from_samples(TONE)))
    data[24:28] = (8000).to_bytes(4, "little")  # the same samples, played at half the speed
    list(write_dataset(tmp_path, [recording(audio=bytes(data))]))
    assert read_dataset(tmp_path)[0].clips[0].seconds == pytest.approx(2.0, abs=0.01)


def test_what_is_no_audio_is_said_by_its_line(tmp_path: Path) -> None:
    results = write_dataset(tmp_path, [recording("a", b"no audio"), recording("b")])
    added, problems = split(results)
    assert [item.id for item in added] == ["b"]
    assert str(problems[0]).startswith("list.csv:3: the audio cannot be decoded")


def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    (problem,) = write_dataset(tmp_path, [recording("../up")])
    assert isinstance(problem, Problem)
    assert "'../up'" in problem.message


def test_writing_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    list(write_dataset(tmp_path, [recording("a"), recording("b")]))
    manifest = tmp_path / MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:-40])  # in the midst of the line of "b"
    writer = Writer(tmp_path)
    assert (writer.has("a"), writer.has("b")) == (True, False)
    writer.add(recording("b"))
    dataset, problems = read_dataset(tmp_path)
    assert ([clip.id for clip in dataset.clips], problems) == (["a", "b"], [])


def test_a_corrected_transcript_is_taken_and_the_other_lines_stay_as_they_are(
    tmp_path: Path,
) -> None:
    list(write_dataset(tmp_path, [recording("a"), recording("b")]))
    manifest = tmp_path / MANIFEST
    first, second = manifest.read_text(encoding="utf-8").splitlines()
    by_hand = first[:-1] + ', "room": "kitchen"}'
    manifest.write_text(f"{by_hand}\nno JSON\n{second}\n", encoding="utf-8")
    corrected = replace(recording("b"), text="नमस्ते जी", word_ends_seconds=())
    assert len(list(write_dataset(tmp_path, [recording("a"), corrected]))) == 2
    lines = manifest.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == [by_hand, "no JSON"]
    assert [clip.text for clip in read_dataset(tmp_path)[0].clips] == ["नमस्ते", "नमस्ते जी"]
    assert "word_ends_seconds" not in lines[2]
    before = manifest.read_bytes()
    list(write_dataset(tmp_path, [recording("a"), corrected]))
    assert manifest.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [({"audio": lambda: TONE[:-1]}, "with other audio"), ({"language": "es"}, "in 'hi', not 'es'")],
)
def test_another_recording_of_the_same_name_is_refused(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    list(write_dataset(tmp_path, [recording("001.wav")]))
    before = (tmp_path / MANIFEST).read_bytes()
    (problem,) = write_dataset(tmp_path, [replace(recording("001.wav"), **change)])
    assert isinstance(problem, Problem)
    assert problem.message.startswith(f"'001.wav' is in the set already, {said}: ")
    assert "import into another folder" in problem.message
    assert (tmp_path / MANIFEST).read_bytes() == before


def test_a_file_that_was_changed_is_not_measured(tmp_path: Path) -> None:
    list(write_dataset(tmp_path, [recording()]))
    dataset, _ = read_dataset(tmp_path)
    (tmp_path / "audio" / "hi-1.wav").write_bytes(wav_bytes(int16_from_samples(TONE[:100])))
    with pytest.raises(RowError, match="SHA-256"):
        dataset.samples(dataset.clips[0])
    (tmp_path / "audio" / "hi-1.wav").unlink()
    with pytest.raises(RowError, match="is missing"):
        dataset.samples(dataset.clips[0])


def test_a_wrong_line_of_the_manifest_does_not_cost_the_others(tmp_path: Path) -> None:
    list(write_dataset(tmp_path, [recording()]))
    manifest = tmp_path / MANIFEST
    line = json.loads(manifest.read_text(encoding="utf-8"))
    wrong = [{**line, "language": "de"}, {**line, "seconds": "long"}, {**line, "text": ""}]
    lines = [json.dumps(each) for each in wrong]
    manifest.write_text("\n".join([*lines, "{", "", json.dumps(line)]), encoding="utf-8")
    dataset, problems = read_dataset(tmp_path)
    assert len(dataset.clips) == 1
    assert [problem.line for problem in problems] == [1, 2, 3, 4]
    assert "'de' is none of en, es" in problems[0].message
    assert "no JSON" in problems[3].message


def test_a_recording_of_nothing_needs_no_text(tmp_path: Path) -> None:
    line = {"id": "n", "audio": "audio/n.wav", "text": "", "language": "", "seconds": 1}
    (tmp_path / MANIFEST).write_text(json.dumps({**line, "sha256": "0"}), encoding="utf-8")
    assert read_dataset(tmp_path)[0].clips[0].text == ""
