"""The server's side of a conversation: one answer at a time, from its draft to its last word.

Says what becomes of an answer by `on_over`, and leaves whose turn it is to the machine.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from engines.errors import EngineError, ProtocolError, TinigError
from server import logs
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.conversation.hearing import Hearing, hear
from server.conversation.history import History
from server.conversation.playback import Playback
from server.conversation.prefill import Prefill
from server.conversation.turn import Turn, Utterance
from server.events import Failed, ItemTruncated, Reason, ResponseFinished, TurnFinished
from server.language.languages import Phrase
from server.language.words import means_the_same
from server.metrics import Counters, Milestone
from server.settings import Settings

_MOST_PLAYBACKS = 20  # each some 20 kB: a call may last for hours

log = logging.getLogger(__name__)


class Answers:
    """Begins, drafts, confirms, holds and cancels answers."""

    def __init__(
        self,
        conversation: Conversation,
        counters: Counters,
        spawn: Spawn,
        on_over: Callable[[], None],
        on_completeness: Callable[[float | None], None],
    ) -> None:
        self._conversation = conversation
        self._outbox = conversation.outbox
        self._counters = counters
        self._spawn = spawn
        self._on_over = on_over
        self._on_completeness = on_completeness  # of what was said before the present pause
        self._prefill = Prefill(conversation, counters, spawn)
        self._turn: Turn | None = None  # the last that answers, until the next begins
        self._work: asyncio.Task[None] | None = None
        self._playbacks: dict[str, Playback] = {}  # of the newest answers, by their items
        self._draft_holds = False  # nothing was said since the draft was begun
        self._check: asyncio.Task[None] | None = None  # whether it holds all the same
        self._taken: Utterance | None = None  # the turn has ended with it while that is found out
        self._end_silence_seconds: float | None = None  # that ended the caller's last turn

    @property
    def saying(self) -> str:
        """The words of the current answer so far."""
        return self._turn.record.answer if self._turn is not None else ""

    @property
    def only_hears(self) -> bool:
        """Whether the last turn was not to be answered."""
        return self._turn is not None and not self._turn.answers

    @property
    def is_asked_unheard(self) -> bool:
        """Whether the client has asked for an answer to words that are not known yet."""
        turn = self._turn
        return turn is not None and turn.is_asked and not turn.is_heard

    @property
    def awaits_words(self) -> bool:
        """Whether the answer is to be made of a transcript that is not there yet, and nobody has
        asked for it so far."""
        turn = self._turn
        is_open = turn is not None and not (turn.is_heard or turn.is_asked)
        return is_open and self._taken is None

    def is_current(self, item_id: str) -> bool:
        """Whether this is the message that is being spoken."""
        return self._turn is not None and self._turn.answer_id == item_id

    # ---- beginning ------------------------------------------------------------------------------

    def begin(
        self,
        settings: Settings,
        utterance: Utterance | None,
        *,
        answers: bool = True,
        draft: bool = False,
        hearing: Hearing | None = None,
        words: Phrase | None = None,
        history: History | None = None,
        speech_end_seconds: float,
    ) -> None:
        """Begin a turn in an epoch of its own. `speech_end_seconds` is a time of the loop; `words`
        are said instead of an answer; `history` is answered to instead of the conversation's."""
        self._stop_work()
        self._prefill.stop()
        epoch = self._outbox.advance(draft=draft)
        conversation = self._conversation
        turn = Turn(
            conversation if history is None else replace(conversation, history=history),
            settings,
            epoch,
            utterance,
            answers=answers,
            hearing=hearing,
            words=words,
            on_heard=self._on_heard,
        )
        turn.record.draft = "hit" if draft else ""
        turn.record.reach(Milestone.SPEECH_END, speech_end_seconds)
        if not draft:
            turn.confirm()
        self._outbox.watch(turn.record)
        self._turn = turn
        self._draft_holds = draft
        self._taken = None
        self._work = self._spawn(lambda: self._run(turn), f"turn-{epoch}")

    def note_speech(self, settings: Settings, utterance: Utterance) -> None:
        """Transcribe what the caller said beside whatever else goes on; it is not answered."""
        turn = Turn(self._conversation, settings, None, utterance, answers=False)
        turn.confirm()
        self._spawn(lambda: self._transcribe(turn, utterance.item_id), "transcribe")

    def answer_when_heard(self, settings: Settings) -> bool:
        """Answer the speech whose transcript is still awaited; False when none is, or when that
        was asked for already."""
        if self._turn is None or not self.awaits_words:
            return False
        self._turn.ask(settings)
        return True

    def prepare(self, settings: Settings, said: str, language: str) -> None:
        """Let the model read what the caller has said so far, unless it is busy for them."""
        if self._work is None or self._work.done():
            self._prefill.read(settings, said, language)

    # ---- drafts ---------------------------------------------------------------------------------

    def draft(self, settings: Settings, utterance: Utterance, *, answers: bool) -> None:
        """The caller pauses: answer as if the turn were over, and keep it to ourselves.

        A draft that they talked on after is kept if that added no words (a breath, a click).
        """
        speech_end_seconds = utterance.ended_seconds
        if self._outbox.is_draft and self._turn is not None:
            draft = self._turn
            draft.record.times[Milestone.SPEECH_END] = speech_end_seconds
            self._check = self._spawn(
                lambda: self._check_draft(draft, settings, utterance, answers), "check draft"
            )
            return
        self.begin(
            settings,
            utterance,
            answers=answers,
            draft=True,
            speech_end_seconds=speech_end_seconds,
        )

    def distrust_draft(self) -> None:
        """The caller goes on."""
        self._draft_holds = False
        self._stop_check()

    def drop_draft(self) -> None:
        """Throw the draft away, if there is one."""
        if self._outbox.is_draft:
            self._count("dropped")
            self.silence()

    def take(self, settings: Settings, utterance: Utterance, *, answers: bool) -> None:
        """The turn has ended: its draft is confirmed, or an answer begins."""
        self._end_silence_seconds = utterance.end_silence_seconds
        if not self._outbox.is_draft or self._turn is None:
            self.begin(
                settings, utterance, answers=answers, speech_end_seconds=utterance.ended_seconds
            )
        elif self._draft_holds:
            self._confirm(self._turn)
            return
        elif self._check is not None and not self._check.done():
            self._taken = utterance
        else:
            self._count("missed")
            self.begin(
                settings, utterance, answers=answers, speech_end_seconds=utterance.ended_seconds
            )
        self._reach_confirmed()

    def _confirm(self, turn: Turn) -> None:
        self._count("hit")
        self._reach_confirmed()
        turn.confirm()
        self._outbox.confirm()
        if self._work is not None and self._work.done() and not turn.has_response:
            self._on_over()

    def _reach_confirmed(self) -> None:
        if self._turn is not None:
            now_seconds = asyncio.get_running_loop().time()
            self._turn.record.reach(Milestone.TURN_CONFIRMED, now_seconds)
            self._turn.record.end_silence_seconds = self._end_silence_seconds

    def _on_heard(self, turn: Turn) -> None:
        """A transcript tells how far the words before this pause are complete, if it is of them."""
        if turn is self._turn and self._outbox.is_draft and self._draft_holds:
            self._on_completeness(turn.record.completeness)

    async def _check_draft(
        self, draft: Turn, settings: Settings, utterance: Utterance, answers: bool
    ) -> None:
        """Transcribe what has been said by now; the draft holds if its words are the same."""
        try:
            hearing = await hear(self._conversation, utterance.samples, settings)
        except EngineError:
            hearing = None  # the turn itself will say so
        if self._turn is not draft:
            return
        self._check = None
        taken, self._taken = self._taken is not None, None
        if hearing is not None and means_the_same(hearing.transcript.text, draft.record.heard):
            self._draft_holds = True
            draft.record.completeness = hearing.completeness
            self._on_heard(draft)
            if taken:
                self._confirm(draft)
            return
        self._count("missed")
        self.begin(
            settings,
            utterance,
            answers=answers,
            draft=not taken,
            hearing=hearing,
            speech_end_seconds=utterance.ended_seconds,
        )
        if taken:
            self._reach_confirmed()

    def _count(self, fate: Literal["hit", "missed", "dropped"]) -> None:
        self._counters.drafts[fate] += 1
        if fate != "hit" and self._turn is not None:
            self._counters.wasted_tokens += self._turn.record.generated_tokens

    # ---- ending ---------------------------------------------------------------------------------

    def silence(self) -> None:
        """Stop the current turn's work, and nothing of it leaves any more."""
        self._stop_work()
        self._turn = self._taken = None
        self._outbox.advance()

    def cancel(self, settings: Settings, reason: Reason) -> None:
        """End the answer where the caller has heard it so far; the client is told of its end."""
        turn, response_id = self._turn, self._outbox.open_response_id
        if turn is None:
            return
        heard_seconds = turn.playback.heard_seconds(asyncio.get_running_loop().time())
        unheard = self._taken or (None if turn.is_heard else turn.utterance)
        self.silence()
        self._cut(turn, heard_seconds)
        if unheard is not None:
            self.note_speech(settings, unheard)
        if response_id is not None:
            turn.record.status = "cancelled"
            self._outbox.open_response_id = None
            self._outbox.put(ResponseFinished(response_id, "cancelled", reason))
            self._outbox.put(TurnFinished(turn.record))

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """The client says how much of an answer was heard. Raises `ProtocolError`."""
        playback = self._playbacks.get(item_id)
        if self._turn is not None and self.is_current(item_id):
            playback = self._turn.playback
        if playback is None or item_id not in self._conversation.history.items:
            raise ProtocolError(
                f"There is no spoken answer {item_id!r} to truncate.",
                code="item_truncate_invalid_item_id",
                param="item_id",
            )
        heard_seconds = audio_end_ms / 1000
        text = playback.heard_text(heard_seconds)
        self._conversation.history.cut(item_id, text, heard_seconds)
        self._outbox.put(ItemTruncated(item_id, audio_end_ms))

    def _cut(self, turn: Turn, heard_seconds: float) -> None:
        if turn.answer_id in self._conversation.history.items:
            text = turn.playback.heard_text(heard_seconds)
            self._conversation.history.cut(turn.answer_id, text, heard_seconds)

    def _stop_check(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None

    def _stop_work(self) -> None:
        self._stop_check()
        if self._work is not None:
            self._work.cancel()
            self._work = None
        if self._turn is not None and self._turn.answer_id is not None:
            self._playbacks[self._turn.answer_id] = self._turn.playback
            if len(self._playbacks) > _MOST_PLAYBACKS:
                del self._playbacks[next(iter(self._playbacks))]

    # ---- the work itself ------------------------------------------------------------------------

    async def _transcribe(self, turn: Turn, item_id: str) -> None:
        """A turn that is not answered, beside what else goes on: a few at a time."""
        recordings = self._conversation.recordings
        try:
            async with recordings.places:
                await turn.run()
        finally:
            recordings.tell(item_id, turn.record.heard)

    async def _run(self, turn: Turn) -> None:
        logs.bind(epoch=turn.record.epoch)
        try:
            await turn.run()
        except Exception:  # a defect of ours ends this turn, not the call
            log.exception("a turn failed")
            error = TinigError("The server failed on this turn. Try again.")
            self._outbox.put(Failed(error))
            turn.abandon(error)
        if turn is self._turn and not turn.has_response and not self._outbox.is_draft:
            self._on_over()
