"""True architectures with random weights in our engines: how fast they are, and nothing else.

What is heard and what is answered has a fixed number of tokens, because the weights say so
(`benchmarks.random_models`); engines, server and configuration are the ordinary ones.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from benchmarks import batch_windows, curve, decoding, stages
from benchmarks.batch_windows import Window
from benchmarks.curve import Point
from benchmarks.decoding import Step
from benchmarks.size_models import ANSWER, HEARD, Models, make
from benchmarks.sizes import Size
from benchmarks.stages import Stage
from engines.config import LlmConfig, SttConfig, TtsConfig, VoiceConfig
from evaluation.report.model import Plot
from server.config import Config, ConversationConfig, ServerConfig
from server.config_text import to_toml

PARTS = ("stages", "decoding", "windows", "curve")
SAID = (
    "The weights are random, so only speed is measured here: what was heard has "
    f"{len(HEARD)} tokens and an answer {len(ANSWER)}, whatever was said."
)
_DECODING_STEPS = 20
_SPREAD_SECONDS = 0.5  # in which the turns of these callers end
_WINDOW_CALLS = 8
_WINDOW_ROUNDS = 3  # for each time of a stage

Device = Literal["cpu", "cuda"]


@dataclass(slots=True)
class FullSize:
    """What was found; empty what was not asked for."""

    stages: list[Stage] = field(default_factory=list)
    decoding: dict[str, list[Step]] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    curve: list[Point] = field(default_factory=list)

    def tables(self) -> str:
        """Markdown: each part that was measured."""
        parts = [SAID]
        if self.stages:
            parts.append(stages.table(self.stages))
        for name, steps in self.decoding.items():
            parts.append(f"One step of {name}, P50 / P95 ms (P50 beside the first way):")
            parts.append(decoding.table(steps))
        if self.windows:
            parts.append(batch_windows.table(self.windows))
        if self.curve:
            parts.append(curve.table(self.curve))
        return "\n\n".join(parts)

    def plots(self) -> dict[str, Plot]:
        """Each stage by the number of callers, and the curve's own."""
        found = curve.plots(self.curve) if self.curve else {}
        return {**found, "stages": stages.plot(self.stages)} if self.stages else found

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "heard_tokens": len(HEARD),
            "answer_tokens": len(ANSWER),
            "stages": [asdict(one) for one in self.stages],
            "decoding": {
                name: [{**asdict(step), "way": str(step.way)} for step in steps]
                for name, steps in self.decoding.items()
            },
            "windows": [asdict(one) for one in self.windows],
            "curve": [point.to_json() for point in self.curve],
        }


def measure(
    output: Path,
    size: Size,
    *,
    parts: Sequence[str] = PARTS,
    seconds: float = 20.0,
    on_step: Callable[[str], None] = lambda step: None,
) -> FullSize:
    """Make the models in `output`/models and measure `parts` of them. Raises `Lacking`."""
    models = make(size, output / "models", on_step)
    found = FullSize()
    if "stages" in parts:
        found.stages = asyncio.run(_stages(size, models, on_step))
    if "decoding" in parts:
        found.decoding = {name: _decoding(size, models.llamas[name], on_step)
                          for name in size.llamas}  # fmt: skip
    if "windows" in parts:
        on_step("batch windows")
        config = replace(_stt(size, models), max_batch=max(size.levels))
        found.windows = asyncio.run(
            batch_windows.measure(
                config,
                calls=_WINDOW_CALLS,
                spread_seconds=_SPREAD_SECONDS,
                rounds=_WINDOW_ROUNDS * size.times,
            )
        )
    if "curve" in parts:
        found.curve = curve.measure(
            output,
            levels=size.levels,
            seconds=seconds,
            arguments=["--config", str(_write_config(output, size, models))],
            callers=["--languages", "en"],
            on_level=lambda calls: on_step(f"{calls} calls"),
        )
    return found


async def _stages(size: Size, models: Models, on_step: Callable[[str], None]) -> list[Stage]:
    found: list[Stage] = []
    levels, times = size.levels, size.times
    for name in size.whispers:
        for compute_type in size.compute_types:
            on_step(f"{name} {compute_type}")
            config = replace(
                _stt(size, models, name), compute_type=compute_type, max_batch=max(levels)
            )
            found += await stages.stt(f"{name} {compute_type}", config, levels, times)
    for name in size.llamas:
        on_step(name)
        config_of_llm = replace(_llm(size, models, name), sequences=max(levels))
        found += await stages.llm(name, config_of_llm, levels, times)
    on_step("voice")
    found += await stages.tts("piper medium", _tts(models), levels, times)
    return found


def _decoding(size: Size, path: Path, on_step: Callable[[str], None]) -> list[Step]:
    return decoding.measure(
        path,
        gpu_layers=_gpu_layers(size),
        threads=1,
        sequences=size.sequences,
        tokens=size.chat_tokens,
        active=[level for level in size.levels if level <= size.sequences],
        steps=_DECODING_STEPS,
        on_way=lambda way: on_step(f"{path.stem}: {way}"),
    )


def _write_config(output: Path, size: Size, models: Models) -> Path:
    """The server's own file of settings, with the first model of each kind."""
    config = Config(
        server=ServerConfig(),
        conversation=ConversationConfig(languages=("en",)),
        stt=_stt(size, models),
        llm=replace(_llm(size, models), sequences=max(16, *size.levels)),
        tts=_tts(models),
    )
    path = output / "tinig.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    return path


def _stt(size: Size, models: Models, name: str = "") -> SttConfig:
    return SttConfig(
        model=str(_first(models.whispers, name)),
        device="cuda" if size.needs_gpu else "cpu",
        compute_type=size.compute_types[0],
        short_windows=not size.needs_gpu,
    )


def _llm(size: Size, models: Models, name: str = "") -> LlmConfig:
    return LlmConfig(
        model=str(_first(models.llamas, name)),
        context_tokens=size.context_tokens,
        gpu_layers=_gpu_layers(size),
        prefill_chunk_tokens=size.prefill_chunk_tokens,
    )


def _tts(models: Models) -> TtsConfig:
    return TtsConfig(voices=(VoiceConfig("en", "piper", model=str(models.voice)),))


def _gpu_layers(size: Size) -> int:
    return -1 if size.needs_gpu else 0


def _first(paths: Mapping[str, Path], name: str) -> Path:
    return paths[name] if name else next(iter(paths.values()))
