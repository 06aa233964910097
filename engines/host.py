"""All models of one process: started together, warm before the first call, stopped together."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from engines import gpu
from engines.batcher import Batcher
from engines.config import MOST_CALLS, LlmConfig, SttConfig, TranslateConfig, TtsConfig, VadConfig
from engines.llm import ChatOutput, ChatRequest, Forget, LlmEngine
from engines.llm.llama import supports_gpu
from engines.loaded import LoadedModel, read_card
from engines.stt import SttEngine, SttRequest, Transcript
from engines.translate import Translation, TranslationEngine, TranslationRequest
from engines.tts import SpeechChunk, SpeechRequest, TtsEngine
from engines.turn_end import TurnEndEngine, TurnEndRequest
from engines.vad import GATHER_SECONDS, VadEngine, VadRequest, VadResult

log = logging.getLogger(__name__)

OnDeath = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class Engines:
    """The models, each behind the thread that owns it; those that may be None, if named."""

    vad: Batcher[VadRequest, VadResult]
    stt: Batcher[SttRequest, Transcript]
    llm: Batcher[ChatRequest | Forget, ChatOutput]
    tts: Batcher[SpeechRequest, SpeechChunk]
    nmt: Batcher[TranslationRequest, Translation] | None = None
    loaded: tuple[LoadedModel, ...] = ()
    languages: tuple[str, ...] = ()  # that the recognizer knows
    reasons: bool = True  # what the language model's card says: whether it can think in notes
    turn_end: Batcher[TurnEndRequest, float] | None = None
    for_the_ear: bool = True  # by that card: whether it is told that its answers are heard

    @property
    def failures(self) -> dict[str, str]:
        """Engines whose thread has died, and of what."""
        batchers = (self.vad, self.stt, self.llm, self.tts, self.nmt, self.turn_end)
        return {each.name: repr(each.failure) for each in batchers if each and each.failure}


@asynccontextmanager
async def running_engines(
    vad: VadConfig,
    stt: SttConfig,
    llm: LlmConfig,
    tts: TtsConfig,
    translate: TranslateConfig | None = None,
    *,
    on_death: OnDeath,
) -> AsyncIterator[Engines]:
    """Load and warm every model, one after the other. Raises `ModelError`.

    `on_death` is called on the event loop when an engine's thread has died.
    """
    if stt.device != "cpu" or llm.gpu_layers != 0:
        for problem in gpu.problems(gpu.look(has_llama=supports_gpu())):
            log.warning(problem)
    vad_engine, stt_engine = VadEngine(vad), SttEngine(stt)
    llm_engine, tts_engine = LlmEngine(llm), TtsEngine(tts)
    nmt_engine = TranslationEngine(translate or TranslateConfig())
    async with AsyncExitStack() as stack:
        vad_batcher = await stack.enter_async_context(
            Batcher[VadRequest, VadResult](
                "vad",
                vad_engine,
                max_pending=MOST_CALLS,  # one job each: nobody's window is turned away
                gather_seconds=GATHER_SECONDS,
                on_death=on_death,
            )
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
        nmt_batcher: Batcher[TranslationRequest, Translation] | None = None
        if translate is not None and translate.models:
            nmt_batcher = await stack.enter_async_context(
                Batcher[TranslationRequest, Translation]("nmt", nmt_engine, on_death=on_death)
            )
        turn_end_engine = TurnEndEngine(vad.smart_turn)
        turn_end_batcher: Batcher[TurnEndRequest, float] | None = None
        if vad.smart_turn:
            turn_end_batcher = await stack.enter_async_context(
                Batcher[TurnEndRequest, float]("turn end", turn_end_engine, on_death=on_death)
            )
        loaded = (
            *vad_engine.loaded,
            *turn_end_engine.loaded,
            *stt_engine.loaded,
            *llm_engine.loaded,
            *tts_engine.loaded,
            *nmt_engine.loaded,
        )
        card = read_card(Path(llm.model).parent)
        yield Engines(
            vad_batcher,
            stt_batcher,
            llm_batcher,
            tts_batcher,
            nmt_batcher,
            loaded,
            stt_engine.languages,
            bool(card.get("reasons", True)),
            turn_end_batcher,
            bool(card.get("for_the_ear", True)),
        )
