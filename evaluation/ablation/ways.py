"""The ways that are compared, made of the server's own parts: its prompts, pivot and checks."""

from collections.abc import Sequence
from enum import StrEnum

from engines.host import Engines
from server.conversation.thinking import Thinker
from server.conversation.translators import Interpreter, LlmTranslator, NmtTranslator
from server.language.router import Tier
from server.metrics import TurnRecord


class Way(StrEnum):
    """From a question to an answer in its language."""

    DIRECT = "direct"  # asked and answered in the language
    NATIVE = "native reasoning"  # facts and steps in the language, then the answer
    LLM_PIVOT = "LLM pivot"  # to English and back by the language model
    NMT_PIVOT = "NMT pivot"  # to English and back by a translation model
    STRUCTURED = "structured"  # facts and steps in English, then the answer

    @property
    def tier(self) -> Tier:
        """The server's tier that it is a variant of."""
        return _TIERS[self]


_TIERS = {
    Way.DIRECT: Tier.DIRECT,
    Way.NATIVE: Tier.STRUCTURED,
    Way.LLM_PIVOT: Tier.PIVOT,
    Way.NMT_PIVOT: Tier.PIVOT,
    Way.STRUCTURED: Tier.STRUCTURED,
}


def possible(engines: Engines) -> Sequence[Way]:
    """All that can be compared with these models: without an NMT model not its pivot."""
    return [way for way in Way if way is not Way.NMT_PIVOT or engines.nmt is not None]


def thinker(way: Way, engines: Engines, session: str, notes_tokens: int) -> Thinker:
    """What goes this way. Raises `ValueError` for an NMT pivot without an NMT model."""
    translators: Sequence[LlmTranslator | NmtTranslator] = [LlmTranslator(engines.llm, session)]
    if way is Way.NMT_PIVOT:
        if engines.nmt is None:
            raise ValueError("an NMT pivot needs translate.models")
        translators = [NmtTranslator(engines.nmt)]
    return Thinker(
        engines.llm,
        Interpreter(translators),
        TurnRecord(0, session),
        notes_tokens,
        native_notes=way is Way.NATIVE,
    )
