"""What all turns of one conversation share."""

import logging
from dataclasses import dataclass

from engines.batcher import Priority
from engines.errors import EngineError
from engines.host import Engines
from engines.llm import Forget
from engines.stt import SttRequest, Transcript
from server.audio import Samples
from server.config import ConversationConfig
from server.conversation.history import History
from server.conversation.outbox import Outbox
from server.language.belief import LanguageBelief
from server.settings import Settings

log = logging.getLogger(__name__)

_LIKELY = 0.75  # more than the default language has before anything was said


@dataclass(slots=True)
class Conversation:
    """One session's engines, outbox and history."""

    session_id: str
    engines: Engines
    config: ConversationConfig
    outbox: Outbox
    history: History
    language: str  # of the last turn
    belief: LanguageBelief
    unclear_turns: int = 0  # in a row, that were asked for again

    @property
    def spoken_language(self) -> str | None:
        """The caller's, once it is likely."""
        is_likely = self.belief.probabilities[self.belief.language] >= _LIKELY
        return self.belief.language if is_likely else None

    def language_of(self, sound: Transcript) -> str:
        """Of a sound that the belief is not asked about: the caller's, unless the recognizer is
        sure of its guess."""
        is_sure = sound.language_probabilities.get(sound.language, 0.0) >= _LIKELY
        return sound.language if is_sure else self.spoken_language or sound.language

    async def forget(self) -> None:
        """Give the conversation's place in the model's memory back."""
        try:
            async with self.engines.llm.submit(Forget(self.session_id)) as job:
                async for _ in job:
                    pass
        except EngineError as error:
            log.warning("the model could not forget the session: %s", error)

    def allow(self, settings: Settings) -> None:
        """Believe from now on in the languages alone that the client allows."""
        languages = settings.languages or self.config.languages
        self.belief = self.belief.among(languages)
        if self.language not in languages:
            self.language = self.belief.language

    async def transcribe(
        self,
        samples: Samples,
        settings: Settings,
        priority: Priority,
        likely_language: str | None = None,
    ) -> Transcript:
        """What is said in float32[n] at 16 kHz: in the language that the client chose, if it did,
        else in the likely one; with neither, the recognizer finds it out.

        Raises `EngineError`.
        """
        request = SttRequest(
            samples,
            languages=settings.languages or self.config.languages,
            language=settings.transcription_language or likely_language,
        )
        return await self.engines.stt.run(request, priority=priority)
