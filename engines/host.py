"""All models of one process: started together, warm before the first call, stopped together."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engines import gpu
from engines.batcher import Batcher, Engine
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


class _Model(Engine, Protocol):
    loaded: tuple[LoadedModel, ...]  # after `load`


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
    stt_engine = SttEngine(stt)
    loaded: list[LoadedModel] = []
    async with AsyncExitStack() as stack:

        async def start(name: str, engine: _Model, **options: Any) -> Batcher[Any, Any]:
            batcher = Batcher[Any, Any](name, engine, on_death=on_death, **options)
            await stack.enter_async_context(batcher)
            loaded.extend(engine.loaded)
            return batcher

        # One job a call waits for the VAD: nobody's window is turned away.
        hearing = {"max_pending": MOST_CALLS, "gather_seconds": GATHER_SECONDS}
        vad_batcher = await start("vad", VadEngine(vad), **hearing)
        turn_end_batcher = None
        if vad.smart_turn:
            turn_end_batcher = await start("turn end", TurnEndEngine(vad.smart_turn))
        stt_batcher = await start("stt", stt_engine)
        llm_batcher = await start("llm", LlmEngine(llm))
        tts_batcher = await start("tts", TtsEngine(tts))
        nmt_batcher = None
        if translate is not None and translate.models:
            nmt_batcher = await start("nmt", TranslationEngine(translate))
        card = read_card(Path(llm.model).parent)
        yield Engines(
            vad_batcher,
            stt_batcher,
            llm_batcher,
            tts_batcher,
            nmt_batcher,
            tuple(loaded),
            stt_engine.languages,
            reasons=bool(card.get("reasons", True)),
            turn_end=turn_end_batcher,
            for_the_ear=bool(card.get("for_the_ear", True)),
        )
