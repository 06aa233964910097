"""Full size at the least size: every part runs on real engines, and says what it needs."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import fullsize, sizes
from benchmarks.__main__ import main
from benchmarks.decoding import WAYS, _Decoder
from benchmarks.publish import Found
from benchmarks.random_models import VitsShape, WhisperShape
from benchmarks.size_models import ANSWER, make
from benchmarks.sizes import FULL, SMALL, Lacking, Size
from engines import gpu
from engines.llm.llama import Model
from evaluation.report.plots import svg
from scripts.gguf_file import LlamaShape

TINY = replace(
    SMALL,
    whispers={"whisper tiny": WhisperShape(1, 1, 64, 2)},
    llamas={"llama tiny": LlamaShape(2, 64, 2, 1, 128)},
    vocabulary_size=9000,
    levels=(1, 2),
    sequences=2,
    chat_tokens=32,
    times=1,
    voice=VitsShape(8, 16, 1, 2, 2, 2, 16),
)
H200 = gpu.Facts(
    has_driver=True,
    cuda=(13, 0),
    gpus=("NVIDIA H200, 143771 MB, compute 9.0",),
    has_cublas=True,
    has_llama=True,
)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the models of all these tests are made once."""
    return tmp_path_factory.mktemp("fullsize")


def found_by(output: Path, size: Size, part: str) -> list[Found]:
    """What a part of it found, after each step."""
    found = list(
        fullsize.measure(output, size, models=output / "models", parts=[part], seconds=3.0)
    )
    assert {name for name, _ in found} == {part}
    return [one for _, one in found]


def test_every_stage_is_measured_at_every_level(output: Path) -> None:
    *before, found = found_by(output, TINY, "stages")
    models = ["whisper tiny int8", "llama tiny", "piper medium"]
    steps = [list(dict.fromkeys(stage["model"] for stage in one.figures)) for one in before]
    assert steps == [models[:1], models[:2]]
    measured = {(stage["model"], stage["calls"]) for stage in found.figures}
    assert measured == {(model, calls) for model in models for calls in (1, 2)}
    gaps = [one["found"]["count"] for one in found.figures if one["name"] == "between tokens"]
    assert gaps == [len(ANSWER) - 1, 2 * (len(ANSWER) - 1)]
    assert "| piper medium: first audio of a clause " in found.text
    assert "<svg" in svg(found.plots["stages"])


def test_a_step_that_fails_is_told_and_the_next_ones_go_on(output: Path) -> None:
    failures: dict[str, str] = {}
    size = replace(TINY, compute_types=("int4", "int8"), levels=(1,))
    *_, (_, found) = fullsize.measure(
        output,
        size,
        models=output / "models",
        parts=["stages"],
        on_failure=lambda step, why: failures.update({step: why}),
    )
    assert list(failures) == ["whisper tiny int4"]
    assert "stt.compute_type is int4" in failures["whisper tiny int4"]
    models = {stage["model"] for stage in found.figures}
    assert models == {"whisper tiny int8", "llama tiny", "piper medium"}


def test_first_audio_is_measured_of_both_ways(output: Path) -> None:
    (found,) = found_by(output, TINY, "voice")
    assert [row["seconds"] for row in found.figures] == [2, 5, 10]
    for row in found.figures:
        assert 0 < row["cut_first"]["p50"] <= row["cut_all"]["p50"]
        assert 0 < row["whole_first"]["p50"] <= row["whole_all"]["p50"]
        assert row["difference"] < 1e-6
    assert "| 10 s " in found.text


def test_every_way_of_decoding_is_measured(output: Path) -> None:
    (found,) = found_by(output, TINY, "decoding")
    ways = [asdict(way) for way in WAYS]
    assert [(step["active"], step["way"]) for step in found.figures] == [
        (active, way) for active in (1, 2) for way in ways
    ]
    assert "(1.00)" in found.text


def test_all_ways_of_decoding_pick_the_same_tokens(output: Path) -> None:
    path = make(TINY, output / "models").llamas["llama tiny"]
    model = Model(path, gpu_layers=0)
    picked = []
    for way in WAYS:
        decoder = _Decoder(model, way, sequences=2, tokens=8, room=16, threads=1)
        said: list[list[int]] = []
        for _ in range(4):
            decoder.step(2)
            said.append(list(decoder.tokens))
        picked.append(said)
    assert all(0 <= token < 9000 for said in picked[0] for token in said)
    assert picked == [picked[0]] * len(WAYS)


def test_every_window_is_measured(output: Path) -> None:
    (found,) = found_by(output, TINY, "windows")
    assert [one["window_ms"] for one in found.figures] == [0, 10, 30]
    assert all(one["mean_batch"] >= 1 for one in found.figures)
    assert "30 ms" in found.text


def test_a_server_with_these_models_holds_calls(output: Path) -> None:
    *_, found = found_by(output, replace(TINY, callers=(1, 2)), "curve")
    assert [point["calls"] for point in found.figures] == [1, 2]
    for point in found.figures:
        assert not point["problems"]
        assert point["voice_to_voice_ms"]


def test_what_was_found_is_kept_after_each_step(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(*_: object, **__: object) -> Iterator[tuple[str, Found]]:
        yield "stages", Found(["one"], "")
        yield "stages", Found(["one", "two"], "")
        raise KeyboardInterrupt

    monkeypatch.setattr(fullsize, "measure", found)
    with pytest.raises(KeyboardInterrupt):
        main(["fullsize", "--output", str(tmp_path)])
    figures = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert figures["fullsize-stages"] == ["one", "two"]


def test_models_are_made_once(tmp_path: Path) -> None:
    made: list[str] = []
    for _ in range(2):
        make(TINY, tmp_path, made.append)
    assert made == ["whisper-tiny", "llama-tiny", "voice"]
    make(replace(TINY, voice=VitsShape(8, 16, 2, 2, 2, 2, 16)), tmp_path, made.append)
    assert made[3:] == ["voice"]


@pytest.mark.parametrize(
    ("size", "facts", "lack"),
    [
        (FULL, gpu.Facts(), "no driver"),
        (FULL, replace(H200, gpus=("NVIDIA L4, 23034 MB, compute 8.9",)), "GB of GPU memory"),
        (FULL, replace(H200, has_llama=False), "compiled without CUDA"),
        (replace(TINY, vocabulary_size=10**13), H200, "of disk"),
        (replace(TINY, vocabulary_size=10**13), H200, "GB of memory"),
    ],
)
def test_what_a_machine_lacks_is_said(
    size: Size, facts: gpu.Facts, lack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "look", lambda has_llama: facts)
    with pytest.raises(Lacking, match=lack):
        sizes.require(size, tmp_path)


def test_a_machine_that_has_it_all_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "look", lambda has_llama: H200)
    monkeypatch.setattr(sizes, "_available_gigabytes", lambda: 120.0)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1e12))
    sizes.require(FULL, tmp_path)
