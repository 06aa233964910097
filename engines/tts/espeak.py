"""eSpeak NG in process: the voice that is always there.

Synthesis is synchronous: the library calls back with some 60 ms of audio at a time, about a
thousand times faster than speech. An `Espeak` may be made anywhere and costs nothing: the process
has one copy of the library behind one lock.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from engines.errors import EngineError, ModelError
from engines.tts import tagalog
from engines.tts.espeak_library import Event, EventKind, Receive, library, library_path
from engines.tts.voice import Mark, Samples, growing_chunks, passages, word_ends

__all__ = ["VOICES", "Espeak", "EspeakVoice", "library_path", "prepare", "voice_name"]

NORMAL_WORDS_PER_MINUTE = 175
NORMAL_PITCH = 50
MIN_WORDS_PER_MINUTE, MAX_WORDS_PER_MINUTE = 80, 450  # what the library accepts
VOICES = {"en": "en-us", "es": "es-419", "fr": "fr", "hi": "hi", "tl": "id"}


class Espeak:
    """eSpeak NG voices of any language and variant ("fr", "en-us+f3").

    Raises `ModelError` when the library or its data cannot be loaded.
    """

    def __init__(self) -> None:
        self._library = library()
        self.rate_hz = self._library.rate_hz

    def synthesize(
        self,
        text: str,
        voice: str,
        *,
        words_per_minute: int = NORMAL_WORDS_PER_MINUTE,
        pitch: int = NORMAL_PITCH,
        phoneme_input: bool = False,
    ) -> tuple[Samples, int]:
        """Speech as int16[n] and its rate in Hz; see `stream` for the arguments."""
        samples, _ = self.synthesize_with_events(
            text,
            voice,
            words_per_minute=words_per_minute,
            pitch=pitch,
            phoneme_input=phoneme_input,
        )
        return samples, self.rate_hz

    def synthesize_with_events(
        self,
        text: str,
        voice: str,
        *,
        words_per_minute: int = NORMAL_WORDS_PER_MINUTE,
        pitch: int = NORMAL_PITCH,
        phoneme_input: bool = False,
    ) -> tuple[Samples, list[Event]]:
        """Speech as int16[n], and where its words and phonemes begin, in order of time."""
        chunks: list[Samples] = []
        events: list[Event] = []

        def collect(samples: Samples, new_events: list[Event]) -> bool:
            chunks.append(samples)
            events.extend(new_events)
            return True

        self.stream(
            text,
            voice,
            collect,
            words_per_minute=words_per_minute,
            pitch=pitch,
            phoneme_input=phoneme_input,
        )
        return np.concatenate([np.empty(0, np.int16), *chunks]), events

    def stream(
        self,
        text: str,
        voice: str,
        receive: Receive,
        *,
        words_per_minute: int = NORMAL_WORDS_PER_MINUTE,
        pitch: int = NORMAL_PITCH,
        phoneme_input: bool = False,
    ) -> None:
        """Call `receive` with each int16[n] chunk as it is made, until it returns False.

        `voice` is a name that the library knows, `words_per_minute` 80 to 450, `pitch` 0 to 99;
        with `phoneme_input`, `[[mnemonics]]` in the text are phonemes.

        Raises `EngineError` for an unknown voice; what `receive` raises comes through.
        """
        self._library.speak(
            text,
            voice,
            receive,
            words_per_minute=words_per_minute,
            pitch=pitch,
            phoneme_input=phoneme_input,
        )

    def check_voice(self, voice: str) -> None:
        """Raise `EngineError` if the library does not know this voice."""
        self._library.check_voice(voice)

    def speak_language(
        self,
        text: str,
        language: str,
        *,
        voice: str = "",
        words_per_minute: int = NORMAL_WORDS_PER_MINUTE,
        pitch: int = NORMAL_PITCH,
    ) -> tuple[Samples, int]:
        """Speech in one of the five languages, Tagalog by our own rules: int16[n], rate in Hz.

        `voice` is a name that the library knows; "" is the language's own, "+f3" its variant.
        """
        prepared, phoneme_input = prepare(text, language)
        return self.synthesize(
            prepared,
            voice_name(language, voice),
            words_per_minute=words_per_minute,
            pitch=pitch,
            phoneme_input=phoneme_input,
        )


def voice_name(language: str, voice: str = "") -> str:
    """The library's name of a voice: a variant alone ("+f3") is one of the language's voice."""
    if voice and not voice.startswith("+"):
        return voice
    if language not in VOICES:
        raise EngineError(f"No eSpeak NG voice for {language!r}: choose from {', '.join(VOICES)}.")
    return VOICES[language] + voice


def prepare(text: str, language: str) -> tuple[str, bool]:
    """What to give the library for a text, and whether it holds `[[mnemonics]]`."""
    if language == "tl":
        return tagalog.to_espeak(text), True
    return text, False


class EspeakVoice:
    """eSpeak NG in one language. Implements `engines.tts.voice.Voice`.

    A passage is synthesized whole, which takes some milliseconds, and handed out in chunks.
    Raises `ModelError` for a voice that the library does not know.
    """

    def __init__(self, language: str, voice: str = "") -> None:
        self._espeak = Espeak()
        self._language = language
        self._voice = voice
        self.rate_hz = self._espeak.rate_hz
        try:
            self._espeak.check_voice(voice_name(language, voice))
        except EngineError as error:
            raise ModelError(
                f"{error} Choose another voice for {language!r} in tinig.toml."
            ) from error

    def speak(self, text: str, speed: float) -> Iterator[Samples | Mark]:
        """See `Voice.speak`; speeds beyond what the library can do are cut to it."""
        words_per_minute = round(NORMAL_WORDS_PER_MINUTE * speed)
        start = num_samples = 0
        for passage in passages(text):
            start = text.index(passage, start)
            prepared, phoneme_input = prepare(passage, self._language)
            samples, events = self._espeak.synthesize_with_events(
                prepared,
                voice_name(self._language, self._voice),
                words_per_minute=min(
                    max(words_per_minute, MIN_WORDS_PER_MINUTE), MAX_WORDS_PER_MINUTE
                ),
                phoneme_input=phoneme_input,
            )
            for characters, sample in _ends_of_words(passage, events, len(samples)):
                yield Mark(start + characters, (num_samples + sample) / self.rate_hz)
            yield from growing_chunks(samples, self.rate_hz)
            start += len(passage)
            num_samples += len(samples)


def _ends_of_words(
    passage: str, events: Sequence[Event], num_samples: int
) -> Iterator[tuple[int, int]]:
    """Characters and samples that are over at the end of each word as it was pronounced."""
    starts = [event.sample for event in events if event.kind is EventKind.WORD]
    sounds = [event.sample for event in events if event.kind is EventKind.PHONEME]
    if not starts:
        return
    ends = [*starts[1:], num_samples]
    weights = [
        sum(start <= sound < end for sound in sounds) or 1
        for start, end in zip(starts, ends, strict=True)
    ]
    yield from zip(word_ends(passage, weights), ends, strict=True)
