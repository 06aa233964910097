"""Who translates for a pivot: an NMT model where there is one for the two languages, else the LLM.

Each translation is checked (`server.language.pivot`); what one loses, the next is asked for.
"""

from collections.abc import Sequence
from typing import Protocol

from engines.batcher import Batcher, Priority
from engines.errors import EngineError
from engines.host import Engines
from engines.llm import ChatOutput, ChatRequest, Forget, TextDelta
from engines.translate import NotTranslatable, Pair, Translation, TranslationRequest
from server.conversation.prompt import translation_request
from server.language.pivot import lost_in_translation

LlmBatcher = Batcher[ChatRequest | Forget, ChatOutput]
NmtBatcher = Batcher[TranslationRequest, Translation]


class LostInTranslation(EngineError):
    """No translation keeps what the text says; the message names what was lost."""


async def whole_text(llm: LlmBatcher, request: ChatRequest, priority: Priority) -> str:
    """All that the model answers, at once. Raises `EngineError`."""
    async with llm.submit(request, priority=priority) as job:
        texts = [output.text async for output in job if isinstance(output, TextDelta)]
    return "".join(texts).strip()


class Translator(Protocol):
    """Translates what is spoken."""

    name: str

    async def translate(self, text: str, pair: Pair, priority: Priority) -> str:
        """The text in `pair.target`. Raises `NotTranslatable` and other `EngineError`s."""


class LlmTranslator:
    """The language model is asked to."""

    name = "llm"

    def __init__(self, llm: LlmBatcher, session: str) -> None:
        self._llm = llm
        self._session = session

    async def translate(self, text: str, pair: Pair, priority: Priority) -> str:
        request = translation_request(self._session, text, pair.target)
        return await whole_text(self._llm, request, priority)


class NmtTranslator:
    """A translation model."""

    name = "nmt"

    def __init__(self, nmt: NmtBatcher) -> None:
        self._nmt = nmt

    async def translate(self, text: str, pair: Pair, priority: Priority) -> str:
        translation = await self._nmt.run(TranslationRequest(text, pair), priority=priority)
        return translation.text


class Interpreter:
    """Translates by the first of its translators that loses nothing."""

    def __init__(self, translators: Sequence[Translator]) -> None:
        self._translators = tuple(translators)

    async def translate(
        self, text: str, pair: Pair, priority: Priority, given: str | None = None
    ) -> tuple[str, str]:
        """The translation and who made it; `given` is one that is there already, from speech.

        Raises `LostInTranslation` when all of them lose something, and `EngineError`.
        """
        lost: tuple[str, ...] = ()
        if given is not None:
            lost = lost_in_translation(text, pair.source, given, pair.target)
            if not lost:
                return given, "whisper"
        for translator in self._translators:
            try:
                translation = await translator.translate(text, pair, priority)
            except NotTranslatable:
                continue
            lost = lost_in_translation(text, pair.source, translation, pair.target)
            if not lost:
                return translation, translator.name
        raise LostInTranslation(f"lost in translation to {pair.target}: {', '.join(lost)}")


def interpreter(engines: Engines, session: str) -> Interpreter:
    """For one session, of what this process has."""
    translators: list[Translator] = [LlmTranslator(engines.llm, session)]
    if engines.nmt is not None:
        translators.insert(0, NmtTranslator(engines.nmt))
    return Interpreter(translators)
