"""A spoken conversation of which each turn is a request: the same session as a call's.

The client talks by "push to talk" and gets the answer as a file, so nothing is paced, and what it
was sent is taken for heard. A turn that its client gives up ends the conversation.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import numpy as np

from engines.errors import Overloaded, ProtocolError, TinigError
from engines.host import Engines
from engines.vad import WINDOW_SAMPLES
from server.audio import Pcm, Samples
from server.calls import Calls
from server.commands import (
    AppendAudio,
    AudioPlayed,
    Command,
    CommitAudio,
    CreateResponse,
    TruncateItem,
    UpdateSettings,
)
from server.conversation.machine import State
from server.events import (
    AnswerAudio,
    AnswerStarted,
    AnswerText,
    Event,
    Failed,
    ResponseFinished,
    StateChanged,
    Transcribed,
    TranscriptionFailed,
    TurnFinished,
)
from server.rest.decoding import RATE_HZ
from server.session import Session
from server.settings import AudioFormat, Settings

ANSWER_RATE_HZ = 24_000

_DAY_MS = 24 * 3600 * 1000


@dataclass(slots=True)
class SpokenTurn:
    """What was said and what was answered."""

    transcript: str = ""
    answer: str = ""
    language: str = ""
    pieces: list[Pcm] = field(default_factory=list)  # int16[n] at `ANSWER_RATE_HZ`
    answer_id: str = ""
    error: TinigError | None = None

    @property
    def pcm(self) -> Pcm:
        """The answer's audio."""
        return np.concatenate([*self.pieces, np.zeros(0, np.int16)])


class Talk:
    """One conversation, from its first turn until it is forgotten."""

    def __init__(self, calls: Calls, engines: Engines, peer: str | None) -> None:
        conversation = replace(calls.config.conversation, playback_lead_seconds=math.inf)
        self._settings: Settings = replace(
            calls.first_settings(),
            turn_detection=None,
            input_format=AudioFormat(rate_hz=RATE_HZ),
            output_format=AudioFormat(rate_hz=ANSWER_RATE_HZ),
            reports_playback=True,
        )
        self.id, self._session = calls.open(self._settings, peer, conversation, engines)
        self.is_busy = False
        self._commands: asyncio.Queue[Command | None] = asyncio.Queue()
        self._events: AsyncIterator[Event] = self._session.events()
        self._running = asyncio.create_task(self._run(self._session), name=self.id)

    async def turn(self, samples: Samples, language: str | None) -> SpokenTurn:
        """Say float32[n] at 16 kHz, in this language if it is known; hear the answer.

        Raises `TinigError`.
        """
        self.is_busy = True
        turn = SpokenTurn()
        languages = (language,) if language else ()
        self._do(UpdateSettings(replace(self._settings, languages=languages)))
        rest = np.zeros(WINDOW_SAMPLES, np.float32)  # only whole windows are listened to
        self._do(AppendAudio(np.concatenate([samples, rest])))
        self._do(CommitAudio())
        self._do(CreateResponse())
        async for event in self._events:
            self._note(turn, event)
            if isinstance(event, StateChanged) and event.state is State.LISTENING_IDLE:
                break
        else:
            raise TinigError("The conversation has ended. Begin another.")
        self.is_busy = False
        if turn.error is not None:
            raise turn.error
        if not turn.pieces:
            raise ProtocolError("Nobody can be understood in the audio.", code="no_speech")
        return turn

    async def close(self) -> None:
        """Free all that it held."""
        self._commands.put_nowait(None)
        await asyncio.wait([self._running])

    def _note(self, turn: SpokenTurn, event: Event) -> None:
        match event:
            case Transcribed(text=text):
                turn.transcript = text
            case AnswerStarted(item_id=item_id):
                turn.answer_id = item_id
            case AnswerText(text=text):
                turn.answer += text
            case AnswerAudio(pcm=pcm, epoch=int(epoch)):
                turn.pieces.append(pcm)
                self._do(AudioPlayed(epoch))
            case TranscriptionFailed(error=error) | Failed(error=error):
                turn.error = error
            case ResponseFinished(error=TinigError() as error):
                turn.error = error
            case TurnFinished(record=record):
                turn.language = record.language
                if turn.pieces:  # the turn is over: nobody waits for the end of its sound
                    self._do(TruncateItem(turn.answer_id, _DAY_MS))
            case _:
                pass

    def _do(self, command: Command) -> None:
        self._commands.put_nowait(command)

    async def _run(self, session: Session) -> None:
        await session.run(self._obeyed())

    async def _obeyed(self) -> AsyncIterator[Command]:
        while (command := await self._commands.get()) is not None:
            yield command


class Talks:
    """The conversations that are remembered: so many at most, and each for so long."""

    def __init__(self, calls: Calls, engines: Engines) -> None:
        self._calls = calls
        self._engines = engines
        self._config = calls.config.rest
        self._talks: dict[tuple[str, str], Talk] = {}  # by key and name, the oldest first
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def find(self, key: str, name: str, peer: str | None) -> Talk:
        """The conversation of this name that was begun with this key, or a new one, for a turn:
        after it the caller keeps or forgets it.

        Raises `ProtocolError` while it is in a turn, and `Overloaded` when all are.
        """
        talk = self._talks.pop((key, name), None)
        if talk is None:
            self._make_room()
            talk = Talk(self._calls, self._engines, peer)
        self._talks[key, talk.id] = talk
        if talk.is_busy:
            raise ProtocolError(
                "Another request of this session is being answered. Wait for its end.",
                code="session_busy",
            )
        self._stop_timer(talk)
        return talk

    def keep(self, key: str, talk: Talk) -> None:
        """Remember it from now on for as long as is configured."""
        loop = asyncio.get_running_loop()
        self._timers[talk.id] = loop.call_later(
            self._config.session_seconds, self.forget, key, talk
        )

    def forget(self, key: str, talk: Talk) -> None:
        """End it."""
        self._stop_timer(talk)
        self._talks.pop((key, talk.id), None)
        task = asyncio.create_task(talk.close(), name=f"close {talk.id}")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End all."""
        for (key, _), talk in list(self._talks.items()):
            self.forget(key, talk)
        if self._closing:
            await asyncio.wait(self._closing)

    def _make_room(self) -> None:
        if len(self._talks) < self._config.sessions:
            return
        for (key, _), talk in self._talks.items():
            if not talk.is_busy:
                self.forget(key, talk)
                return
        raise Overloaded("All sessions are in a turn. Try again shortly.")

    def _stop_timer(self, talk: Talk) -> None:
        timer = self._timers.pop(talk.id, None)
        if timer is not None:
            timer.cancel()
