"""What all turns of one conversation share."""

from dataclasses import dataclass, field

from engines.batcher import Priority
from engines.host import Engines
from engines.stt import SttRequest, Transcript
from server.audio import Samples
from server.config import ConversationConfig
from server.conversation.history import History
from server.conversation.outbox import Outbox
from server.conversation.recordings import Recordings
from server.forget import forget
from server.language.belief import LanguageBelief
from server.language.router import Route, RoutingTable, Tier, route
from server.settings import Settings

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
    table: RoutingTable
    recordings: Recordings = field(default_factory=Recordings)
    unclear_turns: int = 0  # in a row, that were asked for again
    acknowledgement: str = ""  # the last that was said

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

    def route(self, text: str, language: str) -> Route:
        """By which way a question in this language is answered."""
        return route(text, language, self.table, reasons=self.engines.reasons)

    def goes_by_english(self, text: str, language: str) -> bool:
        """Whether that is by a translation of the question."""
        return self.route(text, language).tier is Tier.PIVOT

    def partial_language(self, before: Transcript | None) -> str | None:
        """In which to write down what is still being said: the caller's, unless the recognizer was
        sure of another in what they had said `before`, and that was long enough to tell."""
        if before is None or before.audio_seconds < self.config.language_certain_seconds:
            return self.spoken_language
        shares = before.language_probabilities
        guess = max(shares, key=lambda language: shares[language])
        return guess if shares[guess] >= _LIKELY else self.spoken_language

    def forget(self) -> None:
        """Give the conversation's places in the model's memory back."""
        forget(self.engines, *self._memories())

    def allow(self, settings: Settings) -> None:
        """Believe from now on in the languages alone that the client allows."""
        languages = settings.languages or self.config.languages
        self.belief = self.belief.among(languages)
        if self.language not in languages:
            self.language = self.belief.language

    def _memories(self) -> tuple[str, ...]:
        """Names under which the model remembers something of the conversation (prompt.py)."""
        used = [each for each in self.config.languages if not self.table.is_direct(each)]
        parts = ["english", "notes", "en", *used] if used else []
        return (self.session_id, *(f"{self.session_id}/{part}" for part in parts))

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
            is_translated=self.goes_by_english if priority is Priority.ANSWER else None,
        )
        return await self.engines.stt.run(request, priority=priority)
