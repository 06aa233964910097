"""What all turns of one conversation share."""

from dataclasses import dataclass

from engines.batcher import Priority
from engines.host import Engines
from engines.stt import SttRequest, Transcript
from server.audio import Samples
from server.config import ConversationConfig
from server.conversation.history import History
from server.conversation.outbox import Outbox
from server.settings import Settings


@dataclass(slots=True)
class Conversation:
    """One session's engines, outbox and history."""

    session_id: str
    engines: Engines
    config: ConversationConfig
    outbox: Outbox
    history: History
    language: str  # of the last turn
    unclear_turns: int = 0  # in a row, that were asked for again

    async def transcribe(
        self, samples: Samples, settings: Settings, priority: Priority
    ) -> Transcript:
        """What is said in float32[n] at 16 kHz: in the language that the client chose, if it did.

        Raises `EngineError`.
        """
        request = SttRequest(
            samples, languages=self.config.languages, language=settings.transcription_language
        )
        return await self.engines.stt.run(request, priority=priority)
