"""Real engines on small models made on the spot: what they say is nonsense, how they run is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.random_models import write_scripted_gguf
from engines.config import LlmConfig, SttConfig, TtsConfig, VadConfig
from engines.host import Engines, running_engines
from tests.tiny_whisper import write_random_whisper

ANSWER = (b"The capital ", b"of France ", b"is Paris. ", b"It is ", b"a city.")


@asynccontextmanager
async def small_engines(folder: Path) -> AsyncIterator[Engines]:
    """Silero and eSpeak NG as they are, a random Whisper, an LLM that always says `ANSWER`."""
    write_random_whisper(folder / "stt")
    write_scripted_gguf(folder / "llm.gguf", ANSWER)
    deaths: list[BaseException] = []
    async with running_engines(
        VadConfig(),
        SttConfig(model=str(folder / "stt")),
        LlmConfig(model=str(folder / "llm.gguf")),
        TtsConfig(voices=()),
        on_death=deaths.append,
    ) as engines:
        yield engines
    assert not deaths
