"""One connection's conversation: commands in, events out, everything it started ends with it.

The session decides nothing. It turns what it sees (the caller's audio, what left the outbox, what
the client asks for) into triggers of the machine, and carries out the commands that it gives.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from engines.errors import EngineError, ProtocolError, TinigError
from engines.host import Engines
from server.audio import Samples
from server.config import ConversationConfig, InterruptionConfig
from server.conversation.answers import Answers
from server.conversation.attention import Attention
from server.conversation.background import Background
from server.conversation.context import Conversation
from server.conversation.history import History
from server.conversation.machine import Command as Do
from server.conversation.machine import Machine, State, Trigger
from server.conversation.outbox import Outbox
from server.conversation.turn import Utterance
from server.events import (
    AnswerAudio,
    AnswerHeld,
    AppendAudio,
    AudioCleared,
    AudioCommitted,
    CallEnded,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    Event,
    Failed,
    FunctionOutputItem,
    Item,
    ItemAdded,
    MessageItem,
    Reason,
    ResponseFinished,
    ResponseStarted,
    SettingsUpdated,
    SpeechStarted,
    SpeechStopped,
    StateChanged,
    TruncateItem,
    TurnFinished,
    UpdateSettings,
)
from server.language.belief import BeliefConfig, LanguageBelief
from server.language.languages import Phrase
from server.metrics import Counters
from server.settings import Settings

log = logging.getLogger(__name__)


class Session:
    """One caller."""

    def __init__(
        self,
        session_id: str,
        engines: Engines,
        *,
        config: ConversationConfig,
        interruption: InterruptionConfig,
        settings: Settings,
        counters: Counters,
    ) -> None:
        self.settings = settings
        self.history = History()
        self.outbox = Outbox(self.history.record, config.playback_lead_seconds)
        self._background = Background(self._on_defect)
        self._machine = Machine()
        self._interruption = interruption
        self._cancel_reason: Reason = "turn_detected"
        self._state_since_seconds = 0.0  # in audio time
        self._check_ins = 0  # since the caller last spoke
        self._counters = counters
        self._conversation = Conversation(
            session_id,
            engines,
            config,
            self.outbox,
            self.history,
            config.default_language,
            _first_belief(config),
        )
        self._attention = Attention(
            self._conversation,
            interruption,
            settings,
            self._background.spawn,
            on_verdict=self._on_verdict,
            on_words=self._on_words,
        )
        self._answers = Answers(
            self._conversation,
            counters,
            self._background.spawn,
            self._on_answer_over,
            self._attention.expect_end,
        )
        self._execute: dict[Do, Callable[[], None]] = {
            Do.ANNOUNCE_SPEECH: self._announce_speech,
            Do.DRAFT: self._draft,
            Do.DISTRUST_DRAFT: self._answers.distrust_draft,
            Do.TAKE_SPEECH: self._take_speech,
            Do.TAKE_AUDIO: self._take_audio,
            Do.FORGET_SPEECH: self._forget_speech,
            Do.DROP_DRAFT: self._answers.drop_draft,
            Do.ANSWER: self._answer,
            Do.CHECK_IN: self._check_in,
            Do.HOLD: self._hold,
            Do.JUDGE: lambda: self._attention.judge(self._answers.saying),
            Do.RELEASE: self._release,
            Do.CANCEL_ANSWER: self._cancel_answer,
        }

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._machine.state

    async def run(self, commands: AsyncIterator[Command]) -> None:
        """Obey the client until it leaves. What this session started has ended on return."""
        try:
            async with self._background:
                async for command in commands:
                    await self._obey(command)
        finally:
            self.outbox.close()
            await self._conversation.forget()

    async def events(self) -> AsyncIterator[Event]:
        """What is to be sent to the client, until the session is over."""
        async for event in self.outbox:
            yield event
            self._on_sent(event)

    # ---- triggers -------------------------------------------------------------------------------

    def _fire(self, trigger: Trigger) -> None:
        before = self._machine.state
        commands = self._machine.fire(trigger)
        self._state_since_seconds = self._attention.now_seconds
        log.debug("%s: %s to %s", trigger.value, before.value, self._machine.state.value)
        if self._machine.state is not before:
            self.outbox.put(StateChanged(self._machine.state))
        for command in commands:
            self._execute[command]()

    async def _listen(self, samples: Samples) -> None:
        arrived_seconds = asyncio.get_running_loop().time()
        async for boundary in self._attention.hear(
            samples, arrived_seconds, hasty=self._machine.is_answering
        ):
            if self._takes_the_floor() or self._is_interrupting():
                self._fire(Trigger.SPEECH_STARTED)
            if boundary is not None:
                self._fire(boundary)
            if self._is_idle():
                self._fire(Trigger.CALLER_IDLE)
            self._attention.follow(
                over_answer=self._machine.is_answering, saying=self._answers.saying
            )

    def _is_idle(self) -> bool:
        idle_seconds = self._attention.now_seconds - self._state_since_seconds
        limit_seconds = self._conversation.config.idle_seconds
        return self._machine.state is State.LISTENING_IDLE and 0 < limit_seconds <= idle_seconds

    def _takes_the_floor(self) -> bool:
        return self._machine.state is State.LISTENING_IDLE and self._attention.is_speech

    def _is_interrupting(self) -> bool:
        detection = self.settings.turn_detection
        may = detection is not None and detection.interrupt_response
        outputs = (State.PROCESSING, State.AI_GENERATING, State.AI_SPEAKING)
        return may and self._machine.state in outputs and self._attention.is_suspicious

    def _on_words(self, said: str, language: str) -> None:
        """The caller speaks on, and these words of theirs are certain."""
        detection = self.settings.turn_detection
        if detection is not None and detection.create_response:
            self._answers.prepare(self.settings, said, language)

    def _on_verdict(self, wants_the_floor: bool) -> None:
        """What the caller's sound over an answer was."""
        if not self._machine.is_answering:
            return
        if wants_the_floor:
            self._fire(Trigger.WORDS)
            self._catch_up()
        elif self._machine.state is State.INTERRUPTED:
            self._fire(Trigger.NOISE)

    def _catch_up(self) -> None:
        """The caller has the floor since before this was known, and may have finished already."""
        if self._machine.state is not State.LISTENING_ACTIVE:
            return
        if not self._attention.is_speech:
            self._fire(Trigger.SPEECH_ENDED)
        elif self._attention.is_pause:
            self._fire(Trigger.SPEECH_PAUSED)

    def _on_sent(self, event: Event) -> None:
        match event:
            case ResponseStarted() if self._is_current(event):
                if self._machine.state is not State.INTERRUPTED:
                    self._fire(Trigger.ANSWER_STARTED)
            case AnswerAudio() if self._is_current(event):
                if self._machine.state is State.AI_GENERATING:
                    self._fire(Trigger.AUDIO_SENT)
                if self.outbox.playback.sent_seconds <= event.seconds:
                    self._attention.rest(self._interruption.immunity_seconds)
            case ResponseFinished() if self._is_current(event):
                epoch = self.outbox.epoch  # of now: the task begins later
                self._background.spawn(lambda: self._play_out(epoch), "playback")
            case TurnFinished(record=record):
                self._counters.turns[record.status] += 1
                log.info("turn", extra=record.to_wire())

    def _is_current(self, event: Event) -> bool:
        return event.epoch == self.outbox.epoch

    async def _play_out(self, epoch: int) -> None:
        """Wait until the caller has heard the answer to its end."""
        now_seconds = asyncio.get_running_loop().time()
        await asyncio.sleep(self.outbox.playback.ahead_seconds(now_seconds))
        if epoch == self.outbox.epoch:
            self._on_answer_over()

    def _on_answer_over(self) -> None:
        if self._machine.is_answering:
            self._fire(Trigger.ANSWER_OVER)
            self._catch_up()
        if self._check_ins > 1 and self._machine.state is State.LISTENING_IDLE:
            self.outbox.put(CallEnded())

    # ---- what the machine commands --------------------------------------------------------------

    def _announce_speech(self) -> None:
        self._check_ins = 0
        self._attention.begin_turn()
        self.outbox.put(
            SpeechStarted(self._attention.item_id, _ms(self._attention.speech_start_seconds))
        )

    def _draft(self) -> None:
        detection = self.settings.turn_detection
        if detection is not None:
            answers = detection.create_response
            self._answers.draft(self.settings, self._attention.utterance(), answers=answers)

    def _take_speech(self) -> None:
        """The caller's turn is over: it becomes an item, and is answered."""
        detection = self.settings.turn_detection
        answers = detection is not None and detection.create_response
        utterance = self._attention.utterance()
        now_seconds = self._attention.now_seconds
        self.outbox.put(SpeechStopped(utterance.item_id, _ms(now_seconds)))
        self._add_item(utterance)
        self._answers.take(self.settings, utterance, answers=answers)

    def _take_audio(self) -> None:
        """Push to talk: what was said becomes an item; the client asks for an answer itself."""
        utterance = self._attention.utterance()
        self._add_item(utterance)
        self._answers.begin(
            self.settings, utterance, answers=False, speech_end_seconds=utterance.ended_seconds
        )

    def _add_item(self, utterance: Utterance) -> None:
        self.outbox.put(AudioCommitted(utterance.item_id))
        self.outbox.put(ItemAdded(MessageItem(utterance.item_id, "user", None, spoken=True)))
        self._attention.forget()

    def _forget_speech(self) -> None:
        """Sound over an answer was nothing, or may not interrupt it: then its words are noted."""
        detection = self.settings.turn_detection
        if detection is not None and not detection.interrupt_response:
            utterance = self._attention.utterance()
            self._add_item(utterance)
            self._answers.note_speech(self.settings, utterance)
        elif not self._attention.is_judging_the_end:
            self._attention.forget()

    def _answer(self) -> None:
        now_seconds = asyncio.get_running_loop().time()
        self._answers.begin(self.settings, None, speech_end_seconds=now_seconds)

    def _check_in(self) -> None:
        self._check_ins += 1
        words = Phrase.STILL_THERE if self._check_ins == 1 else Phrase.GOODBYE
        now_seconds = asyncio.get_running_loop().time()
        self._answers.begin(self.settings, None, words=words, speech_end_seconds=now_seconds)

    def _hold(self) -> None:
        self.outbox.hold()
        self.outbox.put(AnswerHeld(is_held=True))
        epoch = self.outbox.epoch  # of now: the task begins later
        self._background.spawn(lambda: self._hold_at_most(epoch), "hold")

    async def _hold_at_most(self, epoch: int) -> None:
        """A client that stops sending in the midst of a sound must not hold an answer for ever."""
        await asyncio.sleep(self._interruption.strict_seconds + 1.0)
        if epoch == self.outbox.epoch and self._machine.state is State.INTERRUPTED:
            self._attention.judge(self._answers.saying)

    def _release(self) -> None:
        self.outbox.release()
        self.outbox.put(AnswerHeld(is_held=False))

    def _cancel_answer(self) -> None:
        self._answers.cancel(self.settings, self._cancel_reason)

    # ---- what the client asks for ---------------------------------------------------------------

    async def _obey(self, command: Command) -> None:
        try:
            await self._dispatch(command)
        except (ProtocolError, EngineError) as error:
            log.info("a command was refused: %s", error)
            self.outbox.put(Failed(error))

    async def _dispatch(self, command: Command) -> None:
        match command:
            case AppendAudio(samples=samples):
                await self._listen(samples)
            case UpdateSettings(settings=settings):
                self._update(settings)
            case CommitAudio():
                self._commit()
            case ClearAudio():
                self._fire(Trigger.SPEECH_DISCARDED)
                self.outbox.put(AudioCleared())
            case CreateItem(item=item):
                self._check_call(item)
                self.outbox.put(ItemAdded(item))
            case TruncateItem(item_id=item_id, audio_end_ms=audio_end_ms):
                if self._answers.is_current(item_id) and self._machine.is_answering:
                    self._cancel_for_client()  # it has stopped playing it
                self._answers.truncate(item_id, audio_end_ms)
            case CreateResponse():
                self._create_response()
            case CancelResponse(response_id=response_id):
                self._cancel_response(response_id)

    def _update(self, settings: Settings) -> None:
        self.settings = settings
        self._attention.reconfigure(settings)
        if settings.turn_detection is None and self._machine.state is State.INTERRUPTED:
            self._fire(Trigger.SPEECH_DISCARDED)  # nobody listens for its end any more
        self.outbox.put(SettingsUpdated(settings))

    def _commit(self) -> None:
        if not self._attention.has_audio:
            raise ProtocolError(
                "There is no audio to commit: append some first.",
                code="input_audio_buffer_commit_empty",
            )
        match self._machine.state:
            case State.LISTENING_IDLE:
                self._fire(Trigger.AUDIO_COMMITTED)
            case State.LISTENING_ACTIVE:
                self._fire(Trigger.SPEECH_ENDED)
            case State.INTERRUPTED:
                self._fire(Trigger.WORDS)
                self._fire(Trigger.SPEECH_ENDED)
            case _:  # an answer goes on, which the client has not cancelled
                utterance = self._attention.utterance()
                self._add_item(utterance)
                self._answers.note_speech(self.settings, utterance)

    def _create_response(self) -> None:
        match self._machine.state:
            case State.LISTENING_IDLE:
                self._fire(Trigger.ANSWER_REQUESTED)
            case State.LISTENING_ACTIVE:
                self._fire(Trigger.SPEECH_ENDED)
            case _ if not self._answers.answer_when_heard():
                raise ProtocolError(
                    "A response is in progress: cancel it, or wait for response.done.",
                    code="conversation_already_has_active_response",
                )

    def _cancel_response(self, response_id: str | None) -> None:
        open_id = self.outbox.open_response_id
        if open_id is None or response_id not in (None, open_id):
            raise ProtocolError(
                "There is no such response in progress to cancel.",
                code="response_cancel_not_active",
            )
        self._cancel_for_client()

    def _cancel_for_client(self) -> None:
        self._cancel_reason = "client_cancelled"
        self._fire(Trigger.ANSWER_CANCELLED)
        self._cancel_reason = "turn_detected"
        self._catch_up()

    def _check_call(self, item: Item) -> None:
        """A function's output belongs to a call that the model made."""
        if isinstance(item, FunctionOutputItem) and not self.history.has_call(item.call_id):
            raise ProtocolError(
                f"No function call has the call_id {item.call_id!r}.",
                code="invalid_value",
                param="item.call_id",
            )

    def _on_defect(self) -> None:
        self.outbox.put(Failed(TinigError("The server failed here. Try again.")))


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


def _first_belief(config: ConversationConfig) -> LanguageBelief:
    """About a caller who has said nothing yet."""
    return LanguageBelief.begin(
        config.languages,
        config.default_language,
        BeliefConfig(
            config.language_switch_cost,
            config.language_switch_seconds,
            config.language_certain_seconds,
        ),
    )
