"""Translation of text by NMT models in CTranslate2: the pivot's quick way, where one is configured.

Two layouts are read, as `ct2-transformers-converter` leaves them:
- OPUS-MT (Marian): `source.spm` and `target.spm` beside `model.bin`; one direction a model. One
  that translates into several languages is told which by a first token such as `>>tgl<<`.
- MADLAD-400 (T5): `spiece.model`; all directions, told by a first token such as `<2tl>`.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import sentencepiece

from engines.batcher import Job
from engines.config import TranslateConfig, TranslationModelConfig
from engines.cuda import device_of
from engines.errors import EngineError
from engines.loaded import LoadedModel, megabytes_of, model_error, stopwatch

_END = "</s>"
_MOST_TOKENS = 256
_TOKENS_PER_TOKEN = 2.0  # a translation is seldom longer than twice its source
_SPARE_TOKENS = 16
_CPU_BATCH, _GPU_BATCH = 4, 32
_T5_FILES = ("spiece.model", "sentencepiece.model")


class NotTranslatable(EngineError):
    """No model here can translate it; somebody else may."""


class NoSuchPair(NotTranslatable):
    """No model translates from the one language to the other."""


class TooLong(NotTranslatable):
    """The text has more tokens than translation models are made for."""


@dataclass(frozen=True, slots=True)
class Pair:
    """From one language to another, by their codes."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class TranslationRequest:
    """A sentence or a clause to translate."""

    text: str
    pair: Pair


@dataclass(frozen=True, slots=True)
class Translation:
    """The only output of a job."""

    text: str


TranslationJob = Job[TranslationRequest, Translation]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a job brings into a step."""

    path: str  # of its model
    tokens: list[str]


class TranslationEngine:
    """Implements `engines.batcher.Engine`: what waits for one model is translated in one batch."""

    def __init__(self, config: TranslateConfig) -> None:
        self._config = config
        self._models: dict[str, _Model] = {}  # by path
        self._jobs: set[TranslationJob] = set()
        self.max_batch = _CPU_BATCH
        self.loaded: tuple[LoadedModel, ...] = ()

    def load(self) -> None:
        """Load and warm every model, with no network. Raises `ModelError`."""
        device = device_of(self._config.device, "translate.device")
        self.max_batch = _CPU_BATCH if device == "cpu" else _GPU_BATCH
        for config in self._config.models:
            if config.path in self._models:
                continue
            with stopwatch() as watch:
                model = _Model(Path(config.path), device, self._config.threads)
                model.translate([model.source("Hello.", config.token)])
            self._models[config.path] = model
            size = megabytes_of(model.path)
            loaded = LoadedModel("nmt", model.path.name, config.path, device, size, watch.seconds)
            self.loaded = (*self.loaded, loaded)

    def start(self, job: TranslationJob) -> bool:
        """Take a slot. Raises `NotTranslatable`."""
        config = self._config_for(job.request.pair)
        source = self._models[config.path].source(job.request.text, config.token)
        if len(source) > _MOST_TOKENS:
            raise TooLong(
                f"{len(source)} tokens are too many to translate: {_MOST_TOKENS} at most."
            )
        job.state = _Source(config.path, source)
        self._jobs.add(job)
        return True

    def step(self, jobs: Sequence[TranslationJob]) -> None:
        """Translate all of them."""
        by_model: dict[str, list[TranslationJob]] = defaultdict(list)
        for job in jobs:
            by_model[job.state.path].append(job)
        for path, group in by_model.items():
            model = self._models[path]
            texts = model.translate([job.state.tokens for job in group])
            for job, text in zip(group, texts, strict=True):
                job.emit(Translation(text))
                job.finish()

    def stop(self, job: TranslationJob) -> None:
        """Give the slot back."""
        self._jobs.remove(job)
        job.state = None

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a started job was not stopped."""
        assert not self._jobs, f"{len(self._jobs)} translations were started and not stopped"

    def _config_for(self, pair: Pair) -> TranslationModelConfig:
        for config in self._config.models:
            if (config.source, config.target) == (pair.source, pair.target):
                return config
        raise NoSuchPair(f"No model of translate.models is for {pair.source} to {pair.target}.")


class _Model:
    """One folder, loaded. Used from one thread."""

    def __init__(self, path: Path, device: str, threads: int) -> None:
        self.path = path
        self._tokenizer = _tokenizer(path)
        self._adds_end = not _adds_end_itself(path / "config.json")
        try:
            self._translator = ctranslate2.Translator(
                str(path), device=device, intra_threads=threads, inter_threads=1
            )
        except Exception as error:
            raise model_error(path / "model.bin", f"cannot be loaded: {error}") from error

    def source(self, text: str, token: str) -> list[str]:
        """What the encoder reads; `token` names the target of a model that has several."""
        tokens = [*([token] if token else []), *self._tokenizer.encode(text)]
        return [*tokens, _END] if self._adds_end else tokens

    def translate(self, sources: list[list[str]]) -> list[str]:
        limits = [_most_tokens(source) for source in sources]
        results = self._translator.translate_batch(
            sources,
            beam_size=1,
            min_decoding_length=0,  # a model may have nothing to say: that is then noticed
            max_decoding_length=max(limits),
        )
        return [
            self._tokenizer.decode(result.hypotheses[0][:limit]).strip()
            for result, limit in zip(results, limits, strict=True)
        ]


class _Tokenizer:
    """A model of subwords for the source and one for the target, often the same."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = _sentencepiece(source)
        self._target = self._source if target == source else _sentencepiece(target)

    def encode(self, text: str) -> list[str]:
        pieces: list[str] = self._source.encode(text, out_type=str)
        return pieces

    def decode(self, tokens: list[str]) -> str:
        return str(self._target.decode([token for token in tokens if token != _END]))


def _tokenizer(path: Path) -> _Tokenizer:
    if not path.is_dir():
        raise model_error(path, "is missing, or is no folder of a CTranslate2 translation model")
    if (path / "source.spm").is_file():
        return _Tokenizer(path / "source.spm", path / "target.spm")
    for name in _T5_FILES:
        if (path / name).is_file():
            return _Tokenizer(path / name, path / name)
    raise model_error(
        path, "has neither source.spm and target.spm (OPUS-MT) nor spiece.model (MADLAD-400)"
    )


def _sentencepiece(path: Path) -> sentencepiece.SentencePieceProcessor:
    if not path.is_file():
        raise model_error(path, "is missing")
    try:
        return sentencepiece.SentencePieceProcessor(model_file=str(path))
    except Exception as error:
        raise model_error(path, f"is broken: {error}") from error


def _adds_end_itself(path: Path) -> bool:
    """Whether CTranslate2 puts the end behind every source by itself."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("add_source_eos", False))
    except (ValueError, OSError, AttributeError) as error:
        raise model_error(path, f"is missing or broken: {error}") from error


def _most_tokens(source: list[str]) -> int:
    return min(_MOST_TOKENS, _SPARE_TOKENS + int(_TOKENS_PER_TOKEN * len(source)))
