"""True architectures with random weights in our engines: how fast they are, and nothing else.

What is heard and what is answered has a fixed number of tokens, because the weights say so
(`benchmarks.random_models`); engines, server and configuration are the ordinary ones.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks import batch_windows, curve, decoding, first_audio, stages
from benchmarks.curve import Point
from benchmarks.publish import Found
from benchmarks.size_models import SPOKEN, Models, make
from benchmarks.sizes import Size
from engines.config import LlmConfig, SttConfig, TtsConfig, VoiceConfig
from server.config import Config, ConversationConfig, ServerConfig
from server.config_text import to_toml

_DECODING_STEPS = 20
_SPREAD_SECONDS = 0.5  # in which the turns of these callers end
_WINDOW_CALLS = 8
_WINDOW_ROUNDS = 3  # for each time of a stage
_SENTENCES = 10  # for each time of a stage

Step: TypeAlias = tuple[str, Callable[[], list[Any]]]  # its name; measures some rows


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured, on which models."""

    size: Size
    models: Models
    output: Path
    seconds: float  # of a level of the curve


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is measured step by step; what was found so far can be shown after each."""

    steps: Callable[[Run], Iterator[Step]]
    show: Callable[[Sequence[Any]], Found]


def measure(
    output: Path,
    size: Size,
    *,
    models: Path,
    parts: Sequence[str],
    seconds: float = 20.0,
    on_step: Callable[[str], None] = lambda step: None,
    on_failure: Callable[[str, str], None] = lambda step, why: None,
) -> Iterator[tuple[str, Found]]:
    """Make the models in the folder `models` and measure `parts` of them. After each step comes all
    that its part has found so far, so that nothing is lost where time runs out; a step that fails
    is told, and the next ones go on.

    Raises `Lacking`.
    """
    run = Run(size, make(size, models, on_step), output, seconds)
    for name in parts:
        part = PARTS[name]
        rows: list[Any] = []
        for step, measured in part.steps(run):
            on_step(step)
            try:
                rows += measured()
            except Exception as error:  # of whatever kind: the figures of the others count
                on_failure(step, str(error) or repr(error))
            if rows:
                yield name, part.show(rows)


def _stages(run: Run) -> Iterator[Step]:
    size, levels, times = run.size, run.size.levels, run.size.times

    def step(name: str, measured: Any) -> Step:
        return name, lambda: asyncio.run(measured(levels, times))

    for name in size.whispers:
        for compute_type in size.compute_types:
            stt = replace(_stt(run, name), compute_type=compute_type)
            yield step(f"{name} {compute_type}", partial(stages.stt, f"{name} {compute_type}", stt))
    for name in size.llamas:
        llm = replace(_llm(run, name), sequences=max(levels))
        yield step(name, partial(stages.llm, name, llm))
    yield step("voice", partial(stages.tts, "piper medium", _tts(run)))


def _first_audio(run: Run) -> Iterator[Step]:
    times = _SENTENCES * run.size.times
    yield (
        "first audio",
        partial(first_audio.measure, run.models.voice, _tts(run).device, times=times),
    )


def _decoding(run: Run) -> Iterator[Step]:
    size = run.size
    for name, path in run.models.llamas.items():
        yield (
            f"{name}: one step of decoding",
            partial(
                decoding.measure,
                name,
                path,
                gpu_layers=_gpu_layers(size),
                threads=1,
                sequences=size.sequences,
                tokens=size.chat_tokens,
                active=[level for level in size.levels if level <= size.sequences],
                steps=_DECODING_STEPS,
            ),
        )


def _windows(run: Run) -> Iterator[Step]:
    def measured() -> list[Any]:
        return asyncio.run(
            batch_windows.measure(
                _stt(run),
                calls=_WINDOW_CALLS,
                spread_seconds=_SPREAD_SECONDS,
                rounds=_WINDOW_ROUNDS * run.size.times,
            )
        )

    yield "batch windows", measured


def _curve(run: Run) -> Iterator[Step]:
    config = _write_config(run)
    for calls in run.size.callers:
        yield (
            f"{calls} calls",
            partial(
                curve.measure,
                run.output,
                levels=(calls,),
                seconds=run.seconds,
                arguments=["--config", str(config)],
                callers=["--languages=en", f"--say={SPOKEN}"],
            ),
        )


def _show(table: Callable[[Any], str], rows: Sequence[Any]) -> Found:
    return Found([asdict(row) for row in rows], table(rows))


def _show_stages(rows: Sequence[stages.Stage]) -> Found:
    return replace(_show(stages.table, rows), plots={"stages": stages.plot(rows)})


def _show_curve(points: Sequence[Point]) -> Found:
    return Found([point.to_json() for point in points], curve.table(points), curve.plots(points))


PARTS: Mapping[str, Part] = {
    "stages": Part(_stages, _show_stages),
    "voice": Part(_first_audio, partial(_show, first_audio.table)),
    "decoding": Part(_decoding, partial(_show, decoding.table)),
    "windows": Part(_windows, partial(_show, batch_windows.table)),
    "curve": Part(_curve, _show_curve),
}


def _write_config(run: Run) -> Path:
    """The server's own file of settings, with the first model of each kind."""
    config = Config(
        server=ServerConfig(),
        conversation=ConversationConfig(languages=("en",)),
        stt=_stt(run),
        llm=replace(_llm(run), sequences=max(16, *run.size.levels)),
        tts=_tts(run),
    )
    path = run.output / "tinig.toml"
    run.output.mkdir(parents=True, exist_ok=True)
    path.write_text(to_toml(config), encoding="utf-8")
    return path


def _stt(run: Run, name: str = "") -> SttConfig:
    size = run.size
    return SttConfig(
        model=str(_first(run.models.whispers, name)),
        device="cuda" if size.needs_gpu else "cpu",
        compute_type=size.compute_types[0],
        short_windows=not size.needs_gpu,
    )


def _llm(run: Run, name: str = "") -> LlmConfig:
    return LlmConfig(
        model=str(_first(run.models.llamas, name)),
        context_tokens=run.size.context_tokens,
        gpu_layers=_gpu_layers(run.size),
    )


def _tts(run: Run) -> TtsConfig:
    return TtsConfig(voices=(VoiceConfig("en", "piper", model=str(run.models.voice)),))


def _gpu_layers(size: Size) -> int:
    return -1 if size.needs_gpu else 0


def _first(paths: Mapping[str, Path], name: str) -> Path:
    return paths[name] if name else next(iter(paths.values()))
