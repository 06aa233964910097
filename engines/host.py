"""All models of one process: started together, warm before the first call, stopped together."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from engines import gpu
from engines.batcher import Batcher
from engines.config import LlmConfig, SttConfig, TtsConfig, VadConfig
from engines.llm import ChatOutput, ChatRequest, Forget, LlmEngine
from engines.llm.llama import supports_gpu
from engines.loaded import LoadedModel
from engines.stt import SttEngine, SttRequest, Transcript
from engines.tts import SpeechChunk, SpeechRequest, TtsEngine
from engines.vad import VadEngine, VadRequest, VadResult

log = logging.getLogger(__name__)

OnDeath = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class Engines:
    """The four models, each behind the thread that owns it."""

    vad: Batcher[VadRequest, VadResult]
    stt: Batcher[SttRequest, Transcript]
    llm: Batcher[ChatRequest | Forget, ChatOutput]
    tts: Batcher[SpeechRequest, SpeechChunk]
    loaded: tuple[LoadedModel, ...] = ()
    languages: tuple[str, ...] = ()  # that the recognizer knows

    @property
    def failures(self) -> dict[str, str]:
        """Engines whose thread has died, and of what."""
        batchers = (self.vad, self.stt, self.llm, self.tts)
        return {batcher.name: repr(batcher.failure) for batcher in batchers if batcher.failure}


@asynccontextmanager
async def running_engines(
    vad: VadConfig, stt: SttConfig, llm: LlmConfig, tts: TtsConfig, on_death: OnDeath
) -> AsyncIterator[Engines]:
    """Load and warm every model, one after the other. Raises `ModelError`.

    `on_death` is called on the event loop when an engine's thread has died.
    """
    if stt.device != "cpu" or llm.gpu_layers != 0:
        for problem in gpu.problems(gpu.look(has_llama=supports_gpu())):
            log.warning(problem)
    vad_engine, stt_engine = VadEngine(vad), SttEngine(stt)
    llm_engine, tts_engine = LlmEngine(llm), TtsEngine(tts)
    async with AsyncExitStack() as stack:
        vad_batcher = await stack.enter_async_context(
            Batcher[VadRequest, VadResult]("vad", vad_engine, on_death=on_death)
        )
        stt_batcher = await stack.enter_async_context(
            Batcher[SttRequest, Transcript]("stt", stt_engine, on_death=on_death)
        )
        llm_batcher = await stack.enter_async_context(
            Batcher[ChatRequest | Forget, ChatOutput]("llm", llm_engine, on_death=on_death)
        )
        tts_batcher = await stack.enter_async_context(
            Batcher[SpeechRequest, SpeechChunk]("tts", tts_engine, on_death=on_death)
        )
        loaded = (
            *vad_engine.loaded,
            *stt_engine.loaded,
            *llm_engine.loaded,
            *tts_engine.loaded,
        )
        languages = stt_engine.languages
        yield Engines(vad_batcher, stt_batcher, llm_batcher, tts_batcher, loaded, languages)
