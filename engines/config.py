"""What each engine can be told: one frozen dataclass per engine, free of heavy imports.

They are apart from the engines so that the server can read a configuration, print it and document
it without loading a model library. Every field carries its own documentation and bounds in its
metadata; `server.config` fills them from file, environment and flags, and checks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")

MOST_CALLS = 10_000  # that a server may be allowed to hold

REPOSITORY = Path(__file__).resolve().parent.parent
STARTER = REPOSITORY / "models" / "starter"


def describe(
    about: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    secret: bool = False,
) -> Mapping[str, Any]:
    """Metadata of a field: its documentation, its bounds (both included), its secrecy."""
    return {"about": about, "minimum": minimum, "maximum": maximum, "secret": secret}


def option(
    default: T,
    about: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    secret: bool = False,
) -> T:
    """A field with a default. The type is the field's own: type checkers see just the default."""
    metadata = describe(about, minimum=minimum, maximum=maximum, secret=secret)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class VadConfig:
    """Voice activity detection: Silero."""

    model: str = option("", "ONNX file; empty takes the one that the installed silero-vad carries.")
    smart_turn: str = option(
        "",
        "ONNX file of Smart Turn v3, which then hears whether a turn is over; empty: our own "
        "classifier of the voice, which knows synthetic voices.",
    )


@dataclass(frozen=True, slots=True)
class SttConfig:
    """Speech to text: any Whisper model in CTranslate2 format."""

    model: str = option(str(STARTER / "stt"), "Folder of a Whisper model in CTranslate2 format.")
    device: Literal["auto", "cpu", "cuda"] = option("auto", "Where it runs; auto: a GPU if any.")
    compute_type: str = option(
        "auto", "CTranslate2 compute type; auto: float16 on a GPU, else int8."
    )
    threads: int = option(1, "CPU threads of one step.", minimum=1, maximum=256)
    max_batch: int = option(0, "Most requests in one step; 0: by device.", minimum=0, maximum=256)
    short_windows: bool | None = option(
        None, "Encode only the speech instead of 30 s; unset: what the model's own card asks for."
    )
    no_speech_threshold: float = option(
        0.6,
        "Probability of no speech above which improbable words are no words.",
        minimum=0.0,
        maximum=1.0,
    )
    log_probability_threshold: float = option(
        -1.0, "Mean log probability of a token below which words are improbable.", maximum=0.0
    )
    loop_repeats: int = option(
        4,
        "Times in a row that a decoder says a phrase (of 12 tokens in all at least) in a loop.",
        minimum=2,
        maximum=100,
    )


@dataclass(frozen=True, slots=True)
class LlmConfig:
    """Language model: any GGUF file with a chat template, run by llama.cpp."""

    model: str = option(str(STARTER / "llm" / "starter.gguf"), "GGUF file with a chat template.")
    context_tokens: int = option(
        16384, "KV cache that all conversations share, in tokens.", minimum=64, maximum=4_194_304
    )
    sequences: int = option(
        64, "Conversations whose KV cache is kept at once.", minimum=1, maximum=255
    )
    gpu_layers: int = option(-1, "Layers on the GPU; -1: all, where there is one.", minimum=-1)
    threads: int = option(1, "CPU threads of one step.", minimum=1, maximum=256)
    prefill_chunk_tokens: int = option(
        0,
        "Prompt tokens in one step; more: sooner first token, longer gaps in other calls; 0: by "
        "device (64 on a CPU; 256 on a GPU, which was never measured on one).",
        minimum=0,
        maximum=8192,
    )


@dataclass(frozen=True, slots=True)
class VoiceConfig:
    """One voice of one language."""

    language: str = field(metadata=describe("Language that it speaks: en, es, fr, hi, tl."))
    engine: Literal["espeak", "piper"] = field(metadata=describe("What speaks."))
    model: str = option(
        "", 'Piper: the .onnx file; eSpeak NG: a voice or variant ("fr", "+f3"), or empty.'
    )
    speaker: str = option("", "Speaker of a Piper voice that has several; empty: its default.")
    name: str = option("", "Name that a client asks for; empty: <engine>-<language>.")


STARTER_VOICES = tuple(
    VoiceConfig(
        language=language,
        engine="piper",
        model=str(STARTER / "tts" / "starter.onnx"),
        speaker=language,
        name=f"starter-{language}",
    )
    for language in ("en", "es", "fr", "hi", "tl")
)


@dataclass(frozen=True, slots=True)
class TtsConfig:
    """Text to speech: Piper voices, with eSpeak NG for every language that has none."""

    voices: tuple[VoiceConfig, ...] = option(
        STARTER_VOICES, "Voices; the first of a language is its default."
    )
    device: Literal["auto", "cpu", "cuda"] = option(
        "auto", "Where Piper voices run; auto: a GPU if onnxruntime can use one."
    )
    threads: int = option(
        0,
        "Callers whose speech is made at once, a core each; 0: half of the cores beyond two.",
        minimum=0,
        maximum=256,
    )


@dataclass(frozen=True, slots=True)
class TranslationModelConfig:
    """One direction of one translation model."""

    path: str = field(
        metadata=describe("Folder of an OPUS-MT or MADLAD-400 model in CTranslate2 format.")
    )
    source: str = field(metadata=describe("Language that it reads: en, es, fr, hi, tl."))
    target: str = field(metadata=describe("Language that it writes."))
    token: str = option(
        "", 'Names the target to a model that has several: "<2fil>", ">>tgl<<"; empty: none.'
    )


STARTER_TRANSLATORS = tuple(
    TranslationModelConfig(str(STARTER / "nmt"), source, target, f">>{target}<<")
    for language in ("tl", "hi", "es", "fr")
    for source, target in ((language, "en"), ("en", language))
)


@dataclass(frozen=True, slots=True)
class TranslateConfig:
    """Translation of text for the pivot tier; without a model the language model translates."""

    models: tuple[TranslationModelConfig, ...] = option(
        STARTER_TRANSLATORS,
        "Translation models; a pivot needs both directions between its language and en. The "
        "starter's knows no more than the starter language model, and is left out beside another.",
    )
    device: Literal["auto", "cpu", "cuda"] = option("auto", "Where they run; auto: a GPU if any.")
    threads: int = option(1, "CPU threads of one step.", minimum=1, maximum=256)
