"""The caller's side of a conversation: what they say, while they say it.

Turns audio into boundaries of speech, tells stable words early, and finds out what a sound over an
answer is. Whose turn it is, the machine decides.
"""

import logging
from collections.abc import Callable, Sequence

from engines.batcher import Job, Priority
from engines.errors import EngineError, ProtocolError
from engines.stt import Transcript
from engines.vad import RATE_HZ, VadRequest, VadResult
from server.audio import Samples
from server.config import ConversationConfig, InterruptionConfig
from server.conversation.background import Spawn
from server.conversation.context import Conversation
from server.conversation.endpointing import Boundary, EndpointingConfig
from server.conversation.interruption import Attempt, Evidence, Stage, Verdict, judge
from server.conversation.listening import (
    Listener,
    ListeningConfig,
    with_eagerness,
    with_overrides,
)
from server.conversation.machine import Trigger
from server.conversation.partials import Partials
from server.conversation.prosody import syllables_per_second
from server.conversation.turn import Utterance
from server.events import Failed, InterruptionJudged
from server.ids import new_id
from server.items import MAXIMUM_RECORDING_SECONDS
from server.language.resources import backchannels
from server.settings import Settings

log = logging.getLogger(__name__)

_CERTAIN_SECONDS = 1.5  # of speech, from which its language can be told by itself
_FEWEST_SYLLABLES_PER_SECOND = 2.5  # of speech; a cough, a song and a hum have 1.5 to 2.2

_TRIGGER_OF = {
    Boundary.STARTED: None,  # whether sound counts as speech depends on whose turn it is
    Boundary.PAUSED: Trigger.SPEECH_PAUSED,
    Boundary.RESUMED: Trigger.SPEECH_RESUMED,
    Boundary.ENDED: Trigger.SPEECH_ENDED,
}


class Attention:
    """Listens to one caller."""

    def __init__(
        self,
        conversation: Conversation,
        interruption: InterruptionConfig,
        settings: Settings,
        spawn: Spawn,
        *,
        on_verdict: Callable[[bool], None],
        on_words: Callable[[str, str], None],
    ) -> None:
        self.item_id = new_id("item")  # what the caller is saying, or will say next
        self._conversation = conversation
        self._interruption = interruption
        self._settings = settings
        self._spawn = spawn
        self._on_verdict = on_verdict
        self._on_words = on_words  # the stable words so far, and their language
        self._listener = Listener(
            conversation.engines.vad,
            _listening(conversation.config, settings),
            settings.input_format.rate_hz,
        )
        self._voice_seconds = 0.0  # when the last voiced window came, by the loop's clock
        self._is_in_time = True  # as it was heard
        self._arrived_seconds = 0.0  # when the last window came, likewise
        self._speech_start_seconds = 0.0  # in audio time
        self._partials: Partials | None = None  # of the caller's last turn
        self._attempt: Attempt | None = None
        self._calm_until_seconds = 0.0  # in audio time: no new attempt before

    # ---- what is heard --------------------------------------------------------------------------

    @property
    def now_seconds(self) -> float:
        """The session's audio time."""
        return self._listener.now_seconds

    @property
    def rate_hz(self) -> int:
        """Of the audio that is taken in."""
        return self._settings.input_format.rate_hz

    @property
    def listens_for_speech(self) -> bool:
        """Whether there is anything to be told of it; in push to talk there is not."""
        return self._settings.turn_detection is not None

    @property
    def is_speech(self) -> bool:
        """Whether the caller makes sound that counts as speech, or pauses in it."""
        return self._listener.speaking

    @property
    def is_pause(self) -> bool:
        """Whether they pause in it."""
        return self._listener.paused

    @property
    def is_suspicious(self) -> bool:
        """Whether there is sound that ought to be judged, and is not yet, or not what follows."""
        if not self._listener.speaking or self._listener.silence_seconds:
            return False
        if self._attempt is not None:
            return self._attempt.is_at_a_pause
        return self.now_seconds >= self._calm_until_seconds

    @property
    def is_in_question(self) -> bool:
        """Whether a sound that began over an answer, and was not found to be words, has stopped for
        now: when it is over, it is known what it was."""
        return self._attempt is not None and self._listener.silence_seconds > 0

    @property
    def is_occupied(self) -> bool:
        """Whether there is sound of theirs, or it is still being found out what it was."""
        return self._listener.speaking or self._attempt is not None

    @property
    def has_audio(self) -> bool:
        """Whether there is anything to commit."""
        return self._listener.utterance_seconds > 0

    @property
    def speech_start_seconds(self) -> float:
        """Where in the session's audio the current speech begins."""
        return self._speech_start_seconds

    def utterance(self) -> Utterance:
        """What the caller has said in this turn."""
        return Utterance(
            self.item_id,
            self._listener.utterance(),
            self._voice_seconds,
            self._listener.required_silence_seconds if self._settings.turn_detection else None,
            self._is_in_time,
        )

    def expect_end(self, completeness: float | None) -> None:
        """How far the words before the present pause read as complete; None: it is not known."""
        detection = self._settings.turn_detection
        is_semantic = detection is not None and detection.type == "semantic_vad"
        if is_semantic or self._conversation.config.adaptive_endpointing:
            self._listener.expect_end(completeness)

    def windows(self, samples: Samples) -> list[Samples]:
        """Take in float32[n] at the wire's rate: the windows that are whole now, for `hear`."""
        return self._listener.windows(samples)

    def begin_to_hear(self, windows: Sequence[Samples]) -> Job[VadRequest, VadResult]:
        """The VAD's word on each of these windows, in order, for `hear`."""
        return self._listener.begin_to_hear(windows)

    def hear(
        self,
        window: Samples,
        result: VadResult,
        arrived_seconds: float,
        *,
        hasty: bool,
        eager: bool,
    ) -> Trigger | None:
        """Listen to a window, which came then by the loop's clock: the trigger that it makes."""
        self._arrived_seconds, self._is_in_time = arrived_seconds, eager
        heard = self._listener.hear(window, result, hasty=hasty, eager=eager)
        if heard is not None and self._is_echo(heard.boundary, arrived_seconds):
            self._listener.dismiss()
            heard = None
        if self._listener.speaking:
            self._voice_seconds = arrived_seconds - self._listener.silence_seconds
        if heard is None:
            return None
        if heard.boundary is Boundary.STARTED:
            self._speech_start_seconds = heard.at_seconds
        if self._partials and heard.boundary in (Boundary.PAUSED, Boundary.ENDED):
            self._partials.stop()
        return _TRIGGER_OF[heard.boundary]

    def store(self, windows: Sequence[Samples], arrived_seconds: float) -> None:
        """Keep windows that nobody looks for speech in (push to talk)."""
        self._arrived_seconds = self._voice_seconds = arrived_seconds
        if self._listener.store(windows):
            self._conversation.outbox.put(Failed(_full()))

    def _is_echo(self, boundary: Boundary, arrived_seconds: float) -> bool:
        """Whether what seems to begin is our own voice: nobody speaks then."""
        return boundary is Boundary.STARTED and self._is_our_voice(arrived_seconds)

    def _is_our_voice(self, ended_seconds: float) -> bool:
        """Whether what was heard until then, by the loop's clock, is what we had sent."""
        sent, heard = self._conversation.outbox.sent_sound, self._listener.utterance()
        return sent.likeness(heard, ended_seconds) >= self._interruption.echo_likeness

    def rest(self, seconds: float) -> None:
        """Take no sound for an interruption for so long."""
        self._calm_until_seconds = max(self._calm_until_seconds, self.now_seconds + seconds)

    def begin_turn(self) -> None:
        """The caller has the floor."""
        self._attempt = None
        self._partials = Partials(
            self._conversation, self.item_id, self.now_seconds, self._spawn, self._on_words
        )

    def forget(self) -> None:
        """What was said is taken, or was nothing."""
        if self._attempt is not None:
            self._close_attempt(self._attempt)
        self._listener.forget()
        if self._partials is not None:
            self._partials.end()
        self.item_id = new_id("item")

    def reconfigure(self, settings: Settings) -> None:
        """Listen as the client asks from now on."""
        self._settings = settings
        self._listener.reconfigure(
            _listening(self._conversation.config, settings), settings.input_format.rate_hz
        )

    def follow(self, *, over_answer: bool, saying: str, eager: bool) -> None:
        """Transcribe what was said so far, if it is time to: `eager`, where nobody waits for it."""
        if over_answer:
            self._judge_if_due(saying)
        elif eager and self._listener.speaking and not self._listener.silence_seconds:
            self._transcribe_so_far()

    def _transcribe_so_far(self) -> None:
        if self._partials is not None and self._partials.is_due(self.now_seconds):
            samples = self._listener.utterance()
            self._partials.transcribe(samples, self._settings, self.now_seconds)

    # ---- interruptions --------------------------------------------------------------------------

    def judge(self, saying: str) -> None:
        """Find out what the sound is: begin to, or, as it goes on or has stopped, at once."""
        if self._attempt is None:
            self._attempt = Attempt(self._sound_start_seconds())
            return
        self._attempt.verdict = Verdict.UNDECIDED
        self._judge_if_due(saying)

    def end_sound(self, saying: str) -> None:
        """A sound is over, and the answer goes on: forget it, once it is known what it was."""
        attempt = self._attempt
        if attempt is not None and not self._listener.speaking:
            if attempt.verdict is Verdict.UNDECIDED:
                self._judge_if_due(saying)
            if attempt.checking:
                return
        self.forget()

    def give_up(self, saying: str) -> None:
        """No more of the sound will come: judge what there is of it, now or after the judgement
        that is in work."""
        if self._attempt is not None:
            self._attempt.is_over = True
            self._judge_if_due(saying)

    def _sound_start_seconds(self) -> float:
        """When the sound began that is to be judged now: its first voiced window, in audio time."""
        voiced_seconds = self._speech_start_seconds + self._listener.config.prefix_padding_seconds
        return min(self.now_seconds, max(voiced_seconds, self._calm_until_seconds))

    def _judge_if_due(self, saying: str) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        stage = attempt.due(
            self.now_seconds,
            self._interruption,
            paused=self._listener.silence_seconds >= self._interruption.pause_seconds,
            over=attempt.is_over or not self._listener.speaking,
        )
        if stage is not None:
            attempt.checking = True
            self._spawn(lambda: self._judge_at(stage, attempt, saying), f"judge {stage}")

    async def _judge_at(self, stage: Stage, attempt: Attempt, saying: str) -> None:
        at_seconds = self.now_seconds
        transcript: Transcript | None = None
        verdict = Verdict.WORDS  # who cannot be understood may still be interrupting
        sound_seconds = at_seconds - attempt.began_seconds - self._listener.silence_seconds
        try:
            transcript = await self._transcribe_sound(sound_seconds)
        except EngineError as error:
            log.warning("an interruption could not be judged: %s", error)
        if transcript is not None:
            words_of_nothing = backchannels(self._conversation.language_of(transcript))
            is_speech = self._is_speech(at_seconds - attempt.began_seconds)
            evidence = Evidence(transcript, saying, words_of_nothing, sound_seconds, is_speech)
            verdict = judge(stage, evidence, self._interruption)
        if attempt is self._attempt:
            attempt.note(stage, at_seconds, verdict, transcript)
            self._conclude(attempt, saying)

    def _is_speech(self, seconds: float) -> bool:
        """Whether a sound that has lasted for so long sounds as speech does, whatever the words."""
        config = self._interruption
        if seconds < config.long_seconds:
            return False
        sound = self._listener.utterance()[-round(seconds * RATE_HZ) :]
        return (
            self._listener.speech_share(seconds) >= config.long_speech_share
            and syllables_per_second(sound) >= _FEWEST_SYLLABLES_PER_SECOND
            and not self._is_our_voice(self._arrived_seconds)
        )

    async def _transcribe_sound(self, sound_seconds: float) -> Transcript:
        """A syllable or two could be of any language: most likely they are of the caller's."""
        likely = self._conversation.spoken_language if sound_seconds < _CERTAIN_SECONDS else None
        return await self._conversation.transcribe(
            self._listener.utterance(), self._settings, Priority.INTERRUPTION, likely
        )

    def _conclude(self, attempt: Attempt, saying: str) -> None:
        wants_the_floor = attempt.verdict is Verdict.WORDS
        if attempt.is_at_a_pause and not wants_the_floor and not self._listener.silence_seconds:
            attempt.verdict = Verdict.UNDECIDED  # it has gone on meanwhile
        elif attempt.is_at_a_pause and attempt.verdict is Verdict.UNDECIDED:
            self._on_verdict(False)  # until it goes on, or is over
        if attempt.verdict is Verdict.UNDECIDED:
            self._judge_if_due(saying)
            return
        if wants_the_floor or not self._listener.speaking or attempt.is_final:
            self._close_attempt(attempt)
        self._on_verdict(wants_the_floor)
        if not wants_the_floor and not self._listener.speaking:
            self.forget()

    def _close_attempt(self, attempt: Attempt) -> None:
        self._attempt = None
        self.rest(self._interruption.cooldown_seconds)
        if attempt.verdict is not Verdict.UNDECIDED:
            self._conversation.outbox.put(InterruptionJudged(attempt.to_wire()))


def _full() -> ProtocolError:
    return ProtocolError(
        f"The audio buffer holds {MAXIMUM_RECORDING_SECONDS:.0f} s, and what came first is lost "
        "from now on: commit it, or clear it.",
        code="input_audio_buffer_full",
    )


def _listening(config: ConversationConfig, settings: Settings) -> ListeningConfig:
    """How to listen: the owner's configuration with what the client asked for."""
    base = ListeningConfig(
        EndpointingConfig(
            speech_threshold=config.speech_threshold,
            silence_threshold=config.silence_threshold,
            minimum_speech_seconds=config.minimum_speech_seconds,
            pause_seconds=config.pause_seconds,
            eager_pause_seconds=min(config.eager_pause_seconds, config.pause_seconds),
            end_silence_seconds=config.end_silence_seconds,
            shortest_end_silence_seconds=config.shortest_end_silence_seconds,
            longest_end_silence_seconds=config.longest_end_silence_seconds,
        ),
        prefix_padding_seconds=config.prefix_padding_seconds,
        maximum_utterance_seconds=config.maximum_utterance_seconds,
    )
    detection = settings.turn_detection
    if detection is None:
        return base
    if detection.type == "semantic_vad":
        return with_eagerness(base, detection.eagerness)
    return with_overrides(
        base,
        speech_threshold=detection.threshold,
        prefix_padding_seconds=detection.prefix_padding_ms / 1000,
        end_silence_seconds=detection.silence_duration_ms / 1000,
    )
