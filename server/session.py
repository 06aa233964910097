"""One connection's conversation: commands in, events out, everything it started ends with it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from engines.batcher import Priority
from engines.errors import EngineError, ProtocolError, TinigError
from engines.host import Engines
from engines.llm import Forget
from engines.stt import SttRequest
from server.audio import Samples
from server.config import ConversationConfig
from server.conversation.endpointing import Boundary, EndpointingConfig
from server.conversation.history import History
from server.conversation.listening import Heard, Listener, ListeningConfig, with_overrides
from server.conversation.outbox import Outbox
from server.conversation.partials import LocalAgreement
from server.conversation.playback import Playback
from server.conversation.turn import Conversation, Turn, Utterance
from server.events import (
    AppendAudio,
    AudioCleared,
    AudioCommitted,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    Event,
    Failed,
    FunctionCallItem,
    FunctionOutputItem,
    ItemAdded,
    ItemTruncated,
    MessageItem,
    PartialTranscript,
    Reason,
    ResponseFinished,
    SettingsUpdated,
    SpeechStarted,
    SpeechStopped,
    TruncateItem,
    TurnFinished,
    UpdateSettings,
)
from server.ids import new_id
from server.metrics import Counters, Milestone
from server.settings import Settings, TurnDetection

log = logging.getLogger(__name__)


class Session:
    """The caller's side of a conversation; `outbox` is the other."""

    def __init__(
        self,
        session_id: str,
        engines: Engines,
        config: ConversationConfig,
        settings: Settings,
        counters: Counters,
    ) -> None:
        self.settings = settings
        self._history = History()
        self.outbox = Outbox(self._history.record)
        self._config = config
        self._counters = counters
        self._conversation = Conversation(
            session_id, engines, config, self.outbox, self._history, config.default_language
        )
        self._listener = Listener(
            engines.vad, _listening(config, settings), settings.input_format.rate_hz
        )
        self._playbacks: dict[str, Playback] = {}  # of every answer that is over, by its item
        self._turn: Turn | None = None  # the last one that answers, until the next begins
        self._turn_task: asyncio.Task[None] | None = None
        self._item_id = new_id("item")  # what the caller is saying, or will say next
        self._partial_task: asyncio.Task[None] | None = None
        self._agreement = LocalAgreement()
        self._next_partial_seconds = 0.0  # audio time
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, commands: AsyncIterator[Command]) -> None:
        """Obey the client until it leaves. What this session started has ended on return."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                async for command in commands:
                    await self._obey(command)
                for task in self._background:
                    task.cancel()
        finally:
            self.outbox.close()
            await self._forget()

    async def events(self) -> AsyncIterator[Event]:
        """What is to be sent to the client, until the session is over."""
        async for event in self.outbox:
            if isinstance(event, TurnFinished):
                self._counters.turns[event.record.status] += 1
                log.info("turn", extra=event.record.to_wire())
            yield event

    async def _forget(self) -> None:
        """Give the conversation's place in the model's memory back."""
        try:
            forget = Forget(self._conversation.session_id)
            async with self._conversation.engines.llm.submit(forget) as job:
                async for _ in job:
                    pass
        except EngineError as error:
            log.warning("the model could not forget the session: %s", error)

    def _spawn(self, work: Callable[[], Awaitable[None]], name: str) -> asyncio.Task[None]:
        task = self._tasks.create_task(self._shielded_from_bugs(work), name=name)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _shielded_from_bugs(self, work: Callable[[], Awaitable[None]]) -> None:
        """A defect of ours ends the work in which it shows, not the call."""
        try:
            await work()
        except Exception:
            log.exception("a task of the session failed")
            self.outbox.put(Failed(TinigError("The server failed on this turn. Try again.")))

    async def _obey(self, command: Command) -> None:
        try:
            await self._dispatch(command)
        except ProtocolError as error:
            self.outbox.put(Failed(error))
        except EngineError as error:
            log.warning("a command failed: %s", error)
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
                self._clear()
            case CreateItem(item=item):
                self._check_call(item)
                self.outbox.put(ItemAdded(item))
            case TruncateItem(item_id=item_id, audio_end_ms=audio_end_ms):
                self._truncate(item_id, audio_end_ms)
            case CreateResponse():
                self._create_response()
            case CancelResponse(response_id=response_id):
                self._cancel_response(response_id)

    # ---- the caller's audio ---------------------------------------------------------------------

    async def _listen(self, samples: Samples) -> None:
        arrived_seconds = asyncio.get_running_loop().time()
        for window in self._listener.windows(samples):
            if self.settings.turn_detection is None:
                self._listener.store(window)
                continue
            heard = await self._listener.hear(window)
            if heard is not None:
                self._on_boundary(heard, self.settings.turn_detection, arrived_seconds)
            self._transcribe_so_far()

    def _on_boundary(self, heard: Heard, detection: TurnDetection, arrived_seconds: float) -> None:
        speech_end = arrived_seconds - self._listener.silence_seconds
        match heard.boundary:
            case Boundary.STARTED:
                self._on_speech(heard, detection)
            case Boundary.PAUSED if not self._is_answering():
                self._begin_turn(draft=True, answers=detection.create_response)
                self._mark_speech_end(speech_end)
            case Boundary.RESUMED if not self.outbox.confirmed:
                self._counters.drafts["dropped"] += 1
                self._silence()
            case Boundary.ENDED:
                self.outbox.put(SpeechStopped(self._item_id, _ms(heard.at_seconds)))
                self._take_utterance(
                    answers=detection.create_response,
                    ended=speech_end,
                    over_answer=self._is_answering(),
                )

    def _on_speech(self, heard: Heard, detection: TurnDetection) -> None:
        if detection.interrupt_response:
            self._interrupt("turn_detected")
        self._agreement = LocalAgreement()
        self._next_partial_seconds = (
            self._listener.now_seconds + self._config.partial_interval_seconds
        )
        self.outbox.put(SpeechStarted(self._item_id, _ms(heard.at_seconds)))

    def _take_utterance(self, *, answers: bool, ended: float, over_answer: bool) -> None:
        """What the caller said becomes an item, and is answered: by the draft if there is one.

        `over_answer`: they spoke while an answer goes on that may not be interrupted.
        """
        item_id = self._item_id
        self.outbox.put(AudioCommitted(item_id))
        self.outbox.put(ItemAdded(MessageItem(item_id, "user", None, spoken=True)))
        if not self.outbox.confirmed:
            self._counters.drafts["hit"] += 1
            self.outbox.confirm()
        elif over_answer:
            self._transcribe_only(Utterance(item_id, self._listener.utterance()))
        else:
            self._begin_turn(draft=False, answers=answers)
            self._mark_speech_end(ended)
        if self._turn is not None:
            self._turn.record.reach(Milestone.TURN_CONFIRMED, asyncio.get_running_loop().time())
        self._listener.forget()
        self._item_id = new_id("item")

    def _commit(self) -> None:
        if not self._listener.utterance_seconds:
            raise ProtocolError(
                "There is no audio to commit: append some first.",
                code="input_audio_buffer_commit_empty",
            )
        now_seconds = asyncio.get_running_loop().time()
        self._take_utterance(answers=False, ended=now_seconds, over_answer=self._is_response_open())

    def _clear(self) -> None:
        if not self.outbox.confirmed:
            self._silence()
        self._listener.forget()
        self._item_id = new_id("item")
        self.outbox.put(AudioCleared())

    # ---- turns ----------------------------------------------------------------------------------

    def _is_answering(self) -> bool:
        """Whether an answer is under way or still heard."""
        now_seconds = asyncio.get_running_loop().time()
        working = self._turn_task is not None and not self._turn_task.done()
        return (working and self.outbox.confirmed) or self.outbox.playback.is_playing(now_seconds)

    def _is_response_open(self) -> bool:
        """Whether the client was told of a response whose end it was not told of yet."""
        return self._turn is not None and self._turn.is_responding and self.outbox.confirmed

    def _begin_turn(self, *, draft: bool, answers: bool, spoken: bool = True) -> None:
        self._silence()
        epoch = self.outbox.advance(draft=draft)
        utterance = Utterance(self._item_id, self._listener.utterance()) if spoken else None
        self._turn = Turn(self._conversation, self.settings, epoch, utterance, answers=answers)
        self._turn.record.draft = "hit" if draft else ""
        self.outbox.watch(self._turn.record)
        self._turn_task = self._spawn(self._turn.run, f"turn-{epoch}")

    def _transcribe_only(self, utterance: Utterance) -> None:
        """Note what the caller said, beside whatever else goes on."""
        turn = Turn(self._conversation, self.settings, None, utterance, answers=False)
        self._spawn(turn.run, "transcribe")

    def _mark_speech_end(self, time_seconds: float) -> None:
        if self._turn is not None:
            self._turn.record.reach(Milestone.SPEECH_END, time_seconds)

    def _silence(self) -> None:
        """Stop the current turn's work, and nothing of it leaves any more."""
        if self._turn_task is not None:
            self._turn_task.cancel()
        if self._turn is not None and self._turn.answer_id is not None:
            self._playbacks[self._turn.answer_id] = self._turn.playback
        self._turn = self._turn_task = None
        self.outbox.advance()

    def _interrupt(self, reason: Reason) -> None:
        """End the answer, if there is one, where the caller has heard it so far."""
        turn = self._turn
        if turn is None or not self._is_answering():
            return
        heard_seconds = turn.playback.heard_seconds(asyncio.get_running_loop().time())
        is_open = self._is_response_open()
        self._silence()
        self._cut(turn, heard_seconds)
        if not turn.is_heard and turn.utterance is not None:
            self._transcribe_only(turn.utterance)
        if is_open:
            turn.record.status = "cancelled"
            self.outbox.put(ResponseFinished(turn.response_id, "cancelled", reason))
            self.outbox.put(TurnFinished(turn.record))

    def _cut(self, turn: Turn, heard_seconds: float) -> None:
        if turn.answer_id in self._history.items:
            self._history.set_text(turn.answer_id, turn.playback.heard_text(heard_seconds))

    def _create_response(self) -> None:
        if self._is_response_open():
            raise ProtocolError(
                "A response is in progress: cancel it, or wait for response.done.",
                code="conversation_already_has_active_response",
            )
        if self._turn is not None and not self._turn.is_heard:
            self._turn.answers = True
            return
        self._begin_turn(draft=False, answers=True, spoken=False)
        self._mark_speech_end(asyncio.get_running_loop().time())

    def _cancel_response(self, response_id: str | None) -> None:
        turn = self._turn if self._is_response_open() else None
        if turn is None or response_id not in (None, turn.response_id):
            raise ProtocolError(
                "There is no such response in progress to cancel.",
                code="response_cancel_not_active",
            )
        self._interrupt("client_cancelled")

    # ---- the conversation's items ---------------------------------------------------------------

    def _update(self, settings: Settings) -> None:
        self.settings = settings
        self._listener.reconfigure(
            _listening(self._config, settings), settings.input_format.rate_hz
        )
        self.outbox.put(SettingsUpdated(settings))

    def _check_call(self, item: MessageItem | FunctionCallItem | FunctionOutputItem) -> None:
        """A function's output belongs to a call that the model made."""
        if not isinstance(item, FunctionOutputItem):
            return
        calls = [i for i in self._history.items.values() if isinstance(i, FunctionCallItem)]
        if item.call_id not in {call.call_id for call in calls}:
            raise ProtocolError(
                f"No function call has the call_id {item.call_id!r}.",
                code="invalid_value",
                param="item.call_id",
            )

    def _truncate(self, item_id: str, audio_end_ms: int) -> None:
        current = self._turn is not None and self._turn.answer_id == item_id
        if current and not self._is_response_open():
            self._silence()  # the client has stopped playing it
        playback = self._playbacks.get(item_id)
        if playback is None or item_id not in self._history.items:
            raise ProtocolError(
                f"There is no spoken answer {item_id!r} to truncate.",
                code="item_truncate_invalid_item_id",
                param="item_id",
            )
        self._history.set_text(item_id, playback.heard_text(audio_end_ms / 1000))
        self.outbox.put(ItemTruncated(item_id, audio_end_ms))

    # ---- partial transcripts --------------------------------------------------------------------

    def _transcribe_so_far(self) -> None:
        """Every so often while the caller speaks, one run at a time: the newest audio is best."""
        busy = self._partial_task is not None and not self._partial_task.done()
        due = self._listener.now_seconds >= self._next_partial_seconds
        if not self._listener.speaking or self._listener.silence_seconds or busy or not due:
            return
        self._next_partial_seconds = (
            self._listener.now_seconds + self._config.partial_interval_seconds
        )
        self._partial_task = self._spawn(self._transcribe_partial, "partial")

    async def _transcribe_partial(self) -> None:
        item_id, agreement = self._item_id, self._agreement
        request = SttRequest(
            self._listener.utterance(),
            languages=self._config.languages,
            language=self.settings.transcription_language,
        )
        try:
            transcript = await self._conversation.engines.stt.run(
                request, priority=Priority.PARTIAL
            )
        except EngineError as error:  # the final transcript does not depend on it
            log.info("no partial transcript: %s", error)
            return
        delta = agreement.agree(transcript.text)
        if delta and item_id == self._item_id:
            self.outbox.put(PartialTranscript(item_id, delta))


def _listening(config: ConversationConfig, settings: Settings) -> ListeningConfig:
    """How to listen: the owner's configuration with what the client asked for."""
    base = ListeningConfig(
        EndpointingConfig(
            speech_threshold=config.speech_threshold,
            silence_threshold=config.silence_threshold,
            minimum_speech_seconds=config.minimum_speech_seconds,
            pause_seconds=config.pause_seconds,
            end_silence_seconds=config.end_silence_seconds,
        ),
        prefix_padding_seconds=config.prefix_padding_seconds,
        maximum_utterance_seconds=config.maximum_utterance_seconds,
    )
    detection = settings.turn_detection
    if detection is None:
        return base
    return with_overrides(
        base,
        speech_threshold=detection.threshold,
        prefix_padding_seconds=detection.prefix_padding_ms / 1000,
        end_silence_seconds=detection.silence_duration_ms / 1000,
    )


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
