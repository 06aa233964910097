"""One turn: from what the caller said to what they hear, each step streaming into the next.

A turn belongs to one epoch. It only puts events into the outbox; whether they leave is decided
there. Cancelling its task stops the work: every engine job is left early, and so ends.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from engines.batcher import Priority
from engines.errors import EngineError, TinigError
from engines.llm import Completion, ToolCall, ToolCallDelta
from engines.stt import Transcript
from server.audio import Samples
from server.conversation.context import Conversation
from server.conversation.hearing import Ending, Hearing, hear_words, judging_end
from server.conversation.prompt import asked
from server.conversation.thinking import Thinker, Thought
from server.conversation.translators import interpreter
from server.conversation.voice import Voice
from server.events import (
    Failed,
    FunctionArguments,
    FunctionCalled,
    HandoverOffered,
    ResponseFinished,
    ResponseStarted,
    Status,
    Transcribed,
    TranscriptionFailed,
    TurnFinished,
)
from server.ids import new_id
from server.items import FunctionCallItem
from server.language.identification import is_in_latin
from server.language.languages import Phrase, acknowledgement, phrase
from server.language.router import Tier
from server.metrics import Milestone, TurnRecord
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the caller said: the audio and the item that it becomes."""

    item_id: str
    samples: Samples  # float32[n], mono, 16 kHz
    ended_seconds: float  # when its last voiced window came, by the loop's clock
    end_silence_seconds: float | None = None  # that ends, or ended, it; None: the client decides
    is_in_time: bool = True  # as it was heard: the machine has time for more than its words


class Turn:
    """One answer, or the reason why there is none."""

    def __init__(
        self,
        conversation: Conversation,
        settings: Settings,
        epoch: int | None,
        utterance: Utterance | None,
        *,
        answers: bool = True,
        hearing: Hearing | None = None,  # when the utterance is transcribed already
        words: Phrase | None = None,  # to be said instead of an answer
        on_heard: Callable[["Turn"], None] = lambda turn: None,
    ) -> None:
        self.response_id = new_id("resp")
        self.has_response = False  # whether there is, or will be, an answer
        self.playback = conversation.outbox.playback
        self.record = TurnRecord(epoch or 0, conversation.session_id, self.response_id)
        self._conversation = conversation
        self._settings = settings
        self._epoch = epoch  # None: only transcribed, beside an answer that goes on
        self.utterance = utterance
        self.answers = answers  # may become true while the transcript is still awaited
        self.is_asked = False  # by the client, for an answer
        self.is_heard = utterance is None  # whether the transcript is there, or has failed
        self._hearing = hearing
        self._words = words
        self._voice = Voice(conversation, self.record, epoch)
        self._on_heard = on_heard  # called when it is known how complete the words are
        self._completion: Completion | None = None
        self._call_item_ids: dict[str, str] = {}  # by the call's id
        self._confirmed = asyncio.Event()
        self._has_believed = False  # whether the belief about the language has these words

    @property
    def answer_id(self) -> str | None:
        """The assistant's message, once it has words."""
        return self._voice.answer_id

    async def run(self) -> None:
        """Hear, think and speak."""
        if self.utterance is None:
            self.record.language = self._conversation.language
            words = self._words
            await self._respond(lambda: self._say(words) if words else self._think(None))
            return
        is_known = self._hearing is not None or self._confirmed.is_set()
        samples, is_open = self.utterance.samples, self.utterance.is_in_time and not is_known
        async with (
            judging_end(self._conversation, samples, is_open=is_open) as ending,
            asyncio.TaskGroup() as beside,
        ):
            await self._answer(self.utterance, ending, beside)

    async def _answer(
        self, utterance: Utterance, ending: Ending, beside: asyncio.TaskGroup
    ) -> None:
        try:
            transcript = await self._hear(utterance)
        except EngineError as error:
            await self._fail_to_hear(utterance, error)
            return
        beside.create_task(self._expect_end(ending, transcript), name="expect end")
        if not self.answers or not (transcript.text or transcript.is_garbled):
            return
        if transcript.mean_token_probability < self._conversation.config.draft_confidence:
            await self._confirmed.wait()  # such a draft would too often be in vain
        await self._respond(lambda: self._reply(utterance, transcript))

    def ask(self, settings: Settings) -> None:
        """The client wants an answer after all, by these settings; the transcript is awaited."""
        self.answers, self.is_asked, self._settings = True, True, settings

    def confirm(self) -> None:
        """The turn is no longer a draft."""
        self._confirmed.set()
        self._believe()
        self._tell_words()

    def abandon(self, error: TinigError) -> None:
        """End the answer, if there is one, after a defect."""
        self.is_heard = True
        self._tell_words()
        if self.has_response:
            self.record.status = "failed"
            put = self._conversation.outbox.put
            put(ResponseFinished(self.response_id, "failed", error=error, epoch=self._epoch))
            put(TurnFinished(self.record, self._epoch))

    async def _hear(self, utterance: Utterance) -> Transcript:
        hearing = self._hearing or await hear_words(
            self._conversation, utterance.samples, self._settings
        )
        self._hearing = hearing
        transcript, decision = hearing.transcript, hearing.decision
        self.is_heard = True
        self._reach(Milestone.TRANSCRIPT)
        self.record.item_id = utterance.item_id
        self.record.language = decision.language
        self.record.language_probabilities = decision.probabilities
        self.record.language_reason = decision.reason
        self.record.language_guess = hearing.guess
        self.record.heard = transcript.text
        self.record.confidence = transcript.mean_token_probability
        self._believe()
        self._tell_words()
        self._conversation.outbox.put(
            Transcribed(
                utterance.item_id,
                transcript.text,
                decision.probabilities,
                transcript.audio_seconds,
                self._epoch,
            )
        )
        return transcript

    async def _expect_end(self, ending: Ending, transcript: Transcript) -> None:
        """Beside the answer it becomes known how complete the words are, if not too late."""
        known = self._hearing.completeness if self._hearing is not None else None
        completeness = await ending.completeness(transcript) if known is None else known
        if not self._confirmed.is_set():
            self.record.completeness = completeness
            self._on_heard(self)

    def _believe(self) -> None:
        """Once, when they are both heard and no draft, the caller's clear words move the belief."""
        hearing = self._hearing if self.is_heard and self._confirmed.is_set() else None
        if hearing is None or self._has_believed:
            return
        self._has_believed = True
        conversation = self._conversation
        if hearing.transcript.mean_token_probability >= conversation.config.low_confidence:
            conversation.language = hearing.decision.language
            if hearing.evidence is not None:
                conversation.belief = conversation.belief.update(hearing.evidence).belief

    def _tell_words(self) -> None:
        """Once they are known and no draft's, to all that wait for them."""
        if self.utterance is not None and self.is_heard and self._confirmed.is_set():
            self._conversation.recordings.tell(self.utterance.item_id, self.record.heard)

    async def _fail_to_hear(self, utterance: Utterance, error: EngineError) -> None:
        self.is_heard = True
        self._tell_words()
        self.record.language = self._conversation.language
        self._conversation.outbox.put(TranscriptionFailed(utterance.item_id, error, self._epoch))
        if self.answers:
            await self._respond(lambda: self._say(Phrase.FAILURE))

    # ---- what to say ----------------------------------------------------------------------------

    def _reply(self, utterance: Utterance, transcript: Transcript) -> AsyncGenerator[str, None]:
        low_confidence = self._conversation.config.low_confidence
        if transcript.is_garbled or transcript.mean_token_probability < low_confidence:
            return self._say(self._unclear())
        self._conversation.unclear_turns = 0
        return self._think(utterance.item_id, transcript.text, transcript.translation)

    def _unclear(self) -> Phrase:
        """Ask again, but not for ever."""
        self._conversation.unclear_turns += 1
        if self._conversation.unclear_turns <= self._conversation.config.repeat_requests:
            return Phrase.REPEAT
        self._conversation.unclear_turns = 0
        self._conversation.outbox.put(HandoverOffered(self._epoch))
        return Phrase.HANDOVER

    async def _say(self, words: Phrase) -> AsyncGenerator[str, None]:
        gap = " " if self.record.answer else ""  # behind the part of an answer that broke off
        yield gap + phrase(words, self.record.language)

    def _think(
        self, item_id: str | None, said: str = "", english: str | None = None
    ) -> AsyncGenerator[str, None]:
        """The model's answer in speakable pieces, the first as soon as it is a clause.

        `english` is what was said, in English, if the recognizer has translated it.
        """
        language = self.record.language
        question = asked(
            self._conversation,
            self._settings,
            language,
            said=said,
            without=item_id,
        )
        if language in self._conversation.config.latin_answers:
            question = replace(question, in_latin=is_in_latin(question.question, language))
        route = self._conversation.route(question.question, language)
        self.record.tier, self.record.complexity = route.tier, route.complexity
        self.record.tier_reasons = route.reasons
        return self._pieces(self._thinker().think(route.tier, question, english))

    def _thinker(self) -> Thinker:
        engines = self._conversation.engines
        return Thinker(
            engines.llm,
            interpreter(engines, self._conversation.session_id),
            self.record,
            self._conversation.config.notes_tokens,
            is_due=lambda: self._voice.runs_dry(self._settings),
        )

    async def _pieces(self, thoughts: AsyncGenerator[Thought, None]) -> AsyncGenerator[str, None]:
        async with aclosing(thoughts):
            async for thought in thoughts:
                match thought:
                    case str():
                        yield thought
                    case ToolCallDelta():
                        self._begin_call(thought)
                    case ToolCall():
                        self._call(thought)
                    case Completion():
                        self._completion = thought
                        self.record.prompt_tokens = thought.prompt_tokens
                        self.record.reused_tokens = thought.reused_tokens
                        self.record.generated_tokens = thought.generated_tokens

    def _begin_call(self, call: ToolCallDelta) -> None:
        item_id = self._call_item_ids.setdefault(call.id, new_id("item"))
        part = FunctionArguments(
            self.response_id, item_id, call.id, call.name, call.arguments, self._epoch
        )
        self._conversation.outbox.put(part)

    def _call(self, call: ToolCall) -> None:
        item_id = self._call_item_ids[call.id]
        item = FunctionCallItem(item_id, call.id, call.name, call.arguments)
        self._conversation.outbox.put(FunctionCalled(self.response_id, item, self._epoch))

    # ---- saying it ------------------------------------------------------------------------------

    async def _respond(self, begin: Callable[[], AsyncGenerator[str, None]]) -> None:
        """Deliver the pieces that `begin` gives, once what was said before is all transcribed."""
        self._conversation.language = self.record.language
        self.has_response = True
        self._conversation.outbox.put(
            ResponseStarted(self.response_id, self._settings, self._epoch)
        )
        error: EngineError | None = None
        try:
            await self._conversation.recordings.settle(self._conversation.history)
            await self._deliver(begin())
        except EngineError as failure:
            error = failure
            await self._apologize(failure)
        self._finish(error)

    async def _deliver(self, pieces: AsyncGenerator[str, None]) -> None:
        async with aclosing(pieces):
            piece = await self._first_of(pieces)
            priority = Priority.ANSWER  # the first clause; the rest has time while it is spoken
            while piece is not None:
                self._reach(Milestone.FIRST_CLAUSE)
                await self._voice.say(piece, self._settings, priority)
                priority = Priority.CONTINUATION
                piece = await anext(pieces, None)

    async def _first_of(self, pieces: AsyncGenerator[str, None]) -> str | None:
        """The first clause; if a way that takes longer is late with it, a word of patience is said
        meanwhile, which is a part of the answer like any other."""
        if self._patience_seconds is None:
            return await anext(pieces, None)
        first = asyncio.ensure_future(anext(pieces, None))
        patience = asyncio.ensure_future(self._lose_patience(self._patience_seconds))
        try:
            await asyncio.wait({first, patience}, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                await self._acknowledge()
            return await first
        finally:
            first.cancel()
            patience.cancel()
            await asyncio.wait({first, patience})

    @property
    def _patience_seconds(self) -> float | None:
        """How long the caller waits for a way that takes longer; None: nothing is said."""
        takes_long = self.record.tier in (Tier.PIVOT, Tier.STRUCTURED)
        seconds = self._conversation.config.acknowledge_seconds
        is_heard = self._settings.output_modality == "audio"
        return seconds if takes_long and is_heard and seconds > 0 else None

    async def _lose_patience(self, seconds: float) -> None:
        """From the end of the caller's words, and not before it is known that it is one."""
        await self._confirmed.wait()
        now_seconds = asyncio.get_running_loop().time()
        ended_seconds = self.record.times.get(Milestone.SPEECH_END, now_seconds)
        await asyncio.sleep(ended_seconds + seconds - now_seconds)

    async def _acknowledge(self) -> None:
        words = acknowledgement(self.record.language, self._conversation.acknowledgement)
        if words:
            self._conversation.acknowledgement = words
            self._reach(Milestone.ACKNOWLEDGED)
            await self._voice.say(f"{words} ", self._settings, Priority.ANSWER)

    async def _apologize(self, error: EngineError) -> None:
        """Say that it did not work, unless it is the voice itself that fails."""
        self._conversation.outbox.put(Failed(error))
        try:
            await self._deliver(self._say(Phrase.FAILURE))
        except EngineError as second:
            self._conversation.outbox.put(Failed(second))

    def _finish(self, error: EngineError | None) -> None:
        tokens = self._completion or Completion("stop", 0, 0, 0)
        cut = tokens.reason == "length"
        status: Status = "failed" if error else "incomplete" if cut else "completed"
        self.record.status = status
        self._conversation.outbox.put(
            ResponseFinished(
                self.response_id,
                status,
                reason="max_output_tokens" if cut and not error else None,
                error=error,
                prompt_tokens=tokens.prompt_tokens,
                reused_tokens=tokens.reused_tokens,
                generated_tokens=tokens.generated_tokens,
                epoch=self._epoch,
            )
        )
        self._conversation.outbox.put(TurnFinished(self.record, self._epoch))

    def _reach(self, milestone: Milestone) -> None:
        self.record.reach(milestone, asyncio.get_running_loop().time())
