"""The eSpeak NG library through ctypes: one copy for the process, one synthesis at a time.

The library and its data come with the espeakng-loader distribution, apart from the copy inside
Piper's own extension module. It holds global state (voice, parameters), hence the lock.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np

from engines.errors import EngineError, ModelError
from engines.tts.voice import Samples

_OUTPUT_SYNCHRONOUS = 2
_INIT_PHONEME_EVENTS, _INIT_PHONEME_IPA, _INIT_DONT_EXIT = 0x1, 0x2, 0x8000
_TEXT_UTF8, _TEXT_PHONEMES = 0x1, 0x100
_PARAMETER_RATE, _PARAMETER_PITCH = 1, 3
_BUFFER_MILLISECONDS = 60
_CONTINUE, _ABORT = 0, 1


class EventKind(IntEnum):
    """The library's event types that carry a position."""

    WORD = 1
    SENTENCE = 2
    END = 5  # of a clause
    PHONEME = 7


@dataclass(frozen=True, slots=True)
class Event:
    """Where in the audio something begins."""

    kind: EventKind
    sample: int
    text_position: int  # characters before it in the text
    text_length: int  # characters of a word, 0 otherwise
    phoneme: str  # IPA of a phoneme ("" for a pause), "" otherwise


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("string", ctypes.c_char * 8)]


class _RawEvent(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_RawEvent)
)

Receive = Callable[[Samples, list[Event]], bool]


class Library:
    """The loaded library, initialised once for the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receive: Receive | None = None
        self._error: Exception | None = None
        self._api = _load()
        flags = _INIT_PHONEME_EVENTS | _INIT_PHONEME_IPA | _INIT_DONT_EXIT
        data_path = espeakng_loader.get_data_path()
        self.rate_hz: int = self._api.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, _BUFFER_MILLISECONDS, data_path.encode(), flags
        )
        self._variants = Path(data_path) / "voices" / "!v"
        if self.rate_hz <= 0:
            raise ModelError(
                f"eSpeak NG cannot read its data in {data_path}: run `make setup` again."
            )
        self._callback = _Callback(self._on_audio)  # kept: the library holds only a pointer
        self._api.espeak_SetSynthCallback(self._callback)

    def speak(
        self,
        text: str,
        voice: str,
        receive: Receive,
        *,
        words_per_minute: int,
        pitch: int,
        phoneme_input: bool,
    ) -> None:
        """See `engines.tts.espeak.Espeak.stream`."""
        if not text.strip():
            return
        with self._lock:
            self._set_voice(voice)
            self._api.espeak_SetParameter(_PARAMETER_RATE, words_per_minute, 0)
            self._api.espeak_SetParameter(_PARAMETER_PITCH, pitch, 0)
            self._receive, self._error = receive, None
            self._synth(text, _TEXT_UTF8 | (_TEXT_PHONEMES if phoneme_input else 0))
            aborted, self._receive = self._receive is None, None
            if aborted:
                # The library keeps a character of the aborted text, which the next one would begin
                # with; a blank takes it along.
                self._synth(" ", _TEXT_UTF8)
            error, self._error = self._error, None
        if error is not None:
            raise error

    def check_voice(self, voice: str) -> None:
        """Raise `EngineError` for an unknown voice."""
        with self._lock:
            self._set_voice(voice)

    def _set_voice(self, voice: str) -> None:
        _, plus, variant = voice.partition("+")
        # The library takes an unknown variant in silence.
        known = not plus or (self._variants / variant).is_file()
        if not known or self._api.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineError(f"eSpeak NG has no voice named {voice!r}.")

    def _synth(self, text: str, flags: int) -> None:
        encoded = text.replace("\0", " ").encode("utf-8", "replace") + b"\0"
        code = self._api.espeak_Synth(encoded, len(encoded), 0, 1, 0, flags, None, None)
        if code != 0:
            raise EngineError(f"eSpeak NG refused a text of {len(text)} characters (code {code}).")

    def _on_audio(self, wave: Any, num_samples: int, raw_events: Any) -> int:
        """Called by the library; an exception must not escape into it."""
        if self._receive is None:
            return _ABORT
        try:
            samples = np.frombuffer(ctypes.string_at(wave, num_samples * 2), np.int16)
            if self._receive(samples, list(_read_events(raw_events))):
                return _CONTINUE
        except Exception as error:
            self._error = error
        self._receive = None
        return _ABORT


_loading = threading.Lock()


def library() -> Library:
    """The process's copy. Raises `ModelError` when it cannot be loaded."""
    with _loading:  # two threads at once would each make one, and crash inside the library
        return _library()


@cache
def _library() -> Library:
    return Library()


def library_path() -> Path:
    """Where the library lies; its data lies beside it."""
    return Path(espeakng_loader.get_library_path())


def _load() -> ctypes.CDLL:
    path = library_path()
    try:
        api = ctypes.CDLL(str(path))
    except OSError as error:
        raise ModelError(
            f"eSpeak NG cannot be loaded from {path}: run `make setup` again."
        ) from error
    integer, unsigned, pointer = ctypes.c_int, ctypes.c_uint, ctypes.c_void_p
    api.espeak_Initialize.argtypes = [integer, integer, ctypes.c_char_p, integer]
    api.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, unsigned, integer, unsigned, unsigned, pointer, pointer,
    ]  # fmt: skip
    api.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    api.espeak_SetParameter.argtypes = [integer, integer, integer]
    api.espeak_SetSynthCallback.argtypes = [_Callback]
    api.espeak_SetSynthCallback.restype = None
    return api


def _read_events(raw_events: Any) -> Iterator[Event]:
    """The events of one callback: an array that a type of 0 ends."""
    kinds = {int(kind) for kind in EventKind}
    index = 0
    while raw_events[index].type != 0:
        raw = raw_events[index]
        index += 1
        if raw.type not in kinds:
            continue
        kind = EventKind(raw.type)
        phoneme = raw.id.string.decode("utf-8", "ignore") if kind is EventKind.PHONEME else ""
        yield Event(kind, raw.sample, max(raw.text_position - 1, 0), raw.length, phoneme)
