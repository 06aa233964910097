"""The models of a size, made on the spot: all callers say the same, and get the same answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.random_models import (
    WhisperShape,
    small_vocabulary,
    write_random_vits,
    write_scripted_gguf,
    write_scripted_whisper,
)
from benchmarks.sizes import Size, require
from engines.config import REPOSITORY
from scripts.gguf_file import LlamaShape

# In one breath: where a caller paused, a draft of the part would have heard it whole.
SPOKEN = "Could you tell me when the eye doctor has any time for my daughter this week?"
_ANSWERED = (
    "Of| course.| The| eye| doctor| has| time| for| you| this| Thurs|day| mor|ning| at| half| past|"
    " ten,| and| on| Friday| after|noon| from| three| until| about| five;| which| of| these| two|"
    " days| would| suit| your| family| bet|ter|?"
)
HEARD = tuple(SPOKEN.split())  # in everything, a token a word
ANSWER = tuple(piece.encode() for piece in _ANSWERED.split("|"))  # to everything, a token a piece
_LANGUAGES = ("en", "es", "fr", "hi", "tl")
_PROMPTS = REPOSITORY / "server" / "language" / "data"
_TRAINED_TOKENS = 8192  # enough that a prompt has about as many as in a real vocabulary
_TEXT_TOKENS = 50_257  # of Whisper


@dataclass(frozen=True, slots=True)
class Models:
    """Where they lie."""

    whispers: Mapping[str, Path]
    llamas: Mapping[str, Path]
    voice: Path


def make(size: Size, folder: Path, on_model: Callable[[str], None] = lambda name: None) -> Models:
    """Write what `folder` has not yet. Raises `benchmarks.sizes.Lacking`."""
    require(size, folder)
    models = Models(
        {name: folder / name.replace(" ", "-") for name in size.whispers},
        {name: folder / f"{name.replace(' ', '-')}.gguf" for name in size.llamas},
        folder / "voice.onnx",
    )

    def once(path: Path, shape: object, write: Callable[[], None]) -> None:
        made = path.with_name(f"{path.name}.made")  # so nothing is taken that was cut off
        contents = repr((shape, size.vocabulary_size, HEARD, ANSWER))
        if not made.exists() or made.read_text("utf-8") != contents:
            on_model(path.stem)
            write()
            made.write_text(contents, "utf-8")

    for name, whisper in size.whispers.items():
        path = models.whispers[name]
        once(path, whisper, partial(_make_whisper, path, whisper))
    for name, llama in size.llamas.items():
        path = models.llamas[name]
        once(path, llama, partial(_make_llama, path, llama, size.vocabulary_size))
    once(models.voice, size.voice, partial(write_random_vits, models.voice, size.voice))
    return models


def _make_whisper(path: Path, shape: WhisperShape) -> None:
    languages = 100 if shape.mels == 128 else 99  # large-v3 knows Cantonese
    write_scripted_whisper(
        path, shape, HEARD,
        languages=_LANGUAGES, num_languages=languages, num_text_tokens=_TEXT_TOKENS,
    )  # fmt: skip
    (path / "preprocessor_config.json").write_text(f'{{"feature_size": {shape.mels}}}', "utf-8")


def _make_llama(path: Path, shape: LlamaShape, vocabulary_size: int) -> None:
    vocabulary = small_vocabulary(_TRAINED_TOKENS, _texts())
    write_scripted_gguf(
        path, ANSWER, shape=shape, vocabulary=vocabulary, vocabulary_size=vocabulary_size
    )


def _texts() -> Iterator[str]:
    """Prompts and phrases of five languages."""
    for path in sorted(_PROMPTS.rglob("*.toml")):
        yield from path.read_text(encoding="utf-8").splitlines()
