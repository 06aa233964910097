"""What one session has agreed upon with its client, as the OpenAI Realtime protocol names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Wire audio, mono: `audio/pcm` is 16-bit little-endian."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate_hz: int = 24_000


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """`server_vad`: the server decides when the caller has finished."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    create_response: bool = True
    interrupt_response: bool = True


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that the client offers to run. `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective configuration of a session; `session.updated` echoes all of it."""

    model: str = "tinig"
    instructions: str = ""
    output_modality: Literal["audio", "text"] = "audio"
    input_format: AudioFormat = AudioFormat()
    output_format: AudioFormat = AudioFormat()
    transcription: bool = True  # whether the client is told what it said
    transcription_language: str | None = None  # None: recognised from the speech
    turn_detection: TurnDetection | None = TurnDetection()  # None: push to talk
    voice: str = "default"
    speed: float = 1.0
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: Literal["auto", "none"] = "auto"
    max_output_tokens: int | None = None  # None: the server's own bound
    extension_events: frozenset[str] = frozenset()  # `tinig.*` events that the client asked for
    reports_playback: bool = False  # sends `AudioPlayed`; a hold makes it drop what it has not
