"""Who has the floor: triggers go to the machine, and what it commands is carried out.

Nothing is decided here. What is seen (the caller's audio, what left the outbox, what the client
asks for) becomes a trigger of the machine; each command that it gives has one function.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from engines.vad import RATE_HZ
from server.audio import Samples, int16_from_samples
from server.config import InterruptionConfig
from server.conversation.answers import Answers
from server.conversation.asking import Asked, Asking
from server.conversation.attention import Attention
from server.conversation.background import Background
from server.conversation.check_ins import CheckIns
from server.conversation.context import Conversation
from server.conversation.ear import Ear
from server.conversation.machine import Command as Do
from server.conversation.machine import Machine, State, Trigger
from server.conversation.play_out import PlayOut
from server.conversation.turn import Utterance
from server.events import (
    AnswerAudio,
    AnswerHeld,
    AudioCommitted,
    CallEnded,
    Event,
    InterruptionJudged,
    ItemAdded,
    Reason,
    ResponseFinished,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    StateChanged,
    TurnFinished,
)
from server.items import MessageItem
from server.metrics import Counters
from server.settings import Settings

log = logging.getLogger(__name__)


class Floor:
    """One conversation's turns: listens by `attention`, speaks by `answers`."""

    def __init__(
        self,
        conversation: Conversation,
        interruption: InterruptionConfig,
        settings: Settings,
        counters: Counters,
        background: Background,
    ) -> None:
        self.settings = settings
        self._conversation = conversation
        self._outbox = conversation.outbox
        self._background = background
        self._machine = Machine()
        self._interruption = interruption
        self._cancel_reason: Reason = "turn_detected"
        self._state_since_seconds = 0.0  # in audio time
        self._counters = counters
        self.attention = Attention(
            conversation,
            interruption,
            settings,
            background.spawn,
            on_verdict=self._on_verdict,
            on_words=self._on_words,
        )
        self._ear = Ear(
            self.attention, is_answering=lambda: self.is_answering, on_window=self._follow
        )
        self.answers = Answers(
            conversation,
            counters,
            background.spawn,
            self._on_answer_over,
            self.attention.expect_end,
        )
        self._asking = Asking(self.attention, background.spawn, self._finish_speech)
        self._play_out = PlayOut(
            self._outbox,
            background.spawn,
            is_held=lambda: self._machine.state is State.INTERRUPTED,
            on_heard=self._on_answer_over,
        )
        self._check_ins = CheckIns(conversation, self.attention, self.answers)
        self._execute: dict[Do, Callable[[], None]] = {
            Do.ANNOUNCE_SPEECH: self._announce_speech,
            Do.READ_AHEAD: self._read_ahead,
            Do.DRAFT: self._draft,
            Do.DISTRUST_DRAFT: self.answers.distrust_draft,
            Do.TAKE_SPEECH: self._take_speech,
            Do.TAKE_AUDIO: self._take_audio,
            Do.FORGET_SPEECH: self._forget_speech,
            Do.DISCARD_SPEECH: self._discard_speech,
            Do.DROP_DRAFT: self.answers.drop_draft,
            Do.ANSWER: self._answer,
            Do.CHECK_IN: lambda: self._check_ins.begin(self.settings),
            Do.HOLD: self._hold,
            Do.JUDGE: lambda: self.attention.judge(self.answers.saying),
            Do.RELEASE: self._release,
            Do.CANCEL_ANSWER: self._cancel_answer,
        }

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._machine.state

    @property
    def is_answering(self) -> bool:
        """Whether it is the server's."""
        return self._machine.is_answering

    def reconfigure(self, settings: Settings) -> None:
        """Listen and speak as the client asks from now on."""
        if settings != self.settings and self.state is State.LISTENING_ACTIVE:
            self.answers.drop_draft()  # it was made by the old ones
        self.settings = settings
        self.attention.reconfigure(settings)
        if settings.turn_detection is None and self.state is State.INTERRUPTED:
            self.fire(Trigger.SPEECH_DISCARDED)  # nobody listens for its end any more
        elif settings.turn_detection is None and self._asking.waiting is not None:
            self._finish_speech()

    def answer(self, asked: Asked) -> bool:
        """The client asks for an answer; False while another is in progress, or asked for. It
        begins when the last was heard and the caller has finished; who pauses has."""
        if self._asking.waiting is not None:
            return False
        if self.is_answering:
            if asked.history is None and self.answers.answer_when_heard(asked.settings):
                return True
            if not (self._play_out.is_going_on or self.answers.only_hears):
                return False
        self._asking.waiting = asked
        if self.attention.is_pause or self.settings.turn_detection is None:
            self._finish_speech()
        elif self.state is State.LISTENING_ACTIVE:
            self._asking.wait_for_caller()
        self._begin_asked()
        return True

    def interrupt(self) -> None:
        """The caller does something else than speak: what they were saying ends here, and so does
        an answer, unless it is still to be made of words that are awaited."""
        self._cancel_what_is_made()
        self._finish_speech()
        self._cancel_what_is_made()

    def _cancel_what_is_made(self) -> None:
        if self.is_answering and not self.answers.awaits_words:
            self.cancel()

    def _finish_speech(self) -> None:
        if self.state is State.LISTENING_ACTIVE:
            self.fire(Trigger.SPEECH_ENDED)

    def withdraw(self) -> bool:
        """The client does not want the answer that it asked for; False where none waits: for the
        floor, or for the words that it is to be made of."""
        if self._asking.take() is not None:
            return True
        if not (self.is_answering and self.answers.is_asked_unheard):
            return False
        self.cancel()
        return True

    def _begin_asked(self) -> None:
        if self._asking.waiting is not None and self.state is State.LISTENING_IDLE:
            self.fire(Trigger.ANSWER_REQUESTED)

    def cancel(self) -> None:
        """The client does not want the running answer."""
        self._cancel_reason = "client_cancelled"
        self.fire(Trigger.ANSWER_CANCELLED)
        self._cancel_reason = "turn_detected"
        self._catch_up()
        self._begin_asked()

    def note_speech(self) -> None:
        """What the caller said becomes an item, and is not answered."""
        utterance = self.attention.utterance()
        self._check_ins.reset()
        self._add_item(utterance)
        self.answers.note_speech(self.settings, utterance)

    # ---- triggers -------------------------------------------------------------------------------

    def fire(self, trigger: Trigger) -> None:
        """Something has happened: the machine moves, and its commands are carried out."""
        before = self._machine.state
        commands = self._machine.fire(trigger)
        self._state_since_seconds = self.attention.now_seconds
        log.debug("%s: %s to %s", trigger.value, before.value, self._machine.state.value)
        if self._machine.state is not before:
            self._outbox.put(StateChanged(self._machine.state))
        for command in commands:
            self._execute[command]()

    def listen(self, samples: Samples) -> Awaitable[None] | None:
        """Take in float32[n] of the caller's audio, at the wire's rate: what is to be awaited if
        there is a window to be heard."""
        return self._ear.listen(samples)

    def _follow(self, boundary: Trigger | None) -> None:
        """A window was heard, and made this boundary."""
        if self._takes_the_floor() or self._is_interrupting():
            self.fire(Trigger.SPEECH_STARTED)
        if boundary is not None:
            self._counters.hearing_lag.observe(self._ear.lag.seconds)
            self.fire(boundary)
        if self._is_idle():
            self.fire(Trigger.CALLER_IDLE)
        self.attention.follow(
            over_answer=self.is_answering,
            saying=self.answers.saying,
            eager=self._ear.lag.is_in_time,
        )

    def _is_idle(self) -> bool:
        idle_seconds = self.attention.now_seconds - self._state_since_seconds
        is_silent = self.state is State.LISTENING_IDLE
        return is_silent and self._check_ins.is_due(self.settings, idle_seconds)

    def _takes_the_floor(self) -> bool:
        is_idle = self._machine.state is State.LISTENING_IDLE
        return is_idle and self.attention.is_speech and not self.attention.is_in_question

    def _is_interrupting(self) -> bool:
        detection = self.settings.turn_detection
        may = detection is not None and detection.interrupt_response
        outputs = (State.PROCESSING, State.AI_GENERATING, State.AI_SPEAKING)
        return may and self._machine.state in outputs and self.attention.is_suspicious

    def _on_words(self, said: str, language: str) -> None:
        """The caller speaks, and these words of theirs are certain."""
        if self.settings.answers:
            self.answers.prepare(self.settings, said, language)

    def _on_verdict(self, wants_the_floor: bool) -> None:
        """What the caller's sound over an answer was; that may be over by now."""
        if wants_the_floor and self.state is State.LISTENING_IDLE:
            self.fire(Trigger.SPEECH_STARTED)
            self._catch_up()
        elif not self.is_answering:
            self._hang_up_if_over()
        elif wants_the_floor:
            self.fire(Trigger.WORDS)
            self._catch_up()
        elif self._machine.state is State.INTERRUPTED:
            self.fire(Trigger.NOISE)

    def _catch_up(self) -> None:
        """The caller has the floor since before this was known, and may have finished already."""
        if self._machine.state is not State.LISTENING_ACTIVE:
            return
        if not self.attention.is_speech:
            self.fire(Trigger.SPEECH_ENDED)
        elif self.attention.is_pause:
            self.fire(Trigger.SPEECH_PAUSED)

    def on_sent(self, event: Event) -> None:
        """An event has left for the client."""
        match event:
            case ResponseStarted() if self._is_current(event):
                self._asking.drop()
                if self._machine.state is not State.INTERRUPTED:
                    self.fire(Trigger.ANSWER_STARTED)
            case AnswerAudio() if self._is_current(event):
                if self._machine.state is State.AI_GENERATING:
                    self.fire(Trigger.AUDIO_SENT)
                if self._outbox.playback.sent_seconds <= event.seconds:
                    self.attention.rest(self._interruption.immunity_seconds)
            case ResponseFinished() if self._is_current(event) and not self._background.is_over:
                self._play_out.begin()
            case TurnFinished(record=record):
                self._counters.note_turn(record)
                log.info("turn", extra=record.to_wire())
            case InterruptionJudged(record=attempt):
                self._counters.interruptions[attempt["verdict"]] += 1

    def _is_current(self, event: Event) -> bool:
        return event.epoch == self._outbox.epoch

    def _on_answer_over(self) -> None:
        if self.is_answering:
            self.fire(Trigger.ANSWER_OVER)
            self._catch_up()
        self._begin_asked()
        self._hang_up_if_over()

    def _hang_up_if_over(self) -> None:
        """The caller was taken leave of; a sound of theirs over that may still be words."""
        is_idle = self._machine.state is State.LISTENING_IDLE
        if self._check_ins.is_over and is_idle and not self.attention.is_occupied:
            self._outbox.put(CallEnded())

    # ---- what the machine commands --------------------------------------------------------------

    def _announce_speech(self) -> None:
        self._check_ins.reset()
        self.attention.begin_turn()
        self._outbox.put(
            SpeechStarted(self.attention.item_id, _ms(self.attention.speech_start_seconds))
        )

    def _read_ahead(self) -> None:
        if self._ear.lag.is_in_time:
            self._on_words("", self._conversation.language)

    def _draft(self) -> None:
        if self.settings.turn_detection is not None:
            utterance = self.attention.utterance()
            self.answers.draft(self.settings, utterance, answers=self.settings.answers)

    def _take_speech(self) -> None:
        """The caller's turn is over: it becomes an item, and is answered."""
        utterance = self.attention.utterance()
        now_seconds = self.attention.now_seconds
        self._outbox.put(SpeechStopped(utterance.item_id, _ms(now_seconds)))
        self._add_item(utterance)
        asked = self._asking.of_conversation
        is_other = asked is not None and asked.settings != self.settings
        if is_other:
            self.answers.drop_draft()
        answers = self.settings.answers and not is_other
        self.answers.take(self.settings, utterance, answers=answers)
        if asked is not None:
            self.answers.answer_when_heard(asked.settings)

    def _take_audio(self) -> None:
        """Push to talk: what was said becomes an item; the client asks for an answer itself."""
        utterance = self.attention.utterance()
        self._add_item(utterance)
        self.answers.begin(
            self.settings, utterance, answers=False, speech_end_seconds=utterance.ended_seconds
        )

    def _discard_speech(self) -> None:
        self.attention.forget()
        self._begin_asked()

    def _add_item(self, utterance: Utterance) -> None:
        self._conversation.recordings.expect(utterance.item_id)
        self._outbox.put(AudioCommitted(utterance.item_id))
        self._outbox.put(ItemAdded(MessageItem(utterance.item_id, "user", None, spoken=True)))
        audio = self._conversation.history.audio
        audio.add(utterance.item_id, int16_from_samples(utterance.samples), RATE_HZ)
        self.attention.forget()

    def _forget_speech(self) -> None:
        """Sound over an answer was nothing, or may not interrupt it: then its words are noted."""
        detection = self.settings.turn_detection
        if detection is not None and not detection.interrupt_response:
            self.note_speech()
        else:
            self.attention.end_sound(self.answers.saying)
            self._hang_up_if_over()

    def _answer(self) -> None:
        asked = self._asking.take()
        assert asked is not None, "an answer begins that nobody has asked for"
        self._check_ins.reset()
        now_seconds = asyncio.get_running_loop().time()
        self.answers.begin(
            asked.settings, None, history=asked.history, speech_end_seconds=now_seconds
        )

    def _hold(self) -> None:
        self._outbox.hold()
        self._outbox.put(AnswerHeld(is_held=True))
        epoch = self._outbox.epoch  # of now: the task begins later
        self._background.spawn(lambda: self._hold_at_most(epoch), "hold")

    async def _hold_at_most(self, epoch: int) -> None:
        """A client that stops sending in the midst of a sound must not hold an answer for ever."""
        await asyncio.sleep(self._interruption.strict_seconds + 1.0)
        if epoch == self._outbox.epoch and self._machine.state is State.INTERRUPTED:
            self.attention.give_up(self.answers.saying)

    def _release(self) -> None:
        self._outbox.release()
        self._outbox.put(AnswerHeld(is_held=False))
        self._play_out.go_on()

    def _cancel_answer(self) -> None:
        if self._cancel_reason == "client_cancelled":
            self._asking.drop()
        self.answers.cancel(self.settings, self._cancel_reason)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
