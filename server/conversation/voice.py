"""The voice of one answer: pieces of text become words and audio in the outbox."""

import asyncio
from collections.abc import AsyncIterator

from engines.batcher import Priority
from engines.tts import SpeechRequest
from server.audio import Pcm, int16_from_samples, samples_from_int16
from server.conversation.context import Conversation
from server.events import AnswerAudio, AnswerStarted, AnswerText
from server.ids import new_id
from server.language.spoken import spoken
from server.metrics import Milestone, TurnRecord
from server.resampling import Resampler
from server.settings import Settings

FRAME_SECONDS = 0.04  # audio in one event: what has left can not be taken back

_SPARE_SECONDS = 0.2  # that a piece may take longer than the last until it is heard


class Voice:
    """Says the pieces of one answer, and notes in the turn's record what was said."""

    def __init__(self, conversation: Conversation, record: TurnRecord, epoch: int | None) -> None:
        self.answer_id: str | None = None  # the assistant's message, once it has words
        self._conversation = conversation
        self._playback = conversation.outbox.playback
        self._record = record
        self._epoch = epoch
        self._onset_seconds = 0.0  # from the last piece that came in silence to its first audio

    def runs_dry(self, settings: Settings) -> bool:
        """Whether all that was made will be heard before a piece that comes later can be."""
        outbox = self._conversation.outbox
        if settings.output_modality == "text" or outbox.is_draft:
            return False
        unheard_seconds = outbox.unheard_seconds(asyncio.get_running_loop().time())
        return unheard_seconds < self._onset_seconds + _SPARE_SECONDS

    async def say(self, piece: str, settings: Settings, priority: Priority) -> None:
        """The next piece of the answer, as the client wants it: heard or read.

        Raises `EngineError`.
        """
        self._begin_piece(piece)
        outbox = self._conversation.outbox
        words = spoken(piece, self._conversation.config.locale(self._record.language))
        if settings.output_modality == "text" or not words.text:
            outbox.put(AnswerText(piece, self._epoch))
            self._playback.made(0.0)
            return
        request = SpeechRequest(
            text=words.text,
            language=self._record.language,
            voice="" if settings.voice == "default" else settings.voice,
            speed=settings.speed,
            ahead_seconds=outbox.unheard_seconds(asyncio.get_running_loop().time()),
            trims_silence=Milestone.FIRST_AUDIO_SYNTHESIZED not in self._record.times,
        )
        rate_hz = settings.output_format.rate_hz
        frame = int(FRAME_SECONDS * rate_hz)
        said = False
        made_seconds = 0.0
        try:
            async for pcm in self._synthesize(request, rate_hz, priority):
                made_seconds += len(pcm) / rate_hz
                if not said:
                    outbox.put(AnswerText(piece, self._epoch, words))
                    said = True
                for start in range(0, len(pcm), frame):
                    outbox.put(AnswerAudio(pcm[start : start + frame], rate_hz, self._epoch))
        finally:
            if said:  # a piece that broke off is as long as it came
                self._playback.made(made_seconds)

    def _begin_piece(self, piece: str) -> None:
        """The piece continues the answer; the first one begins the assistant's message."""
        if self.answer_id is None:
            self.answer_id = new_id("item")
            self._conversation.outbox.put(
                AnswerStarted(self._record.response_id, self.answer_id, self._epoch)
            )
        self._record.answer += piece

    async def _synthesize(
        self, request: SpeechRequest, rate_hz: int, priority: Priority
    ) -> AsyncIterator[Pcm]:
        """Speech as int16 chunks at the rate that the client hears."""
        loop = asyncio.get_running_loop()
        began_seconds = loop.time()
        resampler: Resampler | None = None
        async with self._conversation.engines.tts.submit(request, priority=priority) as job:
            async for chunk in job:
                self._record.reach(Milestone.FIRST_AUDIO_SYNTHESIZED, loop.time())
                for mark in chunk.marks:
                    self._playback.mark(mark.characters, mark.seconds)
                if resampler is None:
                    if request.ahead_seconds == 0.0:  # no other is in a hurry
                        self._onset_seconds = loop.time() - began_seconds
                    resampler = Resampler(chunk.rate_hz, rate_hz)
                samples = resampler.push(samples_from_int16(chunk.samples))
                if len(samples):
                    yield int16_from_samples(samples)
        if resampler is not None and len(rest := resampler.flush()):
            yield int16_from_samples(rest)
