"""What all turns of one conversation share."""

from dataclasses import dataclass

from engines.host import Engines
from server.config import ConversationConfig
from server.conversation.history import History
from server.conversation.outbox import Outbox


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
