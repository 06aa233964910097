"""One connection's conversation: commands in, events out, everything it started ends with it."""

import logging
from collections.abc import AsyncIterator, Mapping

from engines.errors import TinigError
from engines.host import Engines
from server.commands import Command
from server.config import ConversationConfig, InterruptionConfig
from server.conversation.aside import Asides
from server.conversation.background import Background
from server.conversation.context import Conversation
from server.conversation.floor import Floor
from server.conversation.history import History
from server.conversation.machine import State
from server.conversation.outbox import Outbox
from server.events import Event, Failed
from server.language.belief import BeliefConfig, LanguageBelief
from server.language.router import read_table
from server.metrics import Counters
from server.session_requests import Requests
from server.settings import Settings

log = logging.getLogger(__name__)


class Session:
    """One caller. `prior`: how much likelier each language is than another, before a word;
    `keeps_audio`: what is said can be heard again."""

    def __init__(
        self,
        session_id: str,
        engines: Engines,
        *,
        config: ConversationConfig,
        interruption: InterruptionConfig,
        settings: Settings,
        counters: Counters,
        prior: Mapping[str, float] | None = None,
        keeps_audio: bool = False,
    ) -> None:
        belief = _first_belief(config, prior or {})
        self.history = History(config.kept_audio_seconds if keeps_audio else 0.0)
        self.outbox = Outbox(
            self.history.record,
            config.playback_lead_seconds,
            reports_playback=settings.reports_playback,
        )
        self._background = Background(self._on_defect)
        self._conversation = Conversation(
            session_id,
            engines,
            config,
            self.outbox,
            self.history,
            belief.language,
            belief,
            read_table(config.routing_table, config.language_classes),
        )
        self._floor = Floor(self._conversation, interruption, settings, counters, self._background)
        asides = Asides(self._conversation, self._background.spawn)
        self._requests = Requests(self._conversation, self._floor, asides, self._background.spawn)

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._floor.state

    @property
    def settings(self) -> Settings:
        """What holds for the client now."""
        return self._floor.settings

    async def run(self, commands: AsyncIterator[Command]) -> None:
        """Obey the client until it leaves. What this session started has ended on return."""
        try:
            async with self._background:
                async for command in commands:
                    await self._requests.obey(command)
        finally:
            self.outbox.close()
            self._conversation.forget()
            log.info("call ends")

    async def events(self) -> AsyncIterator[Event]:
        """What is to be sent to the client, until the session is over."""
        async for event in self.outbox:
            yield event
            self._floor.on_sent(event)

    def _on_defect(self) -> None:
        self.outbox.put(Failed(TinigError("The server failed here. Try again.")))


def _first_belief(config: ConversationConfig, prior: Mapping[str, float]) -> LanguageBelief:
    """About a caller who has said nothing yet."""
    return LanguageBelief.begin(
        config.languages,
        config.default_language,
        BeliefConfig(
            config.language_switch_cost,
            config.language_switch_seconds,
            config.language_certain_seconds,
        ),
        prior,
    )
