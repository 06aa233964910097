"""Piper voices: phonemes through Piper's own package, audio through our sessions.

`piper.PiperVoice.load` takes no session options and its `synthesize` no part of a sentence; its
configuration, phonemizers and phoneme ids are used as they are. Piper knows no Tagalog: our own
rules make the phonemes, for a voice of any language that eSpeak NG phonemes were used for.
"""

import json
import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from piper import PiperVoice as PiperPhonemizer
from piper.config import PhonemeType, PiperConfig

from engines.errors import ModelError
from engines.loaded import model_error
from engines.tts import tagalog
from engines.tts.alignment import Alignment, ends_by_durations, ends_by_number
from engines.tts.phonemes import nearest
from engines.tts.piper_model import PiperModel, Scales, open_model
from engines.tts.voice import Mark, Samples, passages

log = logging.getLogger(__name__)

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
# Syllables of every letter, which show what sounds a voice of some language was taught with.
_SYLLABLES = " ".join(
    f"{letters}a {letters}i {letters}u a{letters}e a{letters}o a{letters} {letters}ia {letters}ua"
    for letters in ("ch", "dy", "ll", "ng", "ny", "rr", "sy", "ts", *"bcdfghjklmnpqrstvwxyz")
)


@dataclass(frozen=True, slots=True)
class PiperFiles:
    """Where a voice lies."""

    model: Path
    config: Path

    @classmethod
    def find(cls, model: str, language: str) -> "PiperFiles":
        """`voice.onnx` with `voice.onnx.json`, or with `voice.<language>.onnx.json`.

        The second is for a model that speaks several languages, each with its configuration.
        Raises `ModelError` when a file is missing.
        """
        path = Path(model)
        if not path.is_file():
            raise model_error(path, "is missing")
        candidates = [
            path.with_name(f"{path.name}.json"),
            path.with_name(f"{path.stem}.{language}{path.suffix}.json"),
        ]
        for candidate in candidates:
            if candidate.is_file():
                return cls(path, candidate)
        raise model_error(candidates[0], "is missing")


class PiperVoice:
    """One language of one Piper model. Implements `engines.tts.voice.Voice`."""

    def __init__(self, files: PiperFiles, model: PiperModel, language: str, speaker: str) -> None:
        self._config = read_config(files.config)
        self._model = model
        self._speaker = _speaker_id(self._config, speaker, files.config)
        # Its session is only used by the methods of it that we do not call.
        self._phonemizer = PiperPhonemizer(session=None, config=self._config)
        self._files = files
        self._by_our_rules = language == "tl" and self._config.phoneme_type is PhonemeType.ESPEAK
        self._sounds = self._nearest_sounds() if self._by_our_rules else {}
        self.rate_hz = self._config.sample_rate

    def warm(self) -> None:
        """Speak a sound. Raises `ModelError` when the configuration does not fit the model."""
        try:
            for _ in self.speak("a", 1.0):
                pass
        except Exception as error:
            raise model_error(self._files.config, f"does not fit its model: {error}") from error

    def speak(self, text: str, speed: float) -> Iterator[Samples | Mark]:
        """See `Voice.speak`; sentence by sentence, so that pauses and melody are the voice's."""
        scales = Scales(
            self._config.noise_scale,
            self._config.length_scale / speed,
            self._config.noise_w_scale,
        )
        start = num_samples = 0
        for passage in passages(text):
            start = text.index(passage, start)
            sentences = [s for s in self._phonemize(passage) if any(map(str.isalpha, s))]
            alignment = Alignment(start, passage, sentences)
            for number, phonemes in enumerate(sentences):
                before = num_samples
                for piece in self._speak_sentence(phonemes, scales):
                    if isinstance(piece, list):
                        ends = [(before + end) / self.rate_hz for end in piece]
                        yield from alignment.marks(number, ends)
                        continue
                    num_samples += len(piece)
                    yield piece
            start += len(passage)

    def _speak_sentence(
        self, phonemes: Sequence[str], scales: Scales
    ) -> Iterator[Samples | list[int]]:
        """Its audio, and once the sample at which each phoneme is over: first, if it is known."""
        ids = self._phonemizer.phonemes_to_ids(list(phonemes))
        known: list[NDArray[np.int64]] = []
        num_samples, told = 0, False
        for audio in self._model.speak(ids, scales, self._speaker, known.append):
            if known and not told:
                told = True
                yield ends_by_durations(phonemes, self._config.phoneme_id_map, known[0])
            num_samples += len(audio)
            yield (np.clip(audio, -1.0, 1.0) * 32767).astype(np.int16)
        if not told:
            yield ends_by_number(phonemes, num_samples)

    def _phonemize(self, text: str) -> Iterator[Sequence[str]]:
        """The phonemes of each sentence, all of them known to the voice."""
        if self._by_our_rules:
            sentences: list[list[str]] = [
                list(unicodedata.normalize("NFD", sentence.strip()))
                for sentence in _SENTENCE.findall(tagalog.to_ipa(text))
            ]
        else:
            # Brackets would be taken for phonemes.
            sentences = self._phonemizer.phonemize(text.replace("[[", " ").replace("\0", " "))
        for sentence in sentences:
            yield [known for phoneme in sentence if (known := self._known(phoneme)) is not None]

    def _known(self, phoneme: str) -> str | None:
        sound = self._sounds.get(phoneme, phoneme)
        return sound if sound in self._config.phoneme_id_map else None

    def _nearest_sounds(self) -> dict[str, str | None]:
        """Of every sound of Tagalog, the nearest that the voice was taught; told to the log."""
        known = set(self._config.phoneme_id_map)
        if not _is_tagalog(self._files.config):
            sentences = self._phonemizer.phonemize(_SYLLABLES)
            known &= {phoneme for sentence in sentences for phoneme in sentence}
        sounds = {sound: nearest(sound, known) for sound in tagalog.SOUNDS}
        changed = [f"{sound} as {other or 'nothing'}" for sound, other in sounds.items()
                   if sound != other]  # fmt: skip
        if changed:
            log.info("%s says Tagalog's %s", self._files.model.name, ", ".join(changed))
        return sounds


def open_piper_model(path: Path, device: str) -> PiperModel:
    """The graph of a voice, warm. Raises `ModelError`."""
    try:
        return open_model(path, device)
    except ModelError:
        raise
    except Exception as error:
        raise model_error(path, f"is not a Piper voice: {error}") from error


def read_config(path: Path) -> PiperConfig:
    """A voice's JSON file. Raises `ModelError` when it is broken."""
    try:
        return PiperConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise model_error(path, f"is not the configuration of a Piper voice: {error!r}") from error


def _is_tagalog(path: Path) -> bool:
    """Whether a voice was taught our sounds of Tagalog: Piper's class drops the language's code."""
    language = json.loads(path.read_text(encoding="utf-8")).get("language") or {}
    return str(language.get("code", "")).partition("_")[0] in ("tl", "fil")


def _speaker_id(config: PiperConfig, speaker: str, path: Path) -> int:
    if not speaker:
        return config.default_speaker_id
    if speaker in config.speaker_id_map:
        return config.speaker_id_map[speaker]
    choices = ", ".join(config.speaker_id_map) or "none"
    raise model_error(path, f"knows no speaker {speaker!r} (choices: {choices})")
