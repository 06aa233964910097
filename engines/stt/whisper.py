"""A Whisper model in CTranslate2 format: its files, its tokens, its three operations on a batch.

`encode` reads mel spectrograms, `language_probabilities` and `generate` read what it returns. What
to decode, when to doubt it and how to cut long audio is `engines.stt.transcription`'s.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer

from engines.config import SttConfig
from engines.cuda import device_of
from engines.errors import ModelError
from engines.loaded import model_error, read_card, read_json
from engines.stt.guards import TOKENS_PER_CHARACTER, language_data
from engines.stt.words import SpokenWord, spoken_words, token_starts

MAX_FRAMES = 3000  # 30 s of 10 ms
MAX_POSITIONS = 448  # of Whisper's decoder
MAX_NEW_TOKENS = MAX_POSITIONS // 2  # CTranslate2 generates no more

Task: TypeAlias = Literal["transcribe", "translate"]
Mel: TypeAlias = npt.NDArray[np.float32]  # [mels, frames]
Prompt: TypeAlias = list[int]

_COMPUTE_TYPES = {
    "cpu": ("int8", "float32"),
    "cuda": ("float16", "int8_float16", "float32"),
}
_REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")
_SPACE = "Ġ"  # as byte-level tokenizers write it
_LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")


@dataclass(frozen=True, slots=True)
class Decoding:
    """What the decoder said of one window."""

    tokens: tuple[int, ...]  # text tokens, without the end
    text: str
    log_probability: float  # sum over the tokens and the end of text
    no_speech_probability: float

    @property
    def scored_tokens(self) -> int:
        """Tokens that `log_probability` sums over: the end of text is one; none without text."""
        return len(self.tokens) + 1 if self.tokens else 0

    @property
    def mean_log_probability(self) -> float:
        """Per scored token."""
        return self.log_probability / max(1, self.scored_tokens)


class Encoded:
    """Windows that were encoded together."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch  # ctranslate2.StorageView of [windows, positions, width], on the device

    def alone(self, row: int) -> Any:
        """One window of them, as a batch of its own."""
        if self.batch.shape[0] == 1:
            return self.batch
        return ctranslate2.StorageView.from_array(self._on_host[row : row + 1])

    @cached_property
    def _on_host(self) -> npt.NDArray[Any]:
        """All of them in the machine's own memory, copied once."""
        return np.array(self.batch.to_device(ctranslate2.Device.cpu))


class WhisperModel:
    """One model directory, loaded. Used from one thread.

    `languages` are those that the model knows; `mels` the height of its spectrograms;
    `trained_on_short_windows` and `translates` are what its card or `config.json` says.
    """

    def __init__(self, config: SttConfig) -> None:
        """Load it, with no network. Raises `ModelError`."""
        self.path = Path(config.model)
        _check_files(self.path)
        card = _read_card(self.path)
        self.device = device_of(config.device, "stt.device")
        self.compute_type = _compute_type(config.compute_type, self.device)
        self._model = _load_weights(self.path, self.device, self.compute_type, config.threads)
        self._tokens = _Tokens(self.path / "tokenizer.json", self._model.is_multilingual)
        self.languages = self._tokens.languages
        self.mels: int = self._model.n_mels
        self.trained_on_short_windows = bool(card.get("short_windows", False))
        self.translates = self._model.is_multilingual and bool(card.get("translate", True))
        self._extract = FeatureExtractor(feature_size=self.mels)

    def mel(self, samples: npt.NDArray[np.float32]) -> Mel:
        """Log-mel spectrogram, float32[mels, frames], of float32[n] at 16 kHz; a frame is 10 ms."""
        spectrogram: Mel = self._extract(samples, padding=0)[:, :MAX_FRAMES]
        return spectrogram.astype(np.float32, copy=False)

    def encode(self, mels: Sequence[Mel], frames: int) -> Encoded:
        """Encode windows, all padded to `frames` (even). The result stays on the device."""
        if frames // 2 == self.mels:  # CTranslate2 would take the result for a spectrogram
            frames += 2
        batch = np.zeros((len(mels), self.mels, frames), np.float32)
        for row, mel in zip(batch, mels, strict=True):
            row[:, : mel.shape[1]] = mel
        return Encoded(self._model.encode(ctranslate2.StorageView.from_array(batch)))

    def language_probabilities(self, encoded: Encoded) -> list[dict[str, float]]:
        """Of every language that the model knows, for each window."""
        if not self._model.is_multilingual:
            return [{"en": 1.0} for _ in range(encoded.batch.shape[0])]
        return [
            {token[2:-2]: probability for token, probability in window}
            for window in self._model.detect_language(encoded.batch)
        ]

    def prompt(self, language: str, task: Task) -> Prompt:
        """The tokens that every decoding begins with. Timestamps are never asked for."""
        return self._tokens.prompt(language, task)

    def tokens_per_character(self, language: str) -> float:
        """How finely the tokenizer cuts this language, for the guard against endless decoding."""
        return self._tokens.per_character(language)

    def generate(
        self, encoded: Encoded, prompts: Sequence[Prompt], max_new_tokens: int, temperature: float
    ) -> list[Decoding]:
        """Decode every window after its own prompt; all prompts have the same length."""
        results = self._model.generate(
            encoded.batch,
            list(prompts),
            beam_size=1,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1.0,
            max_length=_max_length(max_new_tokens, len(prompts[0])),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._decoding(result) for result in results]

    def words(
        self, encoded: Encoded, row: int, prompt: Prompt, tokens: Sequence[int], frames: int
    ) -> tuple[SpokenWord, ...]:
        """When the words of a decoding were said in its window, which is one row of `encoded` and
        `frames` long without its padding. None where the model does not know."""
        if not tokens:
            return ()
        start = prompt[:-1]  # without the token that asks for no timestamps
        (aligned,) = self._model.align(encoded.alone(row), start, [list(tokens)], frames)
        starts = token_starts(aligned.alignments, len(tokens))
        return spoken_words(self._tokens.words(tokens), starts)

    def _decoding(self, result: Any) -> Decoding:
        tokens = tuple(result.sequences_ids[0])
        if not tokens:  # its score is undefined: the end of text at once says that nobody spoke
            return Decoding((), "", 0.0, 1.0)
        return Decoding(
            tokens,
            self._tokens.text(tokens),
            result.scores[0] * len(tokens),  # the score is the sum over the number of tokens
            result.no_speech_prob,
        )


class _Tokens:
    """The tokenizer and the special tokens that prompts are made of."""

    def __init__(self, path: Path, multilingual: bool) -> None:
        self._path = path
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise model_error(path, f"is broken: {error}") from error
        self._multilingual = multilingual
        self._end = self._id("<|endoftext|>")
        self._start = self._id("<|startoftranscript|>")
        self._without_timestamps = self._id("<|notimestamps|>")
        self._languages = self._language_ids() if multilingual else {}
        self._tasks = {
            task: self._id(f"<|{task}|>") for task in ("transcribe", "translate") if multilingual
        }
        self._per_character = {
            language: len(self._tokenizer.encode(data.sample, add_special_tokens=False).ids)
            / len(data.sample)
            for language, data in language_data().items()
        }

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._languages) if self._multilingual else ("en",)

    def prompt(self, language: str, task: Task) -> Prompt:
        if not self._multilingual:
            return [self._start, self._without_timestamps]
        return [
            self._start,
            self._languages[language],
            self._tasks[task],
            self._without_timestamps,
        ]

    def text(self, tokens: Sequence[int]) -> str:
        spoken = [token for token in tokens if token < self._end]
        return str(self._tokenizer.decode(spoken)).strip()

    def words(self, tokens: Sequence[int]) -> list[tuple[str, int]]:
        """Each word and its number of tokens. A token that begins with a space begins a word."""
        groups: list[list[int]] = []
        for token in tokens:
            piece = self._tokenizer.id_to_token(token) or ""
            if not groups or piece.startswith(_SPACE):
                groups.append([])
            groups[-1].append(token)
        return [(self.text(group), len(group)) for group in groups]

    def per_character(self, language: str) -> float:
        return self._per_character.get(language, TOKENS_PER_CHARACTER)

    def _id(self, token: str) -> int:
        index = self._tokenizer.token_to_id(token)
        if index is None:
            raise model_error(self._path, f"is not a Whisper tokenizer: {token} is not in it")
        return int(index)

    def _language_ids(self) -> dict[str, int]:
        """The languages stand between the start of the transcript and the tasks."""
        found = {}
        for index in range(self._start + 1, self._id("<|translate|>")):
            if match := _LANGUAGE_TOKEN.fullmatch(self._tokenizer.id_to_token(index) or ""):
                found[match[1]] = index
        return found


def _max_length(max_new_tokens: int, prompt_length: int) -> int:
    """CTranslate2 generates at most min(max_length / 2, max_length - prompt) tokens."""
    return min(MAX_POSITIONS, max(2 * max_new_tokens, max_new_tokens + prompt_length))


def _check_files(directory: Path) -> None:
    if not directory.is_dir():
        raise model_error(directory, "is missing, or is no folder of a CTranslate2 Whisper model")
    for name in _REQUIRED_FILES:
        if not (directory / name).is_file():
            raise model_error(directory / name, "is missing")


def _read_card(directory: Path) -> Mapping[str, Any]:
    """`config.json`, overruled by the card where there is one."""
    return {**read_json(directory / "config.json"), **read_card(directory)}


def _compute_type(wanted: str, device: str) -> str:
    supported = ctranslate2.get_supported_compute_types(device)
    if wanted == "auto":
        return next(name for name in _COMPUTE_TYPES[device] if name in supported)
    if wanted not in supported:
        allowed = ", ".join(sorted(supported))
        raise ModelError(
            f"stt.compute_type is {wanted}, which the {device} cannot do. Allowed: auto, {allowed}."
        )
    return wanted


def _load_weights(directory: Path, device: str, compute_type: str, threads: int) -> Any:
    try:
        return ctranslate2.models.Whisper(
            str(directory),
            device=device,
            compute_type=compute_type,
            intra_threads=threads,
            inter_threads=1,
        )
    except Exception as error:
        raise model_error(directory / "model.bin", f"cannot be loaded: {error}") from error


def geometric_mean(log_probability: float, count: int) -> float:
    """Of `count` probabilities, from the sum of their logarithms; 0 for none."""
    return math.exp(log_probability / count) if count else 0.0
